//! A file's text in parts that are merged one by one.
//!
//! In: the text of a recipe, test, table or project. Out: its parts: what stands under each key at
//! the top; of `steps` each step that has an id, of `cases` each case that has a title; of those
//! that have none, what stands between two that have.
//! Always true: the parts one after the other are the text; comments and blank lines belong to the
//! part below them.

use crate::source::{self, Node};

/// The name of the part that is a whole file.
pub(super) const WHOLE: &str = "the file";

/// A stretch of a file's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its name: `trigger`, `steps.held`.
    pub(super) name: String,
    /// Its lines.
    pub(super) text: String,
}

/// The lists whose elements are parts of their own, with the key that names an element.
const LISTS: [(&str, &str); 2] = [("steps", "id"), ("cases", "title")];

/// The parts of a text. One that is no YAML mapping, or names a part twice, is one part.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let whole = || {
        vec![Part {
            name: WHOLE.to_owned(),
            text: text.to_owned(),
        }]
    };
    let (document, _) = source::parse(&"parts".into(), text.as_bytes());
    let Some(document) = document else {
        return whole();
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut starts = starts(&document.root, &lines);
    if starts.is_empty() {
        return whole();
    }
    for at in 0..starts.len() {
        let floor = if at == 0 { 0 } else { starts[at - 1].0 + 1 };
        starts[at].0 = with_comments(&lines, starts[at].0, floor);
    }
    // What stands before the first key belongs to it.
    starts[0].0 = 0;
    let mut names: Vec<&str> = starts.iter().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < starts.len() {
        return whole();
    }
    let ends = starts.iter().skip(1).map(|(line, _)| *line);
    let ends = ends.chain([lines.len()]);
    let stretches = starts.iter().zip(ends);
    stretches
        .map(|((start, name), end)| Part {
            name: name.clone(),
            text: lines[*start..end].concat(),
        })
        .collect()
}

/// The line, from 0, on which each part begins, with its name.
fn starts(root: &Node, lines: &[&str]) -> Vec<(usize, String)> {
    let mut starts: Vec<(usize, String)> = Vec::new();
    let mut begin = |line: usize, name: String, opening: &str| {
        let is_later = starts.last().is_none_or(|(last, _)| *last < line);
        let stands_first = lines
            .get(line)
            .is_some_and(|text| text.trim_start().starts_with(opening));
        if is_later && stands_first {
            starts.push((line, name));
        }
    };
    for (key, value) in root.as_map().unwrap_or_default() {
        begin(line(key.span.line), key.text.to_string(), &key.text);
        let Some((_, naming)) = LISTS.iter().find(|(list, _)| **list == *key.text) else {
            continue;
        };
        let mut before = None;
        let mut was_named = true;
        for element in value.as_list().unwrap_or_default() {
            let name = element.get(naming).and_then(Node::as_text);
            let part = match (name, before) {
                (Some(name), _) => format!("{}.{name}", key.text),
                (None, Some(before)) => format!("{} after {before}", key.text),
                (None, None) => format!("{} at first", key.text),
            };
            if name.is_some() || was_named {
                begin(line(element.span.line), part, "- ");
            }
            before = name.or(before);
            was_named = name.is_some();
        }
    }
    starts
}

fn line(number: u32) -> usize {
    usize::try_from(number).unwrap_or(1).saturating_sub(1)
}

/// The first of the comment and blank lines that stand directly above a line.
fn with_comments(lines: &[&str], start: usize, floor: usize) -> usize {
    let mut first = start;
    while first > floor {
        let above = lines[first - 1].trim();
        if !above.is_empty() && !above.starts_with('#') {
            break;
        }
        first -= 1;
    }
    first
}
