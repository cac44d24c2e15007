//! Whether a test suits the types of what it compares.
//!
//! In: a test, what is known of both sides. Out: why it can never make sense, and how to mend it.

use super::super::infer::Inferred;
use super::super::term::Term;
use super::Relation;
use crate::data::Value;
use crate::shape::{Fit, Shape, Time, misfit};

/// Why a test can never make sense for these types, and how to mend it.
pub(super) fn unsuited(
    relation: Relation,
    subject: &Inferred,
    operand: &Inferred,
) -> Option<(String, &'static str)> {
    let (a, b) = (&subject.shape, &operand.shape);
    match relation {
        Relation::Equals | Relation::NotEquals => unlike(a, operand),
        Relation::In | Relation::NotIn => match (&operand.term, b) {
            (Term::Fixed(Value::Array(list)), _) => list.iter().find_map(|value| {
                unlike(a, &Inferred::fixed(value.clone()))
            }),
            (_, Shape::List(element)) => kinds_differ(a, element),
            (_, Shape::Any) => None,
            _ => Some((format!("expected a list, not {b}"), "write `[first, second]`")),
        },
        Relation::Contains | Relation::NotContains => match a {
            Shape::Any => None,
            Shape::List(element) => unlike(element, operand),
            text if text.is_text() => kinds_differ(&Shape::String, b),
            _ => Some((format!("{a} contains nothing"), "only text and lists contain something")),
        },
        Relation::StartsWith | Relation::EndsWith | Relation::Matches => {
            [a, b].into_iter().find(|shape| Shape::String.accepts(shape) == Fit::Never).map(|shape| {
                (format!("expected text, not {shape}"), "this test is for text")
            })
        }
        Relation::LessThan | Relation::AtMost | Relation::GreaterThan | Relation::AtLeast => {
            [a, b].into_iter().find(|shape| Shape::Number.accepts(shape) == Fit::Never).map(|shape| {
                let help = if shape.is_text() {
                    "dates are tested with `before`, `after`, `on_or_before`, `on_or_after`; text is \
                     converted with `to_number`"
                } else {
                    "this test is for numbers; of a list take its `count`"
                };
                (format!("expected a number, not {shape}"), help)
            })
        }
        _ => not_a_time(subject).or_else(|| not_a_time(operand)),
    }
}

fn not_a_time(inferred: &Inferred) -> Option<(String, &'static str)> {
    let help = "write a date such as 2026-03-01, or a time such as 2026-03-01T10:00:00Z";
    if let Term::Fixed(value) = &inferred.term {
        let time = value.as_str().and_then(Time::parse);
        return match time {
            Some(_) => None,
            None if value.is_null() => None,
            None => Some((format!("{value} is no date"), help)),
        };
    }
    let never = |wanted: Shape| wanted.accepts(&inferred.shape) == Fit::Never;
    if never(Shape::Date) && never(Shape::DateTime) {
        return Some((format!("expected a date, not {}", inferred.shape), help));
    }
    None
}

/// Why a value of this shape can never equal the operand.
fn unlike(subject: &Shape, operand: &Inferred) -> Option<(String, &'static str)> {
    match (subject, &operand.term) {
        (_, Term::Fixed(Value::Null)) => None,
        (Shape::Enum(_), Term::Fixed(value)) if !subject.fits(value) => Some((
            misfit(subject, value),
            "the value can only be one of these, letter for letter",
        )),
        (subject, _) => kinds_differ(subject, &operand.shape),
    }
}

fn kinds_differ(a: &Shape, b: &Shape) -> Option<(String, &'static str)> {
    let kind = |shape: &Shape| match shape {
        Shape::Any => None,
        Shape::Boolean => Some("boolean"),
        Shape::Object | Shape::Fields(_) => Some("object"),
        Shape::List(_) => Some("list"),
        shape if shape.is_text() => Some("text"),
        shape if shape.is_number() => Some("number"),
        _ => None,
    };
    match (kind(a), kind(b)) {
        (Some(left), Some(right)) if left != right => {
            let help = match (left, right) {
                ("number", "text") => "take the quotes off, or convert with `to_text`",
                ("text", "number") => "put it in quotes, or convert with `to_number`",
                ("list", _) => "a list is tested with `contains`, or by its `count`",
                ("boolean", _) => "test it with `is: true` or `is: false`",
                _ => "values of different types are never equal",
            };
            Some((format!("{a} is never {b}"), help))
        }
        _ => None,
    }
}
