//! A file's text and its YAML tree with places.
//!
//! In: bytes. Out: a [`Document`] whose every node knows where it stands, or findings.
//! Always true: duplicate keys, alias bombs, deep nesting and non-UTF-8 are refused in bounded
//! time and memory; nothing is guessed (`no` is text, `0123` is text).

pub mod codes;
mod faults;
mod parse;
mod raw;

use std::sync::Arc;

pub use parse::{FILE_BYTES_MAX, parse, parse_up_to};

use crate::data::{Object, Value};
use crate::diagnostic::Span;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file, as a path below the workspace.
    pub file: Arc<str>,
    /// Its whole text.
    pub text: Arc<str>,
    /// Its tree.
    pub root: Node,
}

/// One value of the tree, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where the value stands; of a list or mapping, where it begins.
    pub span: Span,
    /// Whether the text stood without quotes (of use for scalars only).
    pub plain: bool,
    /// The value.
    pub kind: NodeKind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or exponent.
    Number(f64),
    /// Text.
    Text(Arc<str>),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order it was written; keys are unique.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Where the key stands.
    pub span: Span,
    /// The key.
    pub text: Arc<str>,
}

impl Node {
    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&Arc<str>> {
        match &self.kind {
            NodeKind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_map(&self) -> Option<&[(Key, Node)]> {
        match &self.kind {
            NodeKind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.kind {
            NodeKind::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The value under a key, if it is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?
            .iter()
            .find(|(k, _)| &*k.text == key)
            .map(|(_, node)| node)
    }

    /// The value as plain data, places forgotten.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(bool) => Value::Bool(*bool),
            NodeKind::Integer(integer) => Value::from(*integer),
            NodeKind::Number(number) => Value::from(*number),
            NodeKind::Text(text) => Value::from(&**text),
            NodeKind::List(elements) => elements.iter().map(Node::to_value).collect(),
            NodeKind::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, node)| (key.text.to_string(), node.to_value()))
                    .collect::<Object>(),
            ),
        }
    }

    /// What the value is, in an admin's words.
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Bool(_) => "true or false",
            NodeKind::Integer(_) => "a whole number",
            NodeKind::Number(_) => "a number",
            NodeKind::Text(_) => "text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a mapping",
        }
    }

    /// The place of a part of a text node, for underlining an expression inside it. Exact for
    /// unquoted single-line text and for quoted text without escapes; else the whole node.
    pub fn part(&self, offset: usize, len: usize) -> Span {
        let Some(text) = self.as_text() else {
            return self.span;
        };
        let quote = usize::from(!self.plain);
        let exact = self.span.len == text.len() + 2 * quote && !text.contains('\n');
        if !exact || offset + len > text.len() || !text.is_char_boundary(offset) {
            return self.span;
        }
        let characters = text[..offset].chars().count();
        Span {
            start: self.span.start + quote + offset,
            len,
            line: self.span.line,
            column: self.span.column + u32::try_from(quote + characters).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests;
