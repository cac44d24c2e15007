//! Helpers for presence, comparison and choice.

use std::cmp::Ordering;

use jiff::tz::TimeZone;

use super::{Arguments, Helper, Kind, Mode, Run, helper, parameter, required, shapes};
use crate::data::{Value, is_blank, kind_of, same};
use crate::shape::Time;

/// A helper that evaluates its arguments one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::expression) enum Lazy {
    /// The first value, or the second if the first is absent or null.
    Default,
    /// Whether all are true.
    And,
    /// Whether any is true.
    Or,
    /// The second or the third, as the first is true or false.
    IfElse,
}

pub(super) const PRESENCE: &[Helper] = &[
    Helper {
        name: "default",
        parameters: &[
            parameter("value", Kind::Any, Mode::Forgiving),
            required("otherwise", Kind::Any),
        ],
        result: shapes::either,
        may_find_nothing: false,
        run: Run::Lazy(Lazy::Default),
        doc: "The value, or another one if it is absent or null.",
        example: "default input.language \"en\"",
    },
    helper(
        "is_present",
        &[parameter("value", Kind::Any, Mode::Forgiving)],
        shapes::boolean,
        |given| truth(given.value(0).is_some_and(|value| !is_blank(value))),
        (
            "Whether the value is there and not blank.",
            "is_present input.email",
        ),
    ),
    helper(
        "is_blank",
        &[parameter("value", Kind::Any, Mode::Forgiving)],
        shapes::boolean,
        |given| truth(given.value(0).is_none_or(is_blank)),
        (
            "Whether the value is absent, null, empty or white space.",
            "is_blank input.email",
        ),
    ),
];

pub(super) const HELPERS: &[Helper] = &[
    helper(
        "eq",
        COMPARED,
        shapes::boolean,
        |given| truth(equal(given)),
        (
            "Whether two values are the same; values of different types never are.",
            "eq input.kind \"course\"",
        ),
    ),
    helper(
        "ne",
        COMPARED,
        shapes::boolean,
        |given| truth(!equal(given)),
        ("Whether two values differ.", "ne input.kind \"course\""),
    ),
    helper(
        "lt",
        ORDERED,
        shapes::boolean,
        |given| ordered(given, Ordering::is_lt),
        (
            "Whether the first is less than (or before) the second.",
            "lt input.score 60",
        ),
    ),
    helper(
        "le",
        ORDERED,
        shapes::boolean,
        |given| ordered(given, Ordering::is_le),
        (
            "Whether the first is at most (or not after) the second.",
            "le input.score 60",
        ),
    ),
    helper(
        "gt",
        ORDERED,
        shapes::boolean,
        |given| ordered(given, Ordering::is_gt),
        (
            "Whether the first is greater than (or after) the second.",
            "gt (count steps.users.items) 0",
        ),
    ),
    helper(
        "ge",
        ORDERED,
        shapes::boolean,
        |given| ordered(given, Ordering::is_ge),
        (
            "Whether the first is at least (or not before) the second.",
            "ge input.score 60",
        ),
    ),
    lazy(
        "and",
        &[
            required("a", Kind::Boolean),
            parameter("more", Kind::Boolean, Mode::Rest),
        ],
        shapes::boolean,
        Lazy::And,
        (
            "Whether all are true; stops at the first that is not.",
            "and (is_present input.email) input.active",
        ),
    ),
    lazy(
        "or",
        &[
            required("a", Kind::Boolean),
            parameter("more", Kind::Boolean, Mode::Rest),
        ],
        shapes::boolean,
        Lazy::Or,
        (
            "Whether any is true; stops at the first that is.",
            "or input.is_admin input.is_owner",
        ),
    ),
    helper(
        "not",
        &[required("value", Kind::Boolean)],
        shapes::boolean,
        |given| truth(!given.any(0).as_bool().unwrap_or_default()),
        ("True for false and false for true.", "not input.active"),
    ),
    lazy(
        "if_else",
        &[
            required("test", Kind::Boolean),
            required("then", Kind::Any),
            required("else", Kind::Any),
        ],
        shapes::either,
        Lazy::IfElse,
        (
            "One of two values; only the chosen one is evaluated.",
            "if_else input.active \"yes\" \"no\"",
        ),
    ),
];

const COMPARED: &[super::Parameter] = &[
    parameter("a", Kind::Any, Mode::Absent),
    parameter("b", Kind::Any, Mode::Absent),
];

const ORDERED: &[super::Parameter] = &[
    parameter("a", Kind::Ordered, Mode::Absent),
    parameter("b", Kind::Ordered, Mode::Absent),
];

const fn lazy(
    name: &'static str,
    parameters: &'static [super::Parameter],
    result: fn(&[super::Given<'_>]) -> crate::shape::Shape,
    lazy: Lazy,
    documentation: (&'static str, &'static str),
) -> Helper {
    Helper {
        name,
        parameters,
        result,
        may_find_nothing: false,
        run: Run::Lazy(lazy),
        doc: documentation.0,
        example: documentation.1,
    }
}

fn truth(truth: bool) -> Result<Option<Value>, String> {
    Ok(Some(Value::Bool(truth)))
}

/// An absent value equals nothing.
fn equal(given: &Arguments<'_>) -> bool {
    match (given.value(0), given.value(1)) {
        (Some(a), Some(b)) => same(a, b),
        _ => false,
    }
}

/// An absent value is neither less nor greater.
fn ordered(given: &Arguments<'_>, holds: fn(Ordering) -> bool) -> Result<Option<Value>, String> {
    let (Some(a), Some(b)) = (given.value(0), given.value(1)) else {
        return truth(false);
    };
    let order = match (a, b) {
        (Value::Number(_), Value::Number(_)) => number_ordering(a, b),
        (Value::String(a), Value::String(b)) => match (Time::parse(a), Time::parse(b)) {
            (Some(a), Some(b)) => time_ordering(&a, &b, &given.zone(usize::MAX)?),
            _ => a.cmp(b),
        },
        _ => {
            return Err(format!(
                "{} and {} have no order; convert one of them",
                kind_of(a),
                kind_of(b)
            ));
        }
    };
    truth(holds(order))
}

/// The order of two numbers, exact for whole ones.
pub(in crate::expression) fn number_ordering(a: &Value, b: &Value) -> Ordering {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a
            .as_f64()
            .partial_cmp(&b.as_f64())
            .unwrap_or(Ordering::Equal),
    }
}

/// The order of two dates or times. A date and a time are compared by the day the time has in the
/// zone.
pub(in crate::expression) fn time_ordering(a: &Time, b: &Time, zone: &TimeZone) -> Ordering {
    match (a, b) {
        (Time::Instant(a), Time::Instant(b)) => a.at.cmp(&b.at),
        _ => a.day_in(zone).cmp(&b.day_in(zone)),
    }
}
