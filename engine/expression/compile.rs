//! Nodes of a file to terms, checked against what is expected.
//!
//! In: a node, the names that exist there, perhaps an expected shape. Out: a term, and findings.
//! Always true: every mistake is reported at its own place, and compiling goes on after it.

use super::Names;
use super::codes::{MAY_BE_ABSENT, MISSING_MEMBER, SURPLUS_MEMBER, TEMPLATE_AS_KEY, WRONG_TYPE};
use super::infer::Inferred;
use super::leaf::{Use, leaf};
use super::path::is_path;
use super::term::Term;
use crate::data::{Object, Value};
use crate::diagnostic::{Report, did_you_mean};
use crate::shape::{Field, Fit, Shape, breaks_limit, join, misfit};
use crate::source::{Key, Node, NodeKind};

/// What compiling a value needs at every level.
pub(super) struct Surroundings<'c> {
    /// The names that exist here.
    pub(super) names: &'c dyn Names,
    /// Where findings go.
    pub(super) report: &'c mut Report,
    /// What text is used for.
    pub(super) usage: Use,
}

/// Compiles a node; with `expected`, every member is checked.
pub(super) fn value(
    around: &mut Surroundings<'_>,
    node: &Node,
    expected: Option<&Shape>,
) -> Inferred {
    let expected = expected.filter(|shape| !matches!(shape, Shape::Any));
    match &node.kind {
        NodeKind::Text(text) => {
            let inferred = leaf(around, node, text, expected);
            check(around, node, &inferred, expected);
            inferred
        }
        NodeKind::List(elements) => {
            let element = match expected {
                None => None,
                Some(Shape::List(element)) => Some(&**element),
                Some(other) => {
                    wrong_kind(around, node, other, "a list");
                    None
                }
            };
            list(around, elements, element)
        }
        NodeKind::Map(entries) => match expected {
            None | Some(Shape::Object) => object(around, entries),
            Some(Shape::Fields(fields)) => {
                missing(around, node, entries, fields.iter());
                let known: Vec<&str> = fields.keys().map(String::as_str).collect();
                surplus(around, entries, &known);
                members(around, entries, |name| fields.get(name))
            }
            Some(other) => {
                wrong_kind(around, node, other, "an object");
                object(around, entries)
            }
        },
        _ => {
            let inferred = Inferred::fixed(node.to_value());
            check(around, node, &inferred, expected);
            inferred
        }
    }
}

/// Compiles the value of a field: like [`value`], with the field's own limits, and absent only
/// where the field may be left out.
pub(super) fn field(around: &mut Surroundings<'_>, node: &Node, field: &Field) -> Inferred {
    let inferred = value(around, node, Some(&field.shape));
    if !field.may_be_left_out() {
        refuse_absence(around, node, &inferred);
    }
    if let Term::Fixed(fixed) = &inferred.term
        && field.shape.fits(fixed)
        && let Some(message) = breaks_limit(field, fixed)
    {
        around
            .report
            .error(WRONG_TYPE, node.span, message)
            .help("give a value within the declared limits");
    }
    inferred
}

/// Reports a value that may be absent where one is required.
pub(super) fn refuse_absence(around: &mut Surroundings<'_>, node: &Node, inferred: &Inferred) {
    if inferred.maybe() {
        around
            .report
            .error(
                MAY_BE_ABSENT,
                node.span,
                "this may be absent, and a value is required here",
            )
            .help(
                "leave the `?` out to fail with a clear error when it is absent, or give another \
                 value: `{{default steps.x.y \"...\"}}`",
            );
    }
}

fn list(around: &mut Surroundings<'_>, elements: &[Node], expected: Option<&Shape>) -> Inferred {
    let compiled: Vec<Inferred> = elements
        .iter()
        .map(|element| value(around, element, expected))
        .collect();
    let shape = compiled
        .iter()
        .map(|element| element.shape.clone())
        .reduce(|a, b| join(&a, &b));
    let shape = Shape::list_of(shape.unwrap_or(Shape::Any));
    let terms: Vec<Term> = compiled.into_iter().map(|element| element.term).collect();
    let fixed: Option<Vec<Value>> = terms.iter().map(fixed).collect();
    Inferred {
        shape,
        nothing: false,
        passed: false,
        latent: false,
        term: fixed.map_or(Term::List(terms), |list| Term::Fixed(Value::Array(list))),
    }
}

fn object(around: &mut Surroundings<'_>, entries: &[(Key, Node)]) -> Inferred {
    members(around, entries, |_| None)
}

fn members<'f>(
    around: &mut Surroundings<'_>,
    entries: &[(Key, Node)],
    declared: impl Fn(&str) -> Option<&'f Field>,
) -> Inferred {
    let mut terms = Vec::with_capacity(entries.len());
    let mut fields = indexmap::IndexMap::new();
    for (key, node) in entries {
        refuse_template_key(around, key);
        let inferred = match declared(&key.text) {
            Some(declared) => field(around, node, declared),
            None => value(around, node, None),
        };
        let member = Field {
            optional: inferred.maybe(),
            ..Field::required(inferred.shape)
        };
        fields.insert(key.text.to_string(), member);
        terms.push((key.text.to_string(), inferred.term));
    }
    let fixed: Option<Object> = terms
        .iter()
        .map(|(name, term)| fixed(term).map(|value| (name.clone(), value)))
        .collect();
    Inferred {
        shape: Shape::Fields(fields),
        nothing: false,
        passed: false,
        latent: false,
        term: fixed.map_or(Term::Object(terms), |object| {
            Term::Fixed(Value::Object(object))
        }),
    }
}

