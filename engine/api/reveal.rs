//! Personal values that a person wants to see.
//!
//! Always true: nobody but an admin is shown any; that one looked is in the audit before.

use crate::data::Value;
use crate::names::Role;
use crate::store::AuditEntry;

use super::{Problem, Rooms, SignedIn};

/// Notes that an admin looks at personal values; nobody else may.
pub(super) async fn note_reveal(
    rooms: &Rooms,
    person: &SignedIn,
    subject: String,
) -> Result<(), Problem> {
    person.check(Role::Admin)?;
    let entry = AuditEntry {
        at: rooms.intake.clock.now(),
        by: person.name.to_string(),
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
