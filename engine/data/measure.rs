//! How large and how deep a value may be.
//!
//! Always true: what is measured is walked no deeper than the limit, so that no value can exhaust
//! the stack; a value within the limits can be written into a journal and read back.

use regex::{Regex, RegexBuilder};

use super::Value;

/// The deepest nesting of a value. JSON is read to a depth of 127, and a journal wraps values.
pub const DEPTH_MAX: usize = 100;

/// The most bytes of a value as JSON: what the largest reply of a vendor comes to, twice.
pub const VALUE_BYTES_MAX: usize = 64 << 20;

/// The most bytes that a regular expression may take when it is made ready.
pub const PATTERN_BYTES_MAX: usize = 1 << 20;

/// What is wrong with a value's measure, in words; `None` if it is within the limits.
pub fn oversize(value: &Value) -> Option<String> {
    if is_deeper(value, DEPTH_MAX) {
        return Some(format!("it is nested more than {DEPTH_MAX} levels deep"));
    }
    if !is_longer(value, VALUE_BYTES_MAX) {
        return None;
    }
    let mib = VALUE_BYTES_MAX >> 20;
    Some(format!("it is larger than {mib} MiB"))
}

/// Whether a value is nested deeper than so many levels.
pub fn is_deeper(value: &Value, levels: usize) -> bool {
    let inner = |value: &Value| match levels.checked_sub(1) {
        Some(levels) => is_deeper(value, levels),
        None => true,
    };
    match value {
        Value::Array(list) => levels == 0 || list.iter().any(inner),
        Value::Object(object) => levels == 0 || object.values().any(inner),
        _ => false,
    }
}

/// Whether a value's JSON is longer than so many bytes; stops looking as soon as it is.
pub fn is_longer(value: &Value, bytes: usize) -> bool {
    let mut room = bytes;
    !fits(value, &mut room)
}

/// About how many bytes a value's JSON has.
pub fn weight(value: &Value) -> usize {
    let mut room = usize::MAX;
    fits(value, &mut room);
    usize::MAX - room
}

/// A regular expression as recipes and connectors write them: within bounds, so that none takes the
/// memory of the rest. Matching takes time in proportion to the text, whatever the expression.
pub fn pattern(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text)
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .nest_limit(64)
        .build()
}

fn fits(value: &Value, room: &mut usize) -> bool {
    let own = match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 3,
        Value::Array(list) => 2 + list.len(),
        Value::Object(object) => 2 + object.keys().map(|key| key.len() + 4).sum::<usize>(),
    };
    let Some(left) = room.checked_sub(own) else {
        return false;
    };
    *room = left;
    match value {
        Value::Array(list) => list.iter().all(|element| fits(element, room)),
        Value::Object(object) => object.values().all(|member| fits(member, room)),
        _ => true,
    }
}
