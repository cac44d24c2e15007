//! Declaring tables: creating new ones and keeping old rows fit for changed declarations.
//!
//! Always true: a declaration is taken only if every row that is there fits it; what is refused is
//! refused with every reason, and nothing of it is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::SqliteConnection;

use super::super::error::store_error;
use super::super::seal::Sealer;
use super::change::{Change, apply};
use super::plan::whole_rows;
use super::rows::{self, StoredRow};
use super::{Kept, Trouble};
use crate::clock::Moment;
use crate::data::{Object, digest};
use crate::store::StoreError;
use crate::table::{Refused, Table, key_text, same_rows};

/// Who writes first rows and defaults of new columns.
const BY: &str = "declaration";
/// More reasons than this are counted, not listed.
const REASONS_MAX: usize = 20;

/// Declares tables; answers them with their numbers.
pub(super) async fn declare(
    connection: &mut SqliteConnection,
    tables: Vec<Table>,
    sealer: Arc<Sealer>,
    now: Moment,
) -> Result<Vec<Kept>, StoreError> {
    let mut kept = Vec::with_capacity(tables.len());
    let mut reasons = Vec::new();
    for table in tables {
        let name = table.name.clone();
        match declare_one(connection, table, &sealer, now).await {
            Ok(one) => kept.push(one),
            Err(Trouble::Store(error)) => return Err(error),
            Err(Trouble::Refused(refused)) => {
                reasons.push(format!("table `{name}`: {}", refused.message));
            }
        }
    }
    if reasons.is_empty() {
        return Ok(kept);
    }
    Err(StoreError::Conflict(reasons.join("; ")))
}

/// Declares tables and takes all of it back: whether they could be declared.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    tables: Vec<Table>,
    sealer: Arc<Sealer>,
    now: Moment,
) -> Result<(), StoreError> {
    let mark = sqlx::query("SAVEPOINT checked").execute(&mut *connection);
    mark.await.map_err(store_error)?;
    let declared = declare(&mut *connection, tables, sealer, now).await;
    for back in ["ROLLBACK TO checked", "RELEASE checked"] {
        let back = sqlx::query(back).execute(&mut *connection);
        back.await.map_err(store_error)?;
    }
    declared.map(drop)
}

async fn declare_one(
    connection: &mut SqliteConnection,
    table: Table,
    sealer: &Arc<Sealer>,
    now: Moment,
) -> Result<Kept, Trouble> {
    let known: Option<(i64, String)> =
        sqlx::query_as("SELECT number, digest FROM lookup_table WHERE name = $1")
            .bind(table.name.as_str())
            .fetch_optional(&mut *connection)
            .await
            .map_err(store_error)?;
    let digest = digest(format!("{:?} {:?}", table.columns, table.key).as_bytes());
    let kept = match known {
        Some((number, known)) if known == digest => return Ok(Kept::new(number, table, sealer)),
        Some((number, _)) => {
            let kept = Kept::new(number, table, sealer);
            refit(connection, &kept, now).await?;
            kept
        }
        None => create(connection, table, sealer, now).await?,
    };
    sqlx::query("UPDATE lookup_table SET digest = $2 WHERE number = $1")
        .bind(kept.number)
        .bind(digest)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    for (name, _) in kept
        .table
        .columns
        .iter()
        .filter(|(_, column)| column.unique)
    {
        rows::index_column(connection, kept.number, name).await?;
    }
    Ok(kept)
}

async fn create(
    connection: &mut SqliteConnection,
    table: Table,
    sealer: &Arc<Sealer>,
    now: Moment,
) -> Result<Kept, Trouble> {
    let done = sqlx::query("INSERT INTO lookup_table (name, digest) VALUES ($1, '')")
        .bind(table.name.as_str())
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    let kept = Kept::new(done.last_insert_rowid(), table, sealer);
    let first = whole_rows(&kept, &kept.table.first_rows)?;
    let first: Vec<Change> = first
        .into_iter()
        .map(|(key, row)| Change::Add { key, row })
        .collect();
    apply(connection, &kept, BY, now, first).await?;
    Ok(kept)
}

/// Checks the rows that are there against a changed declaration, gives them the defaults of new
/// columns and the keys they have now.
async fn refit(connection: &mut SqliteConnection, kept: &Kept, now: Moment) -> Result<(), Trouble> {
    let present = rows::all(connection, kept).await?;
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut keys: BTreeMap<String, usize> = BTreeMap::new();
    let mut after = Vec::with_capacity(present.len());
    for before in present {
        match refit_row(kept, &before) {
            Ok((key, row)) => {
                if let Some(key) = &key {
                    *keys.entry(key.clone()).or_default() += 1;
                }
                after.push((before, key, row));
            }
            Err(refused) => *reasons.entry(refused.message).or_default() += 1,
        }
    }
    for (key, count) in keys.iter().filter(|(_, count)| **count > 1) {
        reasons.insert(format!("the key {key} would name {count} rows"), *count);
    }
    for reason in not_unique(kept, after.iter().map(|(_, _, row)| row)) {
        reasons.insert(reason, 1);
    }
    if !reasons.is_empty() {
        return Err(refusal(&reasons).into());
    }
    let changes = after
        .into_iter()
        .filter(|(before, key, row)| {
            *key != before.key || before.was_open || !same_rows(&before.row, row)
        })
        .map(|(before, key, row)| Change::Alter { before, key, row })
        .collect();
    apply(connection, kept, BY, now, changes).await?;
    Ok(())
}

fn refit_row(kept: &Kept, before: &StoredRow) -> Result<(Option<String>, Object), Refused> {
    let table = &kept.table;
    let gone = before
        .row
        .keys()
        .find(|name| !table.columns.contains_key(*name));
    if let Some(name) = gone {
        return Err(Refused::new(
            "column_in_use",
            format!("column `{name}` is no longer declared but holds values; clear it first"),
        ));
    }
    let row = table.whole_row(&before.row)?;
    Ok((table.key_of(&row)?, row))
}

/// The unique columns in which rows share a value.
fn not_unique<'a>(kept: &Kept, rows: impl Iterator<Item = &'a Object> + Clone) -> Vec<String> {
    let mut reasons = Vec::new();
    for (name, _) in kept
        .table
        .columns
        .iter()
        .filter(|(_, column)| column.unique)
    {
        let mut seen = BTreeSet::new();
        let twice = rows
            .clone()
            .filter_map(|row| row.get(name))
            .find(|value| !seen.insert(key_text(&[*value])));
        if let Some(value) = twice {
            reasons.push(format!("column `{name}` is unique but holds {value} twice"));
        }
    }
    reasons
}

fn refusal(reasons: &BTreeMap<String, usize>) -> Refused {
    let mut listed: Vec<String> = reasons
        .iter()
        .take(REASONS_MAX)
        .map(|(reason, count)| match count {
            1 => reason.clone(),
            count => format!("{reason} (in {count} rows)"),
        })
        .collect();
    if reasons.len() > REASONS_MAX {
        listed.push(format!("and {} more", reasons.len() - REASONS_MAX));
    }
    Refused::new("rows_do_not_fit", listed.join(", "))
}
