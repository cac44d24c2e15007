//! `/_control/faults`: orders for faults.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::{Refused, Reply, Vendor};
use crate::faults::FaultRule;

/// What a rule looks like, for whoever sent something else.
const FORM: &str = "a fault is {method?, path?, nth? | every? | chance?, count?, kind}, with kind \
                    `reset_before`, `reset_after`, `truncated`, `hang`, `hang_after`, `held`, {\"slow\":{\"ms\":..}}, \
                    {\"late\":{\"ms\":..}}, {\"status\":{\"code\":.., \"headers\"?:.., \"body\"?:..}} or \
                    {\"answer_after\":{..}} with the same";

pub(super) async fn list(State(vendor): Vendor) -> Json<Value> {
    Json(json!({ "items": vendor.gate().faults.list() }))
}

/// Takes one rule, or several as an array.
pub(super) async fn order(State(vendor): Vendor, body: Bytes) -> Reply {
    let rules = match super::read_json(&body)? {
        Value::Array(rules) => rules,
        rule => vec![rule],
    };
    let read = |rule| {
        serde_json::from_value::<FaultRule>(rule)
            .map_err(|error| Refused::invalid(format!("{error}; {FORM}")))
    };
    let rules = rules.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let faults = &vendor.gate().faults;
    let ids: Vec<u64> = rules.into_iter().map(|rule| faults.order(rule)).collect();
    Ok(Json(json!({ "ids": ids })))
}

pub(super) async fn clear(State(vendor): Vendor) -> Json<Value> {
    vendor.gate().faults.clear();
    // Whoever takes a held request's order back may count on its work.
    vendor.gate().faults.none_held().await;
    Json(json!({ "cleared": true }))
}

pub(super) async fn remove(State(vendor): Vendor, Path(id): Path<u64>) -> Reply {
    if vendor.gate().faults.remove(id) {
        return Ok(Json(json!({ "removed": id })));
    }
    Err(Refused::not_found(format!("no fault order {id}")))
}
