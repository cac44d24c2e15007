//! Copies of a whole project, and of one recipe in its place.
//!
//! In: the files of a workspace, and what is wanted. Out: the files to write, or why not.
//! Always true: bare names inside a clone reach the clone; full names of the original's recipes
//! are made bare.

use std::collections::BTreeMap;

use super::lock::Lock;
use super::source::Source;
use super::tables::{own_table, table_path, tables_used, wired, wiring};
use super::wording::{Names, worded};
use crate::diagnostic::did_you_mean;
use crate::names::{RecipeName, is_file_name};

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
    let mut names = Names::of(source, from, texts.keys().copied());
    let own = |path: &str| {
        let rest = path.strip_prefix(&folder).unwrap_or(path);
        format!("recipes/{to}/{rest}")
    };
    for (path, text) in &inside {
        let own = own(path);
        copy.take(source, &own, path, worded(&own, text, path, &names));
    }
    if tables == Tables::Own {
        names.tables = own_tables(source, &mut copy, from, to)?;
        for (path, text) in inside.iter().filter(|(path, _)| path.ends_with(".md")) {
            let own = own(path);
            let page = worded(&own, text, path, &names);
            copy.files.insert(own, page);
        }
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
fn own_tables(
    source: &Source<'_>,
    copy: &mut Copy,
    from: &str,
    to: &str,
) -> Result<BTreeMap<String, String>, Refused> {
    let project = format!("recipes/{to}/project.yaml");
    let (Some(text), Some(of)) = (
        copy.files.get(&project).cloned(),
        source.text(&format!("recipes/{from}/project.yaml")),
    ) else {
        let message = format!("`{from}` has no project.yaml, which names a clone's own tables");
        return Err(refused("no_project_file", message));
    };
    if wiring(of).is_some() {
        let message = format!(
            "recipes/{from}/project.yaml says itself which tables it uses; clone it with the same \
             tables, then change `tables` in recipes/{to}/project.yaml"
        );
        return Err(refused("tables_are_wired", message));
    }
    let mut tables = BTreeMap::new();
    for role in tables_used(copy.files.iter()) {
        let path = table_path(&role);
        let Some(table) = source.text(&path) else {
            continue;
        };
        let own = own_table(from, to, &role);
        let own_path = table_path(&own);
        if source.text(&own_path).is_some() {
            let message = format!("there is a table {own_path} already; choose another name");
            return Err(refused("exists", message));
        }
        copy.take(source, &own_path, &path, table.clone());
        tables.insert(role, own);
    }
    let Some(text) = wired(&text, &tables) else {
        return Err(cannot_wire(&project, &tables));
    };
    copy.files.insert(project, text);
    Ok(tables)
}

/// Why own tables cannot be named in a project file.
pub(super) fn cannot_wire(project: &str, tables: &BTreeMap<String, String>) -> Refused {
    let lines: Vec<String> = tables
        .iter()
        .map(|(role, own)| format!("  {role}: {own}"))
        .collect();
    let message = format!(
        "the copy's own tables cannot be added to {project} as that is written; add these lines \
         under `tables:` there yourself:\n{}",
        lines.join("\n")
    );
    refused("cannot_wire_tables", message)
}
