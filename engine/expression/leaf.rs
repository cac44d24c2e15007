//! One text of a file: a path, a placeholder, a template or itself.
//!
//! Always true: the mistakes people really make here get their own message.

use super::codes::{BARE_PATH, NOT_TEXT, PATH_IN_TEXT};
use super::compile::Surroundings;
use super::infer::{Compiler, Inferred};
use super::path::{is_path, parse};
use super::scan::{Piece, cut, has_braces, unescape};
use super::template::lower;
use super::term::{Part, Term, Text};
use super::{Known, path};
use crate::data::Value;
use crate::diagnostic::{Report, Severity};
use crate::shape::Shape;
use crate::source::Node;

/// What a text is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// As a value.
    Value,
    /// As a URL or a part of one: what is inserted is percent-encoded, unless the text begins
    /// with it.
    Url,
}

/// Roots that nobody uses as the first word of an ordinary text.
const TELLING: [&str; 4] = ["steps", "vars", "settings", "trigger"];

/// All roots that exist anywhere.
const ROOTS: [&str; 16] = [
    "trigger",
    "input",
    "steps",
    "vars",
    "settings",
    "job",
    "error",
    "loop",
    "item",
    "index",
    "row",
    "verify",
    "reply",
    "connection",
    "call",
    "project",
];

/// Compiles one text.
pub(super) fn leaf(
    around: &mut Surroundings<'_>,
    node: &Node,
    text: &str,
    expected: Option<&Shape>,
) -> Inferred {
    let usage = around.usage;
    let mut compiler = Compiler {
        names: around.names,
        node,
        report: around.report,
    };
    if is_path(text) {
        return match parse(text) {
            Ok(path) => compiler.path(path, 0),
            Err(mistake) => compiler.refuse(mistake),
        };
    }
    if has_braces(text) {
        return template(&mut compiler, text, usage);
    }
    path_in_text(&mut compiler, text, 0);
    bare_path(&mut compiler, text, expected);
    Inferred {
        shape: Shape::String,
        ..Inferred::fixed(Value::String(unescape(text)))
    }
}

fn template(compiler: &mut Compiler<'_>, text: &str, usage: Use) -> Inferred {
    let pieces = match cut(text) {
        Ok(pieces) => pieces,
        Err(mistake) => return compiler.refuse(mistake),
    };
    let mut inserts = pieces.iter().filter_map(|piece| match piece {
        Piece::Insert { offset, inner } => Some((*offset, *inner)),
        Piece::Fixed(_) => None,
    });
    let first = inserts.next();
    let single = first.filter(|_| inserts.next().is_none());
    let only_space = pieces.iter().all(|piece| match piece {
        Piece::Fixed(fixed) => fixed.trim().is_empty(),
        Piece::Insert { .. } => true,
    });
    match (single, first) {
        (Some((offset, inner)), _) if only_space && usage == Use::Value => {
            return lower(compiler, offset, inner);
        }
        (_, None) => {
            let fixed = pieces.into_iter().map(|piece| match piece {
                Piece::Fixed(fixed) => fixed,
                Piece::Insert { .. } => String::new(),
            });
            return Inferred::fixed(Value::String(fixed.collect()));
        }
        _ => {}
    }
    let mut parts = Vec::with_capacity(pieces.len());
    let mut at = 0;
    for piece in pieces {
        match piece {
            Piece::Fixed(fixed) => {
                path_in_text(compiler, &text[at..next_brace(text, at)], at);
                parts.push(Part::Fixed(fixed));
            }
            Piece::Insert { offset, inner } => {
                let encoded = usage == Use::Url && !parts.is_empty();
                let term = insert(compiler, offset, inner);
                parts.push(if encoded {
                    Part::Encoded(term)
                } else {
                    Part::Plain(term)
                });
                at = offset + inner.len() + 2;
            }
        }
    }
    Inferred {
        shape: Shape::String,
        nothing: false,
        passed: false,
        latent: false,
        term: Term::Text(Text {
            source: text.into(),
            parts,
        }),
    }
}

