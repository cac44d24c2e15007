//! Rows as a table takes them in: normalised, filled, checked.
//!
//! In: the columns that somebody gave. Out: a row that fits the declaration, or why it does not.
//! Always true: an absent column has no member in a row; null means absent.

use super::{Column, Refused, Table};
use crate::data::{Object, Value, same};
use crate::diagnostic::did_you_mean;
use crate::mask::MASK;

/// Why a masked personal value is not taken for the real one.
pub(super) const MASKED: &str = "holds `***`, which stands for a value that was not shown; export \
                                 with `--reveal`, or leave the column out to leave it as it is";

impl Table {
    /// A whole row: what is absent takes its default.
    pub fn whole_row(&self, given: &Object) -> Result<Object, Refused> {
        let mut row = Object::new();
        let given = self.given_columns(given)?;
        for (name, column) in &self.columns {
            let value = match given.get(name) {
                Some(value) if !value.is_null() => Some(value.clone()),
                _ => column.field.default.clone(),
            };
            if let Some(value) = value {
                row.insert(name.clone(), value);
            }
        }
        self.check_required(&row)?;
        Ok(row)
    }

    /// A row with some columns changed; those given as null become absent, or take their default.
    pub fn changed_row(&self, before: &Object, given: &Object) -> Result<Object, Refused> {
        let given = self.given_columns(given)?;
        let mut row = Object::new();
        for (name, column) in &self.columns {
            let value = match given.get(name).or_else(|| before.get(name)) {
                Some(value) if !value.is_null() => Some(value),
                _ => column.field.default.as_ref(),
            };
            if let Some(value) = value {
                row.insert(name.clone(), value.clone());
            }
        }
        self.check_required(&row)?;
        Ok(row)
    }

    /// The given columns with what they hold afterwards: those that are null take their default,
    /// or are absent.
    pub fn filled(&self, given: &Object) -> Object {
        let mut row = Object::new();
        for (name, value) in given {
            let default = self.columns.get(name).map(|column| &column.field.default);
            let value = match value.is_null() {
                true => default.cloned().flatten(),
                false => Some(value.clone()),
            };
            row.extend(value.map(|value| (name.clone(), value)));
        }
        row
    }

    /// Rows as somebody sends them who may have seen masks: a masked secret is left as it is, a
    /// masked personal value is refused.
    pub fn unmasked(&self, given: Vec<Object>) -> Result<Vec<Object>, Refused> {
        let count = given.len();
        let mut rows = Vec::with_capacity(count);
        for (index, mut row) in given.into_iter().enumerate() {
            row.retain(|name, value| value != MASK || !self.is_secret(name));
            let column = self.columns.iter().find(|(name, column)| {
                column.field.personal && row.get(*name).is_some_and(|value| value == MASK)
            });
            if let Some((name, _)) = column {
                let place = match count {
                    1 => String::new(),
                    _ => format!("row {}: ", index + 1),
                };
                let message = format!("{place}column `{name}` {MASKED}");
                return Err(Refused::new("masked", message));
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// Whether nobody may see this column.
    pub fn is_secret(&self, column: &str) -> bool {
        let column = self.columns.get(column);
        column.is_some_and(|column| column.field.secret)
    }

    /// The given columns, normalised and checked; null stays null.
    pub fn given_columns(&self, given: &Object) -> Result<Object, Refused> {
        let mut columns = Object::new();
        for (name, value) in given {
            columns.insert(name.clone(), self.value(name, value)?);
        }
        Ok(columns)
    }

    /// A value of a column, normalised and checked; null stays null.
    pub fn value(&self, name: &str, value: &Value) -> Result<Value, Refused> {
        let column = self.column(name)?;
        if value.is_null() {
            return Ok(Value::Null);
        }
        let value = match value {
            Value::String(text) => Value::String(column.normalised(text)),
            other => other.clone(),
        };
        match column.field.check(&value, "").first() {
            None => Ok(value),
            Some(misfit) => Err(Refused::new(
                "wrong_type",
                format!("column `{name}`: {}", misfit.message),
            )),
        }
    }

    /// A column by its name.
    pub fn column(&self, name: &str) -> Result<&Column, Refused> {
        self.columns.get(name).ok_or_else(|| {
            let known = self.columns.keys().map(String::as_str);
            let by_label = self
                .columns
                .iter()
                .find(|(_, column)| column.field.label.as_deref() == Some(name))
                .map(|(column, _)| column.as_str());
            let hint = match by_label.or_else(|| did_you_mean(name, known.clone())) {
                Some(meant) => format!("; did you mean `{meant}`?"),
                None => format!("; it has {}", known.collect::<Vec<_>>().join(", ")),
            };
            Refused::new(
                "unknown_column",
                format!("table `{}` has no column `{name}`{hint}", self.name),
            )
        })
    }

    /// Columns whose key is whole: key columns that were not given take their defaults, as they
    /// would in a new row.
    pub fn with_key(&self, mut columns: Object) -> Object {
        for name in &self.key {
            let is_given = columns.get(name).is_some_and(|value| !value.is_null());
            let default = self
                .columns
                .get(name)
                .and_then(|column| column.field.default.clone());
            if let (false, Some(default)) = (is_given, default) {
                columns.insert(name.clone(), default);
            }
        }
        columns
    }

    /// The text that names a row in this table; `None` if the table has no key.
    pub fn key_of(&self, row: &Object) -> Result<Option<String>, Refused> {
        if self.key.is_empty() {
            return Ok(None);
        }
        let mut values = Vec::with_capacity(self.key.len());
        for name in &self.key {
            let value = row.get(name).filter(|value| !value.is_null());
            values.push(value.ok_or_else(|| {
                Refused::new(
                    "key_missing",
                    format!("key column `{name}` of table `{}` has no value", self.name),
                )
            })?);
        }
        Ok(Some(key_text(&values)))
    }

    /// What a row is called in messages: its key's values, or nothing much.
    pub fn shown_key(&self, row: &Object) -> String {
        let values: Vec<String> = self
            .key
            .iter()
            .filter_map(|name| row.get(name).map(|value| format!("`{name}` = {value}")))
            .collect();
        values.join(", ")
    }

    fn check_required(&self, row: &Object) -> Result<(), Refused> {
        for (name, column) in &self.columns {
            let is_required = !column.field.optional || self.key.contains(name);
            if is_required && !row.contains_key(name) {
                return Err(Refused::new(
                    "required",
                    format!("column `{name}` is required and has no value"),
                ));
            }
        }
        Ok(())
    }
}

/// Some values as one text that is the same for the same values: `1` and `1.0` are one number.
pub fn key_text(values: &[&Value]) -> String {
    let mut text = String::from("[");
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        match whole(value) {
            Some(whole) => text.push_str(&whole.to_string()),
            None => text.push_str(&value.to_string()),
        }
    }
    text.push(']');
    text
}

/// A float without a fraction as the whole number it is.
fn whole(value: &Value) -> Option<i64> {
    let float = value.as_number().filter(|n| n.is_f64())?.as_f64()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and in range: checked"
    )]
    (float.fract() == 0.0 && float.abs() < 9.0e15).then_some(float as i64)
}

/// Whether two rows hold the same.
pub fn same_rows(left: &Object, right: &Object) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
}
