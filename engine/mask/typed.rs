//! Secrets that somebody typed into a file.
//!
//! In: a file's tree. Out: findings at what looks like a password, key or token.
//! Always true: a finding says where, and never repeats what stands there; what refers to a secret,
//! as a path or in a template, is none.

use std::sync::LazyLock;

use regex::Regex;

use super::codes;
use crate::diagnostic::Report;
use crate::source::{Node, NodeKind};

/// Shorter texts under a telling key are more often words than secrets.
const CHARS_MIN: usize = 6;

/// Keys whose literal text is a secret, as they are or at the end of longer ones, letters and
/// digits only.
const TELLING: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "apikey",
    "accesskey",
    "privatekey",
    "accesstoken",
    "refreshtoken",
    "authorization",
];

/// How types are called, which recipes and connectors write under keys that are telling.
const TYPES: [&str; 12] = [
    "any", "boolean", "date", "datetime", "email", "integer", "list", "number", "object", "string",
    "text", "url",
];

/// What makers of tokens let theirs look like: nothing else looks so.
static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    let shapes = [
        r"(?i:\b(?:bearer|basic|token token=))\s*[A-Za-z0-9+/_.~-]{16,}",
        r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
        r"\bAKIA[0-9A-Z]{16}\b",
        r"\bAIza[0-9A-Za-z_-]{35}",
        r"\bgh[opusr]_[A-Za-z0-9]{30,}",
        r"\bglpat-[A-Za-z0-9_-]{20,}",
        r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
        r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"\bwhsec_[A-Za-z0-9+/=]{20,}",
        r"\brcp_[A-Za-z0-9_-]{40,}",
        r"https?://[^\s/:@{}]+:[^\s/@{}]+@",
    ];
    #[expect(
        clippy::expect_used,
        reason = "the patterns are fixed, and a test uses them"
    )]
    Regex::new(&shapes.join("|")).expect("sound patterns")
});

/// Points out each place where a secret seems to stand.
pub fn point_out_secrets(root: &Node, report: &mut Report) {
    look(None, root, report);
}

fn look(key: Option<&str>, node: &Node, report: &mut Report) {
    match &node.kind {
        NodeKind::Map(entries) => {
            for (key, value) in entries {
                look(Some(&key.text), value, report);
            }
        }
        NodeKind::List(elements) => {
            for element in elements {
                look(key, element, report);
            }
        }
        NodeKind::Text(text) if is_secret(key, text) => point_out(node, report),
        NodeKind::Integer(_) if key.is_some_and(is_telling) => point_out(node, report),
        _ => {}
    }
}

fn point_out(node: &Node, report: &mut Report) {
    report
        .warning(
            codes::SECRET_TYPED,
            node.span,
            "this looks like a password, key or token",
        )
        .help(
            "keep it at a connection (connections.yaml, `{ secret: ... }`), whose connector signs \
             in with it, or in a `secret` column of a lookup table, or take it as a `secret` input",
        );
}

fn is_secret(key: Option<&str>, text: &str) -> bool {
    // Words may follow one another as in `basic internationalization`; tokens have digits.
    let is_token = |found: regex::Match<'_>| {
        let found = found.as_str();
        let is_other = found.starts_with("http") || found.starts_with("-----");
        is_other || found.contains(|c: char| c.is_ascii_digit())
    };
    if SHAPES.find_iter(text).any(is_token) {
        return true;
    }
    let is_literal = !text.contains("{{") && !text.starts_with('$');
    let word = text.trim_end_matches('?').trim_matches(['[', ']']);
    is_literal
        && text.chars().count() >= CHARS_MIN
        && !TYPES.contains(&word)
        && key.is_some_and(is_telling)
}

fn is_telling(key: &str) -> bool {
    let key: String = key
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    TELLING.iter().any(|telling| key.ends_with(telling))
}
