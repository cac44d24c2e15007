//! Planning writes: what an operation changes, or why it is refused.
//!
//! In: an operation and the rows it meets. Out: changes and the operation's output.
//! Always true: nothing is written here; types, keys, required and unique columns are checked for
//! the outcome as a whole.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;

use super::change::Change;
use super::lookup::output;
use super::rows::{self, StoredRow};
use super::{Kept, Trouble, query, sync};
use crate::data::{Object, Value};
use crate::expression::{Condition, Expression};
use crate::table::{
    Operation, Refused, SETTINGS_TABLE, SettingsDeclared, check_setting, key_text, same_rows,
};

/// The changes that an operation makes, and its output.
pub(super) async fn plan(
    connection: &mut SqliteConnection,
    kept: &Kept,
    settings: &SettingsDeclared,
    operation: &Operation,
) -> Result<(Vec<Change>, Value), Trouble> {
    let (changes, output) = match operation {
        Operation::Insert { rows } => insert(connection, kept, rows).await?,
        Operation::Upsert { rows } => upsert(connection, kept, rows).await?,
        Operation::Update {
            filter,
            set,
            expect,
        } => update(connection, kept, filter.as_ref(), set, *expect).await?,
        Operation::Delete { filter, expect } => {
            delete(connection, kept, filter.as_ref(), *expect).await?
        }
        Operation::Truncate => truncate(connection, kept).await?,
        Operation::Sync { rows, max_removed } => {
            sync::sync(connection, kept, rows, *max_removed).await?
        }
        Operation::Get { .. } | Operation::Find { .. } | Operation::Count { .. } => {
            return Err(Refused::new("not_a_write", "the operation changes nothing").into());
        }
    };
    check(connection, kept, settings, &changes).await?;
    Ok((changes, output))
}

/// Refuses changes after which a unique value stood twice, or a setting did not fit.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    kept: &Kept,
    settings: &SettingsDeclared,
    changes: &[Change],
) -> Result<(), Trouble> {
    check_unique(connection, kept, changes).await?;
    if kept.table.name.as_str() == SETTINGS_TABLE {
        for change in changes {
            if let Change::Add { row, .. } | Change::Alter { row, .. } = change {
                check_setting(settings, row)?;
            }
        }
    }
    Ok(())
}

async fn insert(
    connection: &mut SqliteConnection,
    kept: &Kept,
    given: &[Object],
) -> Result<(Vec<Change>, Value), Trouble> {
    let new = whole_rows(kept, given)?;
    let keys: Vec<String> = new.iter().filter_map(|(key, _)| key.clone()).collect();
    let known = rows::by_keys(connection, kept, &keys).await?;
    let taken = new
        .iter()
        .enumerate()
        .find(|(_, (key, _))| key.as_ref().is_some_and(|key| known.contains_key(key)));
    if let Some((index, (_, row))) = taken {
        let message = format!(
            "table `{}` has a row with {} already",
            kept.table.name,
            kept.table.shown_key(row)
        );
        return Err(place(Refused::new("row_exists", message), index, given.len()).into());
    }
    let count = new.len();
    let changes = new
        .into_iter()
        .map(|(key, row)| Change::Add { key, row })
        .collect();
    Ok((changes, output([("count", count.into())])))
}

