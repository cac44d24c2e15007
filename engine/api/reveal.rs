//! Personal values that a person wants to see.
//!
//! Always true: that somebody looked is in the audit before anything is shown.

use crate::data::Value;
use crate::store::AuditEntry;

use super::{Problem, Rooms};

/// Notes that a person looked at personal values.
pub(super) async fn note_reveal(rooms: &Rooms, by: &str, subject: String) -> Result<(), Problem> {
    let entry = AuditEntry {
        at: rooms.intake.clock.now(),
        by: format!("person:{by}"),
        action: "personal_revealed".to_owned(),
        subject,
        detail: Value::Null,
    };
    Ok(rooms.intake.store.note(entry).await?)
}

/// Reads the one thing that can be revealed.
pub(super) fn reveals(value: &str) -> Result<bool, Problem> {
    match value {
        "personal" => Ok(true),
        _ => Err(Problem::bad_request("`reveal` can be `personal` only")),
    }
}
