//! What became of a value, in words.
//!
//! Always true: both texts are told, short ones within the sentence, longer ones in lines below it
//! that begin with `-` (as it was) and `+` (as it is); lines that both have at the ends are left
//! out.

use crate::data::Value;
use crate::source::{Node, NodeKind};

/// Longer values stand in lines of their own.
const SHOWN_CHARS_MAX: usize = 60;

/// So many lines of a value are shown.
const LINES_MAX: usize = 60;

/// A value that was not there: `added a retry of 3`.
pub(super) fn new(name: &str, node: &Node) -> String {
    if let Some(tries) = tries(name, node) {
        return format!("added a retry of {tries}");
    }
    match short(node) {
        Some(shown) if is_plain_word(name) => format!("added {} of {shown}", with_article(name)),
        Some(shown) => format!("added `{name}`: {shown}"),
        None => format!("added `{name}`:{}", below('+', &lines(node))),
    }
}

/// A value that is not there any more.
pub(super) fn gone(name: &str, node: &Node) -> String {
    match short(node) {
        Some(shown) if is_plain_word(name) => {
            format!("removed the {} of {shown}", name.replace('_', " "))
        }
        Some(shown) => format!("removed `{name}`, which was {shown}"),
        None => format!("removed `{name}`:{}", below('-', &lines(node))),
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
            _ => match (before.as_list(), after.as_list()) {
                (Some(was), Some(is)) if was.len() == is.len() => {
                    for (at, (was, is)) in was.iter().zip(is).enumerate() {
                        changed(&format!("{name}[{at}]"), was, is, told);
                    }
                    return;
                }
                _ => format!("`{name}` is another one:{}", both(before, after)),
            },
        }),
    }
}

/// The lines in which two values differ.
fn both(before: &Node, after: &Node) -> String {
    let (was, is) = (lines(before), lines(after));
    let pairs = || was.iter().zip(&is);
    let start = pairs().take_while(|(was, is)| was == is).count();
    let ends = was[start..].iter().rev().zip(is[start..].iter().rev());
    let end = ends.take_while(|(was, is)| was == is).count();
    let differing = |lines: &[String]| lines[start..lines.len() - end].to_vec();
    below('-', &differing(&was)) + &below('+', &differing(&is))
}

/// Lines below a sentence.
fn below(mark: char, lines: &[String]) -> String {
    let mut told: String = lines
        .iter()
        .take(LINES_MAX)
        .map(|line| format!("\n    {mark} {line}"))
        .collect();
    if let Some(more) = lines.len().checked_sub(LINES_MAX).filter(|more| *more > 0) {
        told.push_str(&format!("\n    {mark} ... and {more} more lines"));
    }
    told
}

/// A value in lines: those of a text, one for each element of a list or mapping.
fn lines(node: &Node) -> Vec<String> {
    match &node.kind {
        NodeKind::Text(text) => text.lines().map(str::to_owned).collect(),
        NodeKind::List(elements) => {
            let elements = elements.iter();
            elements
                .map(|element| format!("- {}", compact(&element.to_value())))
                .collect()
        }
        NodeKind::Map(entries) => {
            let entries = entries.iter();
            entries
                .map(|(key, node)| format!("{}: {}", key.text, compact(&node.to_value())))
                .collect()
        }
        _ => vec![node.to_value().to_string()],
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
