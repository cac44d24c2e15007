//! Removing pins and programs that no job has any more.
//!
//! Always true: a pin goes only after it was given up, when no job can take it up any more.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use super::super::error::{corrupt, store_error};
use crate::store::StoreError;

/// Pins that no job with a history has.
pub(super) async fn unused(connection: &mut SqliteConnection) -> Result<Vec<i64>, StoreError> {
    sqlx::query_scalar(
        "SELECT number FROM pin WHERE number NOT IN (
            SELECT pin FROM job WHERE pruned_at IS NULL AND pin IS NOT NULL)",
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)
}

/// Takes the pins' hashes away, by which jobs find them.
pub(super) async fn give_up(
    connection: &mut SqliteConnection,
    pins: Vec<i64>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE pin SET hash = 'given up ' || number
         WHERE number IN (SELECT value FROM json_each($1))",
    )
    .bind(list(&pins)?)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// Removes those of these pins that were given up, and the large values that only they needed.
pub(super) async fn remove(
    connection: &mut SqliteConnection,
    pins: Vec<i64>,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM pin WHERE hash LIKE 'given up %'
            AND number IN (SELECT value FROM json_each($1))",
    )
    .bind(list(&pins)?)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    if done.rows_affected() > 0 {
        // Job 0 stands for pins; the settings of one name the large values that they need.
        let freed: Vec<String> = sqlx::query_scalar(
            "DELETE FROM large_use WHERE job = 0 AND NOT EXISTS (
                SELECT 1 FROM pin WHERE instr(pin.settings, large_use.hash) > 0)
             RETURNING hash",
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
        let freed = serde_json::to_string(&freed).map_err(|e| corrupt("hashes", &e))?;
        sqlx::query(
            "DELETE FROM large_value WHERE hash IN (SELECT value FROM json_each($1))
             AND NOT EXISTS (SELECT 1 FROM large_use WHERE large_use.hash = large_value.hash)",
        )
        .bind(freed)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    }
    Ok(done.rows_affected())
}

/// Programs that no pin names.
pub(super) async fn unpinned_programs(
    connection: &mut SqliteConnection,
) -> Result<BTreeSet<String>, StoreError> {
    let hashes: Vec<String> = sqlx::query_scalar(
        "SELECT hash FROM program WHERE NOT EXISTS (
            SELECT 1 FROM pin WHERE pin.program = program.hash)",
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    Ok(hashes.into_iter().collect())
}

/// Removes those of these programs that no pin names.
pub(super) async fn remove_programs(
    connection: &mut SqliteConnection,
    hashes: Vec<String>,
) -> Result<u64, StoreError> {
    let hashes = serde_json::to_string(&hashes).map_err(|e| corrupt("hashes", &e))?;
    let done = sqlx::query(
        "DELETE FROM program WHERE hash IN (SELECT value FROM json_each($1))
            AND NOT EXISTS (SELECT 1 FROM pin WHERE pin.program = program.hash)",
    )
    .bind(hashes)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(done.rows_affected())
}

fn list(pins: &[i64]) -> Result<String, StoreError> {
    serde_json::to_string(pins).map_err(|e| corrupt("pins", &e))
}
