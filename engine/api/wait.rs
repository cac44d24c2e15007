//! Waiting for a job's end on somebody's behalf.

use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;

use crate::clock::{Clock, parse_period};
use crate::data::Value;
use crate::journal::JobStatus;
use crate::mask::{Marked, in_place, learned_secrets};
use crate::names::{JobId, RecipeName, Role};
use crate::shape::Shape;
use crate::store::{Jobs, StoreError};

use super::body::{parameters, unknown_parameter};
use super::job::masker;
use super::once::Keep;
use super::{Problem, Rooms, SignedIn, failures, wire};

/// How long the sender of a webhook is kept waiting for a result.
pub(super) const WEBHOOK_WAIT: Duration = Duration::from_secs(25);

/// The longest that a request waits.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// How soon the job is looked at again, at first and at most.
const LOOK_FIRST: Duration = Duration::from_millis(5);
const LOOK_MAX: Duration = Duration::from_millis(250);

/// The job's result, without what is marked so, to whoever was let in to ask for it: 200 once it ended (whatever its end, which
/// the answer says), else 202 with where to look. Never an error: the job is durable, and who is
/// told of an error sends the same thing again.
pub(super) async fn result(
    rooms: &Rooms,
    id: &JobId,
    patience: Duration,
    marked: Marked,
) -> Response {
    let place = [(header::LOCATION, format!("/api/jobs/{id}"))];
    let keep = Extension(Keep::Job);
    let status = match ended(rooms, id, patience, marked).await {
        Ok(Ended::With(wire)) => return (keep, place, Json(wire)).into_response(),
        Ok(Ended::NotYet(status)) => status.as_str(),
        Err(error) => {
            tracing::error!(job = %id, "who waits for this job is not told of its end: {error}");
            "unknown"
        }
    };
    let answer = Json(json!({ "id": id.as_str(), "status": status }));
    (StatusCode::ACCEPTED, keep, place, answer).into_response()
}

/// What of a result stays hidden from whoever asks: personal values are for those who may see them.
pub(super) fn shown_to(asker: Option<&SignedIn>) -> Marked {
    match asker.is_some_and(|asker| asker.role.may(Role::Admin)) {
        true => Marked::Secret,
        false => Marked::SecretOrPersonal,
    }
}

/// How a job ended, as far as that can be told by now.
enum Ended {
    With(Value),
    NotYet(JobStatus),
}

async fn ended(
    rooms: &Rooms,
    id: &JobId,
    patience: Duration,
    marked: Marked,
) -> Result<Ended, StoreError> {
    until_settled(rooms, id, patience).await?;
    let (record, ..) = rooms.intake.store.job(id).await?;
    if !record.status.is_final() {
        return Ok(Ended::NotYet(record.status));
    }
    // Who was told of a result may count on it, even if the power fails now.
    rooms.intake.store.settle().await?;
    let mut wire = wire::job(&record);
    failures::mask(rooms, &record, &mut wire).await;
    if let (Some(wire), Some(output)) = (wire.as_object_mut(), record.ending.and_then(|e| e.output))
    {
        let masker = match marked {
            Marked::Secret => (*learned_secrets()).clone(),
            Marked::SecretOrPersonal => masker(rooms, id).await.map_err(|_| {
                StoreError::Unavailable("nobody can tell now what is personal in it".to_owned())
            })?,
        };
        let shape = shape_of(rooms, &record.recipe);
        let output = masker.value(in_place(&shape, output, marked));
        wire.insert("output".into(), output);
    }
    Ok(Ended::With(wire))
}

/// What a recipe declares to give.
fn shape_of(rooms: &Rooms, recipe: &RecipeName) -> Shape {
    match rooms.intake.shelf.program(recipe) {
        Some(program) => program.root().output.clone(),
        None => Shape::Any,
    }
}

/// Returns once the job ended or needs a person, when patience is at its end, or when the server
/// stops: whoever waits is still answered then.
pub(super) async fn until_settled(
    rooms: &Rooms,
    id: &JobId,
    patience: Duration,
) -> Result<(), StoreError> {
    let mut stopping = rooms.intake.is_stopping.clone();
    let settled = async {
        let mut pause = LOOK_FIRST;
        loop {
            let status = rooms.intake.store.status(id).await?;
            if status.is_final() || status == JobStatus::NeedsDecision {
                return Ok(());
            }
            Clock::rest(pause).await;
            pause = (pause * 2).min(LOOK_MAX);
        }
    };
    let settled_or_stopped = async {
        tokio::select! {
            settled = settled => settled,
            _ = stopping.wait_for(|is_stopping| *is_stopping) => Ok(()),
        }
    };
    Clock::within(patience, settled_or_stopped)
        .await
        .unwrap_or(Ok(()))
}

/// Reads how long to wait from the parameters of an address, which has no others.
pub(super) fn patience(query: Option<&str>) -> Result<Option<Duration>, Problem> {
    let mut patience = None;
    for (name, value) in parameters(query) {
        if name != "wait" {
            return Err(unknown_parameter(&name, &["wait"]));
        }
        patience = Some(period(&value)?);
    }
    Ok(patience)
}

/// Reads how long to wait.
pub(super) fn period(value: &str) -> Result<Duration, Problem> {
    let wait = parse_period(value).map_err(Problem::bad_request)?;
    Ok(wait.min(WAIT_MAX))
}
