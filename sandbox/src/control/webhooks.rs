//! `/_control/webhooks`: register webhooks, see deliveries, send them again, send them now.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::{Controlled, Refused, Reply, Vendor};
use crate::webhooks::{Outbox, Retries, Webhook};

fn outbox(vendor: &Arc<dyn Controlled>) -> Result<Arc<Outbox>, Refused> {
    let outbox = vendor.outbox().map(Arc::clone);
    outbox.ok_or_else(|| Refused::not_found("this vendor has no webhooks"))
}

pub(super) async fn list(State(vendor): Vendor) -> Reply {
    Ok(Json(json!({ "items": outbox(&vendor)?.hooks() })))
}

pub(super) async fn register(State(vendor): Vendor, body: Bytes) -> Reply {
    let hook: Webhook = serde_json::from_slice(&body).map_err(|error| {
        Refused::invalid(format!(
            "{error}; a webhook is {{url, events?, user?, password?, group?, window_ms?, \
             duplicates?, reorder?, attempts_max?, backoff_s?}}"
        ))
    })?;
    Ok(Json(json!({ "id": outbox(&vendor)?.register(hook) })))
}

pub(super) async fn unregister(State(vendor): Vendor, Path(id): Path<i64>) -> Reply {
    if outbox(&vendor)?.unregister(id) {
        return Ok(Json(json!({ "removed": id })));
    }
    Err(Refused::not_found(format!("no webhook {id}")))
}

pub(super) async fn deliveries(State(vendor): Vendor) -> Reply {
    let items = outbox(&vendor)?.deliveries();
    Ok(Json(json!({ "count": items.len(), "items": items })))
}

/// Sends a delivery again, `{"message_id":".."}` or `{"last":true}`, and answers when it was tried.
pub(super) async fn redeliver(State(vendor): Vendor, body: Bytes) -> Reply {
    let input = super::read_json(&body)?;
    let id = input.get("message_id").and_then(Value::as_str);
    if id.is_none() && input.get("last") != Some(&Value::Bool(true)) {
        return Err(Refused::invalid(
            "send {\"message_id\":\"..\"} or {\"last\":true}",
        ));
    }
    let delivery = outbox(&vendor)?.redeliver(id).await;
    let delivery = delivery.ok_or_else(|| Refused::not_found("no such delivery"))?;
    Ok(Json(json!(delivery)))
}

/// Closes all groups, sends what is new, and answers when that was tried. `{"retries": true}` does
/// not wait for the back-off of what failed before, either.
pub(super) async fn flush(State(vendor): Vendor, body: Bytes) -> Reply {
    let input = super::read_json(&body)?;
    let is_now = input.get("retries") == Some(&Value::Bool(true));
    vendor.settle();
    let retries = if is_now { Retries::Now } else { Retries::Wait };
    let waiting = outbox(&vendor)?.flush(retries).await;
    Ok(Json(json!({ "waiting": waiting })))
}
