//! Values that people write as text: cells of CSV files and settings.
//!
//! In: a text and the declared field. Out: the value, or what was expected instead.
//! Always true: an empty text is an absent value; nothing is guessed: a text that is not plainly a
//! value of its type is refused.

use crate::data::Value;
use crate::shape::{Field, Shape};

/// The value that a text stands for; `None` if it is empty.
pub fn value_of_text(field: &Field, text: &str) -> Result<Option<Value>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let value = read(&field.shape, text)?;
    match field.check(&value, "").first() {
        None => Ok(Some(value)),
        Some(misfit) => Err(misfit.message.clone()),
    }
}

/// The text of a value, such that [`value_of_text`] reads it back.
pub fn text_of_value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn read(shape: &Shape, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    let expected = |what: &str| format!("expected {what}, not `{trimmed}`");
    match shape {
        Shape::String | Shape::Any => Ok(Value::from(text)),
        Shape::Date | Shape::DateTime | Shape::Email => Ok(Value::from(trimmed)),
        Shape::Integer => trimmed
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| expected("a whole number such as 42")),
        Shape::Number => number(trimmed).ok_or_else(|| expected("a number such as 4.5")),
        Shape::Boolean => match trimmed {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            other if other.eq_ignore_ascii_case("true") || other.eq_ignore_ascii_case("false") => {
                Err(format!("{} in lower case", expected("true or false")))
            }
            _ => Err(expected("true or false")),
        },
        Shape::Enum(values) => values
            .iter()
            .find(|allowed| text_of_value(allowed) == trimmed)
            .cloned()
            .ok_or_else(|| one_of(values, trimmed)),
        Shape::Object | Shape::Fields(_) | Shape::List(_) => {
            serde_json::from_str(trimmed).map_err(|_| expected(&format!("{shape} as JSON")))
        }
    }
}

fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::from(whole));
    }
    let is_plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let float = text.parse::<f64>().ok().filter(|_| is_plain)?;
    float.is_finite().then(|| Value::from(float))
}

fn one_of(values: &[Value], text: &str) -> String {
    let allowed: Vec<String> = values
        .iter()
        .map(|value| format!("`{}`", text_of_value(value)))
        .collect();
    let near = values
        .iter()
        .map(text_of_value)
        .find(|allowed| allowed.eq_ignore_ascii_case(text));
    let hint = match near {
        Some(_) => ", letter for letter",
        None => "",
    };
    format!("expected one of {}{hint}, not `{text}`", allowed.join(", "))
}
