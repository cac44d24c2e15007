//! Waiting for a job's end on somebody's behalf.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::clock::{Clock, parse_period};
use crate::journal::JobStatus;
use crate::names::JobId;
use crate::store::{JobRecord, Jobs};

use super::body::{parameters, unknown_parameter};
use super::{Problem, Rooms, wire};

/// How long the sender of a webhook is kept waiting for a result.
pub(super) const WEBHOOK_WAIT: Duration = Duration::from_secs(25);

/// The longest that anything else waits.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// How soon the job is looked at again, at first and at most.
const LOOK_FIRST: Duration = Duration::from_millis(5);
const LOOK_MAX: Duration = Duration::from_millis(250);

/// How long the parameter `wait` says to wait, if it is there.
pub(super) fn patience(query: Option<&str>) -> Result<Option<Duration>, Problem> {
    let mut patience = None;
    for (name, value) in parameters(query) {
        if name != "wait" {
            return Err(unknown_parameter(&name, &["wait"]));
        }
        let wait = parse_period(&value).map_err(Problem::bad_request)?;
        patience = Some(wait.min(WAIT_MAX));
    }
    Ok(patience)
}

/// Returns once the job ended or needs a person, or when the time is up.
pub(super) async fn until_settled(
    rooms: &Arc<Rooms>,
    id: &JobId,
    patience: Duration,
) -> Result<(), Problem> {
    match Clock::within(patience, until_ended(rooms, id)).await {
        Some(record) => record.map(drop),
        None => Ok(()),
    }
}

/// The job's result: 200 once it ended (whatever its end, which the answer says), else 202 with
/// where to look.
pub(super) async fn result(
    rooms: &Arc<Rooms>,
    id: &JobId,
    patience: Duration,
) -> Result<Response, Problem> {
    let record = match Clock::within(patience, until_ended(rooms, id)).await {
        Some(record) => record?,
        None => rooms.intake.store.job(id).await?.0,
    };
    let place = format!("/api/jobs/{id}");
    if record.status.is_final() {
        return Ok(Json(wire::job_with_output(&record)).into_response());
    }
    let answer = Json(json!({ "id": id.as_str(), "status": record.status.as_str() }));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], answer).into_response())
}

/// Returns once the job ended, or once it needs a person.
async fn until_ended(rooms: &Arc<Rooms>, id: &JobId) -> Result<JobRecord, Problem> {
    let mut pause = LOOK_FIRST;
    loop {
        let (record, ..) = rooms.intake.store.job(id).await?;
        if record.status.is_final() || record.status == JobStatus::NeedsDecision {
            return Ok(record);
        }
        Clock::rest(pause).await;
        pause = (pause * 2).min(LOOK_MAX);
    }
}
