//! Comparing shapes before anything runs: can a value of this shape stand where that is expected?
//!
//! In: two shapes. Out: always, maybe (checked at run time) or never, with the reasons.

use super::check::{below, surplus};
use super::{Field, Misfit, Shape};
use crate::data::Value;

/// Whether values of one shape fit another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Every value does.
    Always,
    /// Some may; it is checked when the value is there.
    Maybe,
    /// No value does.
    Never,
}

/// What stands under a name in a shape.
#[derive(Clone, Debug)]
pub enum Member<'a> {
    /// A declared field.
    Field(&'a Field),
    /// The shape does not say what is inside.
    Unknown,
    /// An object that has no such field.
    Missing,
    /// Not an object at all.
    NotAnObject,
}

impl Shape {
    /// Whether values of the other shape fit this one.
    pub fn accepts(&self, other: &Shape) -> Fit {
        compare(self, other, "", &mut Vec::new())
    }

    /// The places where no value of the other shape can fit this one.
    pub fn mismatches(&self, other: &Shape, path: &str) -> Vec<Misfit> {
        let mut found = Vec::new();
        compare(self, other, path, &mut found);
        found
    }

    /// What stands under a name.
    pub fn member(&self, name: &str) -> Member<'_> {
        match self {
            Self::Any | Self::Object => Member::Unknown,
            Self::Fields(fields) => fields.get(name).map_or(Member::Missing, Member::Field),
            _ => Member::NotAnObject,
        }
    }

    /// The shape of the elements; `None` if it is no list.
    pub fn element(&self) -> Option<&Shape> {
        match self {
            Self::List(element) => Some(element),
            Self::Any => Some(self),
            _ => None,
        }
    }

    /// Whether values of it are text.
    pub fn is_text(&self) -> bool {
        match self {
            Self::String | Self::Date | Self::DateTime | Self::Email => true,
            Self::Enum(values) => values.iter().all(Value::is_string),
            _ => false,
        }
    }

    /// Whether values of it are numbers.
    pub fn is_number(&self) -> bool {
        match self {
            Self::Integer | Self::Number => true,
            Self::Enum(values) => values.iter().all(Value::is_number),
            _ => false,
        }
    }

    /// The shape of a fixed value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Any,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(list) => {
                let element = list.iter().map(Self::of).reduce(|a, b| join(&a, &b));
                Self::list_of(element.unwrap_or(Self::Any))
            }
            Value::Object(object) => Self::Fields(
                object
                    .iter()
                    .map(|(name, value)| (name.clone(), Field::required(Self::of(value))))
                    .collect(),
            ),
        }
    }
}

/// The narrowest shape that holds the values of both.
pub fn join(a: &Shape, b: &Shape) -> Shape {
    match (a, b) {
        _ if a == b => a.clone(),
        (Shape::List(a), Shape::List(b)) => Shape::list_of(join(a, b)),
        _ if a.is_number() && b.is_number() => Shape::Number,
        _ if a.is_text() && b.is_text() => Shape::String,
        (Shape::Fields(_) | Shape::Object, Shape::Fields(_) | Shape::Object) => Shape::Object,
        _ => Shape::Any,
    }
}

fn compare(wanted: &Shape, given: &Shape, path: &str, found: &mut Vec<Misfit>) -> Fit {
    match (wanted, given) {
        (Shape::Any, _) => Fit::Always,
        (_, Shape::Any) => Fit::Maybe,
        (Shape::List(wanted), Shape::List(given)) => {
            compare(wanted, given, &format!("{path}[*]"), found)
        }
        (Shape::Fields(wanted), Shape::Fields(given)) => {
            let mut fit = Fit::Always;
            for (name, field) in wanted {
                fit = fit.max(match given.get(name) {
                    Some(given) => compare_field(field, given, &below(path, name), found),
                    None if field.may_be_left_out() => Fit::Always,
                    None => never(found, &below(path, name), "is missing".to_owned()),
                });
            }
            for name in given.keys().filter(|name| !wanted.contains_key(*name)) {
                let message = surplus(name, wanted.keys().map(String::as_str));
                fit = fit.max(never(found, &below(path, name), message));
            }
            fit
        }
        (Shape::Fields(_), Shape::Object) => Fit::Maybe,
        (Shape::Enum(wanted), _) => {
            let fit = compare_enum(wanted, given);
            if fit == Fit::Never {
                return never_shape(found, path, &Shape::Enum(wanted.clone()), given);
            }
            fit
        }
        (_, Shape::Enum(given_values)) => {
            let fitting = given_values.iter().filter(|v| wanted.fits(v)).count();
            match fitting {
                0 => never_shape(found, path, wanted, given),
                n if n == given_values.len() => Fit::Always,
                _ => Fit::Maybe,
            }
        }
        _ => match scalar(wanted, given) {
            Fit::Never => never_shape(found, path, wanted, given),
            fit => fit,
        },
    }
}

fn compare_field(wanted: &Field, given: &Field, path: &str, found: &mut Vec<Misfit>) -> Fit {
    let fit = compare(&wanted.shape, &given.shape, path, found);
    let limited = wanted.pattern.is_some() || wanted.minimum.is_some() || wanted.maximum.is_some();
    if limited || (given.optional && !wanted.may_be_left_out()) {
        return fit.max(Fit::Maybe);
    }
    fit
}

fn compare_enum(wanted: &[Value], given: &Shape) -> Fit {
    let allowed = Shape::Enum(wanted.to_vec());
    match given {
        Shape::Enum(given) => match given.iter().filter(|v| allowed.fits(v)).count() {
            0 => Fit::Never,
            n if n == given.len() => Fit::Always,
            _ => Fit::Maybe,
        },
        _ if wanted.iter().any(|value| given.fits(value)) => Fit::Maybe,
        _ => Fit::Never,
    }
}

fn scalar(wanted: &Shape, given: &Shape) -> Fit {
    match (wanted, given) {
        _ if wanted == given => Fit::Always,
        (Shape::Number, Shape::Integer) | (Shape::Object, Shape::Fields(_)) => Fit::Always,
        (Shape::Integer, Shape::Number) => Fit::Maybe,
        (Shape::String, _) if given.is_text() => Fit::Always,
        (Shape::Date | Shape::DateTime | Shape::Email, Shape::String) => Fit::Maybe,
        _ => Fit::Never,
    }
}

fn never_shape(found: &mut Vec<Misfit>, path: &str, wanted: &Shape, given: &Shape) -> Fit {
    never(found, path, format!("expected {wanted}, not {given}"))
}

fn never(found: &mut Vec<Misfit>, path: &str, message: String) -> Fit {
    found.push(Misfit {
        path: path.to_owned(),
        message,
    });
    Fit::Never
}
