//! Lenient reading of what vendors send: ids as text or number, `"1"` for true, zero-dates.
//!
//! In: a declared shape and a vendor's value. Out: a value of that shape, absent, or why not.
//! Always true: only connectors convert; a value that is unclear is refused, never guessed.

use super::check::misfit;
use super::dates::{is_zero_date, parse_lenient, since_1970};
use super::{Instant, Shape, Time, check};
use crate::data::{Object, Value, same};

/// The value in its declared shape; `None` if the vendor's value means "nothing there".
pub fn convert(shape: &Shape, value: Value) -> Result<Option<Value>, String> {
    match (shape, value) {
        (Shape::Any | Shape::Object, value) => Ok(Some(value)),
        (_, Value::Null) => Ok(None),
        (Shape::String, value) => text(value).map(Some),
        (Shape::Integer, value) => integer(value),
        (Shape::Number, value) => number(value),
        (Shape::Boolean, value) => boolean(value),
        (Shape::Date | Shape::DateTime, value) => time(shape, value),
        // Vendors store all sorts of things as addresses; a recipe that needs a sound one checks.
        (Shape::Email, Value::String(text)) => {
            let text = text.trim();
            Ok((!text.is_empty()).then(|| Value::from(text)))
        }
        (Shape::Enum(values), value) => one_of(values, value),
        (Shape::List(element), Value::Array(list)) => {
            let mut converted = Vec::with_capacity(list.len());
            for (index, value) in list.into_iter().enumerate() {
                let value = convert(element, value).map_err(|why| format!("[{index}]: {why}"))?;
                converted.extend(value);
            }
            Ok(Some(Value::Array(converted)))
        }
        (Shape::Fields(_), Value::Object(object)) => fields(shape, object),
        (shape, value) => Err(misfit(shape, &value)),
    }
}

/// The declared fields of an object; what is not declared is left out.
fn fields(shape: &Shape, mut object: Object) -> Result<Option<Value>, String> {
    let Shape::Fields(fields) = shape else {
        return Ok(Some(Value::Object(object)));
    };
    let mut converted = Object::new();
    for (name, field) in fields {
        let value = match object.shift_remove(name) {
            Some(value) => {
                convert(&field.shape, value).map_err(|why| format!("`{name}`: {why}"))?
            }
            None => None,
        };
        match value.or_else(|| field.default.clone()) {
            Some(value) => {
                if let Some(broken) = check::breaks_limit(field, &value) {
                    return Err(format!("`{name}`: {broken}"));
                }
                converted.insert(name.clone(), value);
            }
            None if field.optional => {}
            None => return Err(format!("`{name}` is missing; expected {}", field.shape)),
        }
    }
    Ok(Some(Value::Object(converted)))
}

fn text(value: Value) -> Result<Value, String> {
    match value {
        Value::Number(number) if !number.is_f64() => Ok(Value::String(number.to_string())),
        Value::Bool(bool) => Ok(Value::String(bool.to_string())),
        Value::String(_) => Ok(value),
        other => Err(misfit(&Shape::String, &other)),
    }
}

fn integer(value: Value) -> Result<Option<Value>, String> {
    match &value {
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => match text.trim().parse::<i64>() {
            Ok(number) => Ok(Some(Value::from(number))),
            Err(_) => Err(misfit(&Shape::Integer, &value)),
        },
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(_), _) => Ok(Some(value)),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole and in range: checked"
            )]
            (_, Some(float)) if float.fract() == 0.0 && float.abs() < 9.0e15 => {
                Ok(Some(Value::from(float as i64)))
            }
            _ => Err(misfit(&Shape::Integer, &value)),
        },
        other => Err(misfit(&Shape::Integer, other)),
    }
}

fn number(value: Value) -> Result<Option<Value>, String> {
    match &value {
        Value::Number(_) => Ok(Some(value)),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => {
            let text = text.trim();
            let plain = text
                .bytes()
                .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
            match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(whole), _) => Ok(Some(Value::from(whole))),
                (_, Ok(number)) if plain && number.is_finite() => Ok(Some(Value::from(number))),
                _ => Err(misfit(&Shape::Number, &value)),
            }
        }
        other => Err(misfit(&Shape::Number, other)),
    }
}

fn boolean(value: Value) -> Result<Option<Value>, String> {
    let read = match &value {
        Value::Bool(bool) => Some(*bool),
        Value::Number(number) => match number.as_i64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => Some(true),
            "0" | "false" | "no" => Some(false),
            "" => return Ok(None),
            _ => None,
        },
        _ => None,
    };
    match read {
        Some(bool) => Ok(Some(Value::Bool(bool))),
        None => Err(misfit(&Shape::Boolean, &value)),
    }
}

fn time(shape: &Shape, value: Value) -> Result<Option<Value>, String> {
    let read = match &value {
        Value::String(text) if is_zero_date(text) => return Ok(None),
        Value::String(text) => parse_lenient(text),
        Value::Number(number) => number.as_f64().and_then(since_1970),
        _ => None,
    };
    let read = match (shape, read) {
        (Shape::Date, Some(Time::Day(day))) => day.to_string(),
        // A vendor's clock is UTC unless it says otherwise; the day is the one it wrote.
        (Shape::Date, Some(Time::Instant(instant))) => instant.zoned().date().to_string(),
        (Shape::DateTime, Some(Time::Instant(instant))) => Instant::utc(instant.at).text(),
        (Shape::DateTime, Some(Time::Day(day))) => format!("{day}T00:00:00Z"),
        _ => return Err(misfit(shape, &value)),
    };
    Ok(Some(Value::String(read)))
}

/// One of the allowed values; a number may be written as text and the other way round.
fn one_of(values: &[Value], value: Value) -> Result<Option<Value>, String> {
    let found = values.iter().find(|known| same(known, &value)).or_else(|| {
        values.iter().find(|known| match (known, &value) {
            (Value::String(known), Value::Number(number)) => *known == number.to_string(),
            (Value::Number(known), Value::String(text)) => known.to_string() == text.trim(),
            _ => false,
        })
    });
    match found {
        Some(found) => Ok(Some(found.clone())),
        None if value.as_str().is_some_and(str::is_empty) => Ok(None),
        None => Err(misfit(&Shape::Enum(values.to_vec()), &value)),
    }
}
