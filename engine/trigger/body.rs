//! The body of a delivery as data.
//!
//! In: raw bytes and what they say of themselves. Out: a value, or what is wrong with them.
//! Always true: what is no form is read as JSON, whatever it calls itself.

use crate::data::{DEPTH_MAX, Object, Value, is_deeper};

use super::Refusal;

/// The deepest nesting of a body; the event around it takes a level.
const BODY_DEPTH_MAX: usize = DEPTH_MAX - 1;

/// What a form says of itself.
const FORM: &str = "application/x-www-form-urlencoded";

/// Reads a body: the fields of a form as an object, all else as JSON.
pub fn read(bytes: &[u8], content_type: Option<&str>) -> Result<Value, Refusal> {
    let kind = content_type.and_then(|kind| kind.split(';').next());
    let kind = kind.map(|kind| kind.trim().to_lowercase());
    if kind.as_deref() == Some(FORM) {
        return Ok(form(bytes));
    }
    if bytes.trim_ascii().is_empty() {
        return Err(Refusal::Unreadable(
            "the body is not JSON: it is empty; send `{}` if there is nothing to say".into(),
        ));
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        let place = error.valid_up_to();
        return Err(Refusal::Unreadable(format!(
            "the body is not JSON: byte {place} and what follows is not UTF-8"
        )));
    }
    let value = serde_json::from_slice(bytes).map_err(|error| {
        let named = match &kind {
            Some(kind) if !kind.contains("json") => {
                format!("; it says that it is `{kind}`, send JSON or a form")
            }
            _ => String::new(),
        };
        Refusal::Unreadable(format!("the body is not JSON: {error}{named}"))
    })?;
    if is_deeper(&value, BODY_DEPTH_MAX) {
        return Err(Refusal::Unreadable(format!(
            "the body is nested more than {BODY_DEPTH_MAX} levels deep"
        )));
    }
    Ok(value)
}

/// The fields of a form; several of one name become a list.
fn form(bytes: &[u8]) -> Value {
    let mut fields = Object::new();
    for (name, value) in url::form_urlencoded::parse(bytes).into_owned() {
        match fields.get_mut(&name) {
            None => {
                fields.insert(name, value.into());
            }
            Some(Value::Array(list)) => list.push(value.into()),
            Some(first) => {
                *first = Value::Array(vec![first.take(), value.into()]);
            }
        }
    }
    Value::Object(fields)
}
