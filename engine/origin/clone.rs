//! Copies of a whole project, and of one recipe in its place.
//!
//! In: the files of a workspace, and what is wanted. Out: the files to write, or why not.
//! Always true: bare names inside a clone reach the clone; full names of the original's recipes
//! are made bare.

use std::collections::BTreeMap;

use super::lock::{Lock, Origin};
use crate::data::digest;
use crate::diagnostic::did_you_mean;
use crate::names::{RecipeName, is_file_name};
use crate::source::{self, Node};

/// The files that a copy may be made of.
pub struct Source<'a> {
    /// The text of every file of the workspace, bundled ones included, by path.
    pub texts: &'a BTreeMap<String, String>,
    /// The text of bundled files, by path.
    pub bundled: &'a BTreeMap<String, String>,
    /// What is recorded so far.
    pub lock: &'a Lock,
}

impl Source<'_> {
    /// The text of an original as it is now: the bundled one, or that of the workspace.
    pub(super) fn original(&self, path: &str) -> Option<&String> {
        self.bundled.get(path).or_else(|| self.texts.get(path))
    }

    /// The text of a file that the workspace has itself.
    pub(super) fn own(&self, path: &str) -> Option<&String> {
        let text = self.texts.get(path)?;
        (self.bundled.get(path) != Some(text)).then_some(text)
    }
}

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
    let inside: Vec<(&String, &String)> = source
        .texts
        .iter()
        .filter(|(path, _)| path.starts_with(&folder))
        .collect();
    if inside.is_empty() {
        let known = projects(source.texts.keys());
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
    if let Some(path) = source.texts.keys().find(|path| path.starts_with(&taken)) {
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
        let written = with_bare_calls(path, text, from);
        copy.take(source, &own, path, from, written);
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
        let message = if source.texts.contains_key(&path) {
            format!("`{name}` is a file of your own already: edit {path}")
        } else {
            let known = source.bundled.keys();
            let known: Vec<&str> = known
                .filter_map(|path| path.strip_prefix("recipes/")?.strip_suffix(".yaml"))
                .collect();
            let help = did_you_mean(name.as_str(), known.into_iter())
                .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
            format!("there is no bundled recipe `{name}`{help}")
        };
        return Err(refused("not_bundled", message));
    };
    if source.texts.get(&path).is_some_and(|text| text != bundled) {
        let message = format!("`{name}` is customised already: edit {path}");
        return Err(refused("exists", message));
    }
    let mut copy = Copy {
        files: BTreeMap::new(),
        bases: BTreeMap::new(),
        lock: source.lock.clone(),
    };
    copy.take(source, &path, &path, name.project(), bundled.clone());
    Ok(copy)
}

impl Copy {
    /// Adds a file with what it was made of.
    fn take(&mut self, source: &Source<'_>, own: &str, of: &str, project: &str, text: String) {
        // A copy of a customised file goes back to what that was made of.
        let base = source.bundled.get(of).or_else(|| source.texts.get(of));
        let base = base.cloned().unwrap_or_else(|| text.clone());
        let hash = digest(base.as_bytes());
        let origin = Origin {
            of: of.to_owned(),
            version: version(source, project),
            hash: hash.clone(),
        };
        self.lock.files.insert(own.to_owned(), origin);
        self.bases.insert(hash, base);
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

/// The version that a project's file states.
pub(super) fn version(source: &Source<'_>, project: &str) -> String {
    let path = format!("recipes/{project}/project.yaml");
    let text = source.texts.get(&path).map_or("", String::as_str);
    let (document, _) = source::parse(&path.into(), text.as_bytes());
    let version =
        document.and_then(|document| Some(document.root.get("version")?.as_text()?.to_string()));
    version.unwrap_or_default()
}

/// The text with `project/name` of calls and starts, and of the recipe that a test names, made
/// bare, so that they reach the clone.
pub(super) fn with_bare_calls(path: &str, text: &str, project: &str) -> String {
    let (document, _) = source::parse(&path.into(), text.as_bytes());
    let Some(document) = document else {
        return text.to_owned();
    };
    let prefix = format!("{project}/");
    let mut places = Vec::new();
    full_names(&document.root, &prefix, &mut places);
    places.sort_unstable();
    let mut written = text.to_owned();
    for place in places.into_iter().rev() {
        // The span may begin with a quote.
        if let Some(found) = written[place..].find(&prefix) {
            written.replace_range(place + found..place + found + prefix.len(), "");
        }
    }
    written
}

/// Where full names of the project's recipes begin.
fn full_names(node: &Node, prefix: &str, places: &mut Vec<usize>) {
    for (key, value) in node.as_map().unwrap_or_default() {
        let names = ["call", "start", "recipe"].contains(&&*key.text);
        if names && value.as_text().is_some_and(|text| text.starts_with(prefix)) {
            places.push(value.span.start);
        }
        full_names(value, prefix, places);
    }
    for element in node.as_list().unwrap_or_default() {
        full_names(element, prefix, places);
    }
}

/// Gives a clone copies of the tables that its recipes use, but for the shared one of settings.
fn own_tables(source: &Source<'_>, copy: &mut Copy, from: &str, to: &str) -> Result<(), Refused> {
    let project = format!("recipes/{to}/project.yaml");
    let (Some(text), Some(of)) = (
        copy.files.get(&project).cloned(),
        source.texts.get(&format!("recipes/{from}/project.yaml")),
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
    for role in tables_used(copy) {
        let path = format!("lookup-tables/{role}.yaml");
        let Some(table) = source.texts.get(&path) else {
            continue;
        };
        let rest = role.strip_prefix(&format!("{from}-")).unwrap_or(&role);
        let own = format!("{to}-{rest}");
        lines.push_str(&format!("  {role}: {own}\n"));
        let own = format!("lookup-tables/{own}.yaml");
        if source.texts.contains_key(&own) {
            let message = format!("there is a table {own} already; choose another name");
            return Err(refused("exists", message));
        }
        copy.take(source, &own, &path, from, table.clone());
    }
    let separator = if text.ends_with('\n') { "" } else { "\n" };
    copy.files
        .insert(project, format!("{text}{separator}{lines}"));
    Ok(())
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
