//! Vendors' loose values turned into clean ones.
//!
//! Always true: what cannot be turned without guessing is an error that names kinds, not contents;
//! null, empty text (except where text is asked for) and zero dates are absent.

use crate::data::{Value, kind_of};
use crate::shape::Shape;

/// The value in the declared shape; `None` if the vendor means that there is none.
pub(super) fn convert(shape: &Shape, value: Value) -> Result<Option<Value>, String> {
    match (shape, value) {
        (Shape::Any, value) => Ok(Some(value)),
        (_, Value::Null) => Ok(None),
        (Shape::String, value) => text(value).map(Some),
        (Shape::Integer | Shape::Number | Shape::Boolean | Shape::Email, Value::String(text))
            if text.trim().is_empty() =>
        {
            Ok(None)
        }
        (Shape::Date | Shape::DateTime, Value::String(text)) if is_no_date(&text) => Ok(None),
        (Shape::Enum(_), Value::String(text)) if text.is_empty() => Ok(None),
        (Shape::Integer, value) => integer(&value).map(Some).ok_or_else(|| unfit(shape, &value)),
        (Shape::Number, value) => number(&value).map(Some).ok_or_else(|| unfit(shape, &value)),
        (Shape::Boolean, value) => boolean(&value)
            .map(|fact| Some(Value::Bool(fact)))
            .ok_or_else(|| unfit(shape, &value)),
        (Shape::Date, value) => moment(&value)
            .map(|at| Some(Value::from(at.date().to_string())))
            .ok_or_else(|| unfit(shape, &value)),
        (Shape::DateTime, value) => moment(&value)
            .and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).ok())
            .map(|at| Some(Value::from(at.timestamp().to_string())))
            .ok_or_else(|| unfit(shape, &value)),
        // Vendors store all sorts of things as addresses; a recipe that needs a sound one checks.
        (Shape::Email, Value::String(text)) => Ok(Some(Value::String(text.trim().to_owned()))),
        (Shape::Enum(allowed), value) => one_of(allowed, value),
        (Shape::Object, Value::Object(object)) => Ok(Some(Value::Object(object))),
        // Some servers write an empty object as an empty list.
        (Shape::Object, Value::Array(list)) if list.is_empty() => {
            Ok(Some(Value::Object(crate::data::Object::new())))
        }
        (Shape::List(element), Value::Array(list)) => {
            let mut converted = Vec::with_capacity(list.len());
            for (index, value) in list.into_iter().enumerate() {
                let value = convert(element, value).map_err(|why| format!("[{index}]: {why}"))?;
                converted.extend(value);
            }
            Ok(Some(Value::Array(converted)))
        }
        (Shape::Fields(fields), Value::Object(mut object)) => {
            let mut converted = crate::data::Object::new();
            for (name, field) in fields {
                let value = object.shift_remove(name).unwrap_or(Value::Null);
                match convert(&field.shape, value).map_err(|why| format!("{name}: {why}"))? {
                    Some(value) => {
                        converted.insert(name.clone(), value);
                    }
                    None if field.may_be_left_out() => {}
                    None => return Err(format!("{name} is missing")),
                }
            }
            Ok(Some(Value::Object(converted)))
        }
        (_, value) => Err(unfit(shape, &value)),
    }
}

/// Whether the value says yes or no in one of the ways vendors do.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(fact) => Some(*fact),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => Some(true),
            "0" | "false" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The whole number in a number or in text of digits.
pub(super) fn integer(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(value.clone()),
        // Up to this size every whole number has a float of its own.
        Value::Number(number) => number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0)
            .map(|float| Value::from(float as i64)),
        Value::String(text) => text.trim().parse::<i64>().ok().map(Value::from),
        _ => None,
    }
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => match text.trim().parse::<i64>() {
            Ok(whole) => Some(Value::from(whole)),
            Err(_) => text
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|float| float.is_finite())
                .map(Value::from),
        },
        _ => None,
    }
}

fn text(value: Value) -> Result<Value, String> {
    match value {
        Value::String(_) => Ok(value),
        Value::Number(number) => Ok(Value::from(number.to_string())),
        Value::Bool(fact) => Ok(Value::from(fact.to_string())),
        other => Err(unfit(&Shape::String, &other)),
    }
}

/// The moment, in UTC where no zone is given.
fn moment(value: &Value) -> Option<jiff::civil::DateTime> {
    match value {
        Value::Number(seconds) => {
            let micros = seconds.as_f64().filter(|s| s.abs() < 1e12)? * 1e6;
            let at = jiff::Timestamp::from_microsecond(micros as i64).ok()?;
            Some(at.to_zoned(jiff::tz::TimeZone::UTC).datetime())
        }
        Value::String(text) => {
            let text = text.trim();
            if let Ok(at) = text.parse::<jiff::Timestamp>() {
                return Some(at.to_zoned(jiff::tz::TimeZone::UTC).datetime());
            }
            if let Ok(at) = jiff::civil::DateTime::strptime("%d/%m/%Y %H:%M:%S", text) {
                return Some(at);
            }
            if let Ok(day) = jiff::civil::Date::strptime("%d/%m/%Y", text) {
                return Some(day.to_datetime(jiff::civil::Time::midnight()));
            }
            text.parse::<jiff::civil::DateTime>().ok()
        }
        _ => None,
    }
}

/// Empty text and the dates that databases write for "none".
fn is_no_date(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.starts_with("0000-00-00")
}

fn one_of(allowed: &[Value], value: Value) -> Result<Option<Value>, String> {
    let as_text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let written = as_text(&value);
    allowed
        .iter()
        .find(|known| as_text(known) == written)
        .cloned()
        .map(Some)
        .ok_or_else(|| {
            let known: Vec<String> = allowed.iter().map(as_text).collect();
            format!("expected one of {}, not `{written}`", known.join(", "))
        })
}

fn unfit(shape: &Shape, value: &Value) -> String {
    format!("expected {}, not {}", word(shape), kind_of(value))
}

/// The shape in an admin's words.
pub(super) fn word(shape: &Shape) -> &'static str {
    match shape {
        Shape::Any => "anything",
        Shape::String => "text",
        Shape::Integer => "a whole number",
        Shape::Number => "a number",
        Shape::Boolean => "true or false",
        Shape::Date => "a date",
        Shape::DateTime => "a date and time",
        Shape::Email => "an e-mail address",
        Shape::Enum(_) => "one of its values",
        Shape::Object | Shape::Fields(_) => "an object",
        Shape::List(_) => "a list",
    }
}
