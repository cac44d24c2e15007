//! Conditions as written, checked for names, tests and types.

use super::super::call::reason;
use super::super::codes::{
    BAD_PATTERN, MAY_BE_ABSENT, NO_TEST, NOT_A_CONDITION, TEST_DOES_NOT_SUIT, UNKNOWN_TEST,
};
use super::super::compile::{Surroundings, value};
use super::super::infer::Inferred;
use super::super::path::is_path;
use super::super::scan::has_braces;
use super::super::term::Term;
use super::suit::unsuited;
use super::{Clause, Relation, Test};
use crate::data::Value;
use crate::diagnostic::did_you_mean;
use crate::shape::{Fit, Shape};
use crate::source::{Key, Node, NodeKind};

/// Conditions may nest this deep.
const DEPTH_MAX: usize = 32;

/// The tests by name.
const TESTS: [(&str, Relation); 17] = [
    ("equals", Relation::Equals),
    ("not_equals", Relation::NotEquals),
    ("in", Relation::In),
    ("not_in", Relation::NotIn),
    ("contains", Relation::Contains),
    ("not_contains", Relation::NotContains),
    ("starts_with", Relation::StartsWith),
    ("ends_with", Relation::EndsWith),
    ("matches", Relation::Matches),
    ("less_than", Relation::LessThan),
    ("at_most", Relation::AtMost),
    ("greater_than", Relation::GreaterThan),
    ("at_least", Relation::AtLeast),
    ("before", Relation::Before),
    ("after", Relation::After),
    ("on_or_before", Relation::OnOrBefore),
    ("on_or_after", Relation::OnOrAfter),
];

/// The names of all tests, for schemas and the reference documentation.
pub fn test_names() -> impl Iterator<Item = &'static str> {
    TESTS.iter().map(|(name, _)| *name).chain(["is"])
}

/// Tests as they are called elsewhere, with ours.
const ELSEWHERE: [(&str, &str); 18] = [
    ("eq", "equals"),
    ("equal", "equals"),
    ("==", "equals"),
    ("ne", "not_equals"),
    ("!=", "not_equals"),
    ("lt", "less_than"),
    ("<", "less_than"),
    ("le", "at_most"),
    ("lte", "at_most"),
    ("gt", "greater_than"),
    (">", "greater_than"),
    ("ge", "at_least"),
    ("gte", "at_least"),
    ("regex", "matches"),
    ("one_of", "in"),
    ("exists", "is: present"),
    ("present", "is: present"),
    ("blank", "is: blank"),
];

/// Compiles a condition.
pub(super) fn condition(around: &mut Surroundings<'_>, node: &Node, depth: usize) -> Clause {
    if depth > DEPTH_MAX {
        refuse(
            around,
            node,
            "the condition nests too deeply",
            "use `call` to split it",
        );
        return Clause::Fixed(false);
    }
    match &node.kind {
        NodeKind::Bool(holds) => Clause::Fixed(*holds),
        NodeKind::Text(text) => truth(around, node, text),
        NodeKind::Map(entries) if !entries.is_empty() => {
            let mut clauses: Vec<Clause> = entries
                .iter()
                .map(|(key, node)| entry(around, key, node, depth))
                .collect();
            match (clauses.pop(), clauses.is_empty()) {
                (Some(only), true) => only,
                (last, _) => {
                    clauses.extend(last);
                    Clause::All(clauses)
                }
            }
        }
        NodeKind::List(_) => {
            let help = "write `all: [...]` if all must hold, `any: [...]` if one must";
            refuse(around, node, "a list is not a condition", help);
            Clause::Fixed(false)
        }
        _ => {
            let help = "write `{ $.steps.user.email: { is: present } }` or a value that is true or \
                        false";
            let message = format!("{} is not a condition", node.kind_name());
            refuse(around, node, &message, help);
            Clause::Fixed(false)
        }
    }
}

fn refuse(around: &mut Surroundings<'_>, node: &Node, message: &str, help: &str) {
    around
        .report
        .error(NOT_A_CONDITION, node.span, message)
        .help(help);
}

