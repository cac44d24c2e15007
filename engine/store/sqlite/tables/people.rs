//! Lookup tables in people's hands: looking, writing, importing, with audit.

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::super::Sqlite;
use super::super::error::store_error;
use super::super::recipes::{AuditEntry, note};
use super::change::{Change, apply};
use super::{Kept, Trouble, import, plan, rows, sealed, settle};
use crate::clock::Moment;
use crate::data::{Object, Value};
use crate::names::TableName;
use crate::store::StoreError;
use crate::table::{MaxRemoved, Operation, Performed, SettingsDeclared, Sight, Table};

/// A row as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRow {
    /// Its number, which it keeps as long as it lives.
    pub number: i64,
    /// What it holds.
    pub row: Object,
    /// The job or person that wrote it last: `job:<id>`, `person:<name>`.
    pub written_by: String,
    /// When that was.
    pub written_at: Moment,
}

/// What a row once was.
#[derive(Clone, Debug, PartialEq)]
pub struct RowVersion {
    /// Counts the changes of a key from 1.
    pub version: i64,
    /// `added`, `changed` or `removed`.
    pub change: String,
    /// What it held after the change, or last if it was removed.
    pub row: Object,
    /// Who made the change.
    pub written_by: String,
    /// When.
    pub written_at: Moment,
}

/// Which rows to list.
#[derive(Clone, Debug, Default)]
pub struct RowFilter {
    /// Only rows that hold this text somewhere, in any case; a personal column that is not to be
    /// seen holds it only if it is all that stands there.
    pub search: Option<(String, Sight)>,
    /// Only rows after this number (the last of the page before).
    pub after: Option<i64>,
    /// How many at most.
    pub limit: usize,
}

/// What becomes of the rows that an import does not mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Import {
    /// They stay.
    Merge,
    /// They go.
    Replace,
}

/// Whose history is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowNamed {
    /// The row of this number, which is there.
    Number(i64),
    /// The row that has or had this key, as [`Table::key_of`] writes it.
    Key(String),
}

impl Sqlite {
    /// The tables that are declared, by name.
    pub fn tables(&self) -> Vec<Table> {
        self.tables.all()
    }

    /// A page of rows, in the order they were added.
    pub async fn rows(
        &self,
        table: &TableName,
        filter: RowFilter,
    ) -> Result<Vec<TableRow>, StoreError> {
        let kept = self.kept(table)?;
        self.with_reader(move |connection| {
            Box::pin(async move { page(connection, &kept, filter).await })
        })
        .await
    }

    /// What a row was, newest first; nothing if there never was such a row.
    pub async fn row_history(
        &self,
        table: &TableName,
        row: RowNamed,
        limit: usize,
    ) -> Result<Vec<RowVersion>, StoreError> {
        let kept = self.kept(table)?;
        self.with_reader(move |connection| {
            Box::pin(async move { history(connection, &kept, row, limit).await })
        })
        .await
    }

    /// Adds a row or changes the one of its key, in a person's name.
    pub async fn put_row(
        &self,
        table: &TableName,
        row: Object,
        by: &str,
        at: Moment,
    ) -> Result<Performed, StoreError> {
        let kept = self.kept(table)?;
        let operation = match kept.table.key.is_empty() {
            true => Operation::Insert { rows: vec![row] },
            false => Operation::Upsert { rows: vec![row] },
        };
        let wish = Wish::Perform(operation);
        self.change_table(table, wish, "row_put", by, at).await
    }

    /// Removes a row, in a person's name.
    pub async fn delete_row(
        &self,
        table: &TableName,
        number: i64,
        by: &str,
        at: Moment,
    ) -> Result<(), StoreError> {
        let kept = self.kept(table)?;
        let by = by.to_owned();
        let settings = self.settings.clone();
        self.with_writer(move |connection| {
            Box::pin(async move { remove(connection, &kept, number, by, at).await })
        })
        .await?;
        settings.forget();
        Ok(())
    }

    /// Takes rows in, all or none, in a person's name: a column that a row names as null is
    /// emptied, one that it does not name stays.
    pub async fn import(
        &self,
        table: &TableName,
        rows: Vec<Object>,
        how: Import,
        by: &str,
        at: Moment,
    ) -> Result<Performed, StoreError> {
        let wish = Wish::Import(rows, how);
        self.change_table(table, wish, "rows_imported", by, at)
            .await
    }

    /// Makes a table hold exactly these rows, in a person's name.
    pub async fn fill(
        &self,
        table: &TableName,
        rows: Vec<Object>,
        by: &str,
        at: Moment,
    ) -> Result<Performed, StoreError> {
        let wish = Wish::Perform(Operation::Sync {
            rows,
            max_removed: MaxRemoved::Rows(u64::MAX),
        });
        self.change_table(table, wish, "rows_imported", by, at)
            .await
    }

