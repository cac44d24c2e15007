//! JSON Schemas, in few words.

use serde_json::json;

use crate::data::{Object, Value};

/// Any text.
pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

/// A whole number, none below zero.
pub(super) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// Any number.
pub(super) fn number() -> Value {
    json!({ "type": "number" })
}

/// True or false.
pub(super) fn flag() -> Value {
    json!({ "type": "boolean" })
}

/// A moment.
pub(super) fn moment() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

/// A period such as `30s`.
pub(super) fn period() -> Value {
    json!({ "type": "string", "examples": ["30s", "5m", "1h"] })
}

/// One of these words.
pub(super) fn word(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// Any value.
pub(super) fn any() -> Value {
    json!({})
}

/// A list.
pub(super) fn list(of: Value) -> Value {
    json!({ "type": "array", "items": of })
}

/// An object whose members are all of one form.
pub(super) fn map(of: Value) -> Value {
    json!({ "type": "object", "additionalProperties": of })
}

/// This, or null.
pub(super) fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// One of several forms.
pub(super) fn either(schemas: &[Value]) -> Value {
    json!({ "anyOf": schemas })
}

/// A schema that is described once, among the components.
pub(super) fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// An object that an answer holds; a later version may add members. A name that ends in `?` may be
/// left out.
pub(super) fn object(members: &[(&str, Value)]) -> Value {
    let mut properties = Object::new();
    let mut required = Vec::new();
    for (name, schema) in members {
        match name.strip_suffix('?') {
            Some(name) => {
                properties.insert(name.to_owned(), schema.clone());
            }
            None => {
                properties.insert((*name).to_owned(), schema.clone());
                required.push(*name);
            }
        }
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// An object that a request brings: no other members are taken.
pub(super) fn exactly(members: &[(&str, Value)]) -> Value {
    let mut schema = object(members);
    schema["additionalProperties"] = false.into();
    schema
}

/// Several of these together.
pub(super) fn all_of(schemas: &[Value]) -> Value {
    json!({ "allOf": schemas })
}
