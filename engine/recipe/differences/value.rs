//! What became of a value, in words.

use crate::data::Value;
use crate::source::{Node, NodeKind};

/// Longer values are not shown.
const SHOWN_CHARS_MAX: usize = 60;

/// A value that was not there: `added a retry of 3`.
pub(super) fn new(name: &str, node: &Node) -> String {
    if let Some(tries) = tries(name, node) {
        return format!("added a retry of {tries}");
    }
    match short(node) {
        Some(shown) if is_plain_word(name) => format!("added {} of {shown}", with_article(name)),
        Some(shown) => format!("added `{name}`: {shown}"),
        None => format!("added `{name}`"),
    }
}

/// A value that is not there any more.
pub(super) fn gone(name: &str, node: &Node) -> String {
    match short(node) {
        Some(shown) if is_plain_word(name) => {
            format!("removed the {} of {shown}", name.replace('_', " "))
        }
        Some(shown) => format!("removed `{name}`, which was {shown}"),
        None => format!("removed `{name}`"),
    }
}

/// A value that is another one, told as deep inside as it can be.
pub(super) fn changed(name: &str, before: &Node, after: &Node, told: &mut Vec<String>) {
    if before.to_value() == after.to_value() {
        return;
    }
    match (before.as_map(), after.as_map()) {
        (Some(was), Some(is)) => {
            for (key, node) in is {
                let inner = format!("{name}.{}", key.text);
                match before.get(&key.text) {
                    None => told.push(new(&inner, node)),
                    Some(earlier) => changed(&inner, earlier, node, told),
                }
            }
            let removed = was.iter().filter(|(key, _)| after.get(&key.text).is_none());
            told.extend(removed.map(|(key, node)| gone(&format!("{name}.{}", key.text), node)));
        }
        _ => told.push(match (short(before), short(after)) {
            (Some(was), Some(is)) => format!("`{name}` is {is}, and was {was}"),
            (None, Some(is)) => format!("`{name}` is {is} now"),
            _ => format!("`{name}` is another one"),
        }),
    }
}

/// A value on a line, if it fits: texts in quotes of code.
fn short(node: &Node) -> Option<String> {
    let shown = match &node.kind {
        NodeKind::Null => "nothing".to_owned(),
        NodeKind::Text(text) if text.contains('\n') => return None,
        NodeKind::Text(text) => format!("`{text}`"),
        NodeKind::Bool(_) | NodeKind::Integer(_) | NodeKind::Number(_) => {
            node.to_value().to_string()
        }
        NodeKind::List(_) | NodeKind::Map(_) => format!("`{}`", compact(&node.to_value())),
    };
    (shown.chars().count() <= SHOWN_CHARS_MAX).then_some(shown)
}

/// A list or mapping as one would write it on a line.
fn compact(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let parts: Vec<String> = object
                .iter()
                .map(|(key, value)| format!("{key}: {}", compact(value)))
                .collect();
            format!("{{ {} }}", parts.join(", "))
        }
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().map(compact).collect();
            format!("[{}]", parts.join(", "))
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How a retry reads that says no more than how often, or that and a little more.
fn tries(name: &str, node: &Node) -> Option<String> {
    let entries = node.as_map().filter(|_| name == "retry")?;
    let tries = short(node.get("tries")?)?;
    let more = entries.iter().filter(|(key, _)| &*key.text != "tries");
    let more: Vec<String> = more
        .map(|(key, node)| Some(format!("{} {}", key.text, short(node)?)))
        .collect::<Option<_>>()?;
    Some(match more.is_empty() {
        true => tries,
        false => format!("{tries} ({})", more.join(", ")),
    })
}

/// Whether a key can stand in a sentence as it is: `retry`, `timeout`.
fn is_plain_word(name: &str) -> bool {
    matches!(
        name,
        "retry" | "timeout" | "limit" | "retention" | "concurrency" | "timezone" | "title"
    )
}

fn with_article(name: &str) -> String {
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}
