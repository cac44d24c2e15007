//! Lookup-table files as data: columns, key, first rows; and the operations on a table.
//!
//! In: `lookup-tables/<name>.yaml`. Out: [`Table`]s, and [`Operation`]s that the store performs.
//! Always true: an operation is closed: all that it takes from the job is a value in it already,
//! only the root `row` is still open.

pub mod codes;
mod csv;
mod filter;
mod read;
mod row;
mod setting;
mod shapes;
mod text;

pub use csv::{CsvFault, Sight};
pub use read::TABLE;
pub use row::{key_text, same_rows};
pub use setting::{SETTINGS_TABLE, SettingsDeclared, check_setting, settings_of_rows};
pub use text::{text_of_value, value_of_text};

use indexmap::IndexMap;

use crate::data::{Object, Value};
use crate::expression::{Condition, Expression};
use crate::names::TableName;
use crate::shape::Field;

/// A lookup table as declared.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name, which is its file's.
    pub name: TableName,
    /// Its title, for people.
    pub title: String,
    /// Its columns in the order of the file.
    pub columns: IndexMap<String, Column>,
    /// The columns that together name a row; empty if rows have no key.
    pub key: Vec<String>,
    /// The rows that a new workspace begins with.
    pub first_rows: Vec<Object>,
}

/// A column as declared; label, default, secrecy and so on stand in `field`.
#[derive(Clone, Debug)]
pub struct Column {
    /// Type and what is said of it.
    pub field: Field,
    /// Whether no two rows may hold the same value.
    pub unique: bool,
    /// What is done to text before it is stored or looked up, in this order.
    pub normalise: Vec<Normalise>,
}

impl Column {
    /// Text as it is stored and looked up.
    pub fn normalised(&self, text: &str) -> String {
        self.normalise
            .iter()
            .fold(text.to_owned(), |text, step| match step {
                Normalise::Trim => text.trim().to_owned(),
                Normalise::Lowercase => text.to_lowercase(),
            })
    }
}

/// A way to make texts comparable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalise {
    /// Removes white space at both ends.
    Trim,
    /// Turns letters into lower case.
    Lowercase,
}

/// What a step does to a table.
#[derive(Clone, Debug)]
pub enum Operation {
    /// The row with this key: `found`, `row`.
    Get {
        /// The key columns and their values.
        key: Object,
    },
    /// The rows for which a condition holds: `items`, `count`.
    Find {
        /// Which rows; all if left out.
        filter: Option<Condition>,
        /// In which order; the order of keys if empty.
        sort_by: Vec<Sort>,
        /// How many at most.
        limit: Option<usize>,
    },
    /// How many rows there are: `count`.
    Count {
        /// Which rows; all if left out.
        filter: Option<Condition>,
    },
    /// New rows; fails if a key exists: `count`.
    Insert {
        /// The rows.
        rows: Vec<Object>,
    },
    /// New or changed rows; columns not named stay as they were: `added`, `changed`, `unchanged`.
    Upsert {
        /// The rows.
        rows: Vec<Object>,
    },
    /// Changes rows: `changed`.
    Update {
        /// Which rows.
        filter: Option<Condition>,
        /// The columns and their new values; may use the root `row`.
        set: Expression,
        /// How many rows must be met; anything else fails and changes nothing.
        expect: Option<u64>,
    },
    /// Removes rows: `removed`.
    Delete {
        /// Which rows.
        filter: Option<Condition>,
        /// How many rows must be met; anything else fails and changes nothing.
        expect: Option<u64>,
    },
    /// Removes all rows: `removed`.
    Truncate,
    /// Makes the table hold exactly these rows: `added`, `changed`, `removed`, `unchanged`.
    Sync {
        /// The rows.
        rows: Vec<Object>,
        /// How many rows may go; more fails and changes nothing.
        max_removed: MaxRemoved,
    },
}

/// One sort key.
#[derive(Clone, Debug)]
pub struct Sort {
    /// The value rows or items are compared by.
    pub value: Expression,
    /// Greatest first.
    pub descending: bool,
}

/// The most rows that a `sync` may remove.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxRemoved {
    /// This many rows.
    Rows(u64),
    /// This part of the table in percent, but never fewer than ten rows.
    Percent(f64),
}

impl Operation {
    /// Whether the operation changes nothing.
    pub fn is_read(&self) -> bool {
        matches!(
            self,
            Self::Get { .. } | Self::Find { .. } | Self::Count { .. }
        )
    }
}

/// What an operation gives back: the value of `steps.<id>`, or why it was refused.
pub type Performed = Result<Value, Refused>;

/// Why a table refused an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The kind of refusal: `row_exists`, `wrong_type`, `unknown_column`, `expectation_failed`...
    pub code: &'static str,
    /// What is wrong, with the row and column.
    pub message: String,
}

impl Refused {
    /// A refusal of this kind.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The refusal with a word on where it arose in front: `row 3: ...`.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }
}

#[cfg(test)]
mod tests;
