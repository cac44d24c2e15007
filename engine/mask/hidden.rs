//! What is to be hidden, gathered from values and what is declared of them.
//!
//! In: shapes and values. Out: a set of texts, and values masked where they are declared.

use std::collections::BTreeSet;

use super::{HIDDEN_CHARS_MIN, MASK, Masker};
use crate::data::{Object, Value, is_withheld};
use crate::shape::{Field, Shape};

/// Which marked fields are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// Those that nobody may see.
    Secret,
    /// Those, and what is about a person.
    SecretOrPersonal,
}

/// Texts that are not shown.
#[derive(Clone, Debug, Default)]
pub struct Hidden(BTreeSet<String>);

impl Marked {
    pub(super) fn holds(self, field: &Field) -> bool {
        field.secret || (self == Self::SecretOrPersonal && field.personal)
    }
}

impl Hidden {
    /// Takes in what a shape marks in a value.
    pub fn gather(&mut self, shape: &Shape, value: &Value, marked: Marked) {
        match (shape, value) {
            (Shape::Fields(fields), Value::Object(object)) => {
                for (name, value) in object {
                    match fields.get(name) {
                        Some(field) if marked.holds(field) => self.take(value),
                        Some(field) => self.gather(&field.shape, value, marked),
                        None => {}
                    }
                }
            }
            (Shape::List(element), Value::Array(list)) => {
                for value in list {
                    self.gather(element, value, marked);
                }
            }
            _ => {}
        }
    }

    /// Takes in every text and number of a value. What a preview does not know hides nothing.
    pub fn take(&mut self, value: &Value) {
        match value {
            value if is_withheld(value) => {}
            Value::String(text) => self.take_text(text.trim()),
            Value::Number(number) => self.take_text(&number.to_string()),
            Value::Array(list) => list.iter().for_each(|value| self.take(value)),
            Value::Object(object) => object.values().for_each(|value| self.take(value)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Takes in the texts of a value of which nothing is declared: all but numbers, moments and
    /// words that are known not to be about a person.
    pub fn take_unknown(&mut self, value: &Value, is_known: &dyn Fn(&str) -> bool) {
        match value {
            Value::String(text) => {
                let text = text.trim();
                if !is_plain_text(text) && !is_known(text) {
                    self.take_text(text);
                }
            }
            Value::Array(list) => {
                list.iter()
                    .for_each(|value| self.take_unknown(value, is_known));
            }
            Value::Object(object) => {
                for (name, value) in object {
                    if is_telling(name) {
                        self.take(value);
                    } else {
                        self.take_unknown(value, is_known);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// What takes them out of others.
    pub fn masker(&self) -> Masker {
        Masker::of(self.texts())
    }

    fn take_text(&mut self, text: &str) {
        if text.chars().count() >= HIDDEN_CHARS_MIN && !self.0.contains(text) {
            self.0.insert(text.to_owned());
        }
    }
}

/// Whether a value is a number, a day or a moment: it says nothing of a person by itself.
pub fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => is_plain_text(text.trim()),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// A number that is written as phone numbers are is none.
fn is_plain_text(text: &str) -> bool {
    let is_number = !text.starts_with(['+', '0']) && text.parse::<f64>().is_ok();
    let is_day = |bytes: &[u8]| {
        let [a, b, c, d, b'-', e, f, b'-', g, h] = bytes else {
            return false;
        };
        [a, b, c, d, e, f, g, h]
            .iter()
            .all(|byte| byte.is_ascii_digit())
    };
    let is_moment = text.as_bytes().get(..10).is_some_and(is_day)
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | ':' | ' ' | 'T' | 'Z'));
    is_number || is_moment || matches!(text, "true" | "false" | "null")
}

/// Whether a member's name says that its numbers and moments are about a person, too.
fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["phone", "mobile", "fax", "birth"]
        .iter()
        .any(|word| name.contains(word))
}

/// The value with marked fields masked where they stand.
pub fn in_place(shape: &Shape, value: Value, marked: Marked) -> Value {
    put_in_place(
        shape,
        value,
        marked,
        &mut |value| match is_withheld(&value) {
            true => value,
            false => MASK.into(),
        },
    )
}

/// The value with something else in the place of each marked field.
pub(super) fn put_in_place(
    shape: &Shape,
    value: Value,
    marked: Marked,
    put: &mut dyn FnMut(Value) -> Value,
) -> Value {
    match (shape, value) {
        (Shape::Fields(fields), Value::Object(object)) => object
            .into_iter()
            .map(|(name, value)| {
                let shown = match fields.get(&name) {
                    Some(field) if marked.holds(field) => put(value),
                    Some(field) => put_in_place(&field.shape, value, marked, put),
                    None => value,
                };
                (name, shown)
            })
            .collect::<Object>()
            .into(),
        (Shape::List(element), Value::Array(list)) => list
            .into_iter()
            .map(|value| put_in_place(element, value, marked, put))
            .collect(),
        (_, value) => value,
    }
}