/// A value that stands alone and must be true or false.
fn truth(around: &mut Surroundings<'_>, node: &Node, text: &str) -> Clause {
    let inferred = value(around, node, None);
    if matches!(inferred.term, Term::Fixed(Value::String(_))) {
        let help = format!(
            "write a path (`$.{}`) with a test, or true or false",
            text.trim()
        );
        refuse(around, node, "a fixed text is not a condition", &help);
    } else if Shape::Boolean.accepts(&inferred.shape) == Fit::Never {
        let message = format!(
            "a condition is true or false, but this is {}",
            inferred.shape
        );
        around
            .report
            .error(TEST_DOES_NOT_SUIT, node.span, message)
            .help(format!("add a test: `{{ {text}: {{ is: present }} }}`"));
    } else if inferred.maybe() {
        around
            .report
            .error(
                MAY_BE_ABSENT,
                node.span,
                "this may be absent, neither true nor false",
            )
            .help(format!(
                "say what then: `{{ {text}: {{ is: true }} }}` does not hold if absent"
            ));
    }
    Clause::Truth(inferred.term)
}

fn entry(around: &mut Surroundings<'_>, key: &Key, node: &Node, depth: usize) -> Clause {
    match &*key.text {
        "all" => Clause::All(parts(around, key, node, depth)),
        "any" => Clause::Any(parts(around, key, node, depth)),
        "not" => Clause::Not(Box::new(condition(around, node, depth + 1))),
        text if is_path(text) || has_braces(text) => tests(around, key, node),
        text => {
            let first = text.split(['.', '[']).next().unwrap_or(text);
            let help = if around.names.roots().iter().any(|root| root == first) {
                format!("a path begins with `$.`: write `$.{text}`")
            } else if TESTS.iter().any(|(name, _)| *name == text) || text == "is" {
                format!("say which value is tested: `$.steps.user.email: {{ {text}: ... }}`")
            } else if let Some(meant) = did_you_mean(text, ["all", "any", "not"]) {
                format!("did you mean `{meant}`?")
            } else {
                "a condition names a value by a path (`$.input.kind`), or is `all`, `any`, `not`"
                    .to_owned()
            };
            let message = format!("`{text}` is not a value that can be tested");
            around
                .report
                .error(NOT_A_CONDITION, key.span, message)
                .help(help);
            Clause::Fixed(false)
        }
    }
}

fn parts(around: &mut Surroundings<'_>, key: &Key, node: &Node, depth: usize) -> Vec<Clause> {
    let Some(elements) = node.as_list().filter(|elements| !elements.is_empty()) else {
        let message = format!("`{}` takes a list of conditions", key.text);
        let help = format!("write `{}: [{{ ... }}, {{ ... }}]`", key.text);
        refuse(around, node, &message, &help);
        return Vec::new();
    };
    elements
        .iter()
        .map(|element| condition(around, element, depth + 1))
        .collect()
}

/// A value with one test or more.
fn tests(around: &mut Surroundings<'_>, key: &Key, node: &Node) -> Clause {
    let subject_node = Node {
        span: key.span,
        plain: key.span.len == key.text.len(),
        kind: NodeKind::Text(key.text.clone()),
    };
    let subject = value(around, &subject_node, None);
    let entries = match node.as_map() {
        Some(entries) if !entries.is_empty() => entries,
        _ => {
            no_test(around, key, node);
            return Clause::Fixed(false);
        }
    };
    let mut clauses: Vec<Clause> = entries
        .iter()
        .filter_map(|(name, operand)| test(around, &subject, key, name, operand))
        .map(Clause::Test)
        .collect();
    match (clauses.pop(), clauses.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            clauses.extend(last);
            Clause::All(clauses)
        }
    }
}

fn no_test(around: &mut Surroundings<'_>, key: &Key, node: &Node) {
    let subject = &key.text;
    let test = match &node.kind {
        NodeKind::Null => "is: null".to_owned(),
        NodeKind::Bool(truth) => format!("is: {truth}"),
        NodeKind::Text(text) if matches!(&**text, "present" | "blank") => format!("is: {text}"),
        NodeKind::Text(text) => format!("equals: {text}"),
        NodeKind::List(_) => "in: [...]".to_owned(),
        NodeKind::Map(_) => "is: present".to_owned(),
        _ => format!("equals: {}", node.to_value()),
    };
    around
        .report
        .error(
            NO_TEST,
            node.span,
            format!("`{subject}` has a value here but no test"),
        )
        .help(format!("write `{subject}: {{ {test} }}`"));
}

