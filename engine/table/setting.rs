//! Settings: rows Integration, Key, Value of one well-known table, typed by what projects declare.
//!
//! In: declarations and rows. Out: the typed `settings` root, or which rows do not fit.
//! Always true: an empty value counts as absent; enum values match letter for letter.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{Refused, value_of_text};
use crate::data::{Object, Value};
use crate::diagnostic::did_you_mean;
use crate::shape::Field;

/// The table that holds the settings of all integrations.
pub const SETTINGS_TABLE: &str = "integration-settings";

/// The settings that projects declare: project, integration, key.
pub type SettingsDeclared = BTreeMap<String, IndexMap<String, IndexMap<String, Field>>>;

/// The values of all declared settings: project, integration, key; absent ones take their default.
/// The error names every row that does not fit and says what is allowed.
pub fn settings_of_rows(declared: &SettingsDeclared, rows: &[Object]) -> Result<Value, String> {
    let texts = texts(rows);
    let mut faults = Vec::new();
    let mut projects = Object::new();
    for (project, integrations) in declared {
        let mut values = Object::new();
        for (integration, keys) in integrations {
            let mut members = Object::new();
            for (key, field) in keys {
                let text = texts.get(&(integration.as_str(), key.as_str()));
                match value_of_text(field, text.unwrap_or(&"")) {
                    Ok(value) => {
                        let value = value.or_else(|| field.default.clone());
                        members.extend(value.map(|value| (key.clone(), value)));
                    }
                    Err(why) => faults.push(fault(integration, key, field, &why)),
                }
            }
            values.insert(integration.clone(), Value::Object(members));
        }
        projects.insert(project.clone(), Value::Object(values));
    }
    faults.sort();
    faults.dedup();
    if faults.is_empty() {
        return Ok(Value::Object(projects));
    }
    Err(faults.join("; "))
}

/// Checks a row that somebody is about to write. Integrations that nobody declares are let in:
/// their project may come later; one that is nearly declared is a slip.
pub fn check_setting(declared: &SettingsDeclared, row: &Object) -> Result<(), Refused> {
    let text = |column: &str| row.get(column).and_then(Value::as_str).unwrap_or_default();
    let (integration, key) = (text("integration"), text("key"));
    let of_integration: Vec<&IndexMap<String, Field>> = declared
        .values()
        .filter_map(|integrations| integrations.get(integration))
        .collect();
    if of_integration.is_empty() {
        let known = declared
            .values()
            .flat_map(IndexMap::keys)
            .map(String::as_str);
        return match did_you_mean(integration, known) {
            None => Ok(()),
            Some(meant) => Err(Refused::new(
                "unknown_setting",
                format!("no project declares integration `{integration}`; did you mean `{meant}`?"),
            )),
        };
    }
    let fields: Vec<&Field> = of_integration
        .iter()
        .filter_map(|keys| keys.get(key))
        .collect();
    if fields.is_empty() {
        let known = of_integration
            .iter()
            .flat_map(|keys| keys.keys())
            .map(String::as_str);
        let hint = match did_you_mean(key, known.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it has {}", known.collect::<Vec<_>>().join(", ")),
        };
        return Err(Refused::new(
            "unknown_setting",
            format!("integration `{integration}` has no key `{key}`; {hint}"),
        ));
    }
    for field in fields {
        value_of_text(field, text("value"))
            .map_err(|why| Refused::new("wrong_setting", fault(integration, key, field, &why)))?;
    }
    Ok(())
}

fn texts(rows: &[Object]) -> BTreeMap<(&str, &str), &str> {
    rows.iter()
        .filter_map(|row| {
            let integration = row.get("integration")?.as_str()?;
            let key = row.get("key")?.as_str()?;
            let value = row.get("value").and_then(Value::as_str).unwrap_or_default();
            Some(((integration, key), value))
        })
        .collect()
}

fn fault(integration: &str, key: &str, field: &Field, why: &str) -> String {
    let label = field
        .label
        .as_deref()
        .map_or(String::new(), |label| format!(" ({label})"));
    format!("setting `{integration}` / `{key}`{label}: {why}")
}
