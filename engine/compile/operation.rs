//! Table operations whose values are still expressions.
//!
//! Always true: the table's columns were checked where they are written by name.

use crate::expression::{Condition, Expression};
use crate::table::{MaxRemoved, Sort};

/// A table operation whose values are still expressions. The root `row` is open in conditions,
/// `sort_by` and `set`.
#[derive(Debug)]
pub enum TableOperation {
    /// See [`crate::table::Operation::Get`].
    Get(Expression),
    /// See [`crate::table::Operation::Find`].
    Find {
        /// Which rows.
        filter: Option<Condition>,
        /// In which order.
        sort_by: Vec<Sort>,
        /// How many at most.
        limit: Option<Expression>,
    },
    /// See [`crate::table::Operation::Count`].
    Count(Option<Condition>),
    /// See [`crate::table::Operation::Insert`]: an object or a list of them.
    Insert(Expression),
    /// See [`crate::table::Operation::Upsert`]: an object or a list of them.
    Upsert(Expression),
    /// See [`crate::table::Operation::Update`].
    Update {
        /// Which rows.
        filter: Option<Condition>,
        /// New values.
        set: Expression,
        /// How many rows must be met.
        expect: Option<Expression>,
    },
    /// See [`crate::table::Operation::Delete`].
    Delete {
        /// Which rows.
        filter: Option<Condition>,
        /// How many rows must be met.
        expect: Option<Expression>,
    },
    /// See [`crate::table::Operation::Truncate`].
    Truncate,
    /// See [`crate::table::Operation::Sync`].
    Sync {
        /// A list of objects.
        rows: Expression,
        /// The most rows that may go.
        max_removed: MaxRemoved,
    },
}

impl TableOperation {
    /// Whether it changes nothing.
    pub fn is_read(&self) -> bool {
        matches!(self, Self::Get(_) | Self::Find { .. } | Self::Count(_))
    }

    /// The operation's name as it is written in files.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Get(_) => "get",
            Self::Find { .. } => "find",
            Self::Count(_) => "count",
            Self::Insert(_) => "insert",
            Self::Upsert(_) => "upsert",
            Self::Update { .. } => "update",
            Self::Delete { .. } => "delete",
            Self::Truncate => "truncate",
            Self::Sync { .. } => "sync",
        }
    }
}
