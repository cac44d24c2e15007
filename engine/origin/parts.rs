//! A file's text in parts that are merged one by one.
//!
//! In: the text of a recipe, test, table or project. Out: its parts: what stands under each key at
//! the top; of `steps` each step that has an id, of `cases` each case that has a title; of those
//! that have none, what stands between two that have.
//! Always true: the parts one after the other are the text; comments and blank lines belong to the
//! part below them.

use std::collections::BTreeSet;

use crate::source::{self, Node, NodeKind};

/// The name of the part that is a whole file.
pub(super) const WHOLE: &str = "the file";

/// A stretch of a file's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its name: `trigger`, `steps.held`.
    pub(super) name: String,
    /// Its lines.
    pub(super) text: String,
    /// What it is.
    pub(super) sort: Sort,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// The whole file.
    Whole,
    /// A key at the top with all that is under it.
    Key,
    /// The key of a list whose elements are parts.
    Head(&'static str),
    /// An element of such a list that has a name.
    Named(&'static str),
    /// Elements of such a list that have none.
    Unnamed(&'static str),
    /// The key of such a list with its elements, which cannot be told apart by lines and names.
    Joined(&'static str),
}

impl Sort {
    /// Whether it is a part of this list.
    pub(super) fn is_of(self, list: &str) -> bool {
        match self {
            Self::Whole | Self::Key => false,
            Self::Head(of) | Self::Named(of) | Self::Unnamed(of) | Self::Joined(of) => of == list,
        }
    }
}

/// Whether a part is a stretch of elements without names, which no name leads to.
pub fn is_nameless(part: &str) -> bool {
    LISTS.iter().any(|(list, _)| {
        let rest = part.strip_prefix(list).unwrap_or_default();
        rest == AT_FIRST || rest.starts_with(AFTER)
    })
}

/// Behind the name of a list: the elements before the first that has a name, and those after one.
const AT_FIRST: &str = " at first";
const AFTER: &str = " after ";

/// The lists whose elements are parts of their own, with the key that names an element.
pub(super) const LISTS: [(&str, &str); 2] = [("steps", "id"), ("cases", "title")];

/// Where a part begins: its line, from 0.
struct Start {
    line: usize,
    name: String,
    sort: Sort,
}

/// The parts of a text. One that is no YAML mapping, or whose keys do not each begin a line, is
/// one part; so is a list that names an element twice, or whose elements do not each begin a line.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let whole = || {
        vec![Part {
            name: WHOLE.to_owned(),
            text: text.to_owned(),
            sort: Sort::Whole,
        }]
    };
    let (document, _) = source::parse(&"parts".into(), text.as_bytes());
    let Some(document) = document else {
        return whole();
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(mut starts) = starts(&document.root, &lines).filter(|starts| !starts.is_empty())
    else {
        return whole();
    };
    for at in 0..starts.len() {
        let floor = if at == 0 { 0 } else { starts[at - 1].line + 1 };
        starts[at].line = with_comments(&lines, starts[at].line, floor);
    }
    // What stands before the first key belongs to it.
    starts[0].line = 0;
    let ends = starts.iter().skip(1).map(|start| start.line);
    let ends = ends.chain([lines.len()]).collect::<Vec<_>>();
    let stretches = starts.into_iter().zip(ends);
    stretches
        .map(|(start, end)| Part {
            name: start.name,
            text: lines[start.line..end].concat(),
            sort: start.sort,
        })
        .collect()
}

/// Where each part begins; `None` if a key at the top does not begin a line.
fn starts(root: &Node, lines: &[&str]) -> Option<Vec<Start>> {
    let mut starts: Vec<Start> = Vec::new();
    for (key, value) in root.as_map()? {
        let at = line(key.span.line);
        let is_later = starts.last().is_none_or(|last| last.line < at);
        if !is_later || !lines.get(at)?.starts_with(&*key.text) {
            return None;
        }
        let list = LISTS.iter().find(|(list, _)| **list == *key.text);
        let elements = list.map(|(list, naming)| (list, elements(value, list, naming, lines, at)));
        let (sort, elements) = match elements {
            None => (Sort::Key, Vec::new()),
            Some((list, Some(elements))) => (Sort::Head(list), elements),
            Some((list, None)) => (Sort::Joined(list), Vec::new()),
        };
        starts.push(Start {
            line: at,
            name: key.text.to_string(),
            sort,
        });
        starts.extend(elements);
    }
    Some(starts)
}

/// Where the elements of a list begin; `None` if they cannot be told apart by lines and names.
fn elements(
    list: &Node,
    of: &'static str,
    naming: &str,
    lines: &[&str],
    head: usize,
) -> Option<Vec<Start>> {
    if list.kind == NodeKind::Null {
        return Some(Vec::new());
    }
    let elements = list.as_list().filter(|elements| !elements.is_empty())?;
    let mut starts: Vec<Start> = Vec::new();
    let mut names = BTreeSet::new();
    let mut last = head;
    let mut before = None;
    let mut was_named = true;
    for element in elements {
        let at = line(element.span.line);
        if at <= last || !lines.get(at)?.trim_start().starts_with("- ") {
            return None;
        }
        last = at;
        let name = element.get(naming).and_then(Node::as_text);
        if name.is_some_and(|name| !names.insert(name)) {
            return None;
        }
        let (name_of_part, sort) = match (name, before) {
            (Some(name), _) => (format!("{of}.{name}"), Sort::Named(of)),
            (None, Some(before)) => (format!("{of}{AFTER}{before}"), Sort::Unnamed(of)),
            (None, None) => (format!("{of}{AT_FIRST}"), Sort::Unnamed(of)),
        };
        if name.is_some() || was_named {
            starts.push(Start {
                line: at,
                name: name_of_part,
                sort,
            });
        }
        before = name.or(before);
        was_named = name.is_some();
    }
    Some(starts)
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
