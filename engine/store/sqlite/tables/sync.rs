//! Making a table hold exactly some rows.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use super::change::Change;
use super::lookup::output;
use super::plan::whole_rows;
use super::rows::{self, StoredRow};
use super::{Kept, Trouble};
use crate::data::{Object, Value};
use crate::table::{MaxRemoved, Refused, key_text, same_rows};

/// A share of the table never means fewer rows than this: small tables may change as a whole.
const REMOVED_ROWS_MIN: u64 = 10;

/// Plans a `sync`. Rows are matched by key; in a table without one, by all they hold.
pub(super) async fn sync(
    connection: &mut SqliteConnection,
    kept: &Kept,
    given: &[Object],
    max_removed: MaxRemoved,
) -> Result<(Vec<Change>, Value), Trouble> {
    let new = whole_rows(kept, given)?;
    let present = rows::all(connection, kept).await?;
    let total = present.len() as u64;
    let mut known: BTreeMap<String, Vec<StoredRow>> = BTreeMap::new();
    for row in present {
        let identity = identity(&row.key, &row.row);
        known.entry(identity).or_default().push(row);
    }
    let mut changes = Vec::new();
    let (mut added, mut changed, mut unchanged) = (0_u64, 0_u64, 0_u64);
    for (key, row) in new {
        let before = known.get_mut(&identity(&key, &row)).and_then(Vec::pop);
        match before {
            None => {
                added += 1;
                changes.push(Change::Add { key, row });
            }
            Some(before) if same_rows(&before.row, &row) => unchanged += 1,
            Some(before) => {
                changed += 1;
                changes.push(Change::Alter { before, key, row });
            }
        }
    }
    let gone: Vec<StoredRow> = known.into_values().flatten().collect();
    let removed = gone.len() as u64;
    check_removed(kept, removed, total, max_removed)?;
    changes.extend(gone.into_iter().map(Change::Remove));
    let output = output([
        ("added", added.into()),
        ("changed", changed.into()),
        ("removed", removed.into()),
        ("unchanged", unchanged.into()),
    ]);
    Ok((changes, output))
}

/// What makes two rows the same row.
pub(super) fn identity(key: &Option<String>, row: &Object) -> String {
    match key {
        Some(key) => key.clone(),
        None => {
            let mut columns: Vec<(&String, &Value)> = row.iter().collect();
            columns.sort_by_key(|(name, _)| *name);
            let values: Vec<&Value> = columns.iter().map(|(_, value)| *value).collect();
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            format!("{}{}", names.join(","), key_text(&values))
        }
    }
}

fn check_removed(
    kept: &Kept,
    removed: u64,
    total: u64,
    max_removed: MaxRemoved,
) -> Result<(), Refused> {
    let (most, rule) = match max_removed {
        MaxRemoved::Rows(most) => (most, most.to_string()),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a share of a count of rows, rounded down"
        )]
        MaxRemoved::Percent(percent) => (
            ((total as f64 * percent / 100.0) as u64).max(REMOVED_ROWS_MIN),
            format!("{percent}%"),
        ),
    };
    if removed <= most {
        return Ok(());
    }
    Err(Refused::new(
        "too_many_removed",
        format!(
            "`sync` would remove {removed} of the {total} rows of table `{}`, more than the {most} \
             that `max_removed: {rule}` allows; nothing was changed",
            kept.table.name
        ),
    ))
}
