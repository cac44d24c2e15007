//! What a vendor's complaint says, whatever form it has.

use crate::data::{Value, beginning};
use crate::expression::{Expression, Scope};

/// A place in a reply where a message may stand.
#[derive(Clone, Debug)]
pub enum Place {
    /// This value.
    Value(Expression),
    /// The raw body.
    Text,
}

/// The longest message kept of a vendor's words, in characters.
const MESSAGE_LENGTH_MAX: usize = 500;

/// Where messages stand in most APIs, for connectors that say nothing.
const USUAL: [&str; 6] = [
    "message",
    "error_description",
    "error",
    "errors",
    "detail",
    "title",
];

/// The vendor's words: the first place that has any.
pub(super) fn message(places: &[Place], scope: &dyn Scope, body: &Value) -> Option<String> {
    if places.is_empty() {
        return USUAL
            .iter()
            .find_map(|key| said(body.get(key)?))
            .or_else(|| said_as_text(body));
    }
    places.iter().find_map(|place| match place {
        // A path that leads nowhere, or through something else, is simply not the place.
        Place::Value(value) => said(&value.evaluate(scope).ok()??),
        Place::Text => said_as_text(body),
    })
}

/// A value as words: a list is joined, an object gives `key: text`.
pub(super) fn said(value: &Value) -> Option<String> {
    let words = match value {
        Value::Null => return None,
        Value::String(text) => text.trim().to_owned(),
        Value::Array(list) => joined(list.iter().filter_map(said)),
        Value::Object(object) => joined(
            object
                .iter()
                .filter_map(|(key, value)| said(value).map(|words| format!("{key}: {words}"))),
        ),
        other => other.to_string(),
    };
    (!words.is_empty()).then(|| cut(&words))
}

fn said_as_text(body: &Value) -> Option<String> {
    let text = match body {
        Value::String(text) => text.trim().to_owned(),
        Value::Null => return None,
        other => other.to_string(),
    };
    (!text.is_empty()).then(|| cut(&text))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}

/// One line of bearable length.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    beginning(&line, MESSAGE_LENGTH_MAX).into_owned()
}
