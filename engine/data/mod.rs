//! JSON values as the whole engine passes them, and text that must not be shown.
//!
//! Always true: a [`Secret`] never prints its text; [`Value`] keeps the order of object keys.

mod measure;
mod secret;
mod withheld;

pub use measure::{
    DEPTH_MAX, PATTERN_BYTES_MAX, VALUE_BYTES_MAX, is_deeper, is_longer, oversize, pattern, weight,
};
pub use secret::Secret;
pub use serde_json::Value;
pub use withheld::{holds_withheld, is_withheld, show_withheld, withheld, withheld_by};

use std::borrow::Cow;

use sha2::{Digest, Sha256};

/// An object of JSON, in the order its keys were written.
pub type Object = serde_json::Map<String, Value>;

/// What a value is, in an admin's words: "text", "a whole number", "a list" and so on.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The longest text that a message shows. Of a longer one nothing is shown: cut in two, a secret
/// would not be known again by what hides it.
const SHOWN_MAX: usize = 60;

/// A value as messages tell of it: "text (`abc`)", "a whole number (5)", "a list".
pub fn told(value: &Value) -> String {
    match value {
        Value::Number(_) | Value::Bool(_) => format!("{} ({value})", kind_of(value)),
        Value::String(text) if is_short(text) => format!("text (`{text}`)"),
        Value::String(text) => long(text),
        _ => kind_of(value).to_owned(),
    }
}

/// A value itself, in back quotes; of what is long, how long it is.
pub fn quoted(value: &Value) -> String {
    let text = match value {
        Value::String(text) => Cow::from(text),
        other => other.to_string().into(),
    };
    match is_short(&text) {
        true => format!("`{text}`"),
        false => long(&text),
    }
}

fn is_short(text: &str) -> bool {
    text.chars().count() <= SHOWN_MAX
}

fn long(text: &str) -> String {
    format!("text of {} characters", text.chars().count())
}

/// The beginning of a text of more than so many characters, with three dots. It ends where a word
/// does: of a secret that would be cut in two, nothing is left.
pub fn beginning(text: &str, chars_max: usize) -> Cow<'_, str> {
    let Some((end, _)) = text.char_indices().nth(chars_max) else {
        return text.into();
    };
    let is_end = |c: char| c.is_whitespace() || "\"',;()[]{}<>".contains(c);
    let end = text[..end].rfind(is_end).unwrap_or_default();
    format!("{}...", text[..end].trim_end()).into()
}

/// Whether a value counts as blank: null, white space only, an empty list, an empty object.
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether two values are the same: numbers by value (`1` and `1.0`), all else letter for letter,
/// objects whatever the order of their keys.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a == b,
            _ => a.as_f64() == b.as_f64(),
        },
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => left == right,
    }
}

/// The SHA-256 of some bytes as 64 hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests;
