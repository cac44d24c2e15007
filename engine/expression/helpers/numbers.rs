//! Helpers for numbers. Whole numbers stay whole; a result that does not fit is an error.

use serde_json::Number;

use super::{Arguments, Helper, Kind, Mode, helper, parameter, required, shapes};
use crate::data::Value;

pub(super) const HELPERS: &[Helper] = &[
    helper(
        "add",
        &[
            required("a", Kind::Number),
            required("b", Kind::Number),
            parameter("more", Kind::Number, Mode::Rest),
        ],
        shapes::numeric,
        |given| fold(given, i64::checked_add, |a, b| a + b),
        ("The sum.", "add input.count 1"),
    ),
    helper(
        "subtract",
        &[required("a", Kind::Number), required("b", Kind::Number)],
        shapes::numeric,
        |given| fold(given, i64::checked_sub, |a, b| a - b),
        (
            "The first number less the second.",
            "subtract input.total input.used",
        ),
    ),
    helper(
        "multiply",
        &[
            required("a", Kind::Number),
            required("b", Kind::Number),
            parameter("more", Kind::Number, Mode::Rest),
        ],
        shapes::numeric,
        |given| fold(given, i64::checked_mul, |a, b| a * b),
        ("The product.", "multiply input.hours 60"),
    ),
    helper(
        "divide",
        &[required("a", Kind::Number), required("b", Kind::Number)],
        shapes::number,
        divide,
        (
            "The first number by the second, with its fraction; `round` makes it whole.",
            "divide input.minutes 60",
        ),
    ),
    helper(
        "round",
        &[
            required("number", Kind::Number),
            parameter("digits", Kind::Integer, Mode::Optional),
        ],
        |given| {
            if given.len() > 1 {
                crate::shape::Shape::Number
            } else {
                crate::shape::Shape::Integer
            }
        },
        round,
        (
            "The nearest whole number, or the number with so many digits.",
            "round (divide input.minutes 60)",
        ),
    ),
    helper(
        "to_integer",
        &[required("value", Kind::Ordered)],
        shapes::integer,
        to_integer,
        (
            "Text or a number as a whole number; a fraction is an error.",
            "to_integer \"42\"",
        ),
    ),
    helper(
        "to_number",
        &[required("value", Kind::Ordered)],
        shapes::number,
        to_number,
        ("Text as a number.", "to_number \"4.5\""),
    ),
];

/// A number as a value; what no number can hold is an error.
pub(super) fn number(number: f64) -> Result<Option<Value>, String> {
    match Number::from_f64(number) {
        Some(number) => Ok(Some(Value::Number(number))),
        None => Err("the result is too great for a number".to_owned()),
    }
}

/// Adds or multiplies all values: whole as long as all are.
pub(super) fn fold_values<'a>(
    values: impl Iterator<Item = &'a Value>,
    whole: fn(i64, i64) -> Option<i64>,
    real: fn(f64, f64) -> f64,
) -> Result<Option<Value>, String> {
    let mut total: Option<Value> = None;
    for value in values {
        let next = match &total {
            None => value.clone(),
            Some(before) => match (before.as_i64(), value.as_i64()) {
                (Some(a), Some(b)) => {
                    Value::from(whole(a, b).ok_or_else(|| "the result is too great".to_owned())?)
                }
                _ => {
                    let (a, b) = (before.as_f64(), value.as_f64());
                    let result = real(a.unwrap_or_default(), b.unwrap_or_default());
                    number(result)?.unwrap_or_default()
                }
            },
        };
        total = Some(next);
    }
    Ok(total)
}

fn fold(
    given: &Arguments<'_>,
    whole: fn(i64, i64) -> Option<i64>,
    real: fn(f64, f64) -> f64,
) -> Result<Option<Value>, String> {
    fold_values(
        (0..given.values.len()).map(|index| given.any(index)),
        whole,
        real,
    )
}

fn real(given: &Arguments<'_>, index: usize) -> f64 {
    given.any(index).as_f64().unwrap_or_default()
}

fn divide(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    if real(given, 1) == 0.0 {
        return Err("nothing can be divided by 0".to_owned());
    }
    number(real(given, 0) / real(given, 1))
}

fn round(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    if given.values.len() == 1 {
        if given.any(0).is_i64() {
            return Ok(Some(given.any(0).clone()));
        }
        return whole(real(given, 0).round());
    }
    let digits = i32::try_from(given.integer(1)).unwrap_or(i32::MAX);
    if !(0..=12).contains(&digits) {
        return Err("a number is rounded to 0 to 12 digits".to_owned());
    }
    let scale = 10_f64.powi(digits);
    let scaled = real(given, 0) * scale;
    if !scaled.is_finite() {
        return Ok(Some(given.any(0).clone()));
    }
    number(scaled.round() / scale)
}

/// A number without fraction as a whole number.
fn whole(number: f64) -> Result<Option<Value>, String> {
    if number.abs() >= 9_007_199_254_740_992.0 {
        return Err(format!("{number} is too great for a whole number"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and in range: checked above"
    )]
    Ok(Some(Value::from(number as i64)))
}

fn to_integer(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    match given.any(0) {
        Value::String(text) => match text.trim().parse::<i64>() {
            Ok(number) => Ok(Some(Value::from(number))),
            Err(_) => Err(format!("`{text}` is no whole number")),
        },
        value if value.is_i64() || value.is_u64() => Ok(Some(value.clone())),
        value => match value.as_f64() {
            Some(number) if number.fract() == 0.0 => whole(number),
            _ => Err(format!("{value} is no whole number; `round` makes it one")),
        },
    }
}

fn to_number(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let Value::String(text) = given.any(0) else {
        return Ok(Some(given.any(0).clone()));
    };
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(Some(Value::from(whole)));
    }
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    match text.parse::<f64>() {
        Ok(parsed) if plain => number(parsed),
        _ => Err(format!("`{text}` is no number; write it as 1234.5")),
    }
}
