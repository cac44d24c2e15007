//! Numbers and flags in any of the ways vendors write them.

use crate::data::Value;
use crate::shape::{Shape, convert};

/// Whether the value says yes or no.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    convert(&Shape::Boolean, value.clone()).ok()??.as_bool()
}

/// The whole number in a number or in text of digits.
pub(super) fn integer(value: &Value) -> Option<Value> {
    convert(&Shape::Integer, value.clone()).ok()?
}
