//! How far a poll got.
//!
//! In: the cursor values of items. Out: which items are new, and where the next poll begins.
//! Always true: a cursor never goes back; an item at the cursor itself that was seen is not new,
//! since most vendors list what is at or after the moment they are asked for; an item without a
//! cursor value is new once, and again when it changes.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::json;

use crate::clock::Moment;
use crate::data::{Value, digest, kind_of};
use crate::interpret::LISTED_ITEMS_MAX;
use crate::journal::Failure;

/// A place in a listing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stand {
    /// The greatest cursor value so far.
    pub(super) at: Option<Value>,
    /// The marks of the items at it.
    seen: BTreeSet<String>,
    /// The marks of items that have no cursor value.
    unplaced: BTreeSet<String>,
}

/// The most items without a cursor value that are remembered, beside those just seen.
const UNPLACED_MAX: usize = LISTED_ITEMS_MAX;

impl Stand {
    /// A place where nothing was seen yet.
    pub(super) fn new(at: Value) -> Self {
        Self {
            at: Some(at),
            ..Self::default()
        }
    }

    /// Reads what [`Stand::to_value`] wrote.
    pub(super) fn read(kept: &Value) -> Option<Self> {
        let marks = |marks: &Value| -> Option<BTreeSet<String>> {
            let marks = marks.as_array()?.iter();
            marks.map(|mark| mark.as_str().map(str::to_owned)).collect()
        };
        let at = kept.get("at")?.clone();
        Some(Self {
            at: Some(at).filter(|at| !at.is_null()),
            seen: marks(kept.get("seen")?)?,
            unplaced: kept.get("unplaced").map_or(Some(BTreeSet::new()), marks)?,
        })
    }

    /// The place, to be kept.
    pub(super) fn to_value(&self) -> Value {
        let mut kept = json!({ "at": self.at, "seen": self.seen });
        if !self.unplaced.is_empty() {
            kept["unplaced"] = json!(self.unplaced);
        }
        kept
    }

    /// Whether an item without a cursor value was seen before, as it is.
    pub(super) fn knows(&self, mark: &str) -> bool {
        self.unplaced.contains(mark)
    }

    /// The same place after a listing with such items. Those of before stay, as far as there is
    /// room: not every listing shows all of them.
    pub(super) fn with_unplaced(mut self, seen: BTreeSet<String>) -> Self {
        let room = UNPLACED_MAX.saturating_sub(seen.len());
        let before = std::mem::replace(&mut self.unplaced, seen);
        let gone: Vec<String> = before
            .into_iter()
            .filter(|mark| !self.unplaced.contains(mark))
            .take(room)
            .collect();
        self.unplaced.extend(gone);
        self
    }

    /// Whether an item with this cursor value is new here.
    pub(super) fn is_new(&self, at: &Value, item: &Value) -> Result<bool, Box<Failure>> {
        let Some(reached) = &self.at else {
            return Ok(true);
        };
        Ok(match compare(at, reached)? {
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
        let mut stand = before.unwrap_or_default();
        let order = match &stand.at {
            Some(reached) => compare(at, reached)?,
            None => Ordering::Greater,
        };
        match order {
            Ordering::Less => return Ok(stand),
            Ordering::Equal => {}
            Ordering::Greater => {
                stand.at = Some(at.clone());
                stand.seen.clear();
            }
        }
        stand.seen.insert(mark(item));
        Ok(stand)
    }
}

/// What tells an item from others, and from itself once it changed.
pub(super) fn mark(item: &Value) -> String {
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
