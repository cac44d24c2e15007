//! What was expected beside what there is.

use crate::data::{Value, beginning, same};

/// The places where `actual` does not hold what `expected` asks for: objects may hold more, all
/// else must be the same. Text that begins with `~` must only be contained.
pub(super) fn misses(expected: &Value, actual: Option<&Value>, path: &str) -> Vec<String> {
    let Some(actual) = actual else {
        if expected.is_null() {
            return Vec::new();
        }
        return vec![format!(
            "{path}: expected {}, found nothing",
            short(expected)
        )];
    };
    match (expected, actual) {
        (Value::Object(fields), Value::Object(found)) => fields
            .iter()
            .flat_map(|(key, value)| misses(value, found.get(key), &format!("{path}.{key}")))
            .collect(),
        (Value::Array(elements), Value::Array(found)) if elements.len() == found.len() => elements
            .iter()
            .zip(found)
            .enumerate()
            .flat_map(|(i, (value, found))| misses(value, Some(found), &format!("{path}[{i}]")))
            .collect(),
        (Value::String(part), Value::String(found))
            if part
                .strip_prefix('~')
                .is_some_and(|part| found.contains(part)) =>
        {
            Vec::new()
        }
        (expected, actual) if same(expected, actual) => Vec::new(),
        (expected, actual) => {
            vec![format!(
                "{path}: expected {}, found {}",
                short(expected),
                short(actual)
            )]
        }
    }
}

/// An error of which the message need only be contained.
pub(super) fn loosely(error: &Value) -> Value {
    let mut error = error.clone();
    if let Some(Value::String(message)) = error.get_mut("message")
        && !message.starts_with('~')
    {
        message.insert(0, '~');
    }
    error
}

/// A value on one line, cut where it becomes long.
pub(super) fn short(value: &Value) -> String {
    const LONGEST: usize = 400;
    let text = value.to_string();
    beginning(&text, LONGEST).into_owned()
}
