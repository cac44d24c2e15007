//! Placeholders in stories: `{{completion.email}}` stands for what an earlier answer holds.
//!
//! In: texts and data with placeholders, and what is known. Out: the same, filled.
//! Always true: a text that is one placeholder becomes the value itself, whatever its kind; what
//! is not there is an error that names it.

use crate::data::{Object, Value};

/// The paths inside `{{ }}`, each with the byte at which it begins.
pub(super) fn placeholders(text: &str) -> Vec<(usize, &str)> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Path(offset, path) => Some((offset, path)),
            Piece::Text(_) => None,
        })
        .collect()
}

/// Data with every placeholder replaced.
pub(super) fn fill(value: &Value, known: &Object) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => match pieces(text).as_slice() {
            [Piece::Path(_, path)] => look_up(known, path)?.clone(),
            _ => Value::String(fill_text(text, known)?),
        },
        Value::Array(list) => list
            .iter()
            .map(|value| fill(value, known))
            .collect::<Result<_, _>>()?,
        Value::Object(object) => {
            let mut filled = Object::new();
            for (key, value) in object {
                filled.insert(key.clone(), fill(value, known)?);
            }
            Value::Object(filled)
        }
        other => other.clone(),
    })
}

/// Text with every placeholder replaced by what it stands for, as text.
pub(super) fn fill_text(text: &str, known: &Object) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Path(_, path) => match look_up(known, path)? {
                Value::String(text) => filled.push_str(text),
                Value::Null => {}
                other => filled.push_str(&other.to_string()),
            },
        }
    }
    Ok(filled)
}

/// A stretch of text: as it stands, or a path with the byte at which it begins.
enum Piece<'a> {
    Text(&'a str),
    Path(usize, &'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("{{").map(|open| at + open) {
        let Some(close) = text[open..].find("}}").map(|close| open + close) else {
            break;
        };
        if open > at {
            pieces.push(Piece::Text(&text[at..open]));
        }
        let inside = &text[open + 2..close];
        let path = inside.trim();
        let offset = open + 2 + (inside.len() - inside.trim_start().len());
        pieces.push(Piece::Path(offset, path));
        at = close + 2;
    }
    if at < text.len() {
        pieces.push(Piece::Text(&text[at..]));
    }
    pieces
}

fn look_up<'a>(known: &'a Object, path: &str) -> Result<&'a Value, String> {
    let mut parts = path.split('.');
    let root = parts.next().unwrap_or(path);
    let mut value = known
        .get(root)
        .ok_or_else(|| format!("`{{{{{path}}}}}`: nothing is called `{root}`"))?;
    for part in parts {
        let inner = match value {
            Value::Array(list) => part.parse().ok().and_then(|index: usize| list.get(index)),
            other => other.get(part),
        };
        value =
            inner.ok_or_else(|| format!("`{{{{{path}}}}}`: there is no `{part}` in {value}"))?;
    }
    Ok(value)
}
