//! How much history there is, and removing some of it.
//!
//! Always true: a request works for a few seconds at most; who wants more to go asks again until
//! the answer says that it is done.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::clock::parse_period;
use crate::data::Value;
use crate::history::{Wish, parse_size, show_age, show_size};
use crate::store::{AuditEntry, Space};

use super::{Person, Problem, Rooms, body};

/// How long one request removes history.
const WORK_TIME: Duration = Duration::from_secs(2);

/// What a person wants to go.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// What ended longer ago than this: `30d`.
    older_than: Option<String>,
    /// The oldest, until the database has this size: `5 GiB`.
    to_size: Option<String>,
    /// Whether only to say what would go.
    #[serde(default)]
    plan: bool,
}

/// `GET /api/history`
pub(super) async fn show(State(rooms): State<Arc<Rooms>>) -> Result<Json<Value>, Problem> {
    let budgets = rooms.history.budgets();
    let mut wire = space(rooms.intake.store.space().await?);
    wire["budgets"] = json!({
        "history_age": budgets.age.map(show_age),
        "history_size": budgets.bytes.map(show_size),
        "changes_age": budgets.changes_age.map(show_age),
    });
    Ok(Json(wire))
}

/// `POST /api/history/prune`
pub(super) async fn prune(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    let wanted: Wanted = body::json(&bytes)?;
    let older_than = wanted.older_than.as_deref().map(parse_period).transpose();
    let to_bytes = wanted.to_size.as_deref().map(parse_size).transpose();
    let wish = Wish {
        older_than: older_than.map_err(|why| wrong("older_than", &why))?,
        to_bytes: to_bytes.map_err(|why| wrong("to_size", &why))?,
        by: by.to_string(),
    };
    if wanted.plan {
        let plan = rooms.history.plan(&wish).await?;
        let now = rooms.intake.store.space().await?;
        return Ok(Json(json!({
            "jobs": plan.jobs, "bytes": plan.bytes, "unmended": plan.unmended, "now": space(now),
        })));
    }
    let swept = rooms.history.prune(&wish, WORK_TIME).await?;
    if swept.jobs > 0 {
        let note = AuditEntry {
            at: rooms.intake.clock.now(),
            by: by.to_string(),
            action: "history_pruned".into(),
            subject: "history".into(),
            detail: json!({
                "jobs": swept.jobs, "older_than": wanted.older_than, "to_size": wanted.to_size,
            }),
        };
        rooms.intake.store.note(note).await?;
    }
    Ok(Json(json!({
        "jobs": swept.jobs,
        "is_done": swept.is_done,
        "before": space(swept.before),
        "now": space(swept.after),
    })))
}

fn wrong(name: &str, why: &str) -> Problem {
    let title = "The body is not of the form that is expected here.";
    Problem::new(422, "invalid_body", title).detail(format!("`{name}`: {why}"))
}

fn space(space: Space) -> Value {
    json!({ "used_bytes": space.used_bytes(), "file_bytes": space.file_bytes })
}
