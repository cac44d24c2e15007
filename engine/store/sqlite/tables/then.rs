//! What a table held when a job began, out of its history.
//!
//! Always true: what the job itself wrote is left out, whenever it did.

use sqlx::SqliteConnection;

use super::super::Sqlite;
use super::super::error::store_error;
use super::{Kept, sealed};
use crate::clock::Moment;
use crate::data::Object;
use crate::names::{JobId, TableName};
use crate::store::StoreError;

/// Rows without a key have their number in its place.
const ROWS_THEN: &str = "
    SELECT body, EXISTS (
        SELECT 1 FROM lookup_history WHERE tbl = $1 AND key = past.key AND written_by = $3)
    FROM lookup_history AS past
    WHERE tbl = $1 AND change <> 'removed' AND version = (
        SELECT MAX(version) FROM lookup_history
        WHERE tbl = $1 AND key = past.key AND written_at <= $2 AND written_by <> $3)
    ORDER BY CASE WHEN key GLOB '#[0-9]*' THEN CAST(substr(key, 2) AS INTEGER) ELSE 0 END, key
    LIMIT $4";

/// A row that a table held when a job began.
#[derive(Clone, Debug, PartialEq)]
pub struct RowBefore {
    /// What it held.
    pub row: Object,
    /// Whether the job changed or removed it.
    pub is_touched: bool,
}

impl Sqlite {
    /// The rows that a table held when a job began, so many at most.
    pub async fn rows_before(
        &self,
        table: &TableName,
        job: &JobId,
        began_at: Moment,
        limit: usize,
    ) -> Result<Vec<RowBefore>, StoreError> {
        let kept = self.kept(table)?;
        let by = format!("job:{job}");
        self.with_reader(move |connection| {
            Box::pin(async move { rows_then(connection, &kept, &by, began_at, limit).await })
        })
        .await
    }
}

async fn rows_then(
    connection: &mut SqliteConnection,
    kept: &Kept,
    by: &str,
    at: Moment,
    limit: usize,
) -> Result<Vec<RowBefore>, StoreError> {
    let found: Vec<(String, bool)> = sqlx::query_as(ROWS_THEN)
        .bind(kept.number)
        .bind(at.0)
        .bind(by)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let row = |(body, is_touched): &(String, bool)| {
        Ok(RowBefore {
            row: sealed::row(kept, body)?.0,
            is_touched: *is_touched,
        })
    };
    found.iter().map(row).collect()
}
