//! Helpers that encode, and `uuid`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Helper, Kind, helper, required, shapes};
use crate::data::{Value, digest};

pub(super) const HELPERS: &[Helper] = &[
    helper(
        "to_json",
        &[required("value", Kind::Any)],
        shapes::text,
        |given| text(given.any(0).to_string()),
        ("The value as JSON text.", "to_json trigger.body"),
    ),
    helper(
        "parse_json",
        &[required("text", Kind::Text)],
        shapes::any,
        |given| {
            serde_json::from_str(given.text(0))
                .map(Some)
                .map_err(|error| format!("this is no JSON: {error}"))
        },
        (
            "The value that a JSON text holds.",
            "parse_json input.payload",
        ),
    ),
    helper(
        "base64",
        &[required("text", Kind::Text)],
        shapes::text,
        |given| text(STANDARD.encode(given.text(0))),
        ("The text in base64.", "base64 input.name"),
    ),
    helper(
        "url_encode",
        &[required("text", Kind::Text)],
        shapes::text,
        |given| text(percent_encode(given.text(0))),
        (
            "The text percent-encoded for a URL.",
            "url_encode input.name",
        ),
    ),
    helper(
        "sha256",
        &[required("text", Kind::Text)],
        shapes::text,
        |given| text(digest(given.text(0).as_bytes())),
        (
            "The SHA-256 of the text as 64 hexadecimal digits.",
            "sha256 input.email",
        ),
    ),
    helper(
        "soql_quote",
        &[required("value", Kind::Texts)],
        shapes::text,
        |given| {
            text(match given.any(0) {
                Value::Array(list) => {
                    let quoted: Vec<String> = list
                        .iter()
                        .filter_map(Value::as_str)
                        .map(soql_quote)
                        .collect();
                    format!("({})", quoted.join(", "))
                }
                other => soql_quote(other.as_str().unwrap_or_default()),
            })
        },
        (
            "The text in quotes for a SOQL query, safe against what it holds; a list of texts in \
             round brackets, for `IN`.",
            "soql_quote input.email",
        ),
    ),
    helper(
        "uuid",
        &[],
        shapes::text,
        |given| text(given.scope.uuid()),
        (
            "A name that no other step has; the same however often a job is resumed.",
            "uuid",
        ),
    ),
];

fn text(text: String) -> Result<Option<Value>, String> {
    Ok(Some(Value::String(text)))
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub(in crate::expression) fn percent_encode(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    encoded
}

fn soql_quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '"' => quoted.push_str("\\\""),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}
