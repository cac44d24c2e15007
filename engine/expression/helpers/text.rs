//! Helpers for text.

use super::super::evaluate::scalar_text;
use super::{Arguments, Helper, Kind, Mode, helper, parameter, required, shapes};
use crate::data::{Value, kind_of, same};
use crate::names;

/// Texts that a helper or a template makes are at most this long.
pub(in crate::expression) const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(super) const HELPERS: &[Helper] = &[
    helper(
        "lowercase",
        &[required("text", Kind::Text)],
        shapes::text,
        |given| ok(given.text(0).to_lowercase()),
        ("The text in small letters.", "lowercase input.email"),
    ),
    helper(
        "uppercase",
        &[required("text", Kind::Text)],
        shapes::text,
        |given| ok(given.text(0).to_uppercase()),
        ("The text in capital letters.", "uppercase input.code"),
    ),
    helper(
        "trim",
        &[required("text", Kind::Text)],
        shapes::text,
        |given| ok(given.text(0).trim().to_owned()),
        ("The text without white space around it.", "trim input.name"),
    ),
    helper(
        "replace",
        &[
            required("text", Kind::Text),
            required("old", Kind::Text),
            required("new", Kind::Text),
        ],
        shapes::text,
        replace,
        (
            "The text with every occurrence of one text replaced by another.",
            "replace input.phone \" \" \"\"",
        ),
    ),
    helper(
        "split",
        &[
            required("text", Kind::Text),
            required("separator", Kind::Text),
        ],
        shapes::texts,
        split,
        (
            "The parts of a text as a list; an empty text gives an empty list.",
            "split input.tags \",\"",
        ),
    ),
    helper(
        "join",
        &[
            required("list", Kind::List),
            required("separator", Kind::Text),
        ],
        shapes::text,
        join,
        (
            "The elements of a list as one text.",
            "join steps.found.items \", \"",
        ),
    ),
    helper(
        "starts_with",
        &[
            required("text", Kind::Text),
            required("beginning", Kind::Text),
        ],
        shapes::boolean,
        |given| truth(given.text(0).starts_with(given.text(1))),
        (
            "Whether a text begins with another.",
            "starts_with input.code \"EU-\"",
        ),
    ),
    helper(
        "ends_with",
        &[required("text", Kind::Text), required("end", Kind::Text)],
        shapes::boolean,
        |given| truth(given.text(0).ends_with(given.text(1))),
        (
            "Whether a text ends with another.",
            "ends_with input.email \"@example.com\"",
        ),
    ),
    helper(
        "contains",
        &[
            required("value", Kind::TextOrList),
            required("part", Kind::Any),
        ],
        shapes::boolean,
        contains,
        (
            "Whether a text holds another, or a list an element.",
            "contains input.group_ids 7",
        ),
    ),
    helper(
        "length",
        &[required("value", Kind::TextOrList)],
        shapes::integer,
        |given| {
            Ok(Some(Value::from(match given.any(0) {
                Value::Array(list) => list.len(),
                other => other.as_str().unwrap_or_default().chars().count(),
            })))
        },
        (
            "How many characters a text has, or elements a list.",
            "length input.name",
        ),
    ),
    helper(
        "slug",
        &[required("text", Kind::Text)],
        shapes::text,
        |given| ok(names::slug(given.text(0))),
        (
            "The text in lower case, all but letters and digits one hyphen.",
            "slug input.title",
        ),
    ),
    helper(
        "truncate",
        &[
            required("text", Kind::Text),
            required("length", Kind::Integer),
        ],
        shapes::text,
        |given| {
            let most = usize::try_from(given.integer(1))
                .map_err(|_| "a length is not negative".to_owned())?;
            ok(given.text(0).chars().take(most).collect())
        },
        (
            "The text cut to so many characters.",
            "truncate input.title 80",
        ),
    ),
    helper(
        "matches",
        &[
            required("text", Kind::Text),
            required("pattern", Kind::Pattern),
        ],
        shapes::boolean,
        matches,
        (
            "Whether a regular expression finds something in the text.",
            "matches input.code \"^[A-Z]{2}\"",
        ),
    ),
    helper(
        "to_text",
        &[parameter("value", Kind::Scalar, Mode::Required)],
        shapes::text,
        |given| ok(scalar_text(given.any(0)).unwrap_or_default().into_owned()),
        ("A number, true or false as text.", "to_text input.id"),
    ),
];

fn ok(text: String) -> Result<Option<Value>, String> {
    Ok(Some(Value::String(text)))
}

fn truth(truth: bool) -> Result<Option<Value>, String> {
    Ok(Some(Value::Bool(truth)))
}

fn replace(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let (text, old, new) = (given.text(0), given.text(1), given.text(2));
    if old.is_empty() {
        return Err("the text to replace is empty".to_owned());
    }
    let most = text
        .len()
        .saturating_add(text.matches(old).count().saturating_mul(new.len()));
    if most > TEXT_BYTES_MAX {
        return Err("the result would be too long".to_owned());
    }
    ok(text.replace(old, new))
}

fn split(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let (text, separator) = (given.text(0), given.text(1));
    if separator.is_empty() {
        return Err("the separator is empty".to_owned());
    }
    if text.is_empty() {
        return Ok(Some(Value::Array(Vec::new())));
    }
    Ok(Some(text.split(separator).map(Value::from).collect()))
}

fn join(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let separator = given.text(1);
    let mut joined = String::new();
    for (index, value) in given.list(0).iter().enumerate() {
        let part = scalar_text(value)
            .ok_or_else(|| format!("element [{index}] is {}, not text", kind_of(value)))?;
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&part);
        if joined.len() > TEXT_BYTES_MAX {
            return Err("the result would be too long".to_owned());
        }
    }
    ok(joined)
}

fn contains(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    match (given.any(0), given.any(1)) {
        (Value::Array(list), part) => truth(list.iter().any(|element| same(element, part))),
        (Value::String(text), Value::String(part)) => truth(text.contains(part.as_str())),
        (_, part) => Err(format!("a text holds text, not {}", kind_of(part))),
    }
}

fn matches(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    if let Some(pattern) = given.pattern {
        return truth(pattern.is_match(given.text(0)));
    }
    let pattern = crate::data::pattern(given.text(1))
        .map_err(|_| format!("`{}` is no regular expression", given.text(1)))?;
    truth(pattern.is_match(given.text(0)))
}
