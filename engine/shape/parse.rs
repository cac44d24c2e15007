//! Types as written in files.
//!
//! In: a node such as `string?`, `[integer]`, `{ field: type }` or a long form. Out: a [`Shape`] or
//! [`Field`], and findings. Always gives something to go on with (`any` for what is wrong).

use indexmap::IndexMap;
use regex::Regex;

use super::check::breaks_limit;
use super::codes::{
    DEFAULT_DOES_NOT_FIT, NOT_A_TYPE, UNKNOWN_TYPE, UNKNOWN_TYPE_KEY, WRONG_TYPE_DETAIL,
};
use super::{Field, Shape};
use crate::data::Value;
use crate::diagnostic::{Report, did_you_mean};
use crate::source::{Key, Node, NodeKind};

/// The type words, as written.
pub(crate) const WORDS: [&str; 9] = [
    "string", "integer", "number", "boolean", "date", "datetime", "email", "object", "any",
];

/// Words that people bring from elsewhere, with ours for them.
const ELSEWHERE: [(&str, &str); 16] = [
    ("text", "string"),
    ("str", "string"),
    ("varchar", "string"),
    ("int", "integer"),
    ("long", "integer"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("bool", "boolean"),
    ("timestamp", "datetime"),
    ("date_time", "datetime"),
    ("date-time", "datetime"),
    ("map", "object"),
    ("dict", "object"),
    ("list", "[any]"),
    ("array", "[any]"),
];

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

/// Types may nest this deep.
const DEPTH_MAX: usize = 32;

impl Shape {
    /// Reads a type; an outer `?` is not allowed here, since only fields can be optional.
    pub fn parse(node: &Node, report: &mut Report) -> Self {
        let field = Field::parse(node, report);
        if field.optional {
            report
                .error(
                    NOT_A_TYPE,
                    node.span,
                    "`?` makes a field optional, and this is no field",
                )
                .help("leave the `?` out");
        }
        field.shape
    }

    /// Reads a mapping of field names to types, such as a recipe's `input`.
    pub fn parse_fields(node: &Node, report: &mut Report) -> IndexMap<String, Field> {
        fields(node, report, 0)
    }
}

impl Field {
    /// Reads the type of a field, in its short or its long form.
    pub fn parse(node: &Node, report: &mut Report) -> Self {
        field(node, report, 0)
    }
}

fn field(node: &Node, report: &mut Report, depth: usize) -> Field {
    if depth > DEPTH_MAX {
        report
            .error(NOT_A_TYPE, node.span, "types nest too deeply")
            .help(format!("at most {DEPTH_MAX} levels"));
        return Field::required(Shape::Any);
    }
    match &node.kind {
        NodeKind::Text(text) => word(node, text, report),
        NodeKind::List(elements) => Field::required(list(node, elements, report, depth)),
        NodeKind::Map(entries) => {
            if is_long_form(entries) {
                return long_form(node, entries, report, depth);
            }
            Field::required(Shape::Fields(fields(node, report, depth)))
        }
        _ => {
            report
                .error(
                    NOT_A_TYPE,
                    node.span,
                    format!("expected a type, not {}", node.kind_name()),
                )
                .help(format!("the types are {}", WORDS.join(", ")));
            Field::required(Shape::Any)
        }
    }
}

fn word(node: &Node, text: &str, report: &mut Report) -> Field {
    let (name, optional) = match text.strip_suffix('?') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let shape = match name {
        "string" => Shape::String,
        "integer" => Shape::Integer,
        "number" => Shape::Number,
        "boolean" => Shape::Boolean,
        "date" => Shape::Date,
        "datetime" => Shape::DateTime,
        "email" => Shape::Email,
        "object" => Shape::Object,
        "any" => Shape::Any,
        _ => match bracketed(node, name, report) {
            Some(shape) => shape,
            None => {
                unknown(node, name, report);
                Shape::Any
            }
        },
    };
    Field {
        optional,
        ..Field::required(shape)
    }
}

/// A list type that was written as text, so that it could carry a `?`: `"[integer]?"`.
fn bracketed(node: &Node, name: &str, report: &mut Report) -> Option<Shape> {
    let inner = name.strip_prefix('[')?.strip_suffix(']')?.trim();
    let inner = Node {
        kind: NodeKind::Text(inner.into()),
        ..node.clone()
    };
    Some(Shape::list_of(Shape::parse(&inner, report)))
}

fn unknown(node: &Node, name: &str, report: &mut Report) {
    let lower = name.to_lowercase();
    let meant = ELSEWHERE
        .iter()
        .find(|(theirs, _)| *theirs == lower)
        .map(|(_, ours)| *ours)
        .or_else(|| did_you_mean(&lower, WORDS));
    let help = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!(
            "the types are {}; a list is `[string]`, fixed values are `{{ enum: [a, b] }}`",
            WORDS.join(", ")
        ),
    };
    report
        .error(
            UNKNOWN_TYPE,
            node.span,
            format!("there is no type `{name}`"),
        )
        .help(help);
}

fn list(node: &Node, elements: &[Node], report: &mut Report, depth: usize) -> Shape {
    let [element] = elements else {
        report
            .error(NOT_A_TYPE, node.span, "a list type holds exactly one type")
            .help("write `[string]`; for fixed values write `{ enum: [a, b] }`");
        return Shape::list_of(Shape::Any);
    };
    let field = field(element, report, depth + 1);
    if field.optional {
        report
            .error(
                NOT_A_TYPE,
                element.span,
                "elements of a list cannot be optional",
            )
            .help("leave the `?` out; absent elements are dropped");
    }
    Shape::list_of(field.shape)
}

fn fields(node: &Node, report: &mut Report, depth: usize) -> IndexMap<String, Field> {
    let Some(entries) = node.as_map() else {
        if !matches!(node.kind, NodeKind::Null) {
            let message = format!("expected fields with their types, not {}", node.kind_name());
            report
                .error(NOT_A_TYPE, node.span, message)
                .help("write `name: string`");
        }
        return IndexMap::new();
    };
    entries
        .iter()
        .map(|(key, node)| {
            // `name?: string` is how other languages write it.
            let (name, optional) = match key.text.strip_suffix('?') {
                Some(name) => {
                    report
                        .error(NOT_A_TYPE, key.span, "the `?` belongs to the type")
                        .help(format!("write `{name}: string?`"));
                    (name, true)
                }
                None => (&*key.text, false),
            };
            let mut field = field(node, report, depth + 1);
            field.optional |= optional;
            (name.to_owned(), field)
        })
        .collect()
}

/// A mapping is a long form if its `type` (or `enum`) can be one; a field may be called `type` too,
/// but then other keys beside it are no details.
fn is_long_form(entries: &[(Key, Node)]) -> bool {
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

fn long_form(node: &Node, entries: &[(Key, Node)], report: &mut Report, depth: usize) -> Field {
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
            misfits.extend(breaks_limit(field, value).map(|message| super::Misfit {
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
    if let Err(error) = Regex::new(&format!("^(?:{pattern})$")) {
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
