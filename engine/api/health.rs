//! Whether the server lives, and whether it can take work.
//!
//! In: anybody's question. Out: yes or no; why not stands in the log, since nobody signed in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::json;

use crate::data::Value;
use crate::store::StoreError;
use crate::trigger::Refusal;

use super::{Problem, Rooms, SignedIn};

/// How long a good answer of the database is believed: to look costs a write to the disk.
const PULSE_LASTS: Duration = Duration::from_secs(1);

/// When to come back.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// When the database was last seen to read and write.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<Option<Instant>>);

/// Lives.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// `GET /api/whoami`: whose token this is, and what it allows.
pub(super) async fn whoami(Extension(person): Extension<SignedIn>) -> Json<Value> {
    Json(json!({ "name": person.name, "role": person.role.as_str() }))
}

/// Can take work: not draining, and the database reads and writes.
pub(super) async fn readyz(State(rooms): State<Arc<Rooms>>) -> Result<Json<Value>, Problem> {
    let not_ready = |why: &str| Refusal::Later {
        why: why.to_owned(),
        retry_after: RETRY_AFTER,
    };
    if *rooms.intake.is_stopping.borrow() {
        return Err(not_ready("the server is stopping").into());
    }
    if let Err(error) = feel_pulse(&rooms).await {
        tracing::error!("the server is not ready: {error}");
        let why = "the database cannot be used at the moment; the server's log says why";
        return Err(not_ready(why).into());
    }
    Ok(Json(json!({ "status": "ready" })))
}

async fn feel_pulse(rooms: &Rooms) -> Result<(), StoreError> {
    let pulse = || rooms.pulse.0.lock().unwrap_or_else(PoisonError::into_inner);
    if pulse().is_some_and(|at| at.elapsed() < PULSE_LASTS) {
        return Ok(());
    }
    rooms.intake.store.states().await?;
    rooms.intake.store.check_writing().await?;
    *pulse() = Some(Instant::now());
    Ok(())
}
