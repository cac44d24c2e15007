//! What people did: recipes started and stopped, rows changed, jobs released, personal values
//! looked at.
//!
//! Always true: an answer names who, what and when, and never what somebody's data was.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::json;

use crate::data::Value;
use crate::mask::learned_secrets;

use super::body::{limit, parameters, unknown_parameter};
use super::{Problem, Rooms, wire};

/// How many entries are shown unless asked otherwise, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 500;

/// The member of an entry that names a row by its key, which may be a person's.
const ROW: &str = "row";

/// `GET /api/audit`: the latest entries, newest first; with `?subject=table:NAME`, `job:ID` or
/// `recipe:NAME` those about one thing.
pub(super) async fn list(
    State(rooms): State<Arc<Rooms>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let (mut subject, mut most) = (None, PAGE);
    for (name, value) in parameters(query.as_deref()) {
        match name.as_str() {
            "subject" => subject = Some(value),
            "limit" => most = limit(&name, &value, PAGE_MAX)?,
            _ => return Err(unknown_parameter(&name, &["subject", "limit"])),
        }
    }
    let entries = rooms.intake.store.audit(subject.as_deref(), most).await?;
    let masker = (*learned_secrets()).clone().and_mails();
    let entries = entries.into_iter().map(|entry| {
        let mut detail = entry.detail;
        if let Some(detail) = detail.as_object_mut() {
            detail.shift_remove(ROW);
        }
        masker.value(json!({
            "at": wire::moment(entry.at),
            "by": entry.by.strip_prefix("person:").unwrap_or(&entry.by),
            "action": entry.action,
            "subject": entry.subject,
            "detail": detail,
        }))
    });
    Ok(Json(json!({ "entries": entries.collect::<Vec<Value>>() })))
}
