//! Taking rows in that somebody sends: a file, or the rows of a request.
//!
//! In: rows with the columns that were given; null stands for an empty cell. Out: the changes, and
//! how many rows were added, changed, left and removed.
//! Always true: a column that a row does not name stays as it is in the row that it meets, whether
//! the other rows of the table stay or go.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;

use super::change::Change;
use super::lookup::output;
use super::people::Import;
use super::plan::{place, upsert};
use super::rows::{self, StoredRow};
use super::sync::identity;
use super::{Kept, Trouble};
use crate::data::{Object, Value};
use crate::table::{Refused, Table};

/// Plans an import; `secrets_kept` of its output counts the secret values that stay since they were
/// not given.
pub(super) async fn import(
    connection: &mut SqliteConnection,
    kept: &Kept,
    given: &[Object],
    how: Import,
) -> Result<(Vec<Change>, Value), Trouble> {
    if !kept.table.key.is_empty() {
        return by_key(connection, kept, given, how).await;
    }
    let (new, present) = match how {
        Import::Replace => {
            let present = rows::all(connection, kept).await?;
            by_given_columns(&kept.table, given, present)?
        }
        Import::Merge => (given.iter().map(|_| None).collect(), Vec::new()),
    };
    let mut changes = Vec::new();
    let (mut unchanged, mut secrets_kept) = (0_u64, 0);
    for (index, (columns, before)) in given.iter().zip(new).enumerate() {
        match before {
            Some(before) => {
                unchanged += 1;
                secrets_kept += left_secrets(&kept.table, &before, columns);
            }
            None => {
                let row = kept.table.whole_row(columns);
                let row = row.map_err(|refused| place(refused, index, given.len()))?;
                changes.push(Change::Add { key: None, row });
            }
        }
    }
    let added = changes.len();
    let removed = present.len();
    changes.extend(present.into_iter().map(Change::Remove));
    let mut output = output([
        ("added", added.into()),
        ("changed", 0.into()),
        ("unchanged", unchanged.into()),
    ]);
    if how == Import::Replace {
        output["removed"] = removed.into();
    }
    tell(&mut output, secrets_kept);
    Ok((changes, output))
}

/// In a table with a key, a row meets the one of its key.
async fn by_key(
    connection: &mut SqliteConnection,
    kept: &Kept,
    given: &[Object],
    how: Import,
) -> Result<(Vec<Change>, Value), Trouble> {
    let table = &kept.table;
    let (mut changes, mut output) = upsert(connection, kept, given).await?;
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (index, columns) in given.iter().enumerate() {
        let columns = table.with_key(table.given_columns(columns)?);
        let key = table.key_of(&columns)?.unwrap_or_default();
        let first = places.insert(key, index);
        if let (Import::Replace, Some(first)) = (how, first) {
            let (first, second) = (first + 1, index + 1);
            let shown = table.shown_key(&columns);
            let message = format!("rows {first} and {second} both have {shown}");
            return Err(Refused::new("row_exists", message).into());
        }
    }
    let has_secrets = table.columns.values().any(|column| column.field.secret);
    let keys: Vec<String> = places.keys().cloned().collect();
    let present = match (how, has_secrets) {
        (Import::Replace, _) => rows::all(connection, kept).await?,
        (Import::Merge, true) => {
            let known = rows::by_keys(connection, kept, &keys).await?;
            known.into_values().collect()
        }
        (Import::Merge, false) => Vec::new(),
    };
    let (mut removed, mut secrets_kept) = (0_u64, 0);
    for row in present {
        match row.key.as_ref().and_then(|key| places.get(key)) {
            Some(index) => secrets_kept += left_secrets(table, &row, &given[*index]),
            None => {
                removed += 1;
                changes.push(Change::Remove(row));
            }
        }
    }
    if how == Import::Replace {
        output["removed"] = removed.into();
    }
    tell(&mut output, secrets_kept);
    Ok((changes, output))
}

/// In a table without a key, a row meets one that holds the same in all columns that it names:
/// the row that each meets, and those that none met. Who names most chooses first.
fn by_given_columns(
    table: &Table,
    given: &[Object],
    present: Vec<StoredRow>,
) -> Result<(Vec<Option<StoredRow>>, Vec<StoredRow>), Refused> {
    let mut present: Vec<Option<StoredRow>> = present.into_iter().map(Some).collect();
    let mut known: BTreeMap<BTreeSet<String>, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
    let mut met: Vec<Option<StoredRow>> = given.iter().map(|_| None).collect();
    let mut order: Vec<usize> = (0..given.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(given[*index].len()));
    for index in order {
        let columns = table.given_columns(&given[index]);
        let columns = columns.map_err(|refused| place(refused, index, given.len()))?;
        let names: BTreeSet<String> = columns.keys().cloned().collect();
        let wanted = identity(&None, &table.filled(&columns));
        let alike = known.entry(names).or_insert_with_key(|names| {
            let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (place, row) in present.iter().enumerate().rev() {
                let Some(row) = row else { continue };
                alike.entry(part(&row.row, names)).or_default().push(place);
            }
            alike
        });
        let Some(places) = alike.get_mut(&wanted) else {
            continue;
        };
        while let (None, Some(place)) = (&met[index], places.pop()) {
            met[index] = present[place].take();
        }
    }
    Ok((met, present.into_iter().flatten().collect()))
}

/// What a row holds in some of its columns, as one text.
fn part(row: &Object, names: &BTreeSet<String>) -> String {
    let part = row.iter().filter(|(name, _)| names.contains(*name));
    let part: Object = part
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    identity(&None, &part)
}

/// How many secret values of a row stay, since they were not given.
fn left_secrets(table: &Table, before: &StoredRow, given: &Object) -> u64 {
    let columns = table.columns.iter();
    let left = columns.filter(|(name, column)| {
        column.field.secret && before.row.contains_key(*name) && !given.contains_key(*name)
    });
    left.count() as u64
}

fn tell(output: &mut Value, secrets_kept: u64) {
    if secrets_kept > 0 {
        output["secrets_kept"] = secrets_kept.into();
    }
}
