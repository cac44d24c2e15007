//! What people ask of jobs, and waking those that wait.

use sqlx::{Row, SqliteConnection};

use super::super::error::{corrupt, store_error};
use super::record;
use crate::clock::Moment;
use crate::journal::JobStatus;
use crate::names::JobId;
use crate::store::{JobRequest, RequestKind, StoreError};

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
    let kind = serde_json::to_string(&kind).map_err(|e| corrupt("a request", &e))?;
    sqlx::query(
        "INSERT INTO job_request (job, at, kind) VALUES ($1, $2, $3);
         UPDATE job SET has_news = 1,
            due = CASE status WHEN 'running' THEN due ELSE MIN(COALESCE(due, $2), $2) END
         WHERE number = $1",
    )
    .bind(number)
    .bind(at.0)
    .bind(kind)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
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
    Ok(asked.into_iter().map(|(_, request)| request).collect())
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
