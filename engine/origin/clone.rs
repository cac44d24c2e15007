//! Copies of a whole project, and of one recipe in its place.
//!
//! In: the files of a workspace, and what is wanted. Out: the files to write, or why not.
//! Always true: bare names inside a clone reach the clone; full names of the original's recipes
//! are made bare.

use std::collections::BTreeMap;

use super::lock::Lock;
use super::source::Source;
use super::wording::worded;
use crate::diagnostic::did_you_mean;
use crate::names::{RecipeName, is_file_name};
use crate::source::{self, Node};
use crate::table::SETTINGS_TABLE;

/// Which tables a clone uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// Those of the original.
    Shared,
    /// Copies of its own, empty but for their first rows.
    Own,
}

/// The files of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The files to write, by path.
    pub files: BTreeMap<String, String>,
    /// The texts that they were made of, by hash.
    pub bases: BTreeMap<String, String>,
    /// What is recorded from now on.
    pub lock: Lock,
}

/// Why there is no copy, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// A word for programs.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
}

pub(super) fn refused(code: &'static str, message: String) -> Refused {
    Refused { code, message }
}

/// Copies a project into another folder, with its tests.
pub fn clone_project(
    source: &Source<'_>,
    from: &str,
    to: &str,
    tables: Tables,
) -> Result<Copy, Refused> {
    let folder = format!("recipes/{from}/");
    let texts = source.texts();
    let inside: Vec<(&String, &String)> = texts
        .iter()
        .filter(|(path, _)| path.starts_with(&folder))
        .map(|(path, text)| (*path, *text))
        .collect();
    if inside.is_empty() {
        let known = projects(texts.keys().copied());
        let meant = did_you_mean(from, known.iter().map(String::as_str));
        let help = meant.map_or_else(
            || format!("; there are {}", known.join(", ")),
            |meant| format!("; did you mean `{meant}`?"),
        );
        return Err(refused(
            "not_found",
            format!("there is no project `{from}`{help}"),
        ));
    }
    if !is_file_name(to) {
        return Err(refused(
            "bad_name",
            format!(
                "`{to}` cannot be the name of a project: use lower-case letters, digits and hyphens"
            ),
        ));
    }
    let taken = format!("recipes/{to}/");
    if let Some(path) = texts.keys().find(|path| path.starts_with(&taken)) {
        return Err(refused(
            "exists",
            format!("there is a project `{to}` already ({path}); choose another name"),
        ));
    }
    let mut copy = Copy {
        files: BTreeMap::new(),
        bases: BTreeMap::new(),
        lock: source.lock.clone(),
    };
    for (path, text) in inside {
        let rest = path.strip_prefix(&folder).unwrap_or(path);
        let own = format!("recipes/{to}/{rest}");
        copy.take(source, &own, path, worded(&own, text, path));
    }
    if tables == Tables::Own {
        own_tables(source, &mut copy, from, to)?;
    }
    Ok(copy)
}

/// Puts an editable copy of a bundled recipe in its place, for all its callers.
pub fn customise(source: &Source<'_>, name: &RecipeName) -> Result<Copy, Refused> {
    let path = format!("recipes/{name}.yaml");
    let Some(bundled) = source.bundled.get(&path) else {
        let message = if source.own.contains_key(&path) {
            format!("`{name}` is a file of your own already: edit {path}")
        } else {
            let known = source.bundled.keys();
            let known: Vec<&str> = known
                .filter_map(|path| path.strip_prefix("recipes/")?.strip_suffix(".yaml"))
                .collect();
            let help = did_you_mean(name.as_str(), known)
                .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
            format!("there is no bundled recipe `{name}`{help}")
        };
        return Err(refused("not_bundled", message));
    };
    if source.own.get(&path).is_some_and(|text| text != bundled) {
        let message = format!("`{name}` is customised already: edit {path}");
        return Err(refused("exists", message));
    }
    let mut copy = Copy {
        files: BTreeMap::new(),
        bases: BTreeMap::new(),
        lock: source.lock.clone(),
    };
    copy.take(source, &path, &path, bundled.clone());
    Ok(copy)
}

impl Copy {
    /// Adds a file with what it was made of.
    fn take(&mut self, source: &Source<'_>, own: &str, of: &str, text: String) {
        if let Some((origin, base)) = source.origin_of(of) {
            self.bases.insert(origin.hash.clone(), base.clone());
            self.lock.files.insert(own.to_owned(), origin);
        }
        self.files.insert(own.to_owned(), text);
    }
}

/// The names of all projects.
fn projects<'a>(paths: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = paths
        .filter_map(|path| path.strip_prefix("recipes/")?.strip_suffix("/project.yaml"))
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// Gives a clone copies of the tables that its recipes use, but for the shared one of settings.
fn own_tables(source: &Source<'_>, copy: &mut Copy, from: &str, to: &str) -> Result<(), Refused> {
    let project = format!("recipes/{to}/project.yaml");
    let (Some(text), Some(of)) = (
        copy.files.get(&project).cloned(),
        source.text(&format!("recipes/{from}/project.yaml")),
    ) else {
        let message = format!("`{from}` has no project.yaml, which names a clone's own tables");
        return Err(refused("no_project_file", message));
    };
    let (document, _) = source::parse(&project.as_str().into(), of.as_bytes());
    let wired = document
        .as_ref()
        .and_then(|document| document.root.get("tables"));
    if wired.is_some() {
        let message = format!(
            "recipes/{from}/project.yaml says itself which tables it uses; clone it with the same \
             tables, then change `tables` in recipes/{to}/project.yaml"
        );
        return Err(refused("tables_are_wired", message));
    }
    let mut lines = String::from("tables:\n");
    // Settings are read from one table, whoever reads them.
    let used = tables_used(copy).into_iter();
    for role in used.filter(|role| role != SETTINGS_TABLE) {
        let path = table_path(&role);
        let Some(table) = source.text(&path) else {
            continue;
        };
        let own = own_table(from, to, &role);
        lines.push_str(&format!("  {role}: {own}\n"));
        let own = table_path(&own);
        if source.text(&own).is_some() {
            let message = format!("there is a table {own} already; choose another name");
            return Err(refused("exists", message));
        }
        copy.take(source, &own, &path, table.clone());
    }
    let separator = if text.ends_with('\n') { "" } else { "\n" };
    copy.files
        .insert(project, format!("{text}{separator}{lines}"));
    Ok(())
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

fn table_path(table: &str) -> String {
    format!("lookup-tables/{table}.yaml")
}

/// The tables that steps of the copied recipes use.
fn tables_used(copy: &Copy) -> Vec<String> {
    let mut used = std::collections::BTreeSet::new();
    for (path, text) in &copy.files {
        let is_recipe = path.matches('/').count() == 2;
        let (document, _) = source::parse(&path.as_str().into(), text.as_bytes());
        if let (true, Some(document)) = (is_recipe, document) {
            tables_of(&document.root, &mut used);
        }
    }
    used.into_iter().collect()
}

fn tables_of(node: &Node, used: &mut std::collections::BTreeSet<String>) {
    for (key, value) in node.as_map().unwrap_or_default() {
        if let ("table", Some(name)) = (&*key.text, value.as_text()) {
            used.insert(name.to_string());
        }
        tables_of(value, used);
    }
    for element in node.as_list().unwrap_or_default() {
        tables_of(element, used);
    }
}
