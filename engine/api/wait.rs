//! Waiting for a job's end on somebody's behalf.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::clock::Clock;
use crate::names::JobId;
use crate::store::{JobRecord, Jobs};

use super::{Problem, Rooms, wire};

/// How long the sender of a webhook is kept waiting for a result.
pub(super) const WEBHOOK_WAIT: Duration = Duration::from_secs(25);

/// The longest that a run waits.
pub(super) const RUN_WAIT_MAX: Duration = Duration::from_secs(300);

/// How soon the job is looked at again, at first and at most.
const LOOK_FIRST: Duration = Duration::from_millis(5);
const LOOK_MAX: Duration = Duration::from_millis(250);

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
        // Who was told of a result may count on it, even if the power fails now.
        rooms.intake.store.settle().await?;
        return Ok(Json(wire::job_with_output(&record)).into_response());
    }
    let answer = Json(json!({ "id": id.as_str(), "status": record.status.as_str() }));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], answer).into_response())
}

/// Returns once the job ended, or once it needs a person.
async fn until_ended(rooms: &Arc<Rooms>, id: &JobId) -> Result<JobRecord, Problem> {
    let mut pause = LOOK_FIRST;
    loop {
        if rooms.intake.store.status(id).await?.is_final() {
            return Ok(rooms.intake.store.job(id).await?.0);
        }
        Clock::rest(pause).await;
        pause = (pause * 2).min(LOOK_MAX);
    }
}
