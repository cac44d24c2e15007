//! A project's texts as they stand in its copy.
//!
//! In: a text, the project it is of and the one it is for. Out: the text with the names that mean
//! the copy.
//! Always true: what is already in the copy's words stays as it is; data is left alone; comments
//! and form survive.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, project_of};
use crate::diagnostic::Span;
use crate::recipe::targets;
use crate::source;

/// The commands that are given a project.
const OF_PROJECTS: [&str; 5] = ["doctor", "graph", "test", "clone", "upgrade"];
/// The commands that are given a recipe.
const OF_RECIPES: [&str; 7] = [
    "run", "start", "stop", "show", "versions", "diff", "restore",
];

/// The names that mean something else in a copy.
#[derive(Clone, Debug, Default)]
pub(super) struct Names<'a> {
    /// The recipes that the original has or had.
    pub(super) recipes: BTreeSet<&'a str>,
    /// The copy's own tables, by the name that they have in the original.
    pub(super) tables: BTreeMap<String, String>,
}

impl<'a> Names<'a> {
    /// Those of a project; its files are those at these paths and those that copies were made of.
    pub(super) fn of(
        source: &Source<'a>,
        project: &str,
        paths: impl Iterator<Item = &'a String>,
    ) -> Self {
        let recorded = source.lock.files.values().map(|origin| &origin.of);
        let folder = format!("recipes/{project}/");
        let recipe = |path: &'a String| {
            let name = path.strip_prefix(&folder)?.strip_suffix(".yaml")?;
            (!name.contains('/') && name != "project").then_some(name)
        };
        Self {
            recipes: paths.chain(recorded).filter_map(recipe).collect(),
            tables: BTreeMap::new(),
        }
    }
}

/// The text of the file `of`, as the file `own` has it.
pub(super) fn worded(own: &str, text: &str, of: &str, names: &Names<'_>) -> String {
    let (from, to) = (project_of(of), project_of(own));
    if from.is_empty() || from == to {
        return text.to_owned();
    }
    match of.ends_with(".md") {
        true => page(text, from, to, names),
        false => with_bare_calls(of, text, from),
    }
}

/// A page that names the project, its recipes and its tables in its commands.
fn page(text: &str, from: &str, to: &str, names: &Names<'_>) -> String {
    let recipe = |word: &str| {
        let bare = word
            .strip_prefix(from)
            .and_then(|rest| rest.strip_prefix('/'));
        let bare = bare.unwrap_or(word);
        names.recipes.contains(bare).then(|| format!("{to}/{bare}"))
    };
    let mut places: Vec<(usize, usize, String)> = Vec::new();
    let mut rename = |before: &str, meant: &dyn Fn(&str) -> Option<String>| {
        let words = words_after(text, before).into_iter();
        places.extend(words.filter_map(|(at, word)| Some((at, word.len(), meant(word)?))));
    };
    for verb in OF_PROJECTS {
        let project = |word: &str| (word == from).then(|| to.to_owned());
        rename(&format!("recipes {verb}"), &project);
    }
    for verb in OF_RECIPES {
        rename(&format!("recipes {verb}"), &recipe);
    }
    rename("--recipe", &recipe);
    rename("recipes tables", &|word| names.tables.get(word).cloned());
    for (role, own) in &names.tables {
        let quoted = format!("`{role}`");
        let quoted = text.match_indices(&quoted);
        places.extend(quoted.map(|(at, _)| (at + 1, role.len(), own.clone())));
    }
    places.sort_unstable();
    let mut written = text.to_owned();
    for (start, len, meant) in places.into_iter().rev() {
        written.replace_range(start..start + len, &meant);
    }
    written
}

/// What is named behind these words, on the same line or the next, with its place.
fn words_after<'a>(text: &'a str, before: &str) -> Vec<(usize, &'a str)> {
    let found = text.match_indices(before).map(|(at, _)| {
        let rest = text[at + before.len()..].trim_start();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        (text.len() - rest.len(), &rest[..end])
    });
    found.collect()
}

/// The text with `project/name` of calls and starts, and of the recipe that a test names, made
/// bare, so that they reach the clone.
fn with_bare_calls(path: &str, text: &str, project: &str) -> String {
    let (document, _) = source::parse(&path.into(), text.as_bytes());
    let Some(document) = document else {
        return text.to_owned();
    };
    let prefix = format!("{project}/");
    let named = match path.contains("/tests/") {
        true => document.root.get("recipe").into_iter().collect(),
        false => ["call", "start"]
            .into_iter()
            .flat_map(|key| targets(&document.root, key))
            .collect::<Vec<_>>(),
    };
    let changes = named.into_iter().filter_map(|node| {
        let bare = node.as_text()?.strip_prefix(&prefix)?;
        made_bare(text, node.span, &prefix, bare)
    });
    // What aliases repeat is named several times and stands in one place.
    let changes: BTreeMap<usize, (usize, String)> = changes.collect();
    let mut written = text.to_owned();
    for (start, (end, meant)) in changes.into_iter().rev() {
        written.replace_range(start..end, &meant);
    }
    written
}

/// What to write where, so that the name in this place is the bare one; none if an alias stands
/// there: what it repeats has a place of its own, or is data.
fn made_bare(text: &str, span: Span, prefix: &str, bare: &str) -> Option<(usize, (usize, String))> {
    let (start, end) = (span.start, span.start + span.len);
    let own = text.get(start..end)?;
    if own.starts_with('*') {
        return None;
    }
    // Before the name there may be a quote or an anchor.
    match own.rfind(prefix) {
        Some(found) => Some((start + found, (start + found + prefix.len(), String::new()))),
        // It is written with escapes.
        None if own.starts_with('"') => Some((start, (end, format!("\"{bare}\"")))),
        None => None,
    }
}
