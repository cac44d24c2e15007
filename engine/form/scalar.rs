//! Holds a single value against what its key takes.
//!
//! In: a node that is no mapping and no list of its own. Out: what is wrong with it, in words.
//! Always true: what is said names what was expected there.

use super::{Key, Kind, codes};
use crate::clock::parse_period;
use crate::diagnostic::{Report, Span, did_you_mean};
use crate::names::{is_file_name, is_id};
use crate::source::{Key as Written, Node, NodeKind};

pub(super) fn check_scalar(
    node: &Node,
    kind: &'static Kind,
    key: Option<(&Written, &Key)>,
    report: &mut Report,
) {
    match (kind, &node.kind) {
        (Kind::Text, NodeKind::Text(_)) | (Kind::Flag, NodeKind::Bool(_)) => {}
        (Kind::Whole { min, max }, NodeKind::Integer(number)) => {
            if number < min || number > max {
                let bounds = format!("expected a whole number from {min} to {max}");
                report
                    .error(
                        codes::OUT_OF_BOUNDS,
                        node.span,
                        format!("{number} is out of bounds"),
                    )
                    .help(bounds);
            }
        }
        (Kind::Factor, NodeKind::Integer(_) | NodeKind::Number(_)) => {
            let number = node.to_value().as_f64().unwrap_or(0.0);
            if !(1.0..=100.0).contains(&number) {
                report
                    .error(
                        codes::OUT_OF_BOUNDS,
                        node.span,
                        format!("{number} is out of bounds"),
                    )
                    .help("expected a number from 1 to 100");
            }
        }
        (Kind::Period, NodeKind::Text(text)) => {
            if let Err(message) = parse_period(text) {
                let (message, help) = message.split_once(": ").unwrap_or((&message, ""));
                report
                    .error(codes::BAD_PERIOD, node.span, message)
                    .help(help);
            }
        }
        (Kind::Period, NodeKind::Integer(number)) => {
            report
                .error(
                    codes::BAD_PERIOD,
                    node.span,
                    format!("{number} has no unit of time"),
                )
                .help(format!("write {number}s or {number}m"));
        }
        (Kind::Word(words), NodeKind::Text(text)) => {
            if !words.contains(&&**text) {
                let help = match did_you_mean(text, words.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("expected {}", kind.in_words()),
                };
                report
                    .error(
                        codes::UNKNOWN_WORD,
                        node.span,
                        format!("`{text}` is not allowed here"),
                    )
                    .help(help);
            }
        }
        (Kind::Id, NodeKind::Text(text)) => check_id(text, node.span, report),
        (Kind::Name, NodeKind::Text(text)) => check_name(text, node.span, report),
        _ => wrong_kind(node, kind, key, report),
    }
}

pub(super) fn check_id(text: &str, span: Span, report: &mut Report) {
    if is_id(text) {
        return;
    }
    let mended: String = crate::names::slug(text).replace('-', "_");
    let found = report.error(
        codes::BAD_NAME,
        span,
        format!("`{text}` cannot be used as a name here"),
    );
    if is_id(&mended) {
        found.help(format!(
            "use letters, digits and `_` in lower case: `{mended}`"
        ));
    } else {
        found.help("begin with a lower-case letter, then lower-case letters, digits and `_`");
    }
}

pub(super) fn check_name(text: &str, span: Span, report: &mut Report) {
    if !is_id(text) && !is_file_name(text) {
        report
            .error(
                codes::BAD_NAME,
                span,
                format!("`{text}` cannot be used as a name here"),
            )
            .help("use lower-case letters and digits, with single hyphens or `_` between words");
    }
}

pub(super) fn wrong_kind(
    node: &Node,
    kind: &Kind,
    key: Option<(&Written, &Key)>,
    report: &mut Report,
) {
    let takes_text = matches!(kind, Kind::Text | Kind::Id | Kind::Name | Kind::Word(_));
    let help = match (&node.kind, key) {
        (NodeKind::Bool(_) | NodeKind::Integer(_) | NodeKind::Number(_), _) if takes_text => {
            format!("put it into quotes: \"{}\"", node.to_value())
        }
        (_, Some((_, key))) => format!("{}: {}", key.name, key.doc),
        (_, None) => format!("write {}", kind.in_words()),
    };
    let message = format!("expected {}, not {}", expected(kind, key), node.kind_name());
    report
        .error(codes::WRONG_KIND, node.span, message)
        .help(help);
}

fn expected(kind: &Kind, key: Option<(&Written, &Key)>) -> String {
    match key {
        Some((key, _)) => format!("`{}` to be {}", key.text, kind.in_words()),
        None => kind.in_words(),
    }
}
