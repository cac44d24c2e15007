//! An empty value of a shape, for a person to fill in.
//!
//! Always true: what must be there is there, of the right type; what may be left out is left out.

use super::{Field, Shape};
use crate::data::{Object, Value};

impl Shape {
    /// A value of this shape that says nothing.
    pub fn skeleton(&self) -> Value {
        match self {
            Self::Any | Self::Object => Value::Null,
            Self::String => "".into(),
            Self::Integer | Self::Number => 0.into(),
            Self::Boolean => false.into(),
            Self::Date => "2026-01-31".into(),
            Self::DateTime => "2026-01-31T00:00:00Z".into(),
            Self::Email => "name@example.com".into(),
            Self::Enum(values) => values.first().cloned().unwrap_or_default(),
            Self::Fields(fields) => {
                let needed = fields.iter().filter(|(_, field)| !field.may_be_left_out());
                let filled = needed.map(|(name, field)| (name.clone(), field.skeleton()));
                Value::Object(filled.collect::<Object>())
            }
            Self::List(_) => Value::Array(Vec::new()),
        }
    }
}

impl Field {
    /// Its example if it has one, else an empty value.
    fn skeleton(&self) -> Value {
        match (&self.example, &self.shape) {
            (Some(example), _) => example.clone(),
            (None, Shape::Object) => Value::Object(Object::new()),
            (None, shape) => shape.skeleton(),
        }
    }
}