fn fixed(term: &Term) -> Option<Value> {
    match term {
        Term::Fixed(value) => Some(value.clone()),
        _ => None,
    }
}

fn missing<'f>(
    around: &mut Surroundings<'_>,
    node: &Node,
    entries: &[(Key, Node)],
    fields: impl Iterator<Item = (&'f String, &'f Field)>,
) {
    for (name, field) in fields {
        let given = entries.iter().any(|(key, _)| &*key.text == name);
        if !given && !field.may_be_left_out() {
            let message = format!("`{name}` is missing");
            around
                .report
                .error(MISSING_MEMBER, node.span, message)
                .help(format!("add `{name}:` with {}", field.shape));
        }
    }
}

fn surplus(around: &mut Surroundings<'_>, entries: &[(Key, Node)], known: &[&str]) {
    for (key, _) in entries
        .iter()
        .filter(|(key, _)| !known.contains(&&*key.text))
    {
        let help = match did_you_mean(&key.text, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if known.is_empty() => "nothing is expected here".to_owned(),
            None => format!("known are: {}", known.join(", ")),
        };
        let message = format!("`{}` is not expected here", key.text);
        around
            .report
            .error(SURPLUS_MEMBER, key.span, message)
            .help(help);
    }
}

fn refuse_template_key(around: &mut Surroundings<'_>, key: &Key) {
    if key.text.contains("{{") || is_path(&key.text) {
        around
            .report
            .error(
                TEMPLATE_AS_KEY,
                key.span,
                format!("`{}` is a name and is not replaced", key.text),
            )
            .help("only values hold paths; `transform` with `to_object` computes names");
    }
}

fn wrong_kind(around: &mut Surroundings<'_>, node: &Node, expected: &Shape, given: &str) {
    let help = match expected {
        Shape::Fields(_) | Shape::Object => "write a mapping: `name: value`".to_owned(),
        _ => format!("write {expected}"),
    };
    around
        .report
        .error(
            WRONG_TYPE,
            node.span,
            format!("expected {expected}, not {given}"),
        )
        .help(help);
}

/// Checks a scalar or a text's value against what is expected.
fn check(
    around: &mut Surroundings<'_>,
    node: &Node,
    inferred: &Inferred,
    expected: Option<&Shape>,
) {
    let Some(expected) = expected else {
        return;
    };
    if let Term::Fixed(value) = &inferred.term {
        let understood = !(value.is_null() && matches!(node.kind, NodeKind::Text(_)));
        if understood && !expected.fits(value) {
            around
                .report
                .error(WRONG_TYPE, node.span, misfit(expected, value))
                .help(mend_fixed(expected, value, node));
        }
        return;
    }
    if expected.accepts(&inferred.shape) != Fit::Never {
        return;
    }
    for misfit in expected.mismatches(&inferred.shape, "") {
        let message = match misfit.path.as_str() {
            "" => format!("expected {expected}, but this is {}", inferred.shape),
            path => format!("this does not fit: `{path}` {}", misfit.message),
        };
        around
            .report
            .error(WRONG_TYPE, node.span, message)
            .help(mend(expected, &inferred.shape));
    }
}

fn mend_fixed(expected: &Shape, value: &Value, node: &Node) -> String {
    match (expected, value) {
        (Shape::List(_), _) => "write a list: `[first, second]`".to_owned(),
        (_, Value::Null) => "an optional value is left out, key and all".to_owned(),
        (Shape::Boolean, Value::String(text)) => match text.to_lowercase().as_str() {
            "yes" | "on" | "true" | "y" => "write true, without quotes".to_owned(),
            "no" | "off" | "false" | "n" => "write false, without quotes".to_owned(),
            _ => "write true or false".to_owned(),
        },
        (Shape::Integer | Shape::Number, Value::String(text))
            if !node.plain && text.parse::<f64>().is_ok() =>
        {
            "take the quotes off".to_owned()
        }
        (_, Value::Number(_) | Value::Bool(_)) if expected.is_text() => {
            "put it in quotes".to_owned()
        }
        (Shape::Fields(_) | Shape::Object, _) => "write a mapping: `name: value`".to_owned(),
        _ => format!("write {expected}, or a path such as `$.input.name`"),
    }
}

fn mend(expected: &Shape, given: &Shape) -> String {
    let text = match (expected, given) {
        (Shape::List(element), given) if element.accepts(given) != Fit::Never => {
            "put it in brackets to make a list of one: `[...]`"
        }
        (expected, Shape::List(element)) if expected.accepts(element) != Fit::Never => {
            "take one element: `{{first ...}}` or a path with `[0]`, or loop with `foreach`"
        }
        (Shape::Integer, given) if given.is_text() => "convert it: `{{to_integer ...}}`",
        (Shape::Number, given) if given.is_text() => "convert it: `{{to_number ...}}`",
        (Shape::Date, Shape::DateTime) => "take its day: `{{to_date ...}}`",
        (Shape::DateTime, Shape::Date) => "say when on that day: `{{to_datetime ...}}`",
        (Shape::Boolean, _) => "compare it: `{{eq ... \"yes\"}}`",
        (expected, Shape::Integer | Shape::Number | Shape::Boolean) if expected.is_text() => {
            "convert it: `{{to_text ...}}`"
        }
        (expected, Shape::List(_)) if expected.is_text() => "join it: `{{join ... \", \"}}`",
        (expected, Shape::Object | Shape::Fields(_)) if expected.is_text() => {
            "name one of its fields, or write it as JSON: `{{to_json ...}}`"
        }
        (Shape::Fields(_), Shape::Fields(_)) => "give exactly the declared fields: `{{pick ...}}`",
        _ => "give a value of this type",
    };
    text.to_owned()
}
