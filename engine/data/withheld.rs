//! The value that a preview does not know.
//!
//! In: what would give it. Out: a value that stands for it and cannot be taken for another.
//! Always true: only previews make one; it is never journaled outside of a preview's scratch store.

use super::{Object, Value};

/// The only key of a withheld value. No file and no vendor writes it by accident; that it counts in
/// previews only makes one that was written on purpose harmless.
const MARK: &str = "\u{0}withheld";

/// The value that `what` (an action, a step) would have given.
pub fn withheld(what: &str) -> Value {
    let mut object = Object::with_capacity(1);
    object.insert(MARK.to_owned(), what.into());
    Value::Object(object)
}

/// Whether a value is withheld as a whole.
pub fn is_withheld(value: &Value) -> bool {
    matches!(value, Value::Object(object) if object.len() == 1 && object.contains_key(MARK))
}

/// Whether something in a value is withheld.
pub fn holds_withheld(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(holds_withheld),
        Value::Object(object) => object.contains_key(MARK) || object.values().any(holds_withheld),
        _ => false,
    }
}

/// What a withheld value hangs on, first one first.
pub fn withheld_by(value: &Value) -> Option<&str> {
    match value {
        Value::Array(list) => list.iter().find_map(withheld_by),
        Value::Object(object) => match object.get(MARK) {
            Some(what) => what.as_str(),
            None => object.values().find_map(withheld_by),
        },
        _ => None,
    }
}

/// The value as people are shown it: a sentence in place of what is withheld.
pub fn show_withheld(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(show_withheld).collect(),
        Value::Object(object) => match object.get(MARK).and_then(Value::as_str) {
            Some(what) => format!("(known when {what} has run)").into(),
            None => object
                .into_iter()
                .map(|(name, value)| (name, show_withheld(value)))
                .collect::<Object>()
                .into(),
        },
        other => other,
    }
}
