//! The shapes of what helpers give.

use indexmap::IndexMap;

use super::Given;
use crate::data::Value;
use crate::shape::{Field, Member, Shape, join};

/// Text.
pub(super) fn text(_: &[Given<'_>]) -> Shape {
    Shape::String
}

/// A list of texts.
pub(super) fn texts(_: &[Given<'_>]) -> Shape {
    Shape::list_of(Shape::String)
}

/// A whole number.
pub(super) fn integer(_: &[Given<'_>]) -> Shape {
    Shape::Integer
}

/// A number.
pub(super) fn number(_: &[Given<'_>]) -> Shape {
    Shape::Number
}

/// A whole number if all arguments are whole numbers, else a number.
pub(super) fn numeric(given: &[Given<'_>]) -> Shape {
    if given
        .iter()
        .all(|argument| *argument.shape == Shape::Integer)
    {
        return Shape::Integer;
    }
    Shape::Number
}

/// True or false.
pub(super) fn boolean(_: &[Given<'_>]) -> Shape {
    Shape::Boolean
}

/// A date.
pub(super) fn date(_: &[Given<'_>]) -> Shape {
    Shape::Date
}

/// A date and time.
pub(super) fn datetime(_: &[Given<'_>]) -> Shape {
    Shape::DateTime
}

/// Anything.
pub(super) fn any(_: &[Given<'_>]) -> Shape {
    Shape::Any
}

/// The shape of the first argument.
pub(super) fn same(given: &[Given<'_>]) -> Shape {
    given
        .first()
        .map_or(Shape::Any, |first| first.shape.clone())
}

/// The shape of the first argument if it is a date or a time; text may be either.
pub(super) fn time(given: &[Given<'_>]) -> Shape {
    match given.first().map(|first| first.shape) {
        Some(shape @ (Shape::Date | Shape::DateTime)) => shape.clone(),
        _ => Shape::String,
    }
}

/// The shape of the first argument's elements.
pub(super) fn element(given: &[Given<'_>]) -> Shape {
    let element = given.first().and_then(|first| first.shape.element());
    element.cloned().unwrap_or(Shape::Any)
}

/// The shape of the first argument's elements' elements, as a list.
pub(super) fn flat(given: &[Given<'_>]) -> Shape {
    match element(given) {
        list @ Shape::List(_) => list,
        Shape::Any => Shape::list_of(Shape::Any),
        scalar => Shape::list_of(scalar),
    }
}

/// A whole number if the list holds whole numbers, else a number.
pub(super) fn total(given: &[Given<'_>]) -> Shape {
    match element(given) {
        Shape::Integer => Shape::Integer,
        _ => Shape::Number,
    }
}

/// What both of the last two arguments fit.
pub(super) fn either(given: &[Given<'_>]) -> Shape {
    match given {
        [.., a, b] => match (a.fixed, b.fixed) {
            (Some(Value::Null), _) | (_, Some(Value::Null)) => Shape::Any,
            _ => join(a.shape, b.shape),
        },
        _ => Shape::Any,
    }
}

/// A list of what stands under the named member of each element.
pub(super) fn plucked(given: &[Given<'_>]) -> Shape {
    Shape::list_of(of_an_element(given, 1))
}

/// What stands in an element under the member that the last argument names.
pub(super) fn looked_up(given: &[Given<'_>]) -> Shape {
    of_an_element(given, 3)
}

/// What stands in the elements of the first argument under the member that this argument names.
fn of_an_element(given: &[Given<'_>], index: usize) -> Shape {
    let inner = element(given);
    let name = given.get(index).and_then(|name| name.fixed);
    match name.and_then(Value::as_str).map(|name| inner.member(name)) {
        Some(Member::Field(field)) => field.shape.clone(),
        _ => Shape::Any,
    }
}

/// What stands under the named member or at the place.
pub(super) fn member(given: &[Given<'_>]) -> Shape {
    let Some(first) = given.first() else {
        return Shape::Any;
    };
    match (first.shape, given.get(1).and_then(|key| key.fixed)) {
        (Shape::List(element), _) => (**element).clone(),
        (shape, Some(Value::String(name))) => match shape.member(name) {
            Member::Field(field) => field.shape.clone(),
            _ => Shape::Any,
        },
        _ => Shape::Any,
    }
}

/// A list of what an object's members hold.
pub(super) fn values(given: &[Given<'_>]) -> Shape {
    let fields = given.first().and_then(|first| fields(first.shape));
    let inner = fields.and_then(|fields| {
        let shapes = fields.values().map(|field| field.shape.clone());
        shapes.reduce(|a, b| join(&a, &b))
    });
    Shape::list_of(inner.unwrap_or(Shape::Any))
}

/// The fields of all arguments, later ones counting.
pub(super) fn merged(given: &[Given<'_>]) -> Shape {
    let mut all = IndexMap::new();
    for argument in given {
        let Some(fields) = fields(argument.shape) else {
            return Shape::Object;
        };
        for (name, field) in fields {
            let shadowed = field.optional && all.contains_key(name);
            let field = match all.get(name) {
                Some(Field { shape, .. }) if shadowed => Field {
                    shape: join(shape, &field.shape),
                    ..field.clone()
                },
                _ => field.clone(),
            };
            all.insert(name.clone(), field);
        }
    }
    Shape::Fields(all)
}

/// Only the named fields of the first argument.
pub(super) fn picked(given: &[Given<'_>]) -> Shape {
    match (
        given.first().and_then(|first| fields(first.shape)),
        names(given),
    ) {
        (Some(fields), Some(names)) => Shape::Fields(
            names
                .into_iter()
                .filter_map(|name| fields.get_key_value(name))
                .map(|(name, field)| (name.clone(), field.clone()))
                .collect(),
        ),
        _ => Shape::Object,
    }
}

/// All but the named fields of the first argument.
pub(super) fn omitted(given: &[Given<'_>]) -> Shape {
    match (
        given.first().and_then(|first| fields(first.shape)),
        names(given),
    ) {
        (Some(fields), Some(names)) => Shape::Fields(
            fields
                .iter()
                .filter(|(name, _)| !names.contains(&name.as_str()))
                .map(|(name, field)| (name.clone(), field.clone()))
                .collect(),
        ),
        _ => Shape::Object,
    }
}

fn fields(shape: &Shape) -> Option<&IndexMap<String, Field>> {
    match shape {
        Shape::Fields(fields) => Some(fields),
        _ => None,
    }
}

/// The names given after the first argument, if all are fixed.
fn names<'a>(given: &[Given<'a>]) -> Option<Vec<&'a str>> {
    let mut names = Vec::new();
    for argument in given.iter().skip(1) {
        match argument.fixed? {
            Value::String(name) => names.push(name.as_str()),
            Value::Array(list) => {
                for name in list {
                    names.push(name.as_str()?);
                }
            }
            _ => return None,
        }
    }
    Some(names)
}
