//! The tables of a test before it runs.
//!
//! In: a test's rows and settings. Out: rows in a fresh store, or why they do not fit.
//! Always true: a table goes by the name that the recipe's project gives it.

use crate::data::{Object, Value};
use crate::library::Shelf;
use crate::names::RecipeName;
use crate::store::Store;
use crate::table::SETTINGS_TABLE;

use super::suite::Case;

/// Puts the rows before into the tables; those named replace the first rows.
pub(super) async fn fill(
    store: &Store,
    shelf: &Shelf,
    recipe: &RecipeName,
    case: &Case,
) -> Result<(), String> {
    let mut tables = case.tables.clone();
    if !case.settings.is_empty() {
        let rows: Vec<Value> = case.settings.iter().flat_map(settings_rows).collect();
        tables.insert(SETTINGS_TABLE.to_owned(), rows.into());
    }
    for (name, rows) in &tables {
        let table = shelf.table_named(recipe.project(), name)?;
        let Value::Array(rows) = rows else { continue };
        let rows: Vec<Object> = rows
            .iter()
            .filter_map(|row| row.as_object().cloned())
            .collect();
        let done = store.fill(&table, rows, "test", case.now).await;
        done.map_err(|error| error.to_string())?
            .map_err(|refused| format!("table `{name}` before the test: {}", refused.message))?;
    }
    Ok(())
}

/// The rows of one integration's settings; values are kept as text.
fn settings_rows((integration, keys): (&String, &Value)) -> Vec<Value> {
    let Value::Object(keys) = keys else {
        return Vec::new();
    };
    let row = |(key, value): (&String, &Value)| {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        serde_json::json!({ "integration": integration, "key": key, "value": text })
    };
    keys.iter().map(row).collect()
}
