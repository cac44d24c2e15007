//! Checking a value against its shape while a job runs.
//!
//! In: a value and where it stands. Out: every place where it does not fit.
//! Always true: nothing is converted; absent is fine only for what may be left out.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use regex::Regex;

use super::{Field, Shape, Time, dates};
use crate::data::{Object, Value, quoted, same, told};
use crate::diagnostic::did_you_mean;

/// One place where a value does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where: `rows[3].email`.
    pub path: String,
    /// What was expected and what was there.
    pub message: String,
}

/// No more misfits than these are gathered; the first ones say enough.
const MISFITS_MAX: usize = 50;

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "`{}`: {}", self.path, self.message)
    }
}

impl Shape {
    /// Every place where the value does not fit; `path` says where the value stands.
    pub fn check(&self, value: &Value, path: &str) -> Vec<Misfit> {
        let mut found = Vec::new();
        check(self, value, path, &mut found);
        found
    }

    /// Whether the value fits.
    pub fn fits(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::List(element), Value::Array(list)) => list.iter().all(|v| element.fits(v)),
            (Self::Fields(_), _) => self.check(value, "").is_empty(),
            (Self::List(_), _) => false,
            _ => fits_scalar(self, value),
        }
    }
}

impl Field {
    /// Every place where the value does not fit, the field's own limits included.
    pub fn check(&self, value: &Value, path: &str) -> Vec<Misfit> {
        let mut found = Vec::new();
        check_field(self, value, path, &mut found);
        found
    }
}

/// The value with the default of every field that is absent.
pub fn fill_defaults(shape: &Shape, value: Value) -> Value {
    match (shape, value) {
        (Shape::Fields(fields), Value::Object(mut object)) => {
            let mut filled = Object::new();
            for (name, field) in fields {
                if let Some(value) = object.shift_remove(name) {
                    filled.insert(name.clone(), fill_defaults(&field.shape, value));
                } else if let Some(default) = &field.default {
                    filled.insert(name.clone(), default.clone());
                }
            }
            filled.extend(object);
            Value::Object(filled)
        }
        (Shape::List(element), Value::Array(list)) if has_defaults(element) => list
            .into_iter()
            .map(|v| fill_defaults(element, v))
            .collect(),
        (_, value) => value,
    }
}

/// Whether an absent field could be filled somewhere in this shape.
fn has_defaults(shape: &Shape) -> bool {
    match shape {
        Shape::Fields(fields) => fields
            .values()
            .any(|field| field.default.is_some() || has_defaults(&field.shape)),
        Shape::List(element) => has_defaults(element),
        _ => false,
    }
}

fn check(shape: &Shape, value: &Value, path: &str, found: &mut Vec<Misfit>) {
    if found.len() >= MISFITS_MAX {
        return;
    }
    match (shape, value) {
        (Shape::List(element), Value::Array(list)) => {
            for (index, value) in list.iter().enumerate() {
                if !element.fits(value) {
                    check(element, value, &format!("{path}[{index}]"), found);
                }
            }
        }
        (Shape::Fields(fields), Value::Object(object)) => {
            for (name, field) in fields {
                match object.get(name) {
                    Some(value) => check_field(field, value, &below(path, name), found),
                    None if field.may_be_left_out() => {}
                    None => found.push(Misfit {
                        path: below(path, name),
                        message: format!("is missing; expected {}", field.shape),
                    }),
                }
            }
            for name in object.keys().filter(|name| !fields.contains_key(*name)) {
                found.push(Misfit {
                    path: below(path, name),
                    message: surplus(name, fields.keys().map(String::as_str)),
                });
            }
        }
        _ if fits_scalar(shape, value) => {}
        _ => found.push(Misfit {
            path: path.to_owned(),
            message: misfit(shape, value),
        }),
    }
}

fn check_field(field: &Field, value: &Value, path: &str, found: &mut Vec<Misfit>) {
    let before = found.len();
    check(&field.shape, value, path, found);
    if found.len() > before {
        return;
    }
    if let Some(message) = breaks_limit(field, value) {
        found.push(Misfit {
            path: path.to_owned(),
            message,
        });
    }
}

