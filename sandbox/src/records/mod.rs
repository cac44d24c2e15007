//! A vendor of no particular kind, for benches and tests. In: `GET /pages?page=n`, `POST /sink`,
//! `GET /sink/{id}` and `POST /alone`. Out: 100 pages of 100 records each, and a count of what was
//! sent. Always true: what the sink took is counted once per request, repeated idempotency keys
//! apart; what `alone` has begun goes on, even if the caller hangs up.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::control::{Controlled, merge};
use crate::gate::Gate;
use crate::webhooks::Outbox;
use crate::wire::route::{self, Answer, Incoming, Provenance, Route};

/// The things that this vendor does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handler {
    Pages,
    Sink,
    /// Whether the sink has taken a record.
    Taken,
    /// The sink, for records that must not be sent at the same time.
    Alone,
}

const ROUTES: [Route<Handler>; 4] = [
    Route::new(Provenance::Found, "GET", "/pages", Handler::Pages),
    Route::new(Provenance::Found, "POST", "/sink", Handler::Sink),
    Route::new(Provenance::Found, "GET", "/sink/{id}", Handler::Taken),
    Route::new(Provenance::Found, "POST", "/alone", Handler::Alone),
];

/// The size of the source and the pace of the sink; `POST /_control/quirks` changes them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Quirks {
    pages: u64,
    records_per_page: u64,
    /// Real milliseconds that the sink takes for each record.
    sink_ms: u64,
    /// Real milliseconds that `alone` takes for each record.
    alone_ms: u64,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            pages: 100,
            records_per_page: 100,
            sink_ms: 0,
            alone_ms: 20,
        }
    }
}

/// What the sink has taken.
#[derive(Debug, Default)]
struct Sink {
    received: u64,
    in_flight: u64,
    in_flight_max: u64,
    /// How often each idempotency key came.
    keys: HashMap<String, u64>,
    repeats: u64,
    /// How often each record (its `id`) came.
    ids: BTreeMap<String, u64>,
    /// How many are in `alone`, and how often one came while another was.
    alone: u64,
    overlaps: u64,
}

/// The vendor.
#[derive(Debug)]
pub(crate) struct Records {
    gate: Arc<Gate>,
    sink: Mutex<Sink>,
    quirks: Mutex<Quirks>,
}

