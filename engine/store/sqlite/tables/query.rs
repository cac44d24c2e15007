//! Rows for which a condition holds, in an order.
//!
//! Always true: a condition that asks for a key or for a column's value reads by index only the
//! rows that can fit, then tests each.

use std::cmp::Ordering;
use std::sync::Arc;

use sqlx::SqliteConnection;

use super::rows::{self, StoredRow};
use super::{Kept, Trouble};
use crate::clock::Moment;
use crate::data::{Object, Value, kind_of};
use crate::expression::{Condition, EvaluationError, Expression, Scope};
use crate::shape::Shape;
use crate::table::{Operation, Refused, Sort, key_text};

/// More key values than this are not multiplied out; the columns are looked up instead.
const KEYS_MAX: usize = 1000;

/// The rows for which the condition holds.
pub(super) async fn matching(
    connection: &mut SqliteConnection,
    kept: &Kept,
    filter: Option<&Condition>,
) -> Result<Vec<StoredRow>, Trouble> {
    let Some(filter) = filter else {
        return Ok(rows::all(connection, kept).await?);
    };
    let filter = &normalised(kept, filter);
    let candidates = candidates(connection, kept, filter).await?;
    let mut found = Vec::new();
    for row in candidates {
        let scope = RowScope::of(&row.row);
        if filter.holds(&scope).map_err(condition_failed)? {
            found.push(row);
        }
    }
    Ok(found)
}

/// The rows that can fit: by key if the condition says which, else by one column, else all.
async fn candidates(
    connection: &mut SqliteConnection,
    kept: &Kept,
    filter: &Condition,
) -> Result<Vec<StoredRow>, Trouble> {
    match way(kept, filter) {
        Way::Keys(keys) => {
            let found = rows::by_keys(connection, kept, &keys).await?;
            Ok(found.into_values().collect())
        }
        Way::Column(column, values) => {
            Ok(rows::by_column(connection, kept, &column, &values).await?)
        }
        Way::All => Ok(rows::all(connection, kept).await?),
    }
}

/// The condition with what it looks up in the form in which it is stored.
fn normalised(kept: &Kept, filter: &Condition) -> Condition {
    filter.with_compared_texts("row", &|column, text| {
        let column = kept.table.columns.get(column)?;
        Some(column.normalised(text))
    })
}

/// How the rows that can fit are found.
enum Way {
    Keys(Vec<String>),
    Column(String, Vec<Value>),
    All,
}

fn way(kept: &Kept, filter: &Condition) -> Way {
    let wanted: Vec<(String, Vec<Value>)> = filter
        .row_equalities("row")
        .into_iter()
        // What is sealed cannot be found by its index; it is compared row by row.
        .filter(|(name, _)| {
            let column = kept.table.columns.get(name);
            column.is_some_and(|column| !column.field.secret)
        })
        .collect();
    if let Some(keys) = keys(kept, &wanted) {
        return Way::Keys(keys);
    }
    // One of a few values, such as yes or no, is in many rows: it picks out little.
    let best = wanted
        .into_iter()
        .min_by_key(|(column, values)| (has_few_values(kept, column), values.len()));
    match best {
        Some((column, values)) => Way::Column(column, values),
        None => Way::All,
    }
}

/// Whether a column holds one of a few values, each in many rows.
fn has_few_values(kept: &Kept, column: &str) -> bool {
    let shape = kept.table.columns.get(column);
    let shape = shape.map(|column| &column.field.shape);
    matches!(shape, Some(Shape::Boolean | Shape::Enum(_)))
}

/// The column that this operation looks rows up by and that has no index yet: columns are indexed
/// when they are first asked for, so that no write pays for an index that nobody uses.
pub(super) fn columns_to_index(kept: &Kept, operation: &Operation) -> Option<String> {
    let filter = match operation {
        Operation::Find { filter, .. }
        | Operation::Count { filter }
        | Operation::Update { filter, .. }
        | Operation::Delete { filter, .. } => filter.as_ref()?,
        _ => return None,
    };
    match way(kept, &normalised(kept, filter)) {
        Way::Column(column, _) if !kept.has_index(&column) => Some(column),
        _ => None,
    }
}

