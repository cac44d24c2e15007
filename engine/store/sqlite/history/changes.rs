//! Removing old records of what people and jobs changed: audit entries, versions of rows.

use sqlx::SqliteConnection;

use super::super::error::{corrupt, store_error};
use super::forget::ROWS_AT_ONCE;
use crate::clock::Moment;
use crate::store::StoreError;

/// A version of a row: its table, key and number.
pub(super) type Version = (i64, String, i64);

/// Removes audit entries from before a moment, of the oldest ones; answers how many.
pub(super) async fn audit(
    connection: &mut SqliteConnection,
    before: Moment,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM audit WHERE number IN (
            SELECT number FROM (SELECT number, at FROM audit ORDER BY number LIMIT $2)
            WHERE at < $1)",
    )
    .bind(before.0)
    .bind(limit())
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(done.rows_affected())
}

/// Versions from before a moment that are not what the row is now.
pub(super) async fn old_versions(
    connection: &mut SqliteConnection,
    before: Moment,
) -> Result<Vec<Version>, StoreError> {
    sqlx::query_as(
        "SELECT tbl, key, version FROM lookup_history AS old
         WHERE written_at < $1 AND (change = 'removed' OR version < (
            SELECT MAX(version) FROM lookup_history AS newer
            WHERE newer.tbl = old.tbl AND newer.key = old.key))
         LIMIT $2",
    )
    .bind(before.0)
    .bind(limit())
    .fetch_all(connection)
    .await
    .map_err(store_error)
}

/// Removes these versions; answers how many.
pub(super) async fn remove_versions(
    connection: &mut SqliteConnection,
    versions: Vec<Version>,
) -> Result<u64, StoreError> {
    let list = serde_json::to_string(&versions).map_err(|e| corrupt("versions", &e))?;
    let done = sqlx::query(
        "DELETE FROM lookup_history WHERE (tbl, key, version) IN (
            SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($1))",
    )
    .bind(list)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(done.rows_affected())
}

fn limit() -> i64 {
    i64::try_from(ROWS_AT_ONCE).unwrap_or(i64::MAX)
}
