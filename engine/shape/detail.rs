//! The long form of a type: `{ type, description, default, pattern, minimum, ... }`.
//!
//! In: a mapping. Out: a [`Field`], and findings about details that do not fit the type.

use super::check::breaks_limit;
use super::codes::{DEFAULT_DOES_NOT_FIT, UNKNOWN_TYPE_KEY, WRONG_TYPE_DETAIL};
use super::parse::{WORDS, field};
use super::{Field, Misfit, Shape};
use crate::data::Value;
use crate::diagnostic::{Report, did_you_mean};
use crate::source::{Key, Node, NodeKind};

/// The keys of the long form.
const LONG_FORM: [&str; 13] = [
    "type",
    "enum",
    "optional",
    "description",
    "label",
    "default",
    "example",
    "pattern",
    "minimum",
    "maximum",
    "secret",
    "personal",
    "title",
];

/// A mapping is a long form if its `type` (or `enum`) can be one; a field may be called `type` too,
/// but then other keys beside it are no details.
pub(super) fn is_long_form(entries: &[(Key, Node)]) -> bool {
    let has = |name: &str| entries.iter().any(|(key, _)| &*key.text == name);
    let details = || {
        entries
            .iter()
            .all(|(key, _)| LONG_FORM.contains(&&*key.text))
    };
    let all_types = || {
        entries.iter().all(|(_, node)| match &node.kind {
            NodeKind::Text(text) => WORDS.contains(&text.trim_end_matches('?')),
            _ => false,
        })
    };
    let enum_list = entries
        .iter()
        .any(|(key, node)| &*key.text == "enum" && node.as_list().is_some());
    if enum_list {
        return true;
    }
    if !has("type") {
        return false;
    }
    // `{ type: string, label: string }` is an object with two fields.
    let object_of_words = entries.len() > 1 && all_types();
    let misspelt = entries.len() > 1
        && !all_types()
        && entries
            .iter()
            .any(|(key, _)| LONG_FORM[1..].contains(&&*key.text));
    (details() && !object_of_words) || misspelt
}

pub(super) fn long_form(
    node: &Node,
    entries: &[(Key, Node)],
    report: &mut Report,
    depth: usize,
) -> Field {
    let mut result = match node.get("type") {
        Some(inner) => field(inner, report, depth + 1),
        None => Field::required(Shape::Any),
    };
    for (key, value) in entries {
        match &*key.text {
            "type" => {}
            "enum" => enumeration(&mut result, value, report),
            "description" => result.description = text(key, value, report),
            "label" | "title" => result.label = text(key, value, report),
            "pattern" => result.pattern = pattern(key, value, report),
            "default" => result.default = Some(value.to_value()),
            "example" => result.example = Some(value.to_value()),
            "minimum" => result.minimum = number(key, value, report),
            "maximum" => result.maximum = number(key, value, report),
            "optional" => result.optional |= flag(key, value, report),
            "secret" => result.secret = flag(key, value, report),
            "personal" => result.personal = flag(key, value, report),
            other => {
                let diagnostic = report.error(
                    UNKNOWN_TYPE_KEY,
                    key.span,
                    format!("a type has no detail `{other}`"),
                );
                match did_you_mean(other, LONG_FORM) {
                    Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
                    None => diagnostic.help(format!("known are: {}", LONG_FORM.join(", "))),
                }
            }
        }
    }
    limits_fit(&result, entries, report);
    given_values_fit(&result, node, report);
    result
}

fn enumeration(result: &mut Field, node: &Node, report: &mut Report) {
    let values: Vec<Value> = node
        .as_list()
        .unwrap_or(&[])
        .iter()
        .map(Node::to_value)
        .collect();
    let scalars = values
        .iter()
        .all(|v| !v.is_array() && !v.is_object() && !v.is_null());
    if values.is_empty() || !scalars {
        report
            .error(
                WRONG_TYPE_DETAIL,
                node.span,
                "`enum` is a list of texts or numbers",
            )
            .help("write `enum: [first, second]`");
        return;
    }
    for (value, element) in values.iter().zip(node.as_list().unwrap_or(&[])) {
        if !result.shape.fits(value) {
            let message = format!("`{value}` is not {}", result.shape);
            report
                .error(WRONG_TYPE_DETAIL, element.span, message)
                .help("the allowed values must be of the declared type");
        }
    }
    result.shape = Shape::Enum(values);
}

/// `minimum` and `maximum` are for numbers, `pattern` is for text.
fn limits_fit(field: &Field, entries: &[(Key, Node)], report: &mut Report) {
    let text = matches!(field.shape, Shape::Any) || field.shape.is_text();
    let number = matches!(field.shape, Shape::Any) || field.shape.is_number();
    for (key, _) in entries {
        let wrong = match &*key.text {
            "pattern" => !text,
            "minimum" | "maximum" => !number,
            _ => false,
        };
        if wrong {
            let message = format!("`{}` says nothing about {}", key.text, field.shape);
            report
                .error(WRONG_TYPE_DETAIL, key.span, message)
                .help("`pattern` is for text, `minimum` and `maximum` are for numbers");
        }
    }
}

fn given_values_fit(field: &Field, node: &Node, report: &mut Report) {
    let given = [("default", &field.default), ("example", &field.example)];
    for (name, value) in given {
        let (Some(value), Some(place)) = (value, node.get(name)) else {
            continue;
        };
        let mut misfits = field.shape.check(value, "");
        if misfits.is_empty() {
            misfits.extend(breaks_limit(field, value).map(|message| Misfit {
                path: String::new(),
                message,
            }));
        }
        for misfit in misfits {
            report
                .error(
                    DEFAULT_DOES_NOT_FIT,
                    place.span,
                    format!("the {name} does not fit: {misfit}"),
                )
                .help(format!("give {} here, or change the type", field.shape));
        }
    }
}

fn text(key: &Key, node: &Node, report: &mut Report) -> Option<String> {
    let text = node.as_text();
    if text.is_none() {
        wrong(key, node, "text", report);
    }
    text.map(|text| text.to_string())
}

fn pattern(key: &Key, node: &Node, report: &mut Report) -> Option<String> {
    let pattern = text(key, node, report)?;
    if let Err(error) = crate::data::pattern(&format!("^(?:{pattern})$")) {
        let why = error.to_string();
        let why = why
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned();
        report
            .error(
                WRONG_TYPE_DETAIL,
                node.span,
                format!("`{pattern}` is not a pattern: {why}"),
            )
            .help("a pattern is a regular expression, such as `[A-Z]{2}[0-9]+`");
        return None;
    }
    Some(pattern)
}

fn number(key: &Key, node: &Node, report: &mut Report) -> Option<f64> {
    let number = node.to_value().as_f64();
    if number.is_none() {
        wrong(key, node, "a number", report);
    }
    number
}

fn flag(key: &Key, node: &Node, report: &mut Report) -> bool {
    match node.kind {
        NodeKind::Bool(flag) => flag,
        _ => {
            wrong(key, node, "true or false", report);
            false
        }
    }
}

fn wrong(key: &Key, node: &Node, expected: &str, report: &mut Report) {
    let message = format!("`{}` is {expected}, not {}", key.text, node.kind_name());
    report
        .error(WRONG_TYPE_DETAIL, node.span, message)
        .help(format!("write {expected} here"));
}
