//! Shapes as JSON Schema (draft 2020-12), for forms and editors.

use serde_json::json;

use super::{Field, Shape};
use crate::data::{Object, Value};

impl Shape {
    /// The JSON Schema of values of this shape.
    pub fn to_json_schema(&self) -> Value {
        match self {
            Self::Any => json!({}),
            Self::String => json!({ "type": "string" }),
            Self::Integer => json!({ "type": "integer" }),
            Self::Number => json!({ "type": "number" }),
            Self::Boolean => json!({ "type": "boolean" }),
            Self::Date => json!({ "type": "string", "format": "date" }),
            Self::DateTime => json!({ "type": "string", "format": "date-time" }),
            Self::Email => json!({ "type": "string", "format": "email" }),
            Self::Enum(values) => json!({ "enum": values }),
            Self::Object => json!({ "type": ["object", "null"] }),
            Self::Fields(fields) => {
                let properties: Object = fields
                    .iter()
                    .map(|(name, field)| (name.clone(), field.to_json_schema()))
                    .collect();
                let required: Vec<&String> = fields
                    .iter()
                    .filter(|(_, field)| !field.may_be_left_out())
                    .map(|(name, _)| name)
                    .collect();
                json!({
                    "type": "object",
                    "properties": properties,
                    "required": required,
                    "additionalProperties": false,
                })
            }
            Self::List(element) => {
                json!({ "type": "array", "items": element.to_json_schema() })
            }
        }
    }
}

impl Field {
    /// The JSON Schema of the field: its shape with everything else that is said of it.
    pub fn to_json_schema(&self) -> Value {
        let mut schema = self.shape.to_json_schema();
        let Some(object) = schema.as_object_mut() else {
            return schema;
        };
        let pattern = self.pattern.as_ref().map(|p| format!("^(?:{p})$"));
        let details = [
            ("title", self.label.clone().map(Value::from)),
            ("description", self.description.clone().map(Value::from)),
            ("default", self.default.clone()),
            (
                "examples",
                self.example.clone().map(|example| json!([example])),
            ),
            ("pattern", pattern.map(Value::from)),
            ("minimum", self.minimum.map(number)),
            ("maximum", self.maximum.map(number)),
            ("writeOnly", self.secret.then_some(Value::Bool(true))),
        ];
        for (name, value) in details {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        }
        schema
    }
}

/// A limit as it was written: `5`, not `5.0`.
fn number(limit: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and in range: checked"
    )]
    if limit.fract() == 0.0 && limit.abs() < 9.0e15 {
        return Value::from(limit as i64);
    }
    Value::from(limit)
}
