//! The tables of a copy: those that its recipes use, and the own ones in place of the original's.
//!
//! In: recipes, project files. Out: the names of tables; a project file that wires them.
//! Always true: the table of settings is shared by all; what a project file wires already stays as
//! it is.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::parts::parts;
use crate::recipe::targets;
use crate::source::{self, Node, NodeKind};
use crate::table::SETTINGS_TABLE;

/// The tables that steps of recipes use, but for the one of settings, which nobody has an own one
/// of: the engine itself reads it.
pub(super) fn tables_used<'a>(
    files: impl Iterator<Item = (&'a String, &'a String)>,
) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (path, text) in files {
        let is_recipe = path.starts_with("recipes/") && path.matches('/').count() == 2;
        if !is_recipe || !path.ends_with(".yaml") {
            continue;
        }
        let (document, _) = source::parse(&path.as_str().into(), text.as_bytes());
        let Some(document) = document else {
            continue;
        };
        let named = targets(&document.root, "table").into_iter();
        used.extend(named.filter_map(|node| Some(node.as_text()?.to_string())));
    }
    used.remove(SETTINGS_TABLE);
    used
}

/// The name of a clone's own table in place of one of the original.
pub(super) fn own_table(from: &str, to: &str, role: &str) -> String {
    let rest = role.strip_prefix(&format!("{from}-")).unwrap_or(role);
    format!("{to}-{rest}")
}

/// The table that a path is of.
pub(super) fn table_of(path: &str) -> Option<&str> {
    path.strip_prefix("lookup-tables/")?.strip_suffix(".yaml")
}

/// The file of a table.
pub(super) fn table_path(table: &str) -> String {
    format!("lookup-tables/{table}.yaml")
}

/// What a project file says of tables, if it says anything: which one plays which.
pub(super) fn wiring(text: &str) -> Option<BTreeMap<String, String>> {
    let (document, _) = source::parse(&"project.yaml".into(), text.as_bytes());
    let document = document?;
    let tables = document.root.get("tables")?;
    let entries = tables.as_map().unwrap_or_default().iter();
    let entry = |(role, table): &(source::Key, Node)| {
        Some((role.text.to_string(), table.as_text()?.to_string()))
    };
    Some(entries.filter_map(entry).collect())
}

/// A project file in which these tables play these roles, too; `None` if it is written in a way in
/// which that cannot be added.
pub(super) fn wired(text: &str, added: &BTreeMap<String, String>) -> Option<String> {
    let was = wiring(text);
    let mut expected = added.clone();
    expected.extend(was.clone().unwrap_or_default());
    if was.as_ref() == Some(&expected) {
        return Some(text.to_owned());
    }
    let fresh: BTreeMap<&String, &String> = added
        .iter()
        .filter(|(role, _)| was.as_ref().is_none_or(|was| !was.contains_key(*role)))
        .collect();
    let written = match was {
        Some(_) => within(text, &fresh)?,
        None => before_settings(text, &fresh),
    };
    (wiring(&written)? == expected).then_some(written)
}

/// Puts `tables` in front of the settings: these may be long, and what a project stands on is read
/// before them.
fn before_settings(text: &str, added: &BTreeMap<&String, &String>) -> String {
    let lines = match added.is_empty() {
        true => "tables: {}\n".to_owned(),
        false => format!("tables:\n{}", entries(added, "  ")),
    };
    let mut parts: Vec<(String, String)> = parts(text)
        .into_iter()
        .map(|part| (part.name, part.text))
        .collect();
    if let Some((_, last)) = parts.last_mut()
        && !last.ends_with('\n')
    {
        last.push('\n');
    }
    let settings = parts.iter().position(|(name, _)| name == "settings");
    let place = settings.unwrap_or(parts.len());
    parts.insert(place, (String::new(), lines));
    parts.into_iter().map(|(_, text)| text).collect()
}

fn entries(added: &BTreeMap<&String, &String>, margin: &str) -> String {
    let lines = added.iter();
    lines
        .map(|(role, table)| format!("{margin}{role}: {table}\n"))
        .collect()
}

/// Adds to the `tables` that a project file has.
fn within(text: &str, added: &BTreeMap<&String, &String>) -> Option<String> {
    let (document, _) = source::parse(&"project.yaml".into(), text.as_bytes());
    let document = document?;
    let root = document.root.as_map()?;
    let (key, value) = root.iter().find(|(key, _)| &*key.text == "tables")?;
    let known = value.as_map().unwrap_or_default();
    let is_in_braces = text[value.span.start..].starts_with('{');
    let (last_line, margin) = match known.last() {
        Some((last, _)) if !is_in_braces => {
            let margin = usize::try_from(last.span.column).ok()?.saturating_sub(1);
            (last.span.line, " ".repeat(margin))
        }
        _ if is_in_braces && value.kind != NodeKind::Null => {
            let end = value.span.start + text[value.span.start..].find('}')?;
            let before = text[..end].trim_end();
            let comma = match before.ends_with(['{', ',']) {
                true => "",
                false => ",",
            };
            let named: Vec<String> = added
                .iter()
                .map(|(role, table)| format!("{role}: {table}"))
                .collect();
            return Some(format!(
                "{before}{comma} {} {}",
                named.join(", "),
                &text[end..]
            ));
        }
        _ => (key.span.line, "  ".to_owned()),
    };
    let mut written = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        written.push_str(line);
        written.push('\n');
        if number == last_line {
            written.push_str(&entries(added, &margin));
        }
    }
    Some(written)
}
