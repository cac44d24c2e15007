//! A project's texts as they stand in its copy.
//!
//! In: a text, the project it is of and the one it is for. Out: the text with the names that mean
//! the copy.
//! Always true: what is already in the copy's words stays as it is; comments and form survive.

use super::source::project_of;
use crate::source::{self, Node};

/// The commands that are given a project.
const OF_PROJECTS: [&str; 5] = ["doctor", "graph", "test", "clone", "upgrade"];

/// The text of the file `of`, as the file `own` has it.
pub(super) fn worded(own: &str, text: &str, of: &str) -> String {
    let (from, to) = (project_of(of), project_of(own));
    if from.is_empty() || from == to {
        return text.to_owned();
    }
    match of.ends_with(".md") {
        true => page(text, from, to),
        false => with_bare_calls(of, text, from),
    }
}

/// A page that names the project in its commands.
fn page(text: &str, from: &str, to: &str) -> String {
    let mut text = text.to_owned();
    for verb in OF_PROJECTS {
        for end in ["`", "\n", " "] {
            let named = format!("recipes {verb} {from}{end}");
            text = text.replace(&named, &format!("recipes {verb} {to}{end}"));
        }
    }
    text
}

/// The text with `project/name` of calls and starts, and of the recipe that a test names, made
/// bare, so that they reach the clone.
fn with_bare_calls(path: &str, text: &str, project: &str) -> String {
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
