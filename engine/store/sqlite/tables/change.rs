//! Writing planned changes, with history.

use sqlx::SqliteConnection;

use super::super::error::store_error;
use super::rows::StoredRow;
use super::{Kept, sealed};
use crate::clock::Moment;
use crate::data::Object;
use crate::store::StoreError;

/// What becomes of one row.
#[derive(Debug)]
pub(super) enum Change {
    /// It is new.
    Add {
        /// Its key.
        key: Option<String>,
        /// What it holds.
        row: Object,
    },
    /// It holds something else.
    Alter {
        /// What it was.
        before: StoredRow,
        /// Its key now.
        key: Option<String>,
        /// What it holds now.
        row: Object,
    },
    /// It goes.
    Remove(StoredRow),
    /// All that there are go, however many: none of them is read for it.
    RemoveAll,
}

/// The version goes on where the history of the key ended, also after the row was once removed.
const ADD: &str = "
    INSERT INTO lookup_row (tbl, key, body, version, written_by, written_at)
    VALUES ($1, $2, $3, COALESCE((
        SELECT MAX(version) FROM lookup_history WHERE tbl = $1 AND key = $2), 0) + 1, $4, $5);
    INSERT INTO lookup_history (tbl, key, version, change, body, written_by, written_at)
    SELECT tbl, COALESCE(key, '#' || number), version, 'added', $3, $4, $5
    FROM lookup_row WHERE number = last_insert_rowid()";

/// A row without a key goes by its number, and the number of a row that was removed is given again:
/// the history goes on there, too.
const ADD_WITHOUT_KEY: &str = "
    INSERT INTO lookup_row (tbl, key, body, version, written_by, written_at)
    VALUES ($1, $2, $3, 1, $4, $5);
    UPDATE lookup_row SET version = COALESCE((
        SELECT MAX(version) FROM lookup_history WHERE tbl = $1 AND key = '#' || number), 0) + 1
    WHERE number = last_insert_rowid();
    INSERT INTO lookup_history (tbl, key, version, change, body, written_by, written_at)
    SELECT tbl, '#' || number, version, 'added', $3, $4, $5
    FROM lookup_row WHERE number = last_insert_rowid()";

const ALTER: &str = "
    UPDATE lookup_row SET key = $2, body = $3, written_by = $4, written_at = $5,
        version = 1 + CASE WHEN key IS $2 THEN version ELSE COALESCE((
            SELECT MAX(version) FROM lookup_history WHERE tbl = $6 AND key = $2), 0) END
    WHERE number = $1;
    INSERT INTO lookup_history (tbl, key, version, change, body, written_by, written_at)
    SELECT tbl, COALESCE(key, '#' || number), version, 'changed', $3, $4, $5
    FROM lookup_row WHERE number = $1";

const REMOVE: &str = "
    INSERT INTO lookup_history (tbl, key, version, change, body, written_by, written_at)
    SELECT tbl, COALESCE(key, '#' || number), version + 1, 'removed', body, $2, $3
    FROM lookup_row WHERE number = $1;
    DELETE FROM lookup_row WHERE number = $1";

const REMOVE_ALL: &str = "
    INSERT INTO lookup_history (tbl, key, version, change, body, written_by, written_at)
    SELECT tbl, COALESCE(key, '#' || number), version + 1, 'removed', body, $2, $3
    FROM lookup_row WHERE tbl = $1;
    DELETE FROM lookup_row WHERE tbl = $1";

/// Writes planned changes.
pub(super) async fn apply(
    connection: &mut SqliteConnection,
    kept: &Kept,
    by: &str,
    at: Moment,
    changes: Vec<Change>,
) -> Result<(), StoreError> {
    free_keys(connection, kept, &changes, by, at).await?;
    for change in changes {
        match change {
            Change::Add { key, row } => {
                let add = match key {
                    Some(_) => ADD,
                    None => ADD_WITHOUT_KEY,
                };
                sqlx::query(add)
                    .bind(kept.number)
                    .bind(key)
                    .bind(sealed::body(kept, &row)?)
                    .bind(by)
                    .bind(at.0)
                    .execute(&mut *connection)
                    .await
                    .map_err(store_error)?;
            }
            Change::Alter { before, key, row } => {
                sqlx::query(ALTER)
                    .bind(before.number)
                    .bind(key)
                    .bind(sealed::body(kept, &row)?)
                    .bind(by)
                    .bind(at.0)
                    .bind(kept.number)
                    .execute(&mut *connection)
                    .await
                    .map_err(store_error)?;
            }
            Change::Remove(_) | Change::RemoveAll => {}
        }
    }
    Ok(())
}

/// Removes what goes and takes the keys off the rows that change theirs, so that rows may swap
/// keys or take over one that is given up.
async fn free_keys(
    connection: &mut SqliteConnection,
    kept: &Kept,
    changes: &[Change],
    by: &str,
    at: Moment,
) -> Result<(), StoreError> {
    for change in changes {
        let (sql, number) = match change {
            Change::Remove(before) => (REMOVE, before.number),
            Change::RemoveAll => (REMOVE_ALL, kept.number),
            // The old key's history says that the row left it.
            Change::Alter { before, key, .. } if before.key != *key => (REMOVE_KEY, before.number),
            Change::Alter { .. } | Change::Add { .. } => continue,
        };
        sqlx::query(sql)
            .bind(number)
            .bind(by)
            .bind(at.0)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}

const REMOVE_KEY: &str = "
    INSERT INTO lookup_history (tbl, key, version, change, body, written_by, written_at)
    SELECT tbl, COALESCE(key, '#' || number), version + 1, 'removed', body, $2, $3
    FROM lookup_row WHERE number = $1;
    UPDATE lookup_row SET key = NULL WHERE number = $1";
