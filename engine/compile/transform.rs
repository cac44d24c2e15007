//! Pure list work.
//!
//! Always true: it reads and writes nothing outside its list.

use crate::expression::{Condition, Expression};
use crate::table::Sort;

/// Pure list work; the parts run in the order of the fields. The roots `item` and `index` are open.
#[derive(Debug)]
pub struct Transform {
    /// The list.
    pub from: Expression,
    /// Keeps elements for which it holds.
    pub filter: Option<Condition>,
    /// Turns each element into something else.
    pub select: Option<Expression>,
    /// Keeps the first element of each value.
    pub distinct_by: Option<Expression>,
    /// Sorts.
    pub sort_by: Vec<Sort>,
    /// Keeps this many at most.
    pub limit: Option<Expression>,
    /// Turns the list into an object or into groups.
    pub into: Option<Into>,
}

/// What a `transform` makes of its list.
#[derive(Debug)]
pub enum Into {
    /// A list of `{ key, items }`, in the order of first appearance.
    Groups(Expression),
    /// An object from key to element; the same key twice is an error.
    Index(Expression),
    /// An object from key to value; the same key twice is an error.
    Object {
        /// The key.
        key: Expression,
        /// The value.
        value: Expression,
    },
}
