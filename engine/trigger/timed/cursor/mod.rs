//! How far a poll got.
//!
//! In: the cursor values of items. Out: which items are new, and where the next poll begins.
//! Always true: a cursor never goes back; an item at the cursor itself that was seen is not new,
//! since most vendors list what is at or after the moment they are asked for.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::json;

use crate::clock::Moment;
use crate::data::{Value, digest, kind_of};
use crate::journal::Failure;

/// A place in a listing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stand {
    /// The greatest cursor value so far.
    pub(super) at: Value,
    /// The marks of the items at it.
    seen: BTreeSet<String>,
}

impl Stand {
    /// A place where nothing was seen yet.
    pub(super) fn new(at: Value) -> Self {
        Self {
            at,
            seen: BTreeSet::new(),
        }
    }

    /// Reads what [`Stand::to_value`] wrote.
    pub(super) fn read(kept: &Value) -> Option<Self> {
        let seen = kept.get("seen")?.as_array()?;
        Some(Self {
            at: kept.get("at")?.clone(),
            seen: seen
                .iter()
                .filter_map(|mark| mark.as_str().map(str::to_owned))
                .collect(),
        })
    }

    /// The place, to be kept.
    pub(super) fn to_value(&self) -> Value {
        json!({ "at": self.at, "seen": self.seen })
    }

    /// Whether an item with this cursor value is new here.
    pub(super) fn is_new(&self, at: &Value, item: &Value) -> Result<bool, Box<Failure>> {
        Ok(match compare(at, &self.at)? {
            Ordering::Less => false,
            Ordering::Equal => !self.seen.contains(&mark(item)),
            Ordering::Greater => true,
        })
    }

    /// The place after an item.
    pub(super) fn past(
        before: Option<Self>,
        at: &Value,
        item: &Value,
    ) -> Result<Self, Box<Failure>> {
        let mut stand = match before {
            None => Self::new(at.clone()),
            Some(before) => match compare(at, &before.at)? {
                Ordering::Less => return Ok(before),
                Ordering::Equal => before,
                Ordering::Greater => Self::new(at.clone()),
            },
        };
        stand.seen.insert(mark(item));
        Ok(stand)
    }
}

fn mark(item: &Value) -> String {
    digest(item.to_string().as_bytes())
}

/// Compares two cursor values: as whole numbers, moments, numbers or text.
fn compare(a: &Value, b: &Value) -> Result<Ordering, Box<Failure>> {
    if let (Some(a), Some(b)) = (whole(a), whole(b)) {
        return Ok(a.cmp(&b));
    }
    match (a, b) {
        (Value::String(a), Value::String(b)) => Ok(match (Moment::parse(a), Moment::parse(b)) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.cmp(b),
        }),
        (Value::Number(x), Value::Number(y)) => {
            let order = x.as_f64().zip(y.as_f64());
            order
                .and_then(|(x, y)| x.partial_cmp(&y))
                .ok_or_else(|| mixed(a, b))
        }
        _ => Err(mixed(a, b)),
    }
}

/// A whole number, also one that is written as text.
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn mixed(a: &Value, b: &Value) -> Box<Failure> {
    Box::new(Failure::new(
        "no_cursor",
        format!(
            "`cursor.from` gives values that cannot be put in order: {} and {}",
            kind_of(a),
            kind_of(b)
        ),
    ))
}

#[cfg(test)]
mod tests;
