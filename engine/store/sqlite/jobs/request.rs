//! What people ask of jobs, and waking those that wait.

use serde_json::json;
use sqlx::{Row, SqliteConnection};

use super::super::checksum::sealed;
use super::super::error::{corrupt, store_error};
use super::super::recipes::note;
use super::record;
use crate::clock::Moment;
use crate::journal::JobStatus;
use crate::names::{JobId, RecipeName};
use crate::store::{AuditEntry, JobRequest, RequestKind, StoreError};

/// Leaves a request and makes the job claimable; a running one hears of it with its next commit.
pub(super) async fn request(
    connection: &mut SqliteConnection,
    job: JobId,
    at: Moment,
    kind: RequestKind,
) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT number, status FROM job WHERE id = $1")
        .bind(job.as_str())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?
        .ok_or_else(|| StoreError::NotFound(format!("job {job}")))?;
    let number: i64 = row.try_get(0).map_err(store_error)?;
    let status: &str = row.try_get(1).map_err(store_error)?;
    if JobStatus::parse(status).is_none_or(JobStatus::is_final) {
        return Err(StoreError::Conflict(format!(
            "job {job} has ended already ({status})"
        )));
    }
    leave(connection, number, at, &kind).await?;
    note(connection, &audit_entry(&job, at, &kind)).await
}

/// Leaves a request and makes the job claimable.
pub(super) async fn leave(
    connection: &mut SqliteConnection,
    job: i64,
    at: Moment,
    kind: &RequestKind,
) -> Result<(), StoreError> {
    let kind = sealed(serde_json::to_string(kind).map_err(|e| corrupt("a request", &e))?);
    sqlx::query(
        "INSERT INTO job_request (job, at, kind) VALUES ($1, $2, $3);
         UPDATE job SET has_news = 1,
            due = CASE status WHEN 'running' THEN due ELSE MIN(COALESCE(due, $2), $2) END
         WHERE number = $1",
    )
    .bind(job)
    .bind(at.0)
    .bind(kind)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// What the audit says of a request.
pub(super) fn audit_entry(job: &JobId, at: Moment, kind: &RequestKind) -> AuditEntry {
    let (by, action, detail) = match kind {
        RequestKind::Decide { key, by, decision } => {
            // What a person says that the vendor answered may be personal.
            let choice = json!(decision)["choice"].take();
            (by, "decided", json!({ "key": key.0, "choice": choice }))
        }
        RequestKind::Cancel { by } => (by, "cancelled", json!(null)),
    };
    AuditEntry {
        at,
        by: by.clone(),
        action: action.to_owned(),
        subject: format!("job:{job}"),
        detail,
    }
}

/// Cancels the jobs of a recipe that have begun and not ended; those in line stay there.
pub(super) async fn cancel_begun(
    connection: &mut SqliteConnection,
    recipe: RecipeName,
    at: Moment,
    by: String,
) -> Result<Vec<JobId>, StoreError> {
    let begun: Vec<(i64, String)> = sqlx::query_as(
        "SELECT number, id FROM job
         WHERE ended_at IS NULL AND +recipe = $1 AND status <> 'queued' ORDER BY number",
    )
    .bind(recipe.as_str())
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let kind = RequestKind::Cancel { by };
    let mut cancelled = Vec::with_capacity(begun.len());
    for (number, id) in begun {
        let id = record::job_id(&id)?;
        leave(connection, number, at, &kind).await?;
        note(connection, &audit_entry(&id, at, &kind)).await?;
        cancelled.push(id);
    }
    Ok(cancelled)
}

/// The jobs that a job started and that have not ended, those that these started among them.
pub(super) async fn open_descendants(
    connection: &mut SqliteConnection,
    job: JobId,
) -> Result<Vec<JobId>, StoreError> {
    // The bounds repeat those of the index, without which SQLite does not use it.
    let ids: Vec<String> = sqlx::query_scalar(
        "WITH RECURSIVE below (id, number, ended_at) AS (
            SELECT id, number, ended_at FROM job
            WHERE started_by = 'job:' || $1 AND started_by > 'job:' AND started_by < 'job;'
            UNION
            SELECT job.id, job.number, job.ended_at FROM below
            JOIN job ON job.started_by = 'job:' || below.id
                AND job.started_by > 'job:' AND job.started_by < 'job;')
         SELECT id FROM below WHERE ended_at IS NULL ORDER BY number",
    )
    .bind(job.as_str())
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    ids.iter().map(|id| record::job_id(id)).collect()
}

/// What people asked of a job and no commit has taken up yet.
pub(super) async fn open_requests(
    connection: &mut SqliteConnection,
    job: JobId,
) -> Result<Vec<JobRequest>, StoreError> {
    let number: Option<i64> = sqlx::query_scalar("SELECT number FROM job WHERE id = $1")
        .bind(job.as_str())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let number = number.ok_or_else(|| StoreError::NotFound(format!("job {job}")))?;
    let asked = record::requests(connection, &format!("[{number}]")).await?;
    asked.into_iter().map(|(_, request)| request).collect()
}

/// Makes a waiting job claimable. One that runs is not given back without another look.
pub(super) async fn wake(
    connection: &mut SqliteConnection,
    job: i64,
    at: Moment,
) -> Result<Option<JobId>, StoreError> {
    let id: Option<String> = sqlx::query_scalar(
        "UPDATE job SET has_news = 1,
            due = CASE WHEN status IN ('waiting', 'needs_decision') THEN $2 ELSE due END
         WHERE number = $1 AND ended_at IS NULL RETURNING id",
    )
    .bind(job)
    .bind(at.0)
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    id.map(|id| record::job_id(&id)).transpose()
}
