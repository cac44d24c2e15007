//! One connection in the text of `connections.yaml`.
//!
//! In: the file's text, and a connection. Out: the text with the connection in its place.
//! Always true: what stands in the file beside it stays as it is, comments included.

use std::fmt::Write;

use crate::data::Value;
use crate::source::{Key, Node};

/// A field of a connection as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    /// The value itself.
    Plain(Value),
    /// Where it comes from: `file` or `env`, and its name.
    Reference(&'static str, String),
}

/// The text with a connection in its place, at the end if it is new; or why that cannot be done.
pub(super) fn with_connection(
    text: &str,
    root: Option<&Node>,
    name: &str,
    connection: &[(String, Field)],
) -> Result<String, String> {
    let Some(root) = root.filter(|_| !text.trim().is_empty()) else {
        return Ok(format!(
            "{text}connections:\n{}",
            block("  ", name, connection)
        ));
    };
    let top = root.as_map().unwrap_or_default();
    let Some(at) = top.iter().position(|(key, _)| &*key.text == "connections") else {
        let block = block("  ", name, connection);
        return Ok(format!("{}connections:\n{block}", ended(text)));
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let end = top.get(at + 1).map(|(key, _)| key.span.line);
    let (key, all) = &top[at];
    let entries = all.as_map().unwrap_or_default();
    let end = before_remarks(&lines, end.map_or(lines.len(), line));
    let begin = line(key.span.line) + 1;
    let Some((first, _)) = entries.first() else {
        let opened = opened(lines[begin - 1]).ok_or_else(by_hand)?;
        let before = ended(&(lines[..begin - 1].concat() + &opened + &lines[begin..end].concat()));
        let block = block("  ", name, connection);
        return Ok(format!("{before}{block}{}", lines[end..].concat()));
    };
    let indent = indent(&lines, first)?;
    let own = entries.iter().position(|(key, _)| &*key.text == name);
    let (from, to) = match own {
        None => (end, end),
        Some(own) => {
            indent_is(&lines, &entries[own].0, &indent)?;
            let next = entries.get(own + 1).map(|(key, _)| line(key.span.line));
            let next = next.map_or(end, |next| before_remarks(&lines, next));
            (line(entries[own].0.span.line), next)
        }
    };
    let before = ended(&lines[..from].concat());
    let block = block(&indent, name, connection);
    Ok(format!("{before}{block}{}", lines[to..].concat()))
}

fn block(indent: &str, name: &str, connection: &[(String, Field)]) -> String {
    let mut block = format!("{indent}{name}:\n");
    for (field, value) in connection {
        // JSON is YAML, and quotes keep what looks like something else.
        let value = match value {
            Field::Plain(value) => value.to_string(),
            Field::Reference(kind, name) => {
                format!("{{ {kind}: {} }}", Value::from(name.as_str()))
            }
        };
        let _ = writeln!(block, "{indent}  {field}: {value}");
    }
    if connection.is_empty() {
        block = format!("{indent}{name}: {{}}\n");
    }
    block
}

/// What stands before the key of an entry on its line, which must be nothing but blanks.
fn indent(lines: &[&str], key: &Key) -> Result<String, String> {
    let text = lines.get(line(key.span.line)).copied().unwrap_or_default();
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    let is_alone = usize::try_from(key.span.column) == Ok(indent.len() + 1);
    match is_alone && !indent.is_empty() {
        true => Ok(indent),
        false => Err(by_hand()),
    }
}

fn indent_is(lines: &[&str], key: &Key, wanted: &str) -> Result<(), String> {
    match indent(lines, key)? == wanted {
        true => Ok(()),
        false => Err(by_hand()),
    }
}

fn by_hand() -> String {
    "connections.yaml is not written one connection below the other; change it by hand".to_owned()
}

/// The line of a key that has nothing below it, ready to have: `connections: {}` without its braces.
fn opened(line: &str) -> Option<String> {
    let (key, value) = line.split_once(':')?;
    let value = value.trim_start_matches(' ');
    let rest = match value.strip_prefix('{') {
        Some(inside) => inside.trim_start().strip_prefix('}')?,
        None => value.trim_start_matches('~'),
    };
    let is_end = rest.trim().is_empty() || rest.trim_start().starts_with('#');
    let gap = if rest.starts_with('#') { " " } else { "" };
    is_end.then(|| format!("{key}:{gap}{rest}"))
}

/// Blank lines and remarks before a line belong to what follows.
fn before_remarks(lines: &[&str], at: usize) -> usize {
    let is_remark = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let remarks = lines[..at].iter().rev().take_while(|line| is_remark(line));
    at - remarks.count()
}

fn line(number: u32) -> usize {
    usize::try_from(number)
        .unwrap_or(usize::MAX)
        .saturating_sub(1)
}

fn ended(text: &str) -> String {
    match text.is_empty() || text.ends_with('\n') {
        true => text.to_owned(),
        false => format!("{text}\n"),
    }
}

#[cfg(test)]
mod tests;
