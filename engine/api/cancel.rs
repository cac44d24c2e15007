//! A person ends a job early, or lets a quarantined one go on.

use std::collections::BTreeSet;
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
use crate::store::{JobRequest, Reach, Release, RequestKind};

use super::job::job_id;
use super::{Person, Problem, Rooms, body, wire};

/// How many jobs are cancelled in one commit.
const CANCELLED_AT_ONCE: usize = 100;

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
    let now = rooms.intake.clock.now();
    if status == JobStatus::Quarantined {
        // It goes on for as long as it takes to clean up.
        store.release(&id, now, &by, Release::ToCancel).await?;
    }
    // The job itself comes first: what it starts from now on is cancelled when it is queued.
    let reach = match wish.children {
        true => Reach::Children,
        false => Reach::Job,
    };
    let mut cancelled = store.cancel(vec![id.clone()], now, &by, reach).await?;
    if wish.children {
        cancelled.extend(cancel_below(&rooms, &id, &by).await?);
    }
    if cancelled.is_empty() {
        let message = format!(
            "the job has ended already ({}); there is nothing left to cancel",
            status.as_str()
        );
        return Err(Problem::conflict("job_ended", message));
    }
    for job in &cancelled {
        rooms.intake.bell.ring(job);
    }
    let cancelled: Vec<&str> = cancelled.iter().map(JobId::as_str).collect();
    let answer = json!({ "id": id.as_str(), "status": "cancelling", "cancelled": cancelled });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// Cancels what a job has started, and what that has started meanwhile, until there is no more.
async fn cancel_below(rooms: &Rooms, id: &JobId, by: &str) -> Result<Vec<JobId>, Problem> {
    let store = &rooms.intake.store;
    let mut asked = BTreeSet::new();
    let mut cancelled = Vec::new();
    loop {
        let mut open = store.open_descendants(id).await?;
        open.retain(|job| asked.insert(job.clone()));
        if open.is_empty() {
            return Ok(cancelled);
        }
        for some in open.chunks(CANCELLED_AT_ONCE) {
            let now = rooms.intake.clock.now();
            let some = store.cancel(some.to_vec(), now, by, Reach::Children);
            cancelled.extend(some.await?);
        }
    }
}

/// How a quarantined job is released.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseWish {
    /// Whether it goes on although it was done again.
    #[serde(default)]
    though_done_again: bool,
}

/// `POST /api/jobs/{id}/release`
pub(super) async fn release(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = job_id(&id)?;
    let wish: ReleaseWish = body::json(&bytes)?;
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
    let release = match wish.though_done_again {
        true => Release::ToGoOnAnyway,
        false => Release::ToGoOn,
    };
    store.release(&id, now, &by, release).await?;
    rooms.intake.bell.ring_queue();
    let answer = json!({ "id": id.as_str(), "status": "released" });
    Ok((StatusCode::ACCEPTED, Json(answer)))
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