impl Records {
    pub(crate) fn new(gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self {
            gate,
            sink: Mutex::default(),
            quirks: Mutex::default(),
        })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let lost = || async { refuse(StatusCode::NOT_FOUND, "not found") };
        let table = route::router(Arc::clone(self), &ROUTES);
        table.method_not_allowed_fallback(lost).fallback(lost)
    }

    /// `GET /_control/sink`: what was taken; `GET /_control/sink/ids`: how often each record was.
    pub(crate) fn controls(self: &Arc<Self>) -> Router {
        let (records, counts) = (Arc::clone(self), Arc::clone(self));
        let report = move || async move { Json(records.report()) };
        let ids = move || async move { Json(counts.with_sink(|sink| json!(sink.ids))) };
        Router::new()
            .route("/_control/sink", get(report))
            .route("/_control/sink/ids", get(ids))
    }

    fn report(&self) -> Value {
        self.with_sink(|sink| {
            let twice = sink.ids.values().filter(|count| **count > 1).count();
            json!({
                "received": sink.received,
                "distinct_ids": sink.ids.len(),
                "ids_more_than_once": twice,
                "distinct_keys": sink.keys.len(),
                "key_repeats": sink.repeats,
                "in_flight_max": sink.in_flight_max,
                "overlaps": sink.overlaps,
            })
        })
    }

    fn page(&self, incoming: &Incoming) -> Response {
        let quirks = self
            .quirks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let number = incoming.params.one("page").map_or(Ok(1), str::parse::<u64>);
        let Some(page) = number.ok().filter(|page| (1..=quirks.pages).contains(page)) else {
            return refuse(StatusCode::NOT_FOUND, "no such page");
        };
        let first = (page - 1) * quirks.records_per_page;
        let record = |index: u64| {
            let id = first + index + 1;
            let email = format!("record{id}@example.com");
            json!({ "id": id, "name": format!("record {id}"), "email": email })
        };
        let items: Vec<Value> = (0..quirks.records_per_page).map(record).collect();
        Json(json!({
            "items": items,
            "page": page,
            "next_page": (page < quirks.pages).then_some(page + 1),
            "total_count": quirks.pages * quirks.records_per_page,
        }))
        .into_response()
    }

    /// A record is taken at most once per idempotency key; a repeat gets the first answer.
    async fn take(&self, incoming: &Incoming) -> Response {
        let _under_way = UnderWay::enter(self);
        let sink_ms = self
            .quirks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .sink_ms;
        if sink_ms > 0 {
            tokio::time::sleep(Duration::from_millis(sink_ms)).await;
        }
        self.keep(incoming)
    }

    /// Takes a record while no other may be under way, and counts if one is.
    async fn take_alone(&self, incoming: &Incoming) -> Response {
        let alone_ms = self
            .quirks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .alone_ms;
        self.with_sink(|sink| {
            sink.alone += 1;
            sink.overlaps += u64::from(sink.alone > 1);
        });
        tokio::time::sleep(Duration::from_millis(alone_ms)).await;
        let answer = self.keep(incoming);
        self.with_sink(|sink| sink.alone -= 1);
        answer
    }

    fn keep(&self, incoming: &Incoming) -> Response {
        let Ok(body) = serde_json::from_slice::<Value>(&incoming.body) else {
            return refuse(StatusCode::BAD_REQUEST, "the body is not JSON");
        };
        let key = incoming
            .headers
            .get("idempotency-key")
            .and_then(|key| key.to_str().ok());
        let is_repeat = self.with_sink(|sink| {
            sink.received += 1;
            let is_repeat = key.is_some_and(|key| {
                let count = sink.keys.entry(key.to_owned()).or_default();
                *count += 1;
                *count > 1
            });
            sink.repeats += u64::from(is_repeat);
            if let Some(id) = body.get("id").filter(|_| !is_repeat) {
                let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
                *sink.ids.entry(id).or_default() += 1;
            }
            is_repeat
        });
        Json(json!({ "ok": true, "repeat": is_repeat })).into_response()
    }

    fn taken(&self, incoming: &Incoming) -> Response {
        let id = incoming.path.get("id").map_or("", String::as_str);
        match self.with_sink(|sink| sink.ids.get(id).copied()) {
            Some(count) => Json(json!({ "id": id, "count": count })).into_response(),
            None => refuse(StatusCode::NOT_FOUND, "no such record"),
        }
    }

    fn with_sink<T>(&self, what: impl FnOnce(&mut Sink) -> T) -> T {
        what(&mut self.sink.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Counts a request of the sink while it is under way.
struct UnderWay<'a>(&'a Records);

impl<'a> UnderWay<'a> {
    fn enter(records: &'a Records) -> Self {
        records.with_sink(|sink| {
            sink.in_flight += 1;
            sink.in_flight_max = sink.in_flight_max.max(sink.in_flight);
        });
        Self(records)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.with_sink(|sink| sink.in_flight -= 1);
    }
}

impl Answer for Records {
    type Handler = Handler;

    async fn answer(self: Arc<Self>, handler: Handler, incoming: Incoming) -> Response {
        match handler {
            Handler::Pages => self.page(&incoming),
            Handler::Sink => self.take(&incoming).await,
            Handler::Taken => self.taken(&incoming),
            Handler::Alone => {
                // The caller may hang up meanwhile.
                let records = Arc::clone(&self);
                let work = async move { records.take_alone(&incoming).await };
                let done = tokio::spawn(work).await;
                done.unwrap_or_else(|_| refuse(StatusCode::INTERNAL_SERVER_ERROR, "lost"))
            }
        }
    }
}

impl Controlled for Records {
    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn routes(&self) -> Vec<Value> {
        ROUTES.iter().map(|route| route.describe()).collect()
    }

    fn collections(&self) -> &'static [&'static str] {
        &["sink"]
    }

    fn rows(&self, collection: &str) -> Option<Vec<Value>> {
        (collection == "sink").then(|| vec![self.report()])
    }

    fn upsert(&self, _collection: &str, _rows: Vec<Value>) -> Result<usize, String> {
        Err("the sink is filled by `POST /sink` alone".to_owned())
    }

    fn reset(&self, _world: Option<Value>) -> Result<(), String> {
        self.with_sink(|sink| {
            *sink = Sink {
                in_flight: sink.in_flight,
                alone: sink.alone,
                ..Sink::default()
            }
        });
        *self.quirks.lock().unwrap_or_else(PoisonError::into_inner) = Quirks::default();
        Ok(())
    }

    fn violations(&self) -> Value {
        self.report()
    }

    fn quirks(&self) -> Value {
        json!(*self.quirks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change_quirks(&self, patch: Value) -> Result<Value, String> {
        let mut quirks = self.quirks.lock().unwrap_or_else(PoisonError::into_inner);
        *quirks = merge(&*quirks, patch)?;
        Ok(json!(*quirks))
    }

    fn act(&self, action: &str, _input: Value) -> Result<Value, String> {
        Err(format!("no action `{action}`; there are none"))
    }

    fn outbox(&self) -> Option<&Arc<Outbox>> {
        None
    }
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}
