//! The gate in front of every vendor. In: each request that is not for `/_control/`. Out: the same
//! request to the vendor, and its answer, with the ordered fault applied and both written down.
//! Always true: the journal has the request before any work is done for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::faults::{FaultKind, Faults, Hold};
use crate::journal::{Entry, Journal, keep};
use crate::wire::connection::{Connections, Cut, Peer};

/// The largest body that is read; anything longer is answered 413.
pub(crate) const BODY_BYTES_MAX: usize = 50 * 1024 * 1024;

/// What stands between the wire and one vendor.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) clock: Arc<Clock>,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) connections: Arc<Connections>,
    in_flight: AtomicU64,
    in_flight_max: AtomicU64,
    calls: AtomicU64,
    /// When each request came, by the sandbox clock, in that order.
    arrivals: Mutex<Vec<i64>>,
    /// How many calls of each kind there were.
    kinds: Mutex<BTreeMap<String, u64>>,
}

/// More kinds of calls than this are counted as one.
const KINDS_MAX: usize = 200;

impl Gate {
    pub(crate) fn new(clock: Arc<Clock>, seed: u64) -> Self {
        Self {
            clock,
            journal: Journal::new(),
            faults: Faults::new(seed),
            connections: Arc::default(),
            in_flight: AtomicU64::new(0),
            in_flight_max: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            arrivals: Mutex::default(),
            kinds: Mutex::default(),
        }
    }

    /// The most requests that came in any window of this many microseconds, wherever it begins.
    pub(crate) fn fullest_window(&self, length: i64) -> usize {
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut first, mut fullest) = (0, 0);
        for (last, at) in arrivals.iter().enumerate() {
            while arrivals[first] + length <= *at {
                first += 1;
            }
            fullest = fullest.max(last + 1 - first);
        }
        fullest
    }

    /// Notes that a request came just now.
    pub(crate) fn arrived(&self) {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that they stay in order; a clock set back starts anew.
        let now = self.clock.now();
        if arrivals.last().is_some_and(|last| *last > now) {
            arrivals.clear();
        }
        arrivals.push(now);
    }

    /// How many requests there were and how many at once, for `/_control/violations`.
    pub(crate) fn load(&self) -> Value {
        json!({
            "calls": self.calls.load(Ordering::Relaxed),
            "in_flight_max": self.in_flight_max.load(Ordering::Relaxed),
            "kinds": *self.kinds.lock().unwrap_or_else(PoisonError::into_inner),
        })
    }

    /// Counts a call by its method and path, in which `*` stands for ids.
    fn count_kind(&self, method: &str, path: &str) {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kind = kind(method, path);
        if kinds.len() >= KINDS_MAX && !kinds.contains_key(&kind) {
            kind = "others".to_owned();
        }
        *kinds.entry(kind).or_default() += 1;
    }
}

/// Method and path, with `*` for every part that holds a digit, `v1` and the like aside.
fn kind(method: &str, path: &str) -> String {
    let is_version = |part: &str| {
        let number = part.strip_prefix('v');
        number.is_some_and(|number| number.len() == 1)
    };
    let parts = path.split('/').map(|part| {
        let is_id = part.contains(|letter: char| letter.is_ascii_digit()) && !is_version(part);
        if is_id { "*" } else { part }
    });
    format!("{method} {}", parts.collect::<Vec<_>>().join("/"))
}

/// Counts a request as in flight until it is dropped, cut connections included.
pub(crate) struct InFlight(Arc<Gate>);

impl InFlight {
    pub(crate) fn enter(gate: &Arc<Gate>) -> Self {
        gate.calls.fetch_add(1, Ordering::Relaxed);
        let now = gate.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        gate.in_flight_max.fetch_max(now, Ordering::Relaxed);
        Self(Arc::clone(gate))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets one request through, as the fault orders allow.
pub(crate) async fn pass(
    State(gate): State<Arc<Gate>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let in_flight = InFlight::enter(&gate);
    gate.arrived();
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path().to_owned();
    gate.count_kind(parts.method.as_str(), &path);
    let (fault, hold) = gate.faults.strike(parts.method.as_str(), &path);
    let name = fault.as_ref().map(FaultKind::name);
    let seq = gate.journal.arrive(Entry {
        seq: 0,
        at: gate.clock.now(),
        method: parts.method.to_string(),
        path,
        query: parts.uri.query().unwrap_or("").to_owned(),
        headers: parts.headers.clone(),
        body: keep(&body),
        status: None,
        fault: name,
    });
    let work = next.run(Request::from_parts(parts, Body::from(body)));
    if let Some(hold) = hold {
        // What was taken in is done, even if the caller hangs up meanwhile.
        let done = tokio::spawn(held_back(Arc::clone(&gate), seq, hold, work)).await;
        return done.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    }
    if fault == Some(FaultKind::HangAfter) {
        // The journal tells when the work is done, for whoever waits for that.
        let done = work.await;
        gate.journal
            .answered(seq, Some(done.status().as_u16()), name);
        return std::future::pending().await;
    }
    let answer = apply(fault, &peer.cut, work).await;
    drop(in_flight);
    let status = answer.as_ref().map(|response| response.status().as_u16());
    gate.journal.answered(seq, status, name);
    answer.unwrap_or_default()
}

/// Does the work once all orders are taken back.
async fn held_back(
    gate: Arc<Gate>,
    seq: u64,
    mut hold: Hold,
    work: impl Future<Output = Response>,
) -> Response {
    hold.over().await;
    let answer = work.await;
    let status = Some(answer.status().as_u16());
    gate.journal
        .answered(seq, status, Some(FaultKind::Held.name()));
    answer
}

/// Does the work, or not, as the fault says; `None` when the connection was cut.
async fn apply(
    fault: Option<FaultKind>,
    cut: &Cut,
    work: impl Future<Output = Response>,
) -> Option<Response> {
    match fault {
        // It was held back before it came here.
        None | Some(FaultKind::Held) => Some(work.await),
        Some(FaultKind::ResetBefore) => {
            cut.now();
            None
        }
        Some(FaultKind::ResetAfter) => {
            drop(work.await);
            cut.now();
            None
        }
        Some(FaultKind::Status {
            code,
            headers,
            body,
        }) => Some(canned(code, headers.into_iter(), &body)),
        Some(FaultKind::Slow { ms }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Some(work.await)
        }
        Some(FaultKind::Truncated) => Some(truncate(work.await).await),
        Some(FaultKind::AnswerAfter {
            code,
            headers,
            body,
        }) => {
            drop(work.await);
            Some(canned(code, headers.into_iter(), &body))
        }
        Some(FaultKind::Late { ms }) => {
            let answer = work.await;
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Some(answer)
        }
        Some(FaultKind::Hang | FaultKind::HangAfter) => std::future::pending().await,
    }
}

fn canned(code: u16, headers: impl Iterator<Item = (String, String)>, body: &Value) -> Response {
    let text = match body {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, text).into_response();
    if !matches!(body, Value::Null | Value::String(_)) {
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Keeps the promise of the whole length and sends half of it.
async fn truncate(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = whole.slice(..whole.len() / 2);
    let broken = stream::unfold(Some(half), |half| async {
        match half {
            Some(half) if !half.is_empty() => Some((Ok::<Bytes, std::io::Error>(half), None)),
            _ => {
                // Giving way once lets the server flush the first half before it sees the error.
                tokio::task::yield_now().await;
                let error = std::io::Error::other("cut off on order");
                Some((Err(error), None))
            }
        }
    });
    Response::from_parts(parts, Body::from_stream(broken))
}
