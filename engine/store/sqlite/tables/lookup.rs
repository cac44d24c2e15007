//! Reading operations: `get`, `find`, `count`.

use sqlx::SqliteConnection;

use super::{Kept, Trouble, query, rows};
use crate::data::{Object, Value, kind_of};
use crate::table::{Operation, Refused, Table};

/// Performs an operation that changes nothing.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    kept: &Kept,
    operation: &Operation,
) -> Result<Value, Trouble> {
    match operation {
        Operation::Get { key } => get(connection, kept, key).await,
        Operation::Find {
            filter,
            sort_by,
            limit,
        } => {
            let found = query::matching(connection, kept, filter.as_ref()).await?;
            let mut found = query::sort(kept, found, sort_by)?;
            found.truncate(limit.unwrap_or(usize::MAX));
            let count = found.len();
            let items = found
                .into_iter()
                .map(|row| Value::Object(row.row))
                .collect();
            Ok(output([
                ("items", Value::Array(items)),
                ("count", count.into()),
            ]))
        }
        Operation::Count { filter: None } => {
            let count = rows::count(connection, kept).await?;
            Ok(output([("count", count.into())]))
        }
        Operation::Count { filter } => {
            let found = query::matching(connection, kept, filter.as_ref()).await?;
            Ok(output([("count", found.len().into())]))
        }
        _ => Err(Refused::new("not_a_read", "the operation changes the table").into()),
    }
}

/// The output of an operation.
pub(super) fn output<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members = members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Value::Object(members.collect())
}

async fn get(
    connection: &mut SqliteConnection,
    kept: &Kept,
    key: &Object,
) -> Result<Value, Trouble> {
    let table = &kept.table;
    let columns = table.given_columns(key)?;
    if let Some((name, _)) = columns.iter().find(|(_, value)| value.is_null()) {
        return Err(Refused::new(
            "wrong_type",
            format!("column `{name}` is looked up without a value"),
        )
        .into());
    }
    let is_key =
        columns.len() == table.key.len() && table.key.iter().all(|name| columns.contains_key(name));
    let found = if is_key && !table.key.is_empty() {
        let key = table.key_of(&columns)?.unwrap_or_default();
        rows::by_key(connection, kept, &key).await?
    } else {
        by_unique_column(connection, kept, &columns).await?
    };
    Ok(match found {
        Some(row) => output([("found", true.into()), ("row", Value::Object(row.row))]),
        None => output([("found", false.into())]),
    })
}

/// The one row whose unique column holds a value.
async fn by_unique_column(
    connection: &mut SqliteConnection,
    kept: &Kept,
    columns: &Object,
) -> Result<Option<rows::StoredRow>, Trouble> {
    let one = match columns.iter().collect::<Vec<_>>()[..] {
        [(name, value)] if kept.table.columns.get(name).is_some_and(|c| c.unique) => (name, value),
        _ => return Err(not_a_key(&kept.table, columns).into()),
    };
    let (name, value) = one;
    let found = rows::by_column(connection, kept, name, std::slice::from_ref(value)).await?;
    Ok(found.into_iter().find(|row| {
        row.row
            .get(name)
            .is_some_and(|other| crate::data::same(other, value))
    }))
}

fn not_a_key(table: &Table, columns: &Object) -> Refused {
    let given: Vec<_> = columns.keys().map(|name| format!("`{name}`")).collect();
    let key: Vec<_> = table.key.iter().map(|name| format!("`{name}`")).collect();
    let help = if key.is_empty() {
        "the table has no key; use `find`".to_owned()
    } else {
        format!(
            "its key is {}; use `find` for anything else",
            key.join(", ")
        )
    };
    let given = if given.is_empty() {
        kind_of(&Value::Null).to_owned()
    } else {
        given.join(", ")
    };
    Refused::new(
        "not_the_key",
        format!("`get` from table `{}` by {given}: {help}", table.name),
    )
}
