//! The output of an action, made of what the vendor sent.
//!
//! In: a reply's object and the mapping. Out: an object of exactly the declared fields.
//! Always true: what is missing or does not fit is an error that names the field.

use std::sync::Arc;

use indexmap::IndexMap;

use super::convert::boolean;
use super::roots::Values;
use crate::data::{Object, Value};
use crate::expression::{Expression, Scope};
use crate::shape::{Shape, convert};

/// How an object is made of another.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    /// Its fields, in the order of the file.
    pub fields: Vec<OutputField>,
}

/// One field of an output.
#[derive(Clone, Debug)]
pub struct OutputField {
    /// Its name.
    pub name: String,
    /// Whether it may be absent.
    pub optional: bool,
    /// Where it comes from.
    pub source: Source,
}

/// Where an output field comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A value.
    Value {
        /// The value; the member of `item` with the field's name if left out.
        from: Option<Expression>,
        /// Words to be replaced, by the value's text.
        map: IndexMap<String, Value>,
        /// Whether what does not fit is dropped.
        drop_unfit: bool,
        /// The shape it must get.
        shape: Shape,
    },
    /// A list of objects.
    List {
        /// The list.
        list: Expression,
        /// How each of its elements is mapped; it is the root `item` there.
        each: Mapping,
    },
    /// An object.
    Object {
        /// The object; it is the root `item` below.
        object: Expression,
        /// How it is mapped.
        fields: Mapping,
    },
}

impl Mapping {
    /// The object, made of `item` with the other roots in reach.
    pub fn apply(&self, values: &Values, item: &Arc<Value>) -> Result<Object, String> {
        let scope = values.with("item", item.clone());
        let mut output = Object::new();
        for field in &self.fields {
            let value = field
                .source
                .value(&scope, item, &field.name)
                .map_err(|why| format!("`{}`: {why}", field.name))?;
            match value {
                Some(value) => {
                    output.insert(field.name.clone(), value);
                }
                None if field.optional => {}
                None => return Err(format!("`{}`: is missing{}", field.name, there(item))),
            }
        }
        Ok(output)
    }
}

impl Source {
    fn value(&self, scope: &Values, item: &Value, name: &str) -> Result<Option<Value>, String> {
        match self {
            Self::Value {
                from,
                map,
                drop_unfit,
                shape,
            } => {
                let value = match from {
                    None => item.get(name).cloned(),
                    Some(from) => match evaluate(from, scope) {
                        Err(_) if *drop_unfit => None,
                        evaluated => evaluated?,
                    },
                };
                let Some(value) = value else { return Ok(None) };
                match convert(shape, replaced(map, value)) {
                    Err(_) if *drop_unfit => Ok(None),
                    converted => converted,
                }
            }
            Self::List { list, each } => {
                let elements = match evaluate(list, scope)? {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(elements)) => elements,
                    Some(other) => {
                        return Err(format!(
                            "expected a list, not {}",
                            crate::data::kind_of(&other)
                        ));
                    }
                };
                let mut mapped = Vec::with_capacity(elements.len());
                for (index, element) in elements.into_iter().enumerate() {
                    let element = each
                        .apply(scope, &Arc::new(element))
                        .map_err(|why| format!("[{index}] {why}"))?;
                    mapped.push(Value::Object(element));
                }
                Ok(Some(Value::Array(mapped)))
            }
            Self::Object { object, fields } => {
                let object = evaluate(object, scope)?.unwrap_or(Value::Null);
                let mapped = fields.apply(scope, &Arc::new(object))?;
                Ok(Some(Value::Object(mapped)))
            }
        }
    }
}

/// The value, with the engine's words for what is wrong.
pub(super) fn evaluate(
    expression: &Expression,
    scope: &dyn Scope,
) -> Result<Option<Value>, String> {
    expression
        .evaluate(scope)
        .map_err(|error| format!("{}: {}", error.expression, error.message))
}

/// The flag that an expression gives, in any of the ways vendors write one; absent is no.
pub(super) fn flag(expression: &Expression, scope: &dyn Scope) -> Result<bool, String> {
    match evaluate(expression, scope)? {
        None | Some(Value::Null) => Ok(false),
        Some(value) => {
            boolean(&value).ok_or_else(|| format!("expected {}, not {value}", Shape::Boolean))
        }
    }
}

fn replaced(map: &IndexMap<String, Value>, value: Value) -> Value {
    if map.is_empty() {
        return value;
    }
    let found = match &value {
        Value::String(text) => map.get(text.as_str()),
        Value::Number(_) | Value::Bool(_) => map.get(&value.to_string()),
        _ => None,
    };
    found.cloned().unwrap_or(value)
}

/// What was there instead, for "is missing".
fn there(item: &Value) -> String {
    match item {
        Value::Object(object) => {
            let names: Vec<&str> = object.keys().take(8).map(String::as_str).collect();
            format!(" among {}", names.join(", "))
        }
        other => format!(
            ": there is {} instead of an object",
            crate::data::kind_of(other)
        ),
    }
}
