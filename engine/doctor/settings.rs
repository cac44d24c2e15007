//! The settings of a project: which are missing or wrong, and what the others will do.
//!
//! In: what projects declare, and the rows of the table of settings. Out: two sections.
//! Always true: a value that is a secret or personal is not told.

use indexmap::IndexMap;

use crate::clock::Moment;
use crate::compile::Project;
use crate::data::{Object, Value};
use crate::diagnostic::did_you_mean;
use crate::shape::Field;
use crate::table::{SETTINGS_TABLE, SettingsDeclared, text_of_value, value_of_text};

use super::{Finding, Section, Topic};

/// A row of the table of settings.
struct Row<'a> {
    integration: &'a str,
    key: &'a str,
    value: &'a str,
}

/// How a declared setting stands.
enum Standing {
    /// Its row says this.
    Set(Value),
    /// It has no value, and its default holds.
    Default(Value),
    /// It has no value and needs none.
    Absent,
    /// It has a wrong value, or none and needs one.
    Unusable,
}

/// The sections about settings and about what they will do.
pub(super) fn look(
    project: &Project,
    declared: &SettingsDeclared,
    rows: &[Object],
    now: Moment,
) -> (Section, Section) {
    let rows: Vec<Row<'_>> = rows.iter().filter_map(Row::of).collect();
    let mut findings = Vec::new();
    let mut standings = Vec::new();
    let mut values = Object::new();
    for (integration, keys) in &project.settings {
        let mut members = Object::new();
        for (key, field) in keys {
            let standing = standing(integration, key, field, &rows, &mut findings);
            if let Standing::Set(value) | Standing::Default(value) = &standing {
                members.insert(key.clone(), value.clone());
            }
            standings.push((integration, key, field, standing));
        }
        values.insert(integration.clone(), Value::Object(members));
    }
    for row in &rows {
        findings.extend(strange(row, project, declared));
    }
    let values = Value::Object(values);
    let meanings = standings
        .iter()
        .filter_map(|(integration, key, field, standing)| {
            let says = project
                .says
                .get(*integration)
                .and_then(|keys| keys.get(*key));
            let said = match standing {
                Standing::Set(value) | Standing::Default(value) => {
                    says.and_then(|says| says.of(Some(value), &values, now))
                }
                Standing::Absent => says.and_then(|says| says.of(None, &values, now)),
                Standing::Unusable => return None,
            };
            Some(Finding::note(meaning(key, field, standing, said)))
        });
    let count = standings.len();
    let well = match count {
        0 => "the project has none".to_owned(),
        count => format!("all {count} settings have a value, or need none"),
    };
    (
        Section::of(Topic::Settings, findings, &well),
        Section::of(
            Topic::Meaning,
            meanings.collect(),
            "nothing is said of them",
        ),
    )
}

impl<'a> Row<'a> {
    fn of(row: &'a Object) -> Option<Self> {
        Some(Self {
            integration: row.get("integration")?.as_str()?,
            key: row.get("key")?.as_str()?,
            value: row.get("value").and_then(Value::as_str).unwrap_or_default(),
        })
    }
}

/// How a setting stands; what is wrong with it becomes a finding.
fn standing(
    integration: &str,
    key: &str,
    field: &Field,
    rows: &[Row<'_>],
    findings: &mut Vec<Finding>,
) -> Standing {
    let row = rows
        .iter()
        .find(|row| row.integration == integration && row.key == key);
    let name = named(integration, key, field);
    match value_of_text(field, row.map_or("", |row| row.value)) {
        Ok(Some(value)) => Standing::Set(value),
        Ok(None) => match (&field.default, field.optional) {
            (Some(default), _) => Standing::Default(default.clone()),
            (None, true) => Standing::Absent,
            (None, false) => {
                findings.push(Finding::error(
                    format!("{name} has no value"),
                    add_row(integration, key, field),
                ));
                Standing::Unusable
            }
        },
        Err(why) => {
            let why = match field.secret || field.personal {
                true => format!("its value is not {}", field.shape),
                false => why,
            };
            findings.push(Finding::error(
                format!("{name}: {why}"),
                format!("change the value in its row of `{SETTINGS_TABLE}`"),
            ));
            Standing::Unusable
        }
    }
}

fn named(integration: &str, key: &str, field: &Field) -> String {
    match &field.label {
        Some(label) => format!("{integration} / {key} ({label})"),
        None => format!("{integration} / {key}"),
    }
}

fn add_row(integration: &str, key: &str, field: &Field) -> String {
    let example = field.example.as_ref().map_or(String::new(), |example| {
        format!(", such as {}", text_of_value(example))
    });
    format!(
        "add a row to `{SETTINGS_TABLE}`: Integration {integration}, Key {key}, Value {}{example}",
        field.shape
    )
}

/// What is wrong with a row that no project knows and that this one was probably meant by.
fn strange(row: &Row<'_>, project: &Project, declared: &SettingsDeclared) -> Option<Finding> {
    let of_integration: Vec<&IndexMap<String, Field>> = declared
        .values()
        .filter_map(|integrations| integrations.get(row.integration))
        .collect();
    let own = project.settings.keys().map(String::as_str);
    let Row {
        integration, key, ..
    } = row;
    if of_integration.is_empty() {
        let meant = near(integration, own)?;
        return Some(Finding::error(
            format!("the row {integration} / {key} is read by nobody"),
            format!("write its Integration {meant}, letter for letter"),
        ));
    }
    let is_own = project.settings.contains_key(*integration);
    if !is_own || of_integration.iter().any(|keys| keys.contains_key(*key)) {
        return None;
    }
    let known = of_integration
        .iter()
        .flat_map(|keys| keys.keys())
        .map(String::as_str);
    let help = match near(key, known.clone()) {
        Some(meant) if meant.eq_ignore_ascii_case(key) => {
            format!("write its Key {meant}, letter for letter")
        }
        Some(meant) => format!("did you mean {meant}?"),
        None => format!(
            "remove it; there are {}",
            known.collect::<Vec<_>>().join(", ")
        ),
    };
    let text = format!("the row {integration} / {key} is read by nobody: there is no such setting");
    Some(Finding::error(text, help))
}

/// The known name that was meant: the same in other letters, or nearly the same.
fn near<'a>(written: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let same = known
        .clone()
        .find(|name| name.eq_ignore_ascii_case(written));
    same.or_else(|| did_you_mean(written, known))
}

/// What a setting will do, with where that comes from.
fn meaning(key: &str, field: &Field, standing: &Standing, said: Option<String>) -> String {
    let is_hidden = field.secret || field.personal;
    let shown = |value: &Value| match is_hidden {
        true => "set".to_owned(),
        false => text_of_value(value),
    };
    let (plain, source) = match standing {
        Standing::Set(value) => (shown(value), format!("{key}: {}", shown(value))),
        Standing::Default(value) => (shown(value), format!("{key} is not set: {}", shown(value))),
        Standing::Absent | Standing::Unusable => {
            ("no value".to_owned(), format!("{key} is not set"))
        }
    };
    match (said, is_hidden) {
        (Some(said), false) => format!("{said} ({source})"),
        _ => {
            let label = field.label.as_deref().unwrap_or(key);
            format!("{label}: {plain} ({source})")
        }
    }
}
