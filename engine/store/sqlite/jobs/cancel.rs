//! Jobs that are cancelled, and with them the jobs that they start.
//!
//! In: jobs, and how far the cancelling reaches. Out: requests that their workers take up.
//! Always true: where it reaches the children, a job that its parent started before it heard of
//! the request is cancelled with it, whenever it was queued; what the parent starts to clean up,
//! after it heard, is not.

use sqlx::SqliteConnection;

use super::super::error::store_error;
use super::super::recipes::note;
use super::request::{audit_entry, leave};
use crate::clock::Moment;
use crate::data::Value;
use crate::journal::{Entry, EntryKind};
use crate::names::JobId;
use crate::store::{NewJob, RequestKind, StoreError};

/// How far a cancelling reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The job alone: those that it started go on.
    Job,
    /// The jobs that it starts before it hears of it, too.
    Children,
}

/// Whether a cancel that nobody took up yet waits for `open.job`.
macro_rules! is_asked {
    () => {
        "EXISTS (SELECT 1 FROM job_request AS asked
            WHERE asked.job = open.job AND asked.kind LIKE '{\"kind\":\"cancel\"%')"
    };
}

/// Asks these jobs to end, unless that waits for them already; answers which have not ended.
pub(super) async fn cancel(
    connection: &mut SqliteConnection,
    jobs: Vec<JobId>,
    at: Moment,
    by: String,
    reach: Reach,
) -> Result<Vec<JobId>, StoreError> {
    let mut cancelled = Vec::with_capacity(jobs.len());
    for job in jobs {
        let sql = concat!(
            "SELECT job, is_open, ",
            is_asked!(),
            " FROM (SELECT number AS job, ended_at IS NULL AS is_open FROM job WHERE id = $1)
             AS open"
        );
        let row: Option<(i64, bool, bool)> = sqlx::query_as(sql)
            .bind(job.as_str())
            .fetch_optional(&mut *connection)
            .await
            .map_err(store_error)?;
        let (number, is_open, is_asked) =
            row.ok_or_else(|| StoreError::NotFound(format!("job {job}")))?;
        if !is_open {
            continue;
        }
        if !is_asked {
            ask(connection, number, &job, at, &by).await?;
        }
        if reach == Reach::Children {
            mark(connection, number, &by).await?;
        }
        cancelled.push(job);
    }
    Ok(cancelled)
}

async fn ask(
    connection: &mut SqliteConnection,
    number: i64,
    job: &JobId,
    at: Moment,
    by: &str,
) -> Result<(), StoreError> {
    let kind = RequestKind::Cancel { by: by.to_owned() };
    leave(connection, number, at, &kind).await?;
    note(connection, &audit_entry(job, at, &kind)).await
}

/// Remembers that what a job starts is cancelled with it.
async fn mark(connection: &mut SqliteConnection, job: i64, by: &str) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO cancel_below (job, by) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(job)
        .bind(by)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// Cancels jobs that have just been started by one that is cancelled with its children, those that
/// it started before it heard of that. `entries` are those of the same commit.
pub(super) async fn reach_children(
    connection: &mut SqliteConnection,
    parent: i64,
    children: &[NewJob],
    entries: &[Entry],
    at: Moment,
) -> Result<(), StoreError> {
    let sql = concat!(
        "SELECT by, ",
        is_asked!(),
        " FROM cancel_below AS open WHERE job = $1"
    );
    let cancelled: Option<(String, bool)> = sqlx::query_as(sql)
        .bind(parent)
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let Some((by, is_unheard)) = cancelled else {
        return Ok(());
    };
    let heard = entries
        .iter()
        .position(|entry| matches!(entry.kind, EntryKind::CancelRequested { .. }));
    for child in children {
        let is_late = match heard {
            Some(heard) => entries[..heard]
                .iter()
                .any(|entry| is_start(entry, &child.id)),
            None => is_unheard,
        };
        if is_late {
            let number: i64 = sqlx::query_scalar("SELECT number FROM job WHERE id = $1")
                .bind(child.id.as_str())
                .fetch_one(&mut *connection)
                .await
                .map_err(store_error)?;
            ask(connection, number, &child.id, at, &by).await?;
            mark(connection, number, &by).await?;
        }
    }
    Ok(())
}

/// Whether an entry says that this job was started.
fn is_start(entry: &Entry, job: &JobId) -> bool {
    match &entry.kind {
        EntryKind::StepSucceeded { output } => {
            output.get("job_id").and_then(Value::as_str) == Some(job.as_str())
        }
        _ => false,
    }
}
