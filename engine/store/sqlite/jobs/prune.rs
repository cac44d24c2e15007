//! Forgetting what old jobs held.
//!
//! In: an age. Out: a smaller database.
//! Always true: a job that has not ended is never touched; a line for each job stays, with how it
//! ended; what another job still needs stays.

use sqlx::SqliteConnection;

use super::super::error::{corrupt, store_error};
use super::fires;
use crate::clock::Moment;
use crate::names::RecipeName;
use crate::store::StoreError;

/// Which jobs to forget, oldest first. Call it again until it answers 0; each call is one short
/// transaction, so that work goes on in between.
#[derive(Clone, Debug)]
pub struct Prune {
    /// Only jobs that ended before.
    pub ended_before: Moment,
    /// Only jobs of this recipe.
    pub recipe: Option<RecipeName>,
    /// How many at most in this call; a few hundred is a good measure.
    pub limit: usize,
    /// The present moment, after which dedupe keys are still needed.
    pub now: Moment,
}

/// Freed pages that one call gives back to the file system: 4 MiB.
const PAGES_GIVEN_BACK: &str = "PRAGMA incremental_vacuum(1024)";

/// Forgets jobs; answers how many.
pub(super) async fn prune(
    connection: &mut SqliteConnection,
    what: Prune,
) -> Result<u64, StoreError> {
    // What still has its input has not been pruned.
    let jobs: Vec<i64> = sqlx::query_scalar(
        "SELECT job_input.job FROM job_input JOIN job ON job.number = job_input.job
         WHERE job.ended_at < $1 AND ($2 IS NULL OR job.recipe = $2)
         ORDER BY job_input.job LIMIT $3",
    )
    .bind(what.ended_before.0)
    .bind(what.recipe.as_ref().map(|recipe| recipe.as_str()))
    .bind(i64::try_from(what.limit).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let numbers = serde_json::to_string(&jobs).map_err(|e| corrupt("job numbers", &e))?;
    for sql in FORGET {
        sqlx::query(sql)
            .bind(&numbers)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    sqlx::query(
        "DELETE FROM dedupe WHERE (recipe, key) IN (
            SELECT recipe, key FROM dedupe WHERE known_until <= $1 LIMIT $2)",
    )
    .bind(what.now.0)
    .bind(i64::try_from(what.limit).unwrap_or(i64::MAX))
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    fires::forget(connection, what.ended_before).await?;
    sqlx::query(PAGES_GIVEN_BACK)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(jobs.len() as u64)
}

/// What goes, in an order in which nothing is looked for that has gone already.
const FORGET: [&str; 9] = [
    "UPDATE payload SET jobs = jobs - (
        SELECT COUNT(*) FROM job_input WHERE job_input.payload = payload.number
            AND job IN (SELECT value FROM json_each($1)))
     WHERE number IN (
        SELECT payload FROM job_input WHERE job IN (SELECT value FROM json_each($1)))",
    "DELETE FROM payload WHERE jobs <= 0 AND number IN (
        SELECT payload FROM job_input WHERE job IN (SELECT value FROM json_each($1)))",
    "DELETE FROM large_value WHERE hash IN (
        SELECT hash FROM large_use WHERE job IN (SELECT value FROM json_each($1)))
     AND NOT EXISTS (
        SELECT 1 FROM large_use WHERE large_use.hash = large_value.hash
            AND job NOT IN (SELECT value FROM json_each($1)))",
    "DELETE FROM large_use WHERE job IN (SELECT value FROM json_each($1))",
    "DELETE FROM entry WHERE job IN (SELECT value FROM json_each($1))",
    "DELETE FROM loop_head WHERE job IN (SELECT value FROM json_each($1))",
    "DELETE FROM loop_chunk WHERE job IN (SELECT value FROM json_each($1))",
    "UPDATE job SET output = NULL, failure = CASE WHEN failure LIKE '@%' THEN NULL ELSE failure END
     WHERE number IN (SELECT value FROM json_each($1))",
    "DELETE FROM job_input WHERE job IN (SELECT value FROM json_each($1))",
];

/// How many bytes the database takes, without its free pages.
pub(super) async fn size_bytes(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let bytes: i64 = sqlx::query_scalar(
        "SELECT (page_count - freelist_count) * page_size
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    )
    .fetch_one(connection)
    .await
    .map_err(store_error)?;
    Ok(u64::try_from(bytes).unwrap_or(0))
}