pub(super) async fn upsert(
    connection: &mut SqliteConnection,
    kept: &Kept,
    given: &[Object],
) -> Result<(Vec<Change>, Value), Trouble> {
    let table = &kept.table;
    if table.key.is_empty() {
        let message = format!(
            "table `{}` has no key to find rows by; use `insert`",
            table.name
        );
        return Err(Refused::new("no_key", message).into());
    }
    let mut wanted = Vec::with_capacity(given.len());
    for (index, columns) in given.iter().enumerate() {
        let named = table
            .given_columns(columns)
            .map(|columns| table.with_key(columns))
            .and_then(|columns| Ok((table.key_of(&columns)?.unwrap_or_default(), columns)));
        wanted.push(named.map_err(|refused| place(refused, index, given.len()))?);
    }
    let keys: Vec<String> = wanted.iter().map(|(key, _)| key.clone()).collect();
    let known = rows::by_keys(connection, kept, &keys).await?;
    let mut after: BTreeMap<String, (usize, Object)> = BTreeMap::new();
    for (index, (key, columns)) in wanted.into_iter().enumerate() {
        let before = after
            .get(&key)
            .map(|(_, row)| row)
            .or_else(|| known.get(&key).map(|stored| &stored.row));
        let row = match before {
            Some(before) => table.changed_row(before, &columns),
            None => table.whole_row(&columns),
        };
        let row = row.map_err(|refused| place(refused, index, given.len()))?;
        let place = after.get(&key).map_or(index, |(place, _)| *place);
        after.insert(key, (place, row));
    }
    let mut merged: Vec<(String, (usize, Object))> = after.into_iter().collect();
    merged.sort_by_key(|(_, (place, _))| *place);
    Ok(compare(merged, known))
}

/// Sorts rows that shall be into new, changed and unchanged ones.
fn compare(
    merged: Vec<(String, (usize, Object))>,
    mut known: BTreeMap<String, StoredRow>,
) -> (Vec<Change>, Value) {
    let mut changes = Vec::new();
    let (mut added, mut changed, mut unchanged) = (0, 0, 0);
    for (key, (_, row)) in merged {
        match known.remove(&key) {
            None => {
                added += 1;
                let key = Some(key);
                changes.push(Change::Add { key, row });
            }
            Some(before) if same_rows(&before.row, &row) => unchanged += 1,
            Some(before) => {
                changed += 1;
                let key = Some(key);
                changes.push(Change::Alter { before, key, row });
            }
        }
    }
    let output = output([
        ("added", added.into()),
        ("changed", changed.into()),
        ("unchanged", unchanged.into()),
    ]);
    (changes, output)
}

async fn update(
    connection: &mut SqliteConnection,
    kept: &Kept,
    filter: Option<&Condition>,
    set: &Expression,
    expect: Option<u64>,
) -> Result<(Vec<Change>, Value), Trouble> {
    let met = query::matching(connection, kept, filter).await?;
    check_expected(kept, "update", met.len(), expect)?;
    let mut changes = Vec::new();
    let mut new_keys = BTreeSet::new();
    let mut moved = Vec::new();
    for before in met {
        let columns = query::evaluate_set(set, &before.row)?;
        let row = kept
            .table
            .changed_row(&before.row, &columns)
            .map_err(|refused| {
                refused.at(&format!(
                    "the row with {}",
                    kept.table.shown_key(&before.row)
                ))
            })?;
        if same_rows(&before.row, &row) {
            continue;
        }
        let key = kept.table.key_of(&row)?;
        if key != before.key {
            moved.extend(before.key.clone());
            if let Some(key) = &key
                && !new_keys.insert(key.clone())
            {
                return Err(two_of_a_key(kept, &row).into());
            }
        }
        changes.push(Change::Alter { before, key, row });
    }
    let new_keys: Vec<String> = new_keys.into_iter().collect();
    let taken = rows::by_keys(connection, kept, &new_keys).await?;
    if let Some((_, stored)) = taken.iter().find(|(key, _)| !moved.contains(key)) {
        return Err(two_of_a_key(kept, &stored.row).into());
    }
    let count = changes.len();
    Ok((changes, output([("changed", count.into())])))
}

fn two_of_a_key(kept: &Kept, row: &Object) -> Refused {
    let message = format!(
        "table `{}` would have two rows with {}",
        kept.table.name,
        kept.table.shown_key(row)
    );
    Refused::new("row_exists", message)
}

