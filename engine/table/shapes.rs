//! What rows look like to recipes.
//!
//! In: a table's columns. Out: the shapes of rows that are read, inserted, merged and changed.
//! Always true: a column that is required or has a default is always there when a row is read.

use indexmap::IndexMap;

use super::{Column, Table};
use crate::shape::{Field, Shape};

impl Table {
    /// A row as it is read.
    pub fn row_shape(&self) -> Shape {
        self.fields(|_, column| column.field.optional && column.field.default.is_none())
    }

    /// A row as it is inserted: required columns without a default must be there.
    pub fn insert_shape(&self) -> Shape {
        self.fields(|_, column| column.field.optional || column.field.default.is_some())
    }

    /// A row as it is merged: its key must be there; other columns stay as they are.
    pub fn upsert_shape(&self) -> Shape {
        self.fields(|name, _| !self.is_key(name))
    }

    /// New values of some columns.
    pub fn update_shape(&self) -> Shape {
        self.fields(|_, _| true)
    }

    /// The key of one row.
    pub fn key_shape(&self) -> Shape {
        let Shape::Fields(fields) = self.fields(|_, _| false) else {
            return Shape::Object;
        };
        let of_key = fields.into_iter().filter(|(name, _)| self.is_key(name));
        Shape::Fields(of_key.collect())
    }

    /// Whether the column is part of the key.
    pub fn is_key(&self, column: &str) -> bool {
        self.key.iter().any(|key| key == column)
    }

    fn fields(&self, is_optional: impl Fn(&str, &Column) -> bool) -> Shape {
        let field = |(name, column): (&String, &Column)| {
            let field = Field {
                optional: is_optional(name, column),
                default: None,
                ..column.field.clone()
            };
            (name.clone(), field)
        };
        Shape::Fields(self.columns.iter().map(field).collect::<IndexMap<_, _>>())
    }
}
