//! Values written as YAML, as a person would write them into a test file.
//!
//! In: a value. Out: text: on one line, or on several below one another.
//! Always true: what is written is read back as the same value.

use crate::data::{Object, Value};

/// Words that readers of YAML take for something else than text.
const NO_TEXT: [&str; 12] = [
    "null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan", "infinity",
];

/// The value on one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(list) if !list.is_empty() => {
            let parts: Vec<String> = list.iter().map(flow).collect();
            format!("[{}]", parts.join(", "))
        }
        Value::Object(object) if !object.is_empty() => {
            let member =
                |(key, value): (&String, &Value)| format!("{}: {}", scalar(key), flow(value));
            let parts: Vec<String> = object.iter().map(member).collect();
            format!("{{ {} }}", parts.join(", "))
        }
        other => other.to_string(),
    }
}

/// The value on lines of its own, each `indent` blanks to the right; what fits into `width` columns
/// stays on one line.
pub(super) fn block(value: &Value, indent: usize, width: usize) -> String {
    match value {
        Value::Object(object) if !object.is_empty() => object
            .iter()
            .map(|(key, value)| member(key, value, indent, width))
            .collect(),
        Value::Array(list) if !list.is_empty() => list
            .iter()
            .map(|value| element(value, indent, width))
            .collect(),
        other => format!("{}{}\n", " ".repeat(indent), flow(other)),
    }
}

/// A member of a mapping, on one line or more.
pub(super) fn member(key: &str, value: &Value, indent: usize, width: usize) -> String {
    let head = format!("{}{}:", " ".repeat(indent), scalar(key));
    match on_one_line(value, head.len() + 1, width) {
        Some(line) => format!("{head} {line}\n"),
        None => format!("{head}\n{}", block(value, indent + 2, width)),
    }
}

/// An element of a list, on one line or more.
pub(super) fn element(value: &Value, indent: usize, width: usize) -> String {
    let dash = format!("{}- ", " ".repeat(indent));
    // `- action: { fields }` is how requests are written.
    let is_named = matches!(value, Value::Object(object) if is_single(object));
    match on_one_line(value, dash.len(), width).filter(|_| !is_named) {
        Some(line) => format!("{dash}{line}\n"),
        None => {
            let lines = block(value, indent + 2, width);
            format!("{dash}{}", &lines[dash.len()..])
        }
    }
}

fn is_single(object: &Object) -> bool {
    object.len() == 1 && object.values().all(Value::is_object)
}

/// The value on one line, if that may be: it is no list or mapping, or fits.
pub(super) fn on_one_line(value: &Value, column: usize, width: usize) -> Option<String> {
    let line = flow(value);
    let is_whole = match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => true,
    };
    (is_whole || column + line.chars().count() <= width).then_some(line)
}

/// Text as it is where nobody can take it for something else, in quotes where they could.
fn scalar(text: &str) -> String {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '/' | ' ');
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(is_plain)
        && !text.ends_with(' ')
        && !NO_TEXT.contains(&text.to_ascii_lowercase().as_str());
    match is_word {
        true => text.to_owned(),
        false => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