fn test(
    around: &mut Surroundings<'_>,
    subject: &Inferred,
    key: &Key,
    name: &Key,
    node: &Node,
) -> Option<Test> {
    if &*name.text == "is" {
        return is(around, subject, key, node);
    }
    let Some((_, relation)) = TESTS.iter().find(|(known, _)| *known == &*name.text) else {
        let ours = ELSEWHERE
            .iter()
            .find(|(theirs, _)| *theirs == &*name.text)
            .map(|(_, ours)| *ours);
        let help = match (ours, did_you_mean(&name.text, test_names())) {
            (Some(meant), _) | (None, Some(meant)) => format!("did you mean `{meant}`?"),
            _ => format!(
                "the tests are {}",
                test_names().collect::<Vec<_>>().join(", ")
            ),
        };
        let message = format!("there is no test `{}`", name.text);
        around
            .report
            .error(UNKNOWN_TEST, name.span, message)
            .help(help);
        return None;
    };
    let operand = value(around, node, None);
    let mut pattern = None;
    if let (Relation::Matches, Term::Fixed(Value::String(text))) = (relation, &operand.term) {
        match crate::data::pattern(text) {
            Ok(regex) => pattern = Some(regex),
            Err(error) => {
                let message = format!("`{text}` is no regular expression: {}", reason(&error));
                around
                    .report
                    .error(BAD_PATTERN, node.span, message)
                    .help("write for example `^[A-Z]{2}[0-9]+$`");
                return None;
            }
        }
    }
    if let Some((message, help)) = unsuited(*relation, subject, &operand) {
        let message = format!("`{}`: {message}", name.text);
        around
            .report
            .error(TEST_DOES_NOT_SUIT, node.span, message)
            .help(help);
    }
    Some(Test {
        subject: subject.term.clone(),
        relation: *relation,
        operand: operand.term,
        pattern,
    })
}

/// `is: true / false / null / present / blank`.
fn is(around: &mut Surroundings<'_>, subject: &Inferred, key: &Key, node: &Node) -> Option<Test> {
    let relation = match &node.kind {
        NodeKind::Bool(true) => Relation::IsTrue,
        NodeKind::Bool(false) => Relation::IsFalse,
        NodeKind::Null => Relation::IsNull,
        NodeKind::Text(text) => match &**text {
            "present" => Relation::IsPresent,
            "blank" => Relation::IsBlank,
            other => {
                let help = match other.to_lowercase().as_str() {
                    "true" | "false" | "null" => "leave the quotes out".to_owned(),
                    "yes" | "on" => "write `is: true`".to_owned(),
                    "no" | "off" => "write `is: false`".to_owned(),
                    "empty" | "absent" | "missing" => "did you mean `blank`?".to_owned(),
                    _ => format!("for a value write `equals: {other}`"),
                };
                let message =
                    format!("`is` takes true, false, null, present or blank, not `{other}`");
                around
                    .report
                    .error(UNKNOWN_TEST, node.span, message)
                    .help(help);
                return None;
            }
        },
        _ => {
            let message = "`is` takes true, false, null, present or blank";
            let help = "for a value write `equals: ...`";
            around
                .report
                .error(UNKNOWN_TEST, node.span, message)
                .help(help);
            return None;
        }
    };
    let truth = matches!(relation, Relation::IsTrue | Relation::IsFalse);
    if truth && Shape::Boolean.accepts(&subject.shape) == Fit::Never {
        let message = format!("`{}` is {}, never true or false", key.text, subject.shape);
        around
            .report
            .error(TEST_DOES_NOT_SUIT, node.span, message)
            .help("test it with `equals`, or with `is: present` or `is: blank`");
    }
    if relation == Relation::IsNull && !matches!(subject.shape, Shape::Any | Shape::Object) {
        let message = format!("`{}` is {} and never null", key.text, subject.shape);
        around
            .report
            .warning(TEST_DOES_NOT_SUIT, node.span, message)
            .help("to ask whether it is there write `is: present` or `is: blank`");
    }
    let mut subject = subject.clone();
    if matches!(relation, Relation::IsPresent | Relation::IsBlank) {
        subject.allow_absence();
    }
    Some(Test {
        subject: subject.term,
        relation,
        operand: Term::Absent,
        pattern: None,
    })
}
