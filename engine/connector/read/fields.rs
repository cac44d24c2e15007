//! Mappings, words and quantities of a connector file, with their findings.

use std::sync::Arc;
use std::time::Duration;

use super::super::codes;
use super::super::roots::Shapes;
use crate::clock::parse_period;
use crate::diagnostic::{Code, Report, did_you_mean};
use crate::expression::Expression;
use crate::names::is_id;
use crate::shape::Shape;
use crate::source::{Key, Node, NodeKind};

/// The entries of a mapping; none, and a finding, if it is something else.
pub(in super::super) fn entries<'a>(
    node: &'a Node,
    what: &str,
    code: Code,
    report: &mut Report,
) -> &'a [(Key, Node)] {
    match &node.kind {
        NodeKind::Map(entries) => entries,
        _ => {
            report
                .error(
                    code,
                    node.span,
                    format!("{what} must be a mapping, not {}", node.kind_name()),
                )
                .help("a mapping has a `name: value` on each line, or `{ name: value }`");
            &[]
        }
    }
}

/// The entries of a mapping whose keys are known; others are findings.
pub(super) fn known<'a>(
    node: &'a Node,
    what: &str,
    keys: &[&str],
    report: &mut Report,
) -> &'a [(Key, Node)] {
    let entries = entries(node, what, codes::WRONG_KIND, report);
    for (key, _) in entries {
        if !keys.contains(&&*key.text) {
            unknown_key(key, keys, codes::UNKNOWN_KEY, report);
        }
    }
    entries
}

/// The finding for a key that does not exist.
pub(in super::super) fn unknown_key(key: &Key, keys: &[&str], code: Code, report: &mut Report) {
    let help = match did_you_mean(&key.text, keys.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known here are: {}", keys.join(", ")),
    };
    report
        .error(code, key.span, format!("`{}` is not known here", key.text))
        .help(help);
}

/// The value of a key that must be there.
pub(super) fn required<'a>(
    node: &'a Node,
    key: &str,
    what: &str,
    report: &mut Report,
) -> Option<&'a Node> {
    let found = node.get(key);
    if found.is_none() && node.as_map().is_some() {
        report
            .error(
                codes::MISSING_KEY,
                node.span,
                format!("{what} has no `{key}`"),
            )
            .help(format!("add `{key}:`"));
    }
    found
}

/// Text.
pub(in super::super) fn text_of(
    node: &Node,
    what: &str,
    code: Code,
    report: &mut Report,
) -> Option<Arc<str>> {
    let text = node.as_text().cloned();
    if text.is_none() {
        let message = format!("{what} must be text, not {}", node.kind_name());
        let help = match node.kind {
            NodeKind::List(_) | NodeKind::Map(_) | NodeKind::Null => "write a word or a text here",
            _ => "put it into quotes",
        };
        report.error(code, node.span, message).help(help);
    }
    text
}

/// The text under a key; empty if there is none.
pub(super) fn text_under(node: &Node, key: &str, report: &mut Report) -> String {
    node.get(key)
        .and_then(|node| text_of(node, &format!("`{key}`"), codes::WRONG_KIND, report))
        .map(|text| text.to_string())
        .unwrap_or_default()
}

/// One of some words.
pub(super) fn word<T: Copy>(
    node: &Node,
    what: &str,
    words: &[(&'static str, T)],
    report: &mut Report,
) -> Option<T> {
    let written = text_of(node, what, codes::UNKNOWN_WORD, report)?;
    if let Some((_, meaning)) = words.iter().find(|(word, _)| **word == *written) {
        return Some(*meaning);
    }
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let help = match did_you_mean(&written, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write one of {}", known.join(", ")),
    };
    report
        .error(
            codes::UNKNOWN_WORD,
            node.span,
            format!("{what} cannot be `{written}`"),
        )
        .help(help);
    None
}

/// A length of time.
pub(super) fn period(node: &Node, what: &str, report: &mut Report) -> Option<Duration> {
    let written = text_of(node, what, codes::QUANTITY, report)?;
    match parse_period(&written) {
        Ok(period) => Some(period),
        Err(why) => {
            report
                .error(codes::QUANTITY, node.span, format!("{what}: {why}"))
                .help("write a length of time such as 30s, 15m, 2h or 7d");
            None
        }
    }
}

/// A whole number above zero.
pub(super) fn count(node: &Node, what: &str, report: &mut Report) -> Option<u64> {
    if let NodeKind::Integer(number) = node.kind
        && number > 0
    {
        return u64::try_from(number).ok();
    }
    report
        .error(
            codes::QUANTITY,
            node.span,
            format!("{what} must be a whole number above zero"),
        )
        .help("write a number such as 10");
    None
}

/// True or false.
pub(super) fn flag(node: &Node, what: &str, report: &mut Report) -> bool {
    match node.kind {
        NodeKind::Bool(fact) => fact,
        _ => {
            let message = format!("{what} must be true or false, not {}", node.kind_name());
            report
                .error(codes::WRONG_KIND, node.span, message)
                .help("write true or false, without quotes");
            false
        }
    }
}

/// Whether a key may stand as a name; if not, a finding.
pub(super) fn name(key: &Key, what: &str, report: &mut Report) -> bool {
    if is_id(&key.text) {
        return true;
    }
    report
        .error(
            codes::WRONG_NAME,
            key.span,
            format!("`{}` is not a name for {what}", key.text),
        )
        .help("use lower-case letters, digits and `_`, beginning with a letter");
    false
}

/// A value.
pub(super) fn value(node: &Node, roots: &Shapes, report: &mut Report) -> Expression {
    Expression::compile(node, roots, None, report).expression
}

/// A value that gives text.
pub(super) fn text_value(node: &Node, roots: &Shapes, report: &mut Report) -> Expression {
    Expression::compile(node, roots, Some(&Shape::String), report).expression
}

/// Named values.
pub(super) fn values(
    node: &Node,
    what: &str,
    roots: &Shapes,
    report: &mut Report,
) -> Vec<(String, Expression)> {
    entries(node, what, codes::WRONG_KIND, report)
        .iter()
        .map(|(key, node)| (key.text.to_string(), value(node, roots, report)))
        .collect()
}

/// A list, or one element that stands for a list.
pub(super) fn list(node: &Node) -> &[Node] {
    node.as_list().unwrap_or(std::slice::from_ref(node))
}
