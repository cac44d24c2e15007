//! Removing the history of jobs.

use sqlx::{Row, SqliteConnection};

use super::super::error::{corrupt, store_error};
use super::find::is_needed;
use crate::clock::Moment;
use crate::store::StoreError;

/// How many small rows go in one step.
pub(super) const ROWS_AT_ONCE: u64 = 500;

/// A journal of more rows than this is removed in pieces of as many.
const JOURNAL_ROWS_MAX: i64 = 500;

/// Marks the jobs and keeps of their failures the code alone: what a message says of people or data
/// is part of the history. Since they were found, another job may have come to need them.
const MARK: &str = concat!(
    "UPDATE job SET pruned_at = $2, pruned_by = $3, pin = NULL, output = NULL,
        failure = CASE WHEN failure IS NOT NULL THEN json_object(
            'code', COALESCE((
                SELECT json_extract(rest, '$.code') FROM (
                    SELECT CASE WHEN failure LIKE '@%'
                        THEN substr(failure, instr(failure, char(10)) + 1) ELSE failure END AS rest)
                WHERE json_valid(rest)), 'failed'),
            'message', 'the message was removed with the history') END
    WHERE number IN (SELECT value FROM json_each($1))
        AND ended_at IS NOT NULL AND pruned_at IS NULL AND NOT ",
    is_needed!(),
    " RETURNING number, chunks"
);

/// What goes at once, in an order in which nothing is looked for that has gone already.
const AT_ONCE: [&str; 8] = [
    "UPDATE payload SET jobs = jobs - (
        SELECT COUNT(*) FROM job_input WHERE job_input.payload = payload.number
            AND job IN (SELECT value FROM json_each($1)))
     WHERE number IN (
        SELECT payload FROM job_input WHERE job IN (SELECT value FROM json_each($1)))",
    "DELETE FROM event_replay WHERE event IN (
        SELECT number FROM payload WHERE jobs <= 0 AND number IN (
            SELECT payload FROM job_input WHERE job IN (SELECT value FROM json_each($1))))",
    "DELETE FROM payload WHERE jobs <= 0 AND number IN (
        SELECT payload FROM job_input WHERE job IN (SELECT value FROM json_each($1)))",
    "DELETE FROM job_input WHERE job IN (SELECT value FROM json_each($1))",
    "DELETE FROM loop_head WHERE job IN (SELECT value FROM json_each($1))",
    "DELETE FROM job_request WHERE job IN (SELECT value FROM json_each($1))",
    "DELETE FROM job_await WHERE waiting IN (SELECT value FROM json_each($1))",
    "DELETE FROM cancel_below WHERE job IN (SELECT value FROM json_each($1))",
];

/// Journal and large values.
const JOURNAL: [&str; 4] = [
    "DELETE FROM large_value WHERE hash IN (
        SELECT hash FROM large_use WHERE job IN (SELECT value FROM json_each($1)))
     AND NOT EXISTS (
        SELECT 1 FROM large_use WHERE large_use.hash = large_value.hash
            AND job NOT IN (SELECT value FROM json_each($1)))",
    "DELETE FROM large_use WHERE job IN (SELECT value FROM json_each($1))",
    "DELETE FROM entry WHERE job IN (SELECT value FROM json_each($1))",
    "DELETE FROM loop_chunk WHERE job IN (SELECT value FROM json_each($1))",
];

/// A piece of a journal, and of what its loops gathered.
const PIECE: [&str; 2] = [
    "DELETE FROM entry WHERE job = $1 AND chunk IN (
        SELECT chunk FROM entry WHERE job = $1 ORDER BY chunk LIMIT $2)",
    "DELETE FROM loop_chunk WHERE job = $1 AND (place, chunk) IN (
        SELECT place, chunk FROM loop_chunk WHERE job = $1 ORDER BY place, chunk LIMIT $2)",
];

/// Removes the history of these jobs; answers how many had one.
pub(super) async fn jobs(
    connection: &mut SqliteConnection,
    jobs: &[i64],
    rule: &str,
    at: Moment,
) -> Result<u64, StoreError> {
    let rows = sqlx::query(MARK)
        .bind(list(jobs)?)
        .bind(at.0)
        .bind(rule)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let mut all = Vec::with_capacity(rows.len());
    let (mut short, mut long) = (Vec::new(), Vec::new());
    for row in &rows {
        let number: i64 = row.try_get(0).map_err(store_error)?;
        let chunks: i64 = row.try_get(1).map_err(store_error)?;
        all.push(number);
        match chunks <= JOURNAL_ROWS_MAX {
            true => short.push(number),
            false => long.push(number),
        }
    }
    for sql in AT_ONCE {
        execute(connection, sql, &all).await?;
    }
    for sql in JOURNAL {
        execute(connection, sql, &short).await?;
    }
    if !long.is_empty() {
        let sql = "INSERT INTO job_leftover (job) SELECT value FROM json_each($1)";
        execute(connection, sql, &long).await?;
    }
    Ok(u64::try_from(all.len()).unwrap_or(u64::MAX))
}

/// Removes the next piece of a long journal; answers how many jobs are through with it, and
/// whether there is more.
pub(super) async fn leftovers(
    connection: &mut SqliteConnection,
) -> Result<(u64, bool), StoreError> {
    let job: Option<i64> = sqlx::query_scalar("SELECT job FROM job_leftover LIMIT 1")
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let Some(job) = job else {
        return Ok((0, false));
    };
    for sql in PIECE {
        let done = sqlx::query(sql)
            .bind(job)
            .bind(JOURNAL_ROWS_MAX)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        if done.rows_affected() >= JOURNAL_ROWS_MAX.unsigned_abs() {
            return Ok((0, true));
        }
    }
    for sql in JOURNAL {
        execute(connection, sql, &[job]).await?;
    }
    sqlx::query("DELETE FROM job_leftover WHERE job = $1")
        .bind(job)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok((1, true))
}

/// Removes dedupe keys whose window is over; answers how many.
pub(super) async fn keys(
    connection: &mut SqliteConnection,
    now: Moment,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM dedupe WHERE (recipe, key) IN (
            SELECT recipe, key FROM dedupe WHERE known_until <= $1 LIMIT $2)",
    )
    .bind(now.0)
    .bind(i64::try_from(ROWS_AT_ONCE).unwrap_or(i64::MAX))
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(done.rows_affected())
}

async fn execute(
    connection: &mut SqliteConnection,
    sql: &'static str,
    jobs: &[i64],
) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    sqlx::query(sql)
        .bind(list(jobs)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

fn list(jobs: &[i64]) -> Result<String, StoreError> {
    serde_json::to_string(jobs).map_err(|e| corrupt("job numbers", &e))
}