/// The keys that fit, if the condition fixes every key column to few values.
fn keys(kept: &Kept, wanted: &[(String, Vec<Value>)]) -> Option<Vec<String>> {
    if kept.table.key.is_empty() {
        return None;
    }
    let mut found: Vec<Vec<&Value>> = vec![Vec::new()];
    for column in &kept.table.key {
        let (_, values) = wanted.iter().find(|(name, _)| name == column)?;
        if found.len() * values.len() > KEYS_MAX {
            return None;
        }
        found = found
            .iter()
            .flat_map(|begun| {
                values.iter().map(|value| {
                    let mut key = begun.clone();
                    key.push(value);
                    key
                })
            })
            .collect();
    }
    Some(found.iter().map(|values| key_text(values)).collect())
}

/// Puts rows in order: by the sort keys, then by the table's key.
pub(super) fn sort(
    kept: &Kept,
    found: Vec<StoredRow>,
    sort_by: &[Sort],
) -> Result<Vec<StoredRow>, Trouble> {
    let mut keyed = Vec::with_capacity(found.len());
    for row in found {
        let scope = RowScope::of(&row.row);
        let mut keys = Vec::with_capacity(sort_by.len());
        for sort in sort_by {
            keys.push(sort.value.evaluate(&scope).map_err(condition_failed)?);
        }
        keyed.push((keys, row));
    }
    for index in 0..sort_by.len() {
        check_comparable(keyed.iter().map(|(keys, _)| keys[index].as_ref()))?;
    }
    keyed.sort_by(|(left, left_row), (right, right_row)| {
        let by_sort = sort_by
            .iter()
            .zip(left.iter().zip(right))
            .map(|(sort, (left, right))| {
                let order = order(left.as_ref(), right.as_ref());
                if sort.descending {
                    order.reverse()
                } else {
                    order
                }
            })
            .find(|order| order.is_ne());
        by_sort.unwrap_or_else(|| by_table_key(kept, left_row, right_row))
    });
    Ok(keyed.into_iter().map(|(_, row)| row).collect())
}

fn by_table_key(kept: &Kept, left: &StoredRow, right: &StoredRow) -> Ordering {
    kept.table
        .key
        .iter()
        .map(|column| order(left.row.get(column), right.row.get(column)))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.number.cmp(&right.number))
}

/// Refuses to sort values of different types, which have no order that anybody could foresee.
fn check_comparable<'a>(values: impl Iterator<Item = Option<&'a Value>>) -> Result<(), Trouble> {
    let mut first: Option<&Value> = None;
    for value in values.flatten().filter(|value| !value.is_null()) {
        let known = *first.get_or_insert(value);
        if rank(known) != rank(value) {
            let message = format!(
                "`sort_by` cannot compare {} with {}",
                kind_of(known),
                kind_of(value)
            );
            return Err(Refused::new("wrong_type", message).into());
        }
    }
    Ok(())
}

/// The order of two values of one type; what is absent comes last.
pub(super) fn order(left: Option<&Value>, right: Option<&Value>) -> Ordering {
    let (left, right) = (left.unwrap_or(&Value::Null), right.unwrap_or(&Value::Null));
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a
                .as_f64()
                .unwrap_or(0.0)
                .total_cmp(&b.as_f64().unwrap_or(0.0)),
        },
        (Value::String(left), Value::String(right)) => left.cmp(right),
        _ => rank(left)
            .cmp(&rank(right))
            .then_with(|| left.to_string().cmp(&right.to_string())),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 9,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

/// The new columns that `set` gives a row.
pub(super) fn evaluate_set(set: &Expression, row: &Object) -> Result<Object, Trouble> {
    match set.evaluate(&RowScope::of(row)).map_err(condition_failed)? {
        Some(Value::Object(columns)) => Ok(columns),
        other => {
            let found = other.as_ref().map_or("nothing", kind_of);
            Err(Refused::new(
                "wrong_type",
                format!("`set` must give columns, not {found}"),
            )
            .into())
        }
    }
}

fn condition_failed(error: EvaluationError) -> Trouble {
    Refused::new(
        "condition_failed",
        format!("`{}`: {}", error.expression, error.message),
    )
    .into()
}

/// The scope of an expression of which only `row` is still open.
struct RowScope(Arc<Value>);

impl RowScope {
    fn of(row: &Object) -> Self {
        Self(Arc::new(Value::Object(row.clone())))
    }
}

impl Scope for RowScope {
    fn find(&self, root: &str, _member: Option<&str>) -> Option<Arc<Value>> {
        (root == "row").then(|| self.0.clone())
    }

    // What does not hang on the row was evaluated when the operation was bound; these are not asked.
    fn now(&self) -> Moment {
        Moment(0)
    }

    fn timezone(&self) -> &str {
        "UTC"
    }

    fn uuid(&self) -> String {
        String::new()
    }
}
