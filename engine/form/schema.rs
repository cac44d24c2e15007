//! Forms as JSON Schema, for editors.
//!
//! In: a form. Out: a schema of draft 2020-12 with every nested form under `$defs`.
//! Always true: a file that `check` accepts is accepted by the schema; the schema knows less (it
//! does not look into paths and templates).

use serde_json::json;

use super::{Form, Key, Kind, Naming};
use crate::data::{Object, Value};

/// The schema of a file of this form.
pub fn schema(form: &'static Form, title: &str) -> Value {
    let mut definitions = Object::new();
    let root = of_form(form, &mut definitions);
    let mut schema = Object::new();
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("title".to_owned(), json!(title));
    if let Value::Object(root) = root {
        schema.extend(root);
    }
    definitions.sort_keys();
    schema.insert("$defs".to_owned(), Value::Object(definitions));
    Value::Object(schema)
}

fn of_form(form: &'static Form, definitions: &mut Object) -> Value {
    let mut properties = Object::new();
    for key in form.all_keys() {
        let described = of_key(key, definitions);
        // The same key may belong to several kinds and take something else in each.
        match properties.get_mut(key.name) {
            None => {
                properties.insert(key.name.to_owned(), described);
            }
            Some(before) if *before == described => {}
            Some(before) => match before.get_mut("anyOf").and_then(Value::as_array_mut) {
                Some(choices) if choices.contains(&described) => {}
                Some(choices) => choices.push(described),
                None => *before = json!({ "anyOf": [before.clone(), described] }),
            },
        }
    }
    let mut schema = Object::new();
    schema.insert("description".to_owned(), json!(form.doc));
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), json!(false));
    let required = required(form.keys);
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    if !form.variants.is_empty() {
        let choices: Vec<Value> = form
            .variants
            .iter()
            .map(|variant| {
                let mut needed = vec![variant.key.name];
                needed.extend(self::required(variant.with));
                let mut choice = json!({ "required": needed });
                if !variant.one_of.is_empty() {
                    let one: Vec<_> = variant
                        .one_of
                        .iter()
                        .map(|key| json!({ "required": [key.name] }))
                        .collect();
                    choice["oneOf"] = Value::Array(one);
                }
                choice
            })
            .collect();
        schema.insert("oneOf".to_owned(), Value::Array(choices));
    }
    Value::Object(schema)
}

fn required(keys: &[Key]) -> Vec<&'static str> {
    let required = keys.iter().filter(|key| key.is_required);
    required.map(|key| key.name).collect()
}

fn of_key(key: &'static Key, definitions: &mut Object) -> Value {
    let mut schema = Object::new();
    schema.insert("description".to_owned(), json!(key.doc));
    if let Value::Object(kind) = of_kind(&key.kind, definitions) {
        for (name, value) in kind {
            if name != "description" {
                schema.insert(name, value);
            }
        }
    }
    Value::Object(schema)
}

fn of_kind(kind: &'static Kind, definitions: &mut Object) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Factor => json!({ "type": "number", "minimum": 1, "maximum": 100 }),
        Kind::Period => json!({
            "type": "string",
            "pattern": r"^\s*([0-9]+\s*(ms|s|m|h|d)\s*)+$",
            "examples": ["30s", "5m", "6h", "7d"],
        }),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Id => json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]*$" }),
        Kind::Name => json!({ "type": "string", "pattern": "^[a-z0-9]+([-_][a-z0-9]+)*$" }),
        Kind::Value | Kind::Data => json!({}),
        Kind::Condition => json!({ "type": ["object", "string", "boolean"] }),
        Kind::Type => json!({ "type": ["string", "array", "object"] }),
        Kind::Fields => json!({
            "type": ["object", "null"],
            "additionalProperties": { "type": ["string", "array", "object"] },
        }),
        Kind::Form(form) => reference(form, definitions),
        Kind::FormOrNothing(form) => {
            json!({ "anyOf": [reference(form, definitions), { "type": "null" }] })
        }
        Kind::List(element) => json!({ "type": "array", "items": of_kind(element, definitions) }),
        Kind::Map(naming, element) => {
            let element = of_kind(element, definitions);
            match naming {
                Naming::Id => json!({
                    "type": "object",
                    "patternProperties": { "^[a-z][a-z0-9_]*$": element },
                    "additionalProperties": false,
                }),
                Naming::Name => json!({
                    "type": "object",
                    "patternProperties": { "^[a-z0-9]+([-_][a-z0-9]+)*$": element },
                    "additionalProperties": false,
                }),
                Naming::Free => json!({ "type": "object", "additionalProperties": element }),
            }
        }
        Kind::Either(kinds) => {
            let choices: Vec<_> = kinds
                .iter()
                .map(|kind| of_kind(kind, definitions))
                .collect();
            json!({ "anyOf": choices })
        }
    }
}

/// Describes a form once, however often it is used.
fn reference(form: &'static Form, definitions: &mut Object) -> Value {
    if !definitions.contains_key(form.name) {
        // Steps hold steps: the name is taken before the form is looked into.
        definitions.insert(form.name.to_owned(), Value::Null);
        let described = of_form(form, definitions);
        definitions.insert(form.name.to_owned(), described);
    }
    json!({ "$ref": format!("#/$defs/{}", form.name.replace(' ', "%20")) })
}
