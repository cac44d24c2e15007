//! `/_control/requests`: the request journal. A reader may wait until enough requests are there.

use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};

use super::Vendor;
use crate::journal::Filter;
use crate::wire::params::Params;

/// How many entries are shown unless `limit` says otherwise.
const LIMIT: usize = 1_000;

/// Shows the entries that match `path` (a pattern), `method` and `after` (a seq). With `at_least`
/// and `wait_ms` it answers as soon as so many have arrived, or when the time is up.
pub(super) async fn list(State(vendor): Vendor, RawQuery(query): RawQuery) -> Json<Value> {
    let params = Params::from_query(&query.unwrap_or_default());
    let filter = Filter::from_params(&params);
    let number = |name: &str| params.one(name).and_then(|text| text.parse::<u64>().ok());
    let journal = &vendor.gate().journal;
    if let (Some(at_least), Some(wait_ms)) = (number("at_least"), number("wait_ms")) {
        let mut changes = journal.changes();
        let enough = async {
            while (journal.count(&filter) as u64) < at_least && changes.changed().await.is_ok() {}
        };
        // Running out of time is an answer, too: the reader sees how many there are.
        let _ = tokio::time::timeout(Duration::from_millis(wait_ms), enough).await;
    }
    let limit = number("limit").map_or(LIMIT, |limit| limit as usize);
    let items = journal.show(&filter, limit);
    Json(json!({ "count": journal.count(&filter), "items": items }))
}

pub(super) async fn clear(State(vendor): Vendor) -> Json<Value> {
    vendor.gate().journal.clear();
    Json(json!({ "cleared": true }))
}
