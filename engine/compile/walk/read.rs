//! Small readings that many kinds of steps share.
//!
//! Always true: what is wrong in a file was reported before; these only pass over it.

use std::time::Duration;

use crate::clock::parse_period;
use crate::diagnostic::Span;
use crate::shape::{Field, Shape};
use crate::source::{Node, NodeKind};

/// What `error` holds in a `catch`, and after `on_error: continue`.
pub(in crate::compile) fn error_shape() -> Shape {
    Shape::object_of([
        ("code", Field::required(Shape::String)),
        ("message", Field::required(Shape::String)),
        ("status", Field::optional(Shape::Integer)),
        ("step", Field::optional(Shape::String)),
        ("body", Field::optional(Shape::Any)),
    ])
}

/// The result of a step; after a failure that was passed over there is only `error`.
pub(in crate::compile) fn result_shape(result: Option<Shape>, continue_on_error: bool) -> Shape {
    let result = result.unwrap_or_else(|| Shape::object_of([]));
    if !continue_on_error {
        return result;
    }
    let Shape::Fields(mut fields) = result else {
        return Shape::Any;
    };
    for field in fields.values_mut() {
        field.optional = true;
    }
    fields.insert("error".to_owned(), Field::optional(error_shape()));
    Shape::Fields(fields)
}

/// Where a step's first key stands.
pub(in crate::compile) fn key_span(node: &Node) -> Span {
    let first = node.as_map().and_then(|entries| entries.first());
    first.map_or(node.span, |(key, _)| key.span)
}

/// Where a key of a mapping stands.
pub(in crate::compile) fn span_of_key(node: &Node, name: &str) -> Span {
    let entries = node.as_map().unwrap_or_default();
    let found = entries.iter().find(|(key, _)| &*key.text == name);
    found.map_or(node.span, |(key, _)| key.span)
}

/// A length of time; one that is wrong was reported before.
pub(in crate::compile) fn period(node: Option<&Node>) -> Option<Duration> {
    parse_period(node?.as_text()?).ok()
}

/// A whole number.
pub(in crate::compile) fn integer(node: &Node) -> Option<i64> {
    match node.kind {
        NodeKind::Integer(number) => Some(number),
        _ => None,
    }
}

/// Whether a key holds this word.
pub(in crate::compile) fn is_word(node: &Node, key: &str, word: &str) -> bool {
    node.get(key)
        .and_then(Node::as_text)
        .is_some_and(|text| &**text == word)
}
