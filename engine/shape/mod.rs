//! What a value may look like: the types that recipes, connectors and tables declare.
//!
//! In: type words and long forms from files. Out: [`Shape`]s that check values and describe
//! themselves in words and as JSON Schema.
//! Always true: checking never converts; an optional field may be absent but is never null, unless
//! it is `any` or `object`.

mod check;
pub mod codes;
mod convert;
mod dates;
mod detail;
mod fit;
mod parse;
mod schema;
mod skeleton;
mod words;

pub use check::{Misfit, fill_defaults};
pub(crate) use check::{breaks_limit, misfit};
pub use convert::convert;
pub use dates::{Day, Instant, Time};
pub use fit::{Fit, Member, join};
pub use parse::WORDS;

use indexmap::IndexMap;

use crate::data::Value;

/// The declared type of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Anything, null included.
    Any,
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Text of the form `2026-03-01`.
    Date,
    /// Text of the form `2026-03-01T10:00:00Z`.
    DateTime,
    /// Text that is one e-mail address.
    Email,
    /// One of some values.
    Enum(Vec<Value>),
    /// An object of unknown fields (`object`).
    Object,
    /// An object of declared fields; others are refused where values are checked.
    Fields(IndexMap<String, Field>),
    /// A list whose elements have one shape.
    List(Box<Shape>),
}

/// A declared field: its shape and what else is said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The type.
    pub shape: Shape,
    /// Whether it may be absent (`string?`); a field with a default is optional too.
    pub optional: bool,
    /// The value an absent field takes.
    pub default: Option<Value>,
    /// What it means, for forms and documentation.
    pub description: Option<String>,
    /// A clear label, for forms and tables.
    pub label: Option<String>,
    /// An example, for forms.
    pub example: Option<Value>,
    /// A regular expression that text must match as a whole.
    pub pattern: Option<String>,
    /// The least number allowed.
    pub minimum: Option<f64>,
    /// The greatest number allowed.
    pub maximum: Option<f64>,
    /// Whether it may be shown to nobody.
    pub secret: bool,
    /// Whether it is about a person and masked on every way out.
    pub personal: bool,
}

impl Shape {
    /// A list of this shape.
    pub fn list_of(element: Shape) -> Self {
        Self::List(Box::new(element))
    }

    /// An object of these required fields.
    pub fn object_of<'a>(fields: impl IntoIterator<Item = (&'a str, Field)>) -> Self {
        Self::Fields(
            fields
                .into_iter()
                .map(|(name, field)| (name.to_owned(), field))
                .collect(),
        )
    }
}

impl Field {
    /// A required field of this shape, with nothing else said of it.
    pub fn required(shape: Shape) -> Self {
        Self {
            shape,
            optional: false,
            default: None,
            description: None,
            label: None,
            example: None,
            pattern: None,
            minimum: None,
            maximum: None,
            secret: false,
            personal: false,
        }
    }

    /// An optional field of this shape, with nothing else said of it.
    pub fn optional(shape: Shape) -> Self {
        Self {
            optional: true,
            ..Self::required(shape)
        }
    }

    /// Whether a value for it may be left out: it is optional or has a default.
    pub fn may_be_left_out(&self) -> bool {
        self.optional || self.default.is_some()
    }
}

#[cfg(test)]
mod tests;
