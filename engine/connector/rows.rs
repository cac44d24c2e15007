//! Results per row: what a batch call says of each of its rows.

use std::sync::Arc;

use super::message::said;
use super::output::{Mapping, evaluate};
use super::roots::Values;
use crate::data::{Object, Value, kind_of};
use crate::expression::{Condition, Expression};

/// How a reply tells which rows worked.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The rows.
    pub list: Expression,
    /// Whether a row worked; it is the root `item`.
    pub ok: Condition,
    /// What is kept of each row.
    pub each: Mapping,
    /// The message of a row that failed.
    pub message: Option<Expression>,
}

impl Rows {
    /// The lists `succeeded` and `failed`.
    pub fn apply(&self, values: &Values) -> Result<Object, String> {
        let rows = match evaluate(&self.list, values)? {
            Some(Value::Array(rows)) => rows,
            other => {
                let there = other.as_ref().map_or("nothing", kind_of);
                return Err(format!("expected a list of rows, not {there}"));
            }
        };
        let (mut succeeded, mut failed) = (Vec::new(), Vec::new());
        for (index, row) in rows.into_iter().enumerate() {
            let row = Arc::new(row);
            let scope = values.with("item", row.clone());
            let mut result = Object::new();
            result.insert("index".into(), index.into());
            let kept = self
                .each
                .apply(values, &row)
                .map_err(|why| format!("row {index}: {why}"))?;
            result.extend(kept);
            // A test that cannot be made says that the row did not work, and the message says why.
            if self.ok.holds(&scope).unwrap_or(false) {
                succeeded.push(Value::Object(result));
                continue;
            }
            let message = self
                .message
                .as_ref()
                .and_then(|message| said(&evaluate(message, &scope).ok()??))
                .unwrap_or_else(|| "the vendor refused this row".to_owned());
            result.insert("message".into(), message.into());
            failed.push(Value::Object(result));
        }
        Ok(Object::from_iter([
            ("succeeded".to_owned(), Value::Array(succeeded)),
            ("failed".to_owned(), Value::Array(failed)),
        ]))
    }
}
