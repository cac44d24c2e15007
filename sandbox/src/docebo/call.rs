//! One signed-in call. In: what the wire read. Out: typed parts of it for the handlers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::reply::Refusal;
use super::state::State;
use crate::wire::params::Params;

/// A call as a handler sees it; the state is locked while it runs.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) uri_path: String,
    pub(crate) params: Params,
    pub(crate) body: Value,
    /// The user whom the token acts as.
    pub(crate) caller: i64,
    pub(crate) now: i64,
}

impl Call<'_> {
    /// A number from the path.
    pub(crate) fn id(&self, name: &str) -> Result<i64, Refusal> {
        let text = self.path.get(name).map_or("", String::as_str);
        text.parse()
            .map_err(|_| Refusal::bad_request(format!("Invalid {name}: {text}")))
    }

    pub(crate) fn body_text(&self, name: &str) -> Option<&str> {
        self.body
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    pub(crate) fn body_int(&self, name: &str) -> Option<i64> {
        self.body.get(name).and_then(int)
    }

    pub(crate) fn body_ints(&self, name: &str) -> Vec<i64> {
        match self.body.get(name) {
            Some(Value::Array(items)) => items.iter().filter_map(int).collect(),
            Some(value) => int(value).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

/// A number as callers send it: `12` or `"12"`.
pub(crate) fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A boolean as callers send it: `true`, `1`, `"1"`.
pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => Some(number.as_i64() == Some(1)),
        Value::String(text) => Some(text == "1" || text == "true"),
        _ => None,
    }
}