    /// Performs an operation in a person's name and notes it.
    async fn change_table(
        &self,
        table: &TableName,
        wish: Wish,
        action: &str,
        by: &str,
        at: Moment,
    ) -> Result<Performed, StoreError> {
        let kept = self.kept(table)?;
        let (by, action) = (by.to_owned(), action.to_owned());
        let settings = self.settings.clone();
        let performed = self
            .with_writer(move |connection| {
                Box::pin(async move {
                    let settings = settings.declared();
                    let (changes, output) = match wish.plan(connection, &kept, &settings).await {
                        Ok(planned) => planned,
                        Err(trouble) => return settle(Err(trouble)),
                    };
                    let detail = detail(&kept, &changes, &output);
                    apply(connection, &kept, &by, at, changes).await?;
                    let subject = format!("table:{}", kept.table.name);
                    let entry = AuditEntry {
                        at,
                        by,
                        action,
                        subject,
                        detail,
                    };
                    note(connection, &entry).await?;
                    Ok(Ok(output))
                })
            })
            .await?;
        self.settings.forget();
        Ok(performed)
    }

    pub(super) fn kept(&self, table: &TableName) -> Result<std::sync::Arc<Kept>, StoreError> {
        self.tables
            .get(table)
            .ok_or_else(|| StoreError::NotFound(format!("lookup table `{table}`")))
    }
}

/// What a person wants of a table.
enum Wish {
    Perform(Operation),
    Import(Vec<Object>, Import),
}

impl Wish {
    async fn plan(
        &self,
        connection: &mut SqliteConnection,
        kept: &Kept,
        settings: &SettingsDeclared,
    ) -> Result<(Vec<Change>, Value), Trouble> {
        match self {
            Self::Perform(operation) => plan::plan(connection, kept, settings, operation).await,
            Self::Import(rows, how) => {
                let (changes, output) = import::import(connection, kept, rows, *how).await?;
                plan::check(connection, kept, settings, &changes).await?;
                Ok((changes, output))
            }
        }
    }
}

/// What the audit says of a change: which row, or how many; never what it holds.
fn detail(kept: &Kept, changes: &[Change], output: &Value) -> Value {
    let row = match changes {
        [Change::Add { row, .. } | Change::Alter { row, .. }] => kept.table.shown_key(row),
        _ => String::new(),
    };
    let mut detail = output.clone();
    if let Value::Object(detail) = &mut detail
        && !row.is_empty()
    {
        detail.insert("row".to_owned(), Value::from(row));
    }
    detail
}

async fn page(
    connection: &mut SqliteConnection,
    kept: &Kept,
    filter: RowFilter,
) -> Result<Vec<TableRow>, StoreError> {
    let (search, sight) = filter.search.unzip();
    let is_sought = match search {
        // Most rows are passed over before they are unpacked.
        Some(_) => "AND instr(lower(body), lower($3)) > 0",
        None => "",
    };
    let sql = format!(
        "SELECT number, key, body, written_by, written_at FROM lookup_row
         WHERE tbl = $1 AND number > $2 {is_sought} ORDER BY number"
    );
    let mut found = sqlx::query(AssertSqlSafe(sql))
        .bind(kept.number)
        .bind(filter.after.unwrap_or(i64::MIN))
        .bind(&search)
        .fetch(connection);
    let mut seen = Vec::new();
    while seen.len() < filter.limit
        && let Some(row) = found.try_next().await.map_err(store_error)?
    {
        let stored = rows::StoredRow::read(kept, &row)?;
        let holds = |(text, sight)| kept.table.holds(&stored.row, text, sight);
        if search.as_deref().zip(sight).is_none_or(holds) {
            seen.push(TableRow {
                number: stored.number,
                row: stored.row,
                written_by: stored.written_by,
                written_at: stored.written_at,
            });
        }
    }
    Ok(seen)
}

async fn history(
    connection: &mut SqliteConnection,
    kept: &Kept,
    row: RowNamed,
    limit: usize,
) -> Result<Vec<RowVersion>, StoreError> {
    let (number, key) = match row {
        RowNamed::Number(number) => (Some(number), None),
        RowNamed::Key(key) => (None, Some(key)),
    };
    let found = sqlx::query(
        "SELECT version, change, body, written_by, written_at FROM lookup_history
         WHERE tbl = $1 AND key = COALESCE($4, (
            SELECT COALESCE(key, '#' || number) FROM lookup_row WHERE tbl = $1 AND number = $2))
         ORDER BY version DESC LIMIT $3",
    )
    .bind(kept.number)
    .bind(number)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .bind(key)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    let version = |row: &sqlx::sqlite::SqliteRow| {
        let body: &str = row.try_get(2).map_err(store_error)?;
        Ok(RowVersion {
            version: row.try_get(0).map_err(store_error)?,
            change: row.try_get(1).map_err(store_error)?,
            row: sealed::row(kept, body)?.0,
            written_by: row.try_get(3).map_err(store_error)?,
            written_at: Moment(row.try_get(4).map_err(store_error)?),
        })
    };
    found.iter().map(version).collect()
}

async fn remove(
    connection: &mut SqliteConnection,
    kept: &Kept,
    number: i64,
    by: String,
    at: Moment,
) -> Result<(), StoreError> {
    let row = rows::by_number(connection, kept, number)
        .await?
        .ok_or_else(|| {
            StoreError::NotFound(format!(
                "row {number} of lookup table `{}`",
                kept.table.name
            ))
        })?;
    let detail = Value::from(kept.table.shown_key(&row.row));
    apply(connection, kept, &by, at, vec![Change::Remove(row)]).await?;
    let entry = AuditEntry {
        at,
        by,
        action: "row_deleted".to_owned(),
        subject: format!("table:{}", kept.table.name),
        detail,
    };
    note(connection, &entry).await
}