/// Where the next placeholder begins.
fn next_brace(text: &str, at: usize) -> usize {
    text[at..].find("{{").map_or(text.len(), |found| at + found)
}

/// A placeholder inside a text: its value must be one that text can hold.
fn insert(compiler: &mut Compiler<'_>, offset: usize, inner: &str) -> Term {
    let inferred = lower(compiler, offset, inner);
    if matches!(
        inferred.shape,
        Shape::List(_) | Shape::Object | Shape::Fields(_)
    ) {
        let message = format!("{} cannot stand inside text", inferred.shape);
        let help = match inferred.shape {
            Shape::List(_) => format!("join it: `{{{{join {} \", \"}}}}`", nested(inner)),
            _ => format!(
                "name one of its fields, or `{{{{to_json {}}}}}`",
                nested(inner)
            ),
        };
        compiler.error(NOT_TEXT, offset, inner.len(), message, help);
    }
    inferred.term
}

fn nested(inner: &str) -> String {
    let inner = inner.trim();
    if inner.contains(' ') {
        format!("({inner})")
    } else {
        inner.to_owned()
    }
}

/// Reports `$.root...` in the middle of a text; `base` is where the text begins in its node.
fn path_in_text(compiler: &mut Compiler<'_>, text: &str, base: usize) {
    let known = compiler.names.roots();
    let mut from = 0;
    while let Some(found) = text[from..].find('$') {
        let at = from + found;
        from = at + 1;
        if text[..at].ends_with('\\') {
            continue;
        }
        let Some(rest) = text[at + 1..].strip_prefix('.') else {
            continue;
        };
        let root: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if !ROOTS.contains(&root.as_str()) && !known.contains(&root) {
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || "\"'<>(){},;&".contains(c));
        let path = rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ':', '!']);
        let help = if text[..at].trim().is_empty() && base == 0 && rest.trim_end() == path {
            "take the space before `$.` away, so that the value begins with the path".to_owned()
        } else {
            format!("write `{{{{{path}}}}}`; `\\$.` writes the characters")
        };
        let message = "this path will not be replaced, since it stands inside a longer text";
        compiler.error(
            PATH_IN_TEXT,
            base + at,
            path.len() + 2,
            message.to_owned(),
            help,
        );
    }
}

/// Reports a path that lacks its `$.`.
fn bare_path(compiler: &mut Compiler<'_>, text: &str, expected: Option<&Shape>) {
    let root: String = text
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    let rest = &text[root.len()..];
    if !(rest.starts_with('.') || rest.starts_with('['))
        || text.chars().any(char::is_whitespace)
        || !compiler.names.roots().contains(&root)
    {
        return;
    }
    let Ok(path) = path::parse(&format!("$.{text}")) else {
        return;
    };
    // One of the words that are expected here is what it seems to be.
    if let Some(Shape::Enum(words)) = expected
        && words.iter().any(|word| word.as_str() == Some(text))
    {
        return;
    }
    let telling = TELLING.contains(&root.as_str());
    let not_text = expected.is_some_and(|shape| !shape.is_text());
    if !telling && !not_text && !leads_somewhere(compiler, path) {
        return;
    }
    let severity = if telling || not_text || ROOTS.contains(&root.as_str()) {
        Severity::Error
    } else {
        Severity::Warning
    };
    let span = compiler.node.span;
    let message = format!("`{text}` looks like a path, but is taken as text");
    let help = format!("write `$.{text}`; for the text itself write `{{{{to_text \"{text}\"}}}}`");
    match severity {
        Severity::Error => compiler.report.error(BARE_PATH, span, message).help(help),
        _ => compiler.report.warning(BARE_PATH, span, message).help(help),
    }
}

/// Whether the path's names exist, as far as is known.
fn leads_somewhere(compiler: &Compiler<'_>, path: path::Path) -> bool {
    if let Known::Unknown { .. } = compiler.names.look_up(&path.root, path.member.as_deref()) {
        return false;
    }
    let mut report = Report::default();
    let mut probe = Compiler {
        names: compiler.names,
        node: compiler.node,
        report: &mut report,
    };
    probe.path(path, 0);
    !report.has_errors()
}
