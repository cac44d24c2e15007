//! One signed-in call. In: what the wire read. Out: typed parts of it for the handlers.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use serde_json::Value;

use super::state::State;
use crate::wire::params::Params;

/// A call as a handler sees it; the state is locked while it runs.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) params: Params,
    pub(crate) body: Value,
    /// The department of the key; none for a key of the whole account.
    pub(crate) department: Option<i64>,
    pub(crate) now: i64,
}

impl Call<'_> {
    /// The `{id}` of the path.
    pub(crate) fn id(&self) -> String {
        self.path.get("id").cloned().unwrap_or_default()
    }

    /// `page` and `page_size`, from the body of a POST or the query of a GET.
    pub(crate) fn page(&self) -> (usize, usize) {
        let number = |name: &str| {
            let in_body = self.body.get(name).and_then(int);
            let number = in_body.or_else(|| self.params.one(name)?.parse().ok());
            number
                .and_then(|number| usize::try_from(number).ok())
                .filter(|number| *number > 0)
        };
        let page_size = number("page_size")
            .unwrap_or(50)
            .min(self.state.quirks.page_size_max);
        (number("page").unwrap_or(1), page_size.max(1))
    }

    /// A filter by name, from the body of a POST or the query of a GET.
    pub(crate) fn filter(&self, name: &str) -> Option<String> {
        let in_body = self.body.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let text = in_body.or_else(|| self.params.one(name).map(str::to_owned));
        text.filter(|text| !text.is_empty() && text != "null")
    }
}

/// The key of a request, in any of the spellings that official clients use: `Token token=KEY`,
/// `Token token="KEY"` and `Token KEY`.
pub(crate) fn key(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let rest = value.strip_prefix("Token ")?.trim();
    let rest = rest.strip_prefix("token=").unwrap_or(rest);
    Some(rest.trim_matches('"'))
}

/// A number as callers send it: `12` or `"12"`.
pub(crate) fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
