//! Query parameters. In: a query string, and the JSON body that a GET may carry instead. Out:
//! values by name. Always true: `name[]=a`, `name[0]=a` and `name=a` are the same parameter.

use std::collections::BTreeMap;

use serde_json::Value;

/// The parameters of one request, each with all of its values in the order they came.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Params {
    values: BTreeMap<String, Vec<String>>,
}

impl Params {
    pub(crate) fn from_query(query: &str) -> Self {
        let mut params = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            params.add(&decode(name), decode(value));
        }
        params
    }

    /// Adds what a GET carries as a JSON object in its body; the query string wins.
    pub(crate) fn with_body(mut self, body: &Value) -> Self {
        let Value::Object(object) = body else {
            return self;
        };
        for (name, value) in object {
            if self.values.contains_key(bare(name)) {
                continue;
            }
            match value {
                Value::Array(items) => items.iter().for_each(|item| self.add(name, text_of(item))),
                other => self.add(name, text_of(other)),
            }
        }
        self
    }

    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)?
            .first()
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn ints(&self, name: &str) -> Vec<i64> {
        self.all(name)
            .iter()
            .filter_map(|value| value.trim().parse().ok())
            .collect()
    }

    pub(crate) fn is_on(&self, name: &str) -> bool {
        matches!(self.one(name), Some("1" | "true"))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// One text for the parameters that shape a list, so that a cursor of one list is refused by
    /// another; `leave_out` names those that only choose the page.
    pub(crate) fn fingerprint(&self, leave_out: &[&str]) -> String {
        self.values
            .iter()
            .filter(|(name, _)| !leave_out.contains(&name.as_str()))
            .map(|(name, values)| format!("{name}={}&", values.join(",")))
            .collect()
    }

    fn add(&mut self, name: &str, value: String) {
        self.values
            .entry(bare(name).to_owned())
            .or_default()
            .push(value);
    }
}

fn bare(name: &str) -> &str {
    name.split_once('[').map_or(name, |(bare, _)| bare)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Decodes `%41` and `+` of a form-encoded text; what is not valid UTF-8 is replaced.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |offset: usize| char::from(*bytes.get(at + offset)?).to_digit(16);
        match bytes[at] {
            b'%' => {
                if let (Some(high), Some(low)) = (hex(1), hex(2)) {
                    decoded.push((high * 16 + low) as u8);
                    at += 2;
                } else {
                    decoded.push(b'%');
                }
            }
            b'+' => decoded.push(b' '),
            byte => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
