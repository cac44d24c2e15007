//! Whether the server lives, and whether it can take work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::json;

use crate::data::Value;

use super::{Problem, Rooms};

/// Lives.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// Can take work: not draining, and the database answers.
pub(super) async fn readyz(State(rooms): State<Arc<Rooms>>) -> Result<Json<Value>, Problem> {
    if *rooms.intake.is_stopping.borrow() {
        let refusal = crate::trigger::Refusal::Later {
            why: "the server is stopping".into(),
            retry_after: std::time::Duration::from_secs(10),
        };
        return Err(refusal.into());
    }
    rooms.intake.store.states().await?;
    Ok(Json(json!({ "status": "ready" })))
}