async fn delete(
    connection: &mut SqliteConnection,
    kept: &Kept,
    filter: Option<&Condition>,
    expect: Option<u64>,
) -> Result<(Vec<Change>, Value), Trouble> {
    let met = query::matching(connection, kept, filter).await?;
    check_expected(kept, "delete", met.len(), expect)?;
    let count = met.len();
    let changes = met.into_iter().map(Change::Remove).collect();
    Ok((changes, output([("removed", count.into())])))
}

async fn truncate(
    connection: &mut SqliteConnection,
    kept: &Kept,
) -> Result<(Vec<Change>, Value), Trouble> {
    let count = rows::count(connection, kept).await?;
    Ok((vec![Change::RemoveAll], output([("removed", count.into())])))
}

fn check_expected(kept: &Kept, what: &str, met: usize, expect: Option<u64>) -> Result<(), Refused> {
    match expect {
        Some(expected) if expected != met as u64 => Err(Refused::new(
            "expectation_failed",
            format!(
                "`{what}` of table `{}` expects {expected} rows and meets {met}; nothing was \
                 changed",
                kept.table.name
            ),
        )),
        _ => Ok(()),
    }
}

/// Whole rows with their keys; no two may have the same.
pub(super) fn whole_rows(
    kept: &Kept,
    given: &[Object],
) -> Result<Vec<(Option<String>, Object)>, Refused> {
    let mut new = Vec::with_capacity(given.len());
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (index, columns) in given.iter().enumerate() {
        let row = kept
            .table
            .whole_row(columns)
            .and_then(|row| Ok((kept.table.key_of(&row)?, row)));
        let (key, row) = row.map_err(|refused| place(refused, index, given.len()))?;
        if let Some(key) = &key
            && let Some(first) = places.insert(key.clone(), index)
        {
            let message = format!(
                "rows {} and {} both have {}",
                first + 1,
                index + 1,
                kept.table.shown_key(&row)
            );
            return Err(Refused::new("row_exists", message));
        }
        new.push((key, row));
    }
    Ok(new)
}

/// Says which of several given rows is refused, counted from 1.
pub(super) fn place(refused: Refused, index: usize, count: usize) -> Refused {
    if count == 1 {
        return refused;
    }
    refused.at(&format!("row {}", index + 1))
}

/// Refuses changes after which two rows would hold the same value in a unique column.
async fn check_unique(
    connection: &mut SqliteConnection,
    kept: &Kept,
    changes: &[Change],
) -> Result<(), Trouble> {
    for (name, _) in kept
        .table
        .columns
        .iter()
        .filter(|(_, column)| column.unique)
    {
        let mut new: BTreeMap<String, Value> = BTreeMap::new();
        let mut touched = BTreeSet::new();
        for change in changes {
            let row = match change {
                Change::Add { row, .. } => row,
                Change::Alter { before, row, .. } => {
                    touched.insert(before.number);
                    row
                }
                Change::Remove(before) => {
                    touched.insert(before.number);
                    continue;
                }
                Change::RemoveAll => continue,
            };
            if let Some(value) = row.get(name)
                && new.insert(key_text(&[value]), value.clone()).is_some()
            {
                return Err(not_unique(kept, name, value).into());
            }
        }
        if new.is_empty() {
            continue;
        }
        let values: Vec<Value> = new.values().cloned().collect();
        let others = rows::by_column(connection, kept, name, &values).await?;
        let taken = others
            .iter()
            .filter(|row| !touched.contains(&row.number))
            .filter_map(|row| row.row.get(name))
            .find(|value| new.contains_key(&key_text(&[value])));
        if let Some(value) = taken {
            return Err(not_unique(kept, name, value).into());
        }
    }
    Ok(())
}

fn not_unique(kept: &Kept, column: &str, value: &Value) -> Refused {
    Refused::new(
        "not_unique",
        format!(
            "table `{}` would have two rows with {value} in the unique column `{column}`",
            kept.table.name
        ),
    )
}
