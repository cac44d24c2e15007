//! Files of the workspace that were changed a moment ago: `POST /api/files`.
//!
//! Always true: what follows the answer works with the files as they were when it was asked for.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::json;

use crate::data::Value;

use super::{Problem, Rooms};

/// `POST /api/files`: takes changed files up now, which the server does every few seconds anyway.
pub(super) async fn take_up(State(rooms): State<Arc<Rooms>>) -> Result<Json<Value>, Problem> {
    let findings = rooms.workspace.look().await;
    let findings = findings.map_err(|why| Problem::conflict("not_taken_up", why))?;
    Ok(Json(match findings {
        None => json!({ "changed": false }),
        Some(findings) => json!({ "changed": true, "findings": findings }),
    }))
}
