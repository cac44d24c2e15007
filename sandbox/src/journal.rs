//! The request journal. In: each request as it arrives, later its status. Out: what was called,
//! in order, without secrets. Always true: at most `ENTRIES_MAX` entries are kept, the newest; a
//! request is in the journal before its work begins.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::moment::format_moment;
use crate::wire::glob;
use crate::wire::params::{Params, decode};

/// How many requests are remembered; older ones are forgotten first.
pub(crate) const ENTRIES_MAX: usize = 100_000;

/// How much of a body is kept; the journal is for reading, not for replaying.
const BODY_BYTES_KEPT: usize = 64 * 1024;

/// Fields whose values are never shown, in JSON bodies, forms and headers alike.
const SECRETS: [&str; 9] = [
    "password",
    "password_retype",
    "client_secret",
    "access_token",
    "refresh_token",
    "assertion",
    "authorization",
    "cookie",
    "password_hash",
];

/// What stands where a secret stood.
const HIDDEN: &str = "(hidden)";

/// One request, as it came and as it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) at: i64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) status: Option<u16>,
    pub(crate) fault: Option<&'static str>,
}

/// The requests of one server, oldest first.
#[derive(Debug)]
pub(crate) struct Journal {
    kept: Mutex<Kept>,
    grown: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<Entry>,
    last_seq: u64,
}

/// Which entries to show.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) path: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) after: u64,
}

impl Filter {
    pub(crate) fn from_params(params: &Params) -> Self {
        Self {
            path: params.one("path").map(str::to_owned),
            method: params.one("method").map(str::to_uppercase),
            after: params
                .one("after")
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
        }
    }

    fn takes(&self, entry: &Entry) -> bool {
        entry.seq > self.after
            && self
                .method
                .as_ref()
                .is_none_or(|method| *method == entry.method)
            && self
                .path
                .as_ref()
                .is_none_or(|path| glob::matches(path, &entry.path))
    }
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self {
            kept: Mutex::default(),
            grown: watch::Sender::new(0),
        }
    }

    /// Writes a request down and returns its number.
    pub(crate) fn arrive(&self, mut entry: Entry) -> u64 {
        let seq = self.with(|kept| {
            kept.last_seq += 1;
            entry.seq = kept.last_seq;
            if kept.entries.len() == ENTRIES_MAX {
                kept.entries.pop_front();
            }
            kept.entries.push_back(entry);
            kept.last_seq
        });
        self.grown.send_modify(|count| *count += 1);
        seq
    }

    /// Adds how the request was answered; `None` when the connection was cut instead.
    pub(crate) fn answered(&self, seq: u64, status: Option<u16>, fault: Option<&'static str>) {
        self.with(|kept| {
            let first = kept.entries.front().map_or(seq + 1, |entry| entry.seq);
            let Some(index) = seq.checked_sub(first) else {
                return;
            };
            if let Some(entry) = kept.entries.get_mut(index as usize) {
                entry.status = status;
                entry.fault = fault;
            }
        });
        self.grown.send_modify(|count| *count += 1);
    }

    /// Forgets every entry; numbers go on.
    pub(crate) fn clear(&self) {
        self.with(|kept| kept.entries.clear());
    }

    pub(crate) fn count(&self, filter: &Filter) -> usize {
        self.with(|kept| {
            kept.entries
                .iter()
                .filter(|entry| filter.takes(entry))
                .count()
        })
    }

    /// The newest `limit` matching entries, oldest of them first, as JSON without secrets.
    pub(crate) fn show(&self, filter: &Filter, limit: usize) -> Vec<Value> {
        let mut found: Vec<Entry> = self.with(|kept| {
            let newest_first = kept
                .entries
                .iter()
                .rev()
                .filter(|entry| filter.takes(entry));
            newest_first.take(limit).cloned().collect()
        });
        found.reverse();
        found.iter().map(show).collect()
    }

    /// Counts changes; a waiter subscribes, looks, and waits for the next change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    fn with<T>(&self, what: impl FnOnce(&mut Kept) -> T) -> T {
        what(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn show(entry: &Entry) -> Value {
    let headers: Map<String, Value> = entry
        .headers
        .iter()
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let shown = if is_secret(name.as_str()) {
                HIDDEN.into()
            } else {
                text.into_owned()
            };
            (name.as_str().to_owned(), Value::String(shown))
        })
        .collect();
    json!({
        "seq": entry.seq,
        "at": format_moment(entry.at, "%Y-%m-%dT%H:%M:%S%.3fZ"),
        "method": entry.method,
        "path": entry.path,
        "query": show_form(&entry.query),
        "headers": headers,
        "body": show_body(entry),
        "status": entry.status,
        "fault": entry.fault,
    })
}

fn show_body(entry: &Entry) -> Value {
    if entry.body.is_empty() {
        return Value::Null;
    }
    if let Ok(mut value) = serde_json::from_slice::<Value>(&entry.body) {
        hide(&mut value);
        return value;
    }
    let text = String::from_utf8_lossy(&entry.body);
    let media = entry
        .headers
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    if media.is_some_and(|media| media.starts_with("application/x-www-form-urlencoded")) {
        return Value::String(show_form(&text));
    }
    Value::String(text.into_owned())
}

/// A form or query string with its secrets hidden.
fn show_form(text: &str) -> String {
    let pairs = text.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(&decode(name)) => format!("{name}={HIDDEN}"),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object.iter_mut() {
                if is_secret(name) {
                    *inner = Value::String(HIDDEN.to_owned());
                } else {
                    hide(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    SECRETS
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Keeps the beginning of a long body, all of a short one.
pub(crate) fn keep(body: &Bytes) -> Bytes {
    body.slice(..body.len().min(BODY_BYTES_KEPT))
}