/// What a value that has the right type still breaks: pattern, minimum, maximum.
pub(crate) fn breaks_limit(field: &Field, value: &Value) -> Option<String> {
    if let (Some(pattern), Some(text)) = (&field.pattern, value.as_str()) {
        let whole = whole_pattern(pattern)?;
        if !whole.is_match(text) {
            return Some(format!(
                "{} does not match the pattern `{pattern}`",
                quoted(value)
            ));
        }
    }
    let number = value.as_f64()?;
    match (field.minimum, field.maximum) {
        (Some(least), _) if number < least => {
            Some(format!("{number} is too small; the least is {least}"))
        }
        (_, Some(most)) if number > most => {
            Some(format!("{number} is too great; the most is {most}"))
        }
        _ => None,
    }
}

/// Patterns that are kept compiled; enough for all that a workspace declares.
const PATTERNS_MAX: usize = 1_000;

/// The pattern so that it must match the text as a whole; `None` if it is no pattern, which is
/// reported where it is declared. A pattern is compiled once, however many rows it checks.
fn whole_pattern(pattern: &str) -> Option<Regex> {
    static COMPILED: LazyLock<Mutex<BTreeMap<String, Option<Regex>>>> =
        LazyLock::new(Mutex::default);
    let compile = || crate::data::pattern(&format!("^(?:{pattern})$")).ok();
    let Ok(mut compiled) = COMPILED.lock() else {
        return compile();
    };
    if let Some(regex) = compiled.get(pattern) {
        return regex.clone();
    }
    let regex = compile();
    if compiled.len() < PATTERNS_MAX {
        compiled.insert(pattern.to_owned(), regex.clone());
    }
    regex
}

/// What is said of a field that is not declared.
pub(crate) fn surplus<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match did_you_mean(name, known.clone()) {
        Some(meant) => format!("is not expected here; did you mean `{meant}`?"),
        None => {
            let known: Vec<_> = known.take(12).collect();
            format!("is not expected here; known are: {}", known.join(", "))
        }
    }
}

/// What is said of a value that does not fit.
pub(crate) fn misfit(shape: &Shape, value: &Value) -> String {
    match (shape, value) {
        (Shape::Enum(values), _) => {
            let close = value.as_str().and_then(|text| {
                did_you_mean(text, values.iter().filter_map(Value::as_str)).map(str::to_owned)
            });
            let hint = close.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
            format!("expected {shape}, not {}{hint}", quoted(value))
        }
        (Shape::Date, Value::String(_)) => {
            format!("expected a date such as 2026-03-01, not {}", quoted(value))
        }
        (Shape::DateTime, Value::String(_)) => format!(
            "expected a date and time such as 2026-03-01T10:00:00Z, not {}",
            quoted(value)
        ),
        (Shape::Email, Value::String(_)) => {
            format!("expected an e-mail address, not {}", quoted(value))
        }
        (Shape::Integer, Value::Number(number)) => {
            format!("expected a whole number, not {number}")
        }
        _ => format!("expected {shape}, not {}", told(value)),
    }
}

fn fits_scalar(shape: &Shape, value: &Value) -> bool {
    match shape {
        Shape::Any => true,
        Shape::String => value.is_string(),
        Shape::Integer => is_whole(value),
        Shape::Number => value.is_number(),
        Shape::Boolean => value.is_boolean(),
        Shape::Date => value
            .as_str()
            .is_some_and(|t| dates::parse_day(t).is_some()),
        Shape::DateTime => value
            .as_str()
            .is_some_and(|text| matches!(Time::parse(text), Some(Time::Instant(_)))),
        Shape::Email => value.as_str().is_some_and(is_email),
        Shape::Enum(values) => values.iter().any(|known| same(known, value)),
        // `object` keeps null, as `any` does.
        Shape::Object => value.is_object() || value.is_null(),
        Shape::Fields(_) | Shape::List(_) => false,
    }
}

/// Whether a value is a whole number; `3.0` is none, since nothing is converted.
fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

/// Whether the text is one e-mail address; a plain check that refuses what no server would take.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\\\"".contains(c);
    !local.is_empty()
        && local.len() <= 64
        && text.len() <= 254
        && !local.contains('@')
        && local.chars().all(plain)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && domain.split('.').count() >= 2
        && domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

/// The path of a member: `rows[3].email`.
pub(crate) fn below(path: &str, name: &str) -> String {
    if path.is_empty() {
        return name.to_owned();
    }
    format!("{path}.{name}")
}
