//! Wire shapes that several routes share.

use serde_json::json;

use crate::clock::Moment;
use crate::data::{Object, Value};
use crate::diagnostic::Diagnostic;
use crate::store::JobRecord;

/// A moment as RFC 3339 text.
pub(super) fn moment(moment: Moment) -> Value {
    moment.to_string().into()
}

/// A job as it is listed: nothing of its payload.
pub(super) fn job(record: &JobRecord) -> Value {
    let mut wire = Object::new();
    wire.insert("id".into(), record.id.as_str().into());
    wire.insert("recipe".into(), record.recipe.as_str().into());
    wire.insert("status".into(), record.status.as_str().into());
    wire.insert("started_by".into(), record.started_by.as_str().into());
    wire.insert("created_at".into(), moment(record.created_at));
    let moments = [
        ("started_at", record.started_at),
        ("ended_at", record.ended_at),
        ("wake_at", record.wake_at),
    ];
    for (name, at) in moments {
        if let Some(at) = at {
            wire.insert(name.into(), moment(at));
        }
    }
    if let Some(pruned) = &record.pruned {
        let pruned = json!({ "at": moment(pruned.at), "rule": pruned.rule });
        wire.insert("history_removed".into(), pruned);
    }
    if let Some(failure) = record
        .ending
        .as_ref()
        .and_then(|ending| ending.failure.as_ref())
    {
        let short = json!({ "code": failure.code, "message": failure.message });
        wire.insert("failure".into(), short);
    }
    Value::Object(wire)
}

/// A finding about a file.
pub(super) fn diagnostic(found: &Diagnostic) -> Value {
    let mut wire = json!({
        "code": found.code,
        "severity": found.severity,
        "message": found.message,
        "place": found.place.to_string(),
        "file": found.place.file,
        "line": found.place.span.line,
        "column": found.place.span.column,
    });
    if let (Some(wire), Some(help)) = (wire.as_object_mut(), &found.help) {
        wire.insert("help".into(), help.as_str().into());
    }
    wire
}
