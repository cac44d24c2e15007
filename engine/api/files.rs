//! Files of the workspace that were changed a moment ago: `POST /api/files`.
//!
//! Always true: what follows the answer works with the files as they were when it was asked for.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::data::Value;

use super::Rooms;

/// Who looks after the files of the workspace.
pub trait Files: Send + Sync {
    /// Takes the files up if they have changed: how many findings there are, nothing if they are
    /// the same, or why everything stays as it was.
    fn look(&self) -> BoxFuture<'_, Result<Option<usize>, String>>;
}

/// `POST /api/files`: takes changed files up now, which the server does every few seconds anyway.
pub(super) async fn take_up(State(rooms): State<Arc<Rooms>>) -> Json<Value> {
    Json(match rooms.files.look().await {
        Ok(None) => json!({ "changed": false }),
        Ok(Some(findings)) => json!({ "changed": true, "findings": findings }),
        Err(why) => json!({ "changed": false, "refused_because": why }),
    })
}
