//! Shapes in an admin's words: "a list of whole numbers".

use std::fmt;

use super::Shape;
use crate::data::{Value, quoted};

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any value"),
            Self::String => f.write_str("text"),
            Self::Integer => f.write_str("a whole number"),
            Self::Number => f.write_str("a number"),
            Self::Boolean => f.write_str("true or false"),
            Self::Date => f.write_str("a date"),
            Self::DateTime => f.write_str("a date and time"),
            Self::Email => f.write_str("an e-mail address"),
            Self::Enum(values) => write!(f, "one of {}", listed(values)),
            Self::Object => f.write_str("an object"),
            Self::Fields(fields) if fields.is_empty() => f.write_str("an object without fields"),
            Self::Fields(fields) => {
                let names: Vec<_> = fields.keys().take(4).map(|n| format!("`{n}`")).collect();
                let more = if fields.len() > 4 { ", ..." } else { "" };
                write!(f, "an object with {}{more}", names.join(", "))
            }
            Self::List(element) => write!(f, "a list of {}", plural(element)),
        }
    }
}

/// The shape of many things: "whole numbers".
fn plural(shape: &Shape) -> String {
    match shape {
        Shape::Any => "anything".to_owned(),
        Shape::String => "texts".to_owned(),
        Shape::Integer => "whole numbers".to_owned(),
        Shape::Number => "numbers".to_owned(),
        Shape::Boolean => "true or false values".to_owned(),
        Shape::Date => "dates".to_owned(),
        Shape::DateTime => "dates and times".to_owned(),
        Shape::Email => "e-mail addresses".to_owned(),
        Shape::Enum(values) => format!("values out of {}", listed(values)),
        Shape::Object => "objects".to_owned(),
        Shape::Fields(_) => shape.to_string().replacen("an object", "objects", 1),
        Shape::List(element) => format!("lists of {}", plural(element)),
    }
}

/// Some values, the first few of them.
pub(super) fn listed(values: &[Value]) -> String {
    let shown: Vec<_> = values.iter().take(6).map(quoted).collect();
    let more = if values.len() > 6 { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}
