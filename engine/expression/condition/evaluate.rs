//! Conditions while a job runs: left to right, no further than needed.

use std::cmp::Ordering;

use jiff::tz::TimeZone;

use super::super::helpers::{number_ordering, time_ordering};
use super::super::term::Term;
use super::super::{EvaluationError, Scope};
use super::{Clause, Relation, Test};
use crate::data::{Value, is_blank, kind_of, same, told, withheld_by};
use crate::shape::Time;

/// Whether the clause holds.
pub(super) fn holds(clause: &Clause, scope: &dyn Scope) -> Result<bool, EvaluationError> {
    match clause {
        Clause::Fixed(holds) => Ok(*holds),
        Clause::All(clauses) => decided(clauses, scope, false),
        Clause::Any(clauses) => decided(clauses, scope, true),
        Clause::Not(clause) => Ok(!holds(clause, scope)?),
        Clause::Truth(term) => truth(term, scope),
        Clause::Test(test) => test.holds(scope),
    }
}

/// Whether one clause is as given, which decides the whole. What a preview does not know leaves the
/// others their say.
fn decided(clauses: &[Clause], scope: &dyn Scope, decisive: bool) -> Result<bool, EvaluationError> {
    let mut unknown = None;
    for clause in clauses {
        match holds(clause, scope) {
            Ok(truth) if truth == decisive => return Ok(decisive),
            Ok(_) => {}
            Err(error) if error.withheld_by.is_some() => unknown = unknown.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    unknown.map_or(Ok(!decisive), Err)
}

/// Refuses what a preview does not know.
fn known(term: &Term, value: Option<&Value>, scope: &dyn Scope) -> Result<(), EvaluationError> {
    match value.filter(|_| scope.is_preview()).and_then(withheld_by) {
        Some(by) => Err(EvaluationError::withheld(term.source(), by)),
        None => Ok(()),
    }
}

fn truth(term: &Term, scope: &dyn Scope) -> Result<bool, EvaluationError> {
    let found = term.find(scope)?;
    known(term, found.value(), scope)?;
    let message = match found.value() {
        Some(Value::Bool(truth)) => return Ok(*truth),
        Some(other) => format!("expected true or false, not {}", kind_of(other)),
        None => "expected true or false, but the value is absent".to_owned(),
    };
    Err(EvaluationError::new(term.source(), message))
}

impl Test {
    fn holds(&self, scope: &dyn Scope) -> Result<bool, EvaluationError> {
        let subject = self.subject.find(scope)?;
        let subject = subject.value();
        known(&self.subject, subject, scope)?;
        let fail = |message: String| EvaluationError::new(self.subject.source(), message);
        let answer = match self.relation {
            Relation::IsPresent => Ok(subject.is_some_and(|value| !is_blank(value))),
            Relation::IsBlank => Ok(subject.is_none_or(is_blank)),
            Relation::IsNull => Ok(subject.is_some_and(Value::is_null)),
            Relation::IsTrue => is_truth(subject).map(|truth| truth == Some(true)),
            Relation::IsFalse => is_truth(subject).map(|truth| truth == Some(false)),
            relation => {
                let operand = self.operand.find(scope)?;
                known(&self.operand, operand.value(), scope)?;
                match (subject, operand.value()) {
                    (Some(subject), Some(operand)) => self.compare(subject, operand, scope),
                    _ => Ok(relation.is_negative()),
                }
            }
        };
        answer.map_err(fail)
    }

    fn compare(&self, a: &Value, b: &Value, scope: &dyn Scope) -> Result<bool, String> {
        match self.relation {
            Relation::Equals => equal(a, b),
            Relation::NotEquals => equal(a, b).map(|equal| !equal),
            Relation::In => among(a, b),
            Relation::NotIn => among(a, b).map(|among| !among),
            Relation::Contains => contains(a, b),
            Relation::NotContains => contains(a, b).map(|contains| !contains),
            Relation::StartsWith => texts(a, b, |a, b| a.starts_with(b)),
            Relation::EndsWith => texts(a, b, |a, b| a.ends_with(b)),
            Relation::Matches => self.matches(a, b),
            Relation::LessThan => numbers(a, b, Ordering::is_lt),
            Relation::AtMost => numbers(a, b, Ordering::is_le),
            Relation::GreaterThan => numbers(a, b, Ordering::is_gt),
            Relation::AtLeast => numbers(a, b, Ordering::is_ge),
            Relation::Before => times(a, b, scope, Ordering::is_lt),
            Relation::After => times(a, b, scope, Ordering::is_gt),
            Relation::OnOrBefore => times(a, b, scope, Ordering::is_le),
            Relation::OnOrAfter => times(a, b, scope, Ordering::is_ge),
            // Answered before an operand is looked for.
            Relation::IsTrue
            | Relation::IsFalse
            | Relation::IsNull
            | Relation::IsPresent
            | Relation::IsBlank => Ok(false),
        }
    }

    fn matches(&self, a: &Value, b: &Value) -> Result<bool, String> {
        if a.is_null() {
            return Ok(false);
        }
        let (Value::String(text), Value::String(pattern)) = (a, b) else {
            return Err(unlike(a, b));
        };
        match &self.pattern {
            Some(regex) => Ok(regex.is_match(text)),
            None => match crate::data::pattern(pattern) {
                Ok(regex) => Ok(regex.is_match(text)),
                Err(_) => Err(format!("`{pattern}` is no regular expression")),
            },
        }
    }
}

impl Relation {
    /// Whether it holds for an absent value, as the exact negation of one that does not.
    fn is_negative(self) -> bool {
        matches!(self, Self::NotEquals | Self::NotIn | Self::NotContains)
    }
}

fn is_truth(value: Option<&Value>) -> Result<Option<bool>, String> {
    match value {
        Some(Value::Bool(truth)) => Ok(Some(*truth)),
        None | Some(Value::Null) => Ok(None),
        Some(other) => Err(format!("expected true or false, not {}", told(other))),
    }
}

/// Whether two values are of one kind; null is compared with anything.
fn alike(a: &Value, b: &Value) -> bool {
    a.is_null()
        || b.is_null()
        || matches!(
            (a, b),
            (Value::Bool(_), Value::Bool(_))
                | (Value::Number(_), Value::Number(_))
                | (Value::String(_), Value::String(_))
                | (Value::Array(_), Value::Array(_))
                | (Value::Object(_), Value::Object(_))
        )
}

fn unlike(a: &Value, b: &Value) -> String {
    format!(
        "{} cannot be compared with {}; both must be of one type",
        told(a),
        told(b)
    )
}

fn equal(a: &Value, b: &Value) -> Result<bool, String> {
    if !alike(a, b) {
        return Err(unlike(a, b));
    }
    Ok(same(a, b))
}

/// Whether the value is in the list; a list with nothing of the value's type is a mistake.
fn among(value: &Value, list: &Value) -> Result<bool, String> {
    let Value::Array(list) = list else {
        return Err(format!("expected a list to look in, not {}", told(list)));
    };
    if list.iter().any(|element| same(element, value)) {
        return Ok(true);
    }
    match list.first() {
        Some(first) if !list.iter().any(|element| alike(element, value)) => {
            Err(unlike(value, first))
        }
        _ => Ok(false),
    }
}

fn contains(whole: &Value, part: &Value) -> Result<bool, String> {
    match (whole, part) {
        (Value::Null, _) => Ok(false),
        (Value::String(text), Value::String(part)) => Ok(text.contains(part.as_str())),
        (Value::Array(_), part) => among(part, whole),
        (Value::String(_), part) => Err(unlike(whole, part)),
        (other, _) => Err(format!("expected text or a list, not {}", told(other))),
    }
}

fn texts(a: &Value, b: &Value, test: fn(&str, &str) -> bool) -> Result<bool, String> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(false),
        (Value::String(a), Value::String(b)) => Ok(test(a, b)),
        (Value::String(_), other) | (other, _) => {
            Err(format!("expected text, not {}", told(other)))
        }
    }
}

fn numbers(a: &Value, b: &Value, test: fn(Ordering) -> bool) -> Result<bool, String> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(false),
        (Value::Number(_), Value::Number(_)) => Ok(test(number_ordering(a, b))),
        (Value::Number(_), other) | (other, _) => {
            Err(format!("expected a number, not {}", told(other)))
        }
    }
}

fn times(
    a: &Value,
    b: &Value,
    scope: &dyn Scope,
    test: fn(Ordering) -> bool,
) -> Result<bool, String> {
    if a.is_null() || b.is_null() {
        return Ok(false);
    }
    let time = |value: &Value| {
        value.as_str().and_then(Time::parse).ok_or_else(|| {
            format!(
                "expected a date such as 2026-03-01 or a time such as 2026-03-01T10:00:00Z, not {}",
                told(value)
            )
        })
    };
    let (a, b) = (time(a)?, time(b)?);
    let zone = match (&a, &b) {
        (Time::Instant(_), Time::Instant(_)) => TimeZone::UTC,
        _ => TimeZone::get(scope.timezone())
            .map_err(|_| format!("`{}` is no time zone", scope.timezone()))?,
    };
    Ok(test(time_ordering(&a, &b, &zone)))
}
