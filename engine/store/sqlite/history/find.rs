//! Looking for jobs whose history may go, beside the writer.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use super::super::error::{corrupt, store_error};
use super::KeptJob;
use crate::clock::Moment;
use crate::names::RecipeName;
use crate::store::StoreError;

/// Whether another job still needs what this one gave: it waits for it, or it started it, goes on
/// and may ask for it. A quarantined job may go on again.
macro_rules! is_needed {
    () => {
        "(EXISTS (
            SELECT 1 FROM job_await JOIN job AS waiting ON waiting.number = job_await.waiting
            WHERE awaited = job.number
                AND (waiting.ended_at IS NULL
                    OR waiting.status = 'quarantined' AND waiting.pruned_at IS NULL))
        OR (started_by > 'job:' AND started_by < 'job;' AND EXISTS (
            SELECT 1 FROM job AS starter WHERE starter.id = SUBSTR(job.started_by, 5)
                AND (starter.ended_at IS NULL
                    OR starter.status = 'quarantined' AND starter.pruned_at IS NULL))))"
    };
}
pub(super) use is_needed;

const KEPT: &str = concat!(
    "SELECT number, recipe, created_at, chunks,
        CASE WHEN ended_at IS NULL OR ",
    is_needed!(),
    " THEN NULL ELSE ended_at END,
        status IN ('failed', 'quarantined')
            AND NOT EXISTS (SELECT 1 FROM job_origin WHERE origin = job.number)
    FROM job WHERE pruned_at IS NULL AND number > $1 ORDER BY number LIMIT $2"
);

/// The next jobs that have their history.
pub(super) async fn kept_jobs(
    connection: &mut SqliteConnection,
    after: i64,
    limit: usize,
) -> Result<Vec<KeptJob>, StoreError> {
    let rows: Vec<(i64, String, i64, i64, Option<i64>, bool)> = sqlx::query_as(KEPT)
        .bind(after)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    rows.into_iter()
        .map(
            |(number, recipe, created_at, chunks, free_since, is_unmended)| {
                Ok(KeptJob {
                    number,
                    recipe: RecipeName::new(&recipe).map_err(StoreError::Corrupt)?,
                    created_at: Moment(created_at),
                    free_since: free_since.map(Moment),
                    rows: u64::try_from(chunks).unwrap_or(0),
                    is_unmended,
                })
            },
        )
        .collect()
}

/// Bytes of journal, event and input, of the delivery's part, of large values.
const BYTES: &str = "
    SELECT job.number,
        COALESCE((SELECT SUM(OCTET_LENGTH(body)) FROM entry WHERE entry.job = job.number), 0)
        + COALESCE((
            SELECT SUM(OCTET_LENGTH(body)) FROM loop_chunk WHERE loop_chunk.job = job.number), 0)
        + COALESCE((SELECT OCTET_LENGTH(event) + OCTET_LENGTH(input) + COALESCE((
                SELECT OCTET_LENGTH(body) / MAX(jobs, 1) FROM payload
                WHERE payload.number = job_input.payload), 0)
            FROM job_input WHERE job_input.job = job.number), 0)
        + COALESCE((SELECT SUM(OCTET_LENGTH(large_value.body)) FROM large_use
            JOIN large_value ON large_value.hash = large_use.hash
            WHERE large_use.job = job.number), 0)
        + COALESCE(OCTET_LENGTH(output), 0)
    FROM job WHERE number IN (SELECT value FROM json_each($1))";

/// About how many bytes the history of these jobs takes.
pub(super) async fn bytes_of_jobs(
    connection: &mut SqliteConnection,
    jobs: Vec<i64>,
) -> Result<BTreeMap<i64, u64>, StoreError> {
    let numbers = serde_json::to_string(&jobs).map_err(|e| corrupt("job numbers", &e))?;
    let rows: Vec<(i64, i64)> = sqlx::query_as(BYTES)
        .bind(numbers)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let bytes = |(job, bytes)| (job, u64::try_from(bytes).unwrap_or(0));
    Ok(rows.into_iter().map(bytes).collect())
}
