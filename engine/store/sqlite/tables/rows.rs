//! Rows as they are stored.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::super::error::{corrupt, store_error};
use super::{Kept, sealed};
use crate::clock::Moment;
use crate::data::{Object, Value};
use crate::store::StoreError;

/// A row as stored.
#[derive(Clone, Debug)]
pub(super) struct StoredRow {
    pub(super) number: i64,
    pub(super) key: Option<String>,
    pub(super) row: Object,
    /// Whether a secret stood in it unsealed.
    pub(super) was_open: bool,
    pub(super) written_by: String,
    pub(super) written_at: Moment,
}

impl StoredRow {
    /// Reads number, key, body and writer.
    pub(super) fn read(kept: &Kept, row: &SqliteRow) -> Result<Self, StoreError> {
        let body: &str = row.try_get(2).map_err(store_error)?;
        let (columns, was_open) = sealed::row(kept, body)?;
        Ok(Self {
            number: row.try_get(0).map_err(store_error)?,
            key: row.try_get(1).map_err(store_error)?,
            row: columns,
            was_open,
            written_by: row.try_get(3).map_err(store_error)?,
            written_at: Moment(row.try_get(4).map_err(store_error)?),
        })
    }
}

/// All rows of a table, oldest first.
pub(super) async fn all(
    connection: &mut SqliteConnection,
    kept: &Kept,
) -> Result<Vec<StoredRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT number, key, body, written_by, written_at FROM lookup_row WHERE tbl = $1
         ORDER BY number",
    )
    .bind(kept.number)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    rows.iter().map(|row| StoredRow::read(kept, row)).collect()
}

/// The row with this key.
pub(super) async fn by_key(
    connection: &mut SqliteConnection,
    kept: &Kept,
    key: &str,
) -> Result<Option<StoredRow>, StoreError> {
    let row = sqlx::query(
        "SELECT number, key, body, written_by, written_at FROM lookup_row
         WHERE tbl = $1 AND key = $2",
    )
    .bind(kept.number)
    .bind(key)
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    row.as_ref()
        .map(|row| StoredRow::read(kept, row))
        .transpose()
}

/// The row of this number.
pub(super) async fn by_number(
    connection: &mut SqliteConnection,
    kept: &Kept,
    number: i64,
) -> Result<Option<StoredRow>, StoreError> {
    let row = sqlx::query(
        "SELECT number, key, body, written_by, written_at FROM lookup_row
         WHERE tbl = $1 AND number = $2",
    )
    .bind(kept.number)
    .bind(number)
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    row.as_ref()
        .map(|row| StoredRow::read(kept, row))
        .transpose()
}

/// The rows with one of these keys, by key.
pub(super) async fn by_keys(
    connection: &mut SqliteConnection,
    kept: &Kept,
    keys: &[String],
) -> Result<BTreeMap<String, StoredRow>, StoreError> {
    let mut found = BTreeMap::new();
    if let [key] = keys {
        found.extend(
            by_key(connection, kept, key)
                .await?
                .map(|row| (key.clone(), row)),
        );
        return Ok(found);
    }
    let keys = serde_json::to_string(keys).map_err(|e| corrupt("keys", &e))?;
    let rows = sqlx::query(
        "SELECT number, key, body, written_by, written_at FROM lookup_row
         WHERE tbl = $1 AND key IN (SELECT value FROM json_each($2))",
    )
    .bind(kept.number)
    .bind(keys)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    for row in &rows {
        let row = StoredRow::read(kept, row)?;
        if let Some(key) = &row.key {
            found.insert(key.clone(), row);
        }
    }
    Ok(found)
}

/// The rows whose column holds one of these values, or something that SQLite cannot tell from it
/// (`true` and `1`); by the column's index.
pub(super) async fn by_column(
    connection: &mut SqliteConnection,
    kept: &Kept,
    column: &str,
    values: &[Value],
) -> Result<Vec<StoredRow>, StoreError> {
    let values = serde_json::to_string(values).map_err(|e| corrupt("values", &e))?;
    let sql = by_column_sql(kept.number, column);
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(values)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    rows.iter().map(|row| StoredRow::read(kept, row)).collect()
}

/// The number and the column stand in the text, as they do in the index: otherwise SQLite does not
/// see that the index fits. It is named, since without statistics SQLite prefers the whole table.
/// A column's name holds letters, digits and `_` only.
pub(in crate::store::sqlite) fn by_column_sql(number: i64, column: &str) -> String {
    format!(
        "SELECT number, key, body, written_by, written_at
         FROM lookup_row INDEXED BY lookup_row_{number}_{column}
         WHERE tbl = {number}
            AND json_extract(body, '$.{column}') IN (SELECT value FROM json_each($1))"
    )
}

/// Makes sure that a column can be looked up by an index.
pub(in crate::store::sqlite) async fn index_column(
    connection: &mut SqliteConnection,
    number: i64,
    column: &str,
) -> Result<(), StoreError> {
    let sql = format!(
        "CREATE INDEX IF NOT EXISTS lookup_row_{number}_{column}
         ON lookup_row (json_extract(body, '$.{column}')) WHERE tbl = {number}"
    );
    sqlx::query(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// How many rows a table has.
pub(super) async fn count(
    connection: &mut SqliteConnection,
    kept: &Kept,
) -> Result<i64, StoreError> {
    sqlx::query_scalar("SELECT COUNT(*) FROM lookup_row WHERE tbl = $1")
        .bind(kept.number)
        .fetch_one(connection)
        .await
        .map_err(store_error)
}
