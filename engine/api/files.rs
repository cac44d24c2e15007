//! Files of the workspace that were changed a moment ago: `POST /api/files`.
//!
//! Always true: what follows the answer works with the files as they were when it was asked for.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::json;

use crate::data::Value;

use super::Rooms;

/// `POST /api/files`: takes changed files up now, which the server does every few seconds anyway.
pub(super) async fn take_up(State(rooms): State<Arc<Rooms>>) -> Json<Value> {
    Json(match rooms.workspace.look().await {
        Ok(None) => json!({ "changed": false }),
        Ok(Some(findings)) => json!({ "changed": true, "findings": findings }),
        Err(why) => json!({ "changed": false, "refused_because": why }),
    })
}
