//! A person ends a job early, or lets a quarantined one go on.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::data::Value;
use crate::journal::{Entry, EntryKind, JobStatus};
use crate::names::JobId;
use crate::store::{JobRequest, Jobs, RequestKind, StoreError};

use super::job::job_id;
use super::{Person, Problem, Rooms, body, wire};

/// What is to be cancelled beside the job itself.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// Whether the jobs that it started are cancelled too.
    #[serde(default)]
    children: bool,
}

/// `POST /api/jobs/{id}/cancel`
pub(super) async fn cancel(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = job_id(&id)?;
    let wish: Wish = body::json(&bytes)?;
    let store = &rooms.intake.store;
    let status = store.status(&id).await?;
    let children = if wish.children {
        store.open_descendants(&id).await?
    } else {
        Vec::new()
    };
    if status == JobStatus::Quarantined {
        // It goes on for as long as it takes to clean up.
        let asked = RequestKind::Cancel { by: by.to_string() };
        let now = rooms.intake.clock.now();
        store.release(&id, now, &by, Some(asked)).await?;
    } else if status.is_final() && children.is_empty() {
        let message = format!(
            "the job has ended already ({}); there is nothing left to cancel",
            status.as_str()
        );
        return Err(Problem::conflict("job_ended", message));
    }
    let mut cancelled = Vec::new();
    for job in std::iter::once(&id).chain(&children) {
        if ask(&rooms, job, &by).await? {
            cancelled.push(job.as_str());
        }
    }
    let answer = json!({ "id": id.as_str(), "status": "cancelling", "cancelled": cancelled });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// `POST /api/jobs/{id}/release`
pub(super) async fn release(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = job_id(&id)?;
    let store = &rooms.intake.store;
    let status = store.status(&id).await?;
    if status != JobStatus::Quarantined {
        let message = format!(
            "the job is not quarantined ({}); only such a job can be released",
            status.as_str()
        );
        return Err(Problem::conflict("not_quarantined", message));
    }
    let now = rooms.intake.clock.now();
    store.release(&id, now, &by, None).await?;
    rooms.intake.bell.ring_queue();
    let answer = json!({ "id": id.as_str(), "status": "released" });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// Leaves the wish, unless it waits there already; false if the job has ended meanwhile.
async fn ask(rooms: &Rooms, id: &JobId, by: &str) -> Result<bool, Problem> {
    let store = &rooms.intake.store;
    let waiting = store.requests(id).await?;
    let is_asked = |asked: &JobRequest| matches!(asked.kind, RequestKind::Cancel { .. });
    if !waiting.iter().any(is_asked) {
        let kind = RequestKind::Cancel { by: by.to_owned() };
        match store.request(id, rooms.intake.clock.now(), kind).await {
            Ok(()) => {}
            Err(StoreError::Conflict(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    rooms.intake.bell.ring(id);
    Ok(true)
}

/// Who wanted a job to end early, and when.
pub(super) fn shown(entries: &[Entry], waiting: &[JobRequest]) -> Option<Value> {
    let recorded = entries.iter().find_map(|entry| match &entry.kind {
        EntryKind::CancelRequested { by } => Some((by, entry.at)),
        _ => None,
    });
    let asked = || {
        waiting.iter().find_map(|asked| match &asked.kind {
            RequestKind::Cancel { by } => Some((by, asked.at)),
            RequestKind::Decide { .. } => None,
        })
    };
    let (by, at) = recorded.or_else(asked)?;
    Some(json!({ "by": by, "at": wire::moment(at) }))
}
