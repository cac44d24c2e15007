//! The control surface, `/_control/` on every server. In: orders from tests, demos and rehearsals.
//! Out: what the server saw, and a world changed at will. Always true: it needs no sign-in, never
//! strikes a fault, and stays out of the request journal.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::moment::parse_duration;
use crate::webhooks::Outbox;

mod clock;
mod faults;
mod requests;
mod webhooks;

/// What a server lets the control surface do.
pub(crate) trait Controlled: Send + Sync + 'static {
    /// The gate with clock, journal and faults.
    fn gate(&self) -> &Gate;
    /// The route table with the evidence for each route.
    fn routes(&self) -> Vec<Value>;
    /// The names of the collections of the state.
    fn collections(&self) -> &'static [&'static str];
    /// All rows of a collection.
    fn rows(&self, collection: &str) -> Option<Vec<Value>>;
    /// Adds or replaces rows of a collection and returns how many.
    fn upsert(&self, collection: &str, rows: Vec<Value>) -> Result<usize, String>;
    /// Loads the given world, or the first one again.
    fn reset(&self, world: Option<Value>) -> Result<(), String>;
    /// Rules of the vendor that callers broke.
    fn violations(&self) -> Value;
    /// The quirks as they are.
    fn quirks(&self) -> Value;
    /// Changes the quirks that the patch names.
    fn change_quirks(&self, patch: Value) -> Result<Value, String>;
    /// Does something that a person would do in the vendor's own pages.
    fn act(&self, action: &str, input: Value) -> Result<Value, String>;
    /// Does what has become due on the clock.
    fn settle(&self) {}
    /// The webhooks, if the vendor has any.
    fn outbox(&self) -> Option<&Arc<Outbox>>;
}

/// A control call that cannot be done: a status and what to do about it.
#[derive(Debug)]
pub(crate) struct Refused(StatusCode, String);

impl Refused {
    fn not_found(message: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, message.into())
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, message.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

type Vendor = State<Arc<dyn Controlled>>;
type Reply = Result<Json<Value>, Refused>;

/// The routes under `/_control/`.
pub(crate) fn router(vendor: Arc<dyn Controlled>) -> Router {
    Router::new()
        .route("/_control", get(index))
        .route(
            "/_control/requests",
            get(requests::list).delete(requests::clear),
        )
        .route(
            "/_control/faults",
            get(faults::list).post(faults::order).delete(faults::clear),
        )
        .route("/_control/faults/{id}", delete(faults::remove))
        .route("/_control/clock", get(clock::show).post(clock::change))
        .route("/_control/state", get(collections))
        .route("/_control/state/{collection}", get(rows).post(upsert))
        .route("/_control/reset", post(reset))
        .route("/_control/quirks", get(quirks).post(change_quirks))
        .route("/_control/actions/{action}", post(act))
        .route("/_control/violations", get(violations))
        .route("/_control/routes", get(routes))
        .route(
            "/_control/webhooks",
            get(webhooks::list).post(webhooks::register),
        )
        .route("/_control/webhooks/{id}", delete(webhooks::unregister))
        .route("/_control/webhooks/deliveries", get(webhooks::deliveries))
        .route("/_control/webhooks/redeliver", post(webhooks::redeliver))
        .route("/_control/webhooks/flush", post(webhooks::flush))
        .with_state(vendor)
}

/// Reads a JSON body; an empty one is null.
fn read_json(body: &[u8]) -> Result<Value, Refused> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| Refused::invalid(format!("not JSON: {error}")))
}

async fn index(State(vendor): Vendor) -> Json<Value> {
    Json(json!({
        "controls": [
            "requests", "faults", "clock", "state", "reset", "quirks", "actions", "violations",
            "routes", "webhooks", "webhooks/deliveries", "webhooks/redeliver", "webhooks/flush",
        ],
        "collections": vendor.collections(),
    }))
}

/// The names of the collections; with `?rows=all`, also everything that is in them.
async fn collections(State(vendor): Vendor, Query(asked): Query<Contents>) -> Json<Value> {
    let names = vendor.collections();
    let mut answer = json!({ "collections": names });
    if asked.rows.as_deref() == Some("all") {
        let rows = names.iter().map(|name| {
            (
                (*name).to_owned(),
                vendor.rows(name).unwrap_or_default().into(),
            )
        });
        answer["rows"] = Value::Object(rows.collect());
    }
    Json(answer)
}

#[derive(Debug, Deserialize)]
struct Contents {
    rows: Option<String>,
}

async fn rows(State(vendor): Vendor, Path(collection): Path<String>) -> Reply {
    let rows = vendor
        .rows(&collection)
        .ok_or_else(|| unknown_collection(&*vendor, &collection))?;
    Ok(Json(json!({ "count": rows.len(), "items": rows })))
}

async fn upsert(State(vendor): Vendor, Path(collection): Path<String>, body: Bytes) -> Reply {
    if !vendor.collections().contains(&collection.as_str()) {
        return Err(unknown_collection(&*vendor, &collection));
    }
    let rows = match read_json(&body)? {
        Value::Array(rows) => rows,
        row => vec![row],
    };
    let count = vendor.upsert(&collection, rows).map_err(Refused::invalid)?;
    Ok(Json(json!({ "upserted": count })))
}

fn unknown_collection(vendor: &dyn Controlled, collection: &str) -> Refused {
    let known = vendor.collections().join("`, `");
    Refused::not_found(format!("no collection `{collection}`; there are `{known}`"))
}

async fn reset(State(vendor): Vendor, body: Bytes) -> Reply {
    let world = Some(read_json(&body)?).filter(|world| !world.is_null());
    vendor.reset(world).map_err(Refused::invalid)?;
    vendor.gate().journal.clear();
    vendor.gate().faults.clear();
    Ok(Json(json!({ "reset": true })))
}

async fn quirks(State(vendor): Vendor) -> Json<Value> {
    Json(vendor.quirks())
}

async fn change_quirks(State(vendor): Vendor, body: Bytes) -> Reply {
    vendor
        .change_quirks(read_json(&body)?)
        .map(Json)
        .map_err(Refused::invalid)
}

async fn act(State(vendor): Vendor, Path(action): Path<String>, body: Bytes) -> Reply {
    let input = read_json(&body)?;
    vendor
        .act(&action, input)
        .map(Json)
        .map_err(Refused::invalid)
}

/// What callers broke; with `?window=30s`, also how many calls came in the fullest window of that
/// length, wherever it begins.
async fn violations(State(vendor): Vendor, Query(asked): Query<Windows>) -> Reply {
    let mut report = vendor.violations();
    report["load"] = vendor.gate().load();
    if let Some(window) = asked.window {
        let length = parse_duration(&window)
            .ok_or_else(|| Refused::invalid(format!("`{window}` is not a length such as `30s`")))?;
        report["load"]["window_max"] = vendor.gate().fullest_window(length).into();
    }
    Ok(Json(report))
}

#[derive(Debug, Deserialize)]
struct Windows {
    window: Option<String>,
}

async fn routes(State(vendor): Vendor) -> Json<Value> {
    Json(json!({ "routes": vendor.routes() }))
}

/// Changes what the patch names in a set of quirks, and refuses names that are unknown.
pub(crate) fn merge<T>(quirks: &T, patch: Value) -> Result<T, String>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let Value::Object(patch) = patch else {
        return Err("send an object with the quirks to change".to_owned());
    };
    let mut merged = serde_json::to_value(quirks).map_err(|error| error.to_string())?;
    for (name, value) in patch {
        merged[name] = value;
    }
    serde_json::from_value(merged).map_err(|error| error.to_string())
}
