//! Types as written in files.
//!
//! In: a node such as `string?`, `[integer]`, `{ field: type }` or a long form. Out: a [`Shape`] or
//! [`Field`], and findings. Always gives something to go on with (`any` for what is wrong).

use super::codes::{NOT_A_TYPE, UNKNOWN_TYPE};
use super::detail::{is_long_form, long_form};
use super::{Field, Shape};
use crate::diagnostic::{Report, did_you_mean};
use crate::source::{Node, NodeKind};
use indexmap::IndexMap;

/// The type words, as written.
pub const WORDS: [&str; 9] = [
    "string", "integer", "number", "boolean", "date", "datetime", "email", "object", "any",
];

/// Words that people bring from elsewhere, with ours for them.
const ELSEWHERE: [(&str, &str); 16] = [
    ("text", "string"),
    ("str", "string"),
    ("varchar", "string"),
    ("int", "integer"),
    ("long", "integer"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("bool", "boolean"),
    ("timestamp", "datetime"),
    ("date_time", "datetime"),
    ("date-time", "datetime"),
    ("map", "object"),
    ("dict", "object"),
    ("list", "[any]"),
    ("array", "[any]"),
];

/// Types may nest this deep.
const DEPTH_MAX: usize = 32;

impl Shape {
    /// Reads a type; an outer `?` is not allowed here, since only fields can be optional.
    pub fn parse(node: &Node, report: &mut Report) -> Self {
        let field = Field::parse(node, report);
        if field.optional {
            report
                .error(
                    NOT_A_TYPE,
                    node.span,
                    "`?` makes a field optional, and this is no field",
                )
                .help("leave the `?` out");
        }
        field.shape
    }

    /// Reads a mapping of field names to types, such as a recipe's `input`.
    pub fn parse_fields(node: &Node, report: &mut Report) -> IndexMap<String, Field> {
        fields(node, report, 0)
    }
}

impl Field {
    /// Reads the type of a field, in its short or its long form.
    pub fn parse(node: &Node, report: &mut Report) -> Self {
        field(node, report, 0)
    }
}

pub(super) fn field(node: &Node, report: &mut Report, depth: usize) -> Field {
    if depth > DEPTH_MAX {
        report
            .error(NOT_A_TYPE, node.span, "types nest too deeply")
            .help(format!("at most {DEPTH_MAX} levels"));
        return Field::required(Shape::Any);
    }
    match &node.kind {
        NodeKind::Text(text) => word(node, text, report),
        NodeKind::List(elements) => Field::required(list(node, elements, report, depth)),
        NodeKind::Map(entries) => {
            if is_long_form(entries) {
                return long_form(node, entries, report, depth);
            }
            Field::required(Shape::Fields(fields(node, report, depth)))
        }
        _ => {
            report
                .error(
                    NOT_A_TYPE,
                    node.span,
                    format!("expected a type, not {}", node.kind_name()),
                )
                .help(format!("the types are {}", WORDS.join(", ")));
            Field::required(Shape::Any)
        }
    }
}

fn word(node: &Node, text: &str, report: &mut Report) -> Field {
    let (name, optional) = match text.strip_suffix('?') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let shape = match name {
        "string" => Shape::String,
        "integer" => Shape::Integer,
        "number" => Shape::Number,
        "boolean" => Shape::Boolean,
        "date" => Shape::Date,
        "datetime" => Shape::DateTime,
        "email" => Shape::Email,
        "object" => Shape::Object,
        "any" => Shape::Any,
        _ => match bracketed(node, name, report) {
            Some(shape) => shape,
            None => {
                unknown(node, name, report);
                Shape::Any
            }
        },
    };
    Field {
        optional,
        ..Field::required(shape)
    }
}

/// A list type that was written as text, so that it could carry a `?`: `"[integer]?"`.
fn bracketed(node: &Node, name: &str, report: &mut Report) -> Option<Shape> {
    let inner = name.strip_prefix('[')?.strip_suffix(']')?.trim();
    let inner = Node {
        kind: NodeKind::Text(inner.into()),
        ..node.clone()
    };
    Some(Shape::list_of(Shape::parse(&inner, report)))
}

fn unknown(node: &Node, name: &str, report: &mut Report) {
    let lower = name.to_lowercase();
    let meant = ELSEWHERE
        .iter()
        .find(|(theirs, _)| *theirs == lower)
        .map(|(_, ours)| *ours)
        .or_else(|| did_you_mean(&lower, WORDS));
    let help = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!(
            "the types are {}; a list is `[string]`, fixed values are `{{ enum: [a, b] }}`",
            WORDS.join(", ")
        ),
    };
    report
        .error(
            UNKNOWN_TYPE,
            node.span,
            format!("there is no type `{name}`"),
        )
        .help(help);
}

fn list(node: &Node, elements: &[Node], report: &mut Report, depth: usize) -> Shape {
    let [element] = elements else {
        report
            .error(NOT_A_TYPE, node.span, "a list type holds exactly one type")
            .help("write `[string]`; for fixed values write `{ enum: [a, b] }`");
        return Shape::list_of(Shape::Any);
    };
    let field = field(element, report, depth + 1);
    if field.optional {
        report
            .error(
                NOT_A_TYPE,
                element.span,
                "elements of a list cannot be optional",
            )
            .help("leave the `?` out; absent elements are dropped");
    }
    Shape::list_of(field.shape)
}

fn fields(node: &Node, report: &mut Report, depth: usize) -> IndexMap<String, Field> {
    let Some(entries) = node.as_map() else {
        if !matches!(node.kind, NodeKind::Null) {
            let message = format!("expected fields with their types, not {}", node.kind_name());
            report
                .error(NOT_A_TYPE, node.span, message)
                .help("write `name: string`");
        }
        return IndexMap::new();
    };
    entries
        .iter()
        .map(|(key, node)| {
            // `name?: string` is how other languages write it.
            let (name, optional) = match key.text.strip_suffix('?') {
                Some(name) => {
                    report
                        .error(NOT_A_TYPE, key.span, "the `?` belongs to the type")
                        .help(format!("write `{name}: string?`"));
                    (name, true)
                }
                None => (&*key.text, false),
            };
            let mut field = field(node, report, depth + 1);
            field.optional |= optional;
            (name.to_owned(), field)
        })
        .collect()
}
