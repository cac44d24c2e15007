//! Keeping secrets and personal data out of answers, by declaration and by value.
//!
//! In: values with their declared shapes. Out: a set of texts that are shown nowhere in the answer.
//! Always true: what is declared personal in one place of a job is masked in every other place too.

use std::collections::BTreeSet;

use crate::data::{Object, Value};
use crate::shape::Shape;

/// What stands in place of a hidden value.
const MASK: &str = "***";

/// Shorter texts say nothing of a person and would hide half the answer.
const HIDDEN_CHARS_MIN: usize = 4;

/// Texts that are not shown.
#[derive(Debug, Default)]
pub(super) struct Hidden(BTreeSet<String>);

impl Hidden {
    /// Takes in what a shape declares personal or secret in a value.
    pub(super) fn gather(&mut self, shape: &Shape, value: &Value) {
        match (shape, value) {
            (Shape::Fields(fields), Value::Object(object)) => {
                for (name, value) in object {
                    match fields.get(name) {
                        Some(field) if field.personal || field.secret => self.take(value),
                        Some(field) => self.gather(&field.shape, value),
                        None => {}
                    }
                }
            }
            (Shape::List(element), Value::Array(list)) => {
                for value in list {
                    self.gather(element, value);
                }
            }
            _ => {}
        }
    }

    /// Takes in what another one hides.
    pub(super) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The value with everything hidden replaced.
    pub(super) fn apply(&self, value: Value) -> Value {
        if self.0.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => self.apply_to_text(text).into(),
            Value::Array(list) => list.into_iter().map(|value| self.apply(value)).collect(),
            Value::Object(object) => object
                .into_iter()
                .map(|(name, value)| (name, self.apply(value)))
                .collect::<Object>()
                .into(),
            other => other,
        }
    }

    fn apply_to_text(&self, text: String) -> String {
        if self.0.contains(&text) {
            return MASK.to_owned();
        }
        let mut text = text;
        for hidden in &self.0 {
            if text.len() > hidden.len() && text.contains(hidden.as_str()) {
                text = text.replace(hidden.as_str(), MASK);
            }
        }
        text
    }

    /// Takes in all texts of a value.
    pub(super) fn take(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.chars().count() >= HIDDEN_CHARS_MIN => {
                self.0.insert(text.clone());
            }
            Value::Array(list) => list.iter().for_each(|value| self.take(value)),
            Value::Object(object) => object.values().for_each(|value| self.take(value)),
            _ => {}
        }
    }
}

/// The value with fields that are declared personal or secret replaced where they stand.
pub(super) fn mask(shape: &Shape, value: Value) -> Value {
    match (shape, value) {
        (Shape::Fields(fields), Value::Object(object)) => object
            .into_iter()
            .map(|(name, value)| {
                let shown = match fields.get(&name) {
                    Some(field) if field.personal || field.secret => MASK.into(),
                    Some(field) => mask(&field.shape, value),
                    None => value,
                };
                (name, shown)
            })
            .collect::<Object>()
            .into(),
        (Shape::List(element), Value::Array(list)) => {
            list.into_iter().map(|value| mask(element, value)).collect()
        }
        (_, value) => value,
    }
}
