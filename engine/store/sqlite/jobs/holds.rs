//! Concurrency keys and slots: who has them, who waits in line.
//!
//! In: frames that ask and frames that end. Out: grants, first come first served.
//! Always true: of one recipe and key at most one frame holds, and of one recipe never more than
//! its limit; a slot that is given back goes to the next in line in the same commit.

use sqlx::SqliteConnection;

use super::super::error::{corrupt, store_error};
use super::request::wake;
use crate::clock::Moment;
use crate::journal::EntryKey;
use crate::names::JobId;
use crate::store::{HoldRequest, StoreError};

/// A newcomer gets the hold if its key is free, nobody waits for that key, and a slot is free.
const ASK: &str = "
    INSERT INTO hold (job, key, recipe, value, most, is_granted)
    VALUES ($1, $2, $3, $4, $5,
        NOT EXISTS (SELECT 1 FROM hold WHERE recipe = $3 AND value = $4)
        AND ($5 IS NULL
            OR $5 > (SELECT COUNT(*) FROM hold WHERE recipe = $3 AND is_granted = 1)))
    ON CONFLICT (job, key) DO UPDATE SET is_granted = is_granted
    RETURNING is_granted";

/// Asks for a hold; true if it was granted at once, or earlier.
pub(super) async fn ask(
    connection: &mut SqliteConnection,
    job: i64,
    request: &HoldRequest,
) -> Result<bool, StoreError> {
    let is_granted: i64 = sqlx::query_scalar(ASK)
        .bind(job)
        .bind(&*request.key.0)
        .bind(request.recipe.as_str())
        .bind(&request.value)
        .bind(request.limit.map(i64::from))
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    Ok(is_granted == 1)
}

/// Gives holds of a job back and grants them to the next in line, who are woken.
pub(super) async fn release(
    connection: &mut SqliteConnection,
    job: i64,
    keys: &[EntryKey],
    at: Moment,
) -> Result<Vec<JobId>, StoreError> {
    let keys = serde_json::to_string(keys).map_err(|e| corrupt("frames", &e))?;
    let released: Vec<(String, Option<String>, i64)> = sqlx::query_as(
        "DELETE FROM hold WHERE job = $1 AND key IN (SELECT value FROM json_each($2))
         RETURNING recipe, value, is_granted",
    )
    .bind(job)
    .bind(keys)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    grant_next(connection, released, at).await
}

/// Gives all holds of a job that ended back.
pub(super) async fn release_all(
    connection: &mut SqliteConnection,
    job: i64,
    at: Moment,
) -> Result<Vec<JobId>, StoreError> {
    let released: Vec<(String, Option<String>, i64)> =
        sqlx::query_as("DELETE FROM hold WHERE job = $1 RETURNING recipe, value, is_granted")
            .bind(job)
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
    grant_next(connection, released, at).await
}

/// The first in line for one key, if its slot is free.
const NEXT_OF_KEY: &str = "
    SELECT number, job FROM hold AS waiting
    WHERE recipe = $1 AND value = $2 AND is_granted = 0
        AND NOT EXISTS (SELECT 1 FROM hold WHERE recipe = $1 AND value = $2 AND is_granted = 1)
        AND (most IS NULL
            OR most > (SELECT COUNT(*) FROM hold WHERE recipe = $1 AND is_granted = 1))
    ORDER BY number LIMIT 1";

/// The first in line that only waited for a slot: its key is free, or it needs none.
const NEXT_OF_SLOT: &str = "
    SELECT number, job FROM hold AS waiting
    WHERE recipe = $1 AND is_granted = 0 AND most IS NOT NULL
        AND most > (SELECT COUNT(*) FROM hold WHERE recipe = $1 AND is_granted = 1)
        AND (value IS NULL OR NOT EXISTS (
            SELECT 1 FROM hold WHERE recipe = $1 AND value = waiting.value AND is_granted = 1))
    ORDER BY number LIMIT 1";

async fn grant_next(
    connection: &mut SqliteConnection,
    released: Vec<(String, Option<String>, i64)>,
    at: Moment,
) -> Result<Vec<JobId>, StoreError> {
    let mut granted = Vec::new();
    // Slots first: who waits longest goes first, whatever its key.
    for (recipe, value, _) in released.iter().filter(|(_, _, held)| *held == 1) {
        while let Some(next) = first(connection, NEXT_OF_SLOT, recipe, None).await? {
            granted.push(next);
        }
        if let Some(value) = value
            && let Some(next) = first(connection, NEXT_OF_KEY, recipe, Some(value)).await?
        {
            granted.push(next);
        }
    }
    let mut woken = Vec::with_capacity(granted.len());
    for job in granted {
        woken.extend(wake(connection, job, at).await?);
    }
    Ok(woken)
}

/// Grants the hold of the first row of this query; the number of its job.
async fn first(
    connection: &mut SqliteConnection,
    sql: &'static str,
    recipe: &str,
    value: Option<&str>,
) -> Result<Option<i64>, StoreError> {
    let row: Option<(i64, i64)> = sqlx::query_as(sql)
        .bind(recipe)
        .bind(value)
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let Some((number, job)) = row else {
        return Ok(None);
    };
    sqlx::query("UPDATE hold SET is_granted = 1 WHERE number = $1")
        .bind(number)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(Some(job))
}
