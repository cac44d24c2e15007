//! What a run would do: `POST /api/recipes/{project}/{name}/run` with `"preview": true`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::connector::Effect;
use crate::data::{Object, Value, show_withheld};
use crate::mask::{Hidden, Marked, Masker};
use crate::names::RecipeName;
use crate::preview::{Preview, RowChange, Withheld, preview};
use crate::trigger::Given;

use super::job::{Purpose, in_full};
use super::{Problem, Rooms};

/// Runs the preview and tells what came of it; nothing was changed anywhere.
pub(super) async fn run(
    rooms: &Rooms,
    name: &RecipeName,
    given: Given,
    by: &str,
) -> Result<Response, Problem> {
    let shown = preview(&rooms.intake, rooms.calls.clone(), name, given, by).await?;
    let scratch = Rooms {
        intake: shown.intake.clone(),
        ..rooms.clone()
    };
    let mut hidden = Hidden::default();
    for change in &shown.changes {
        hide_columns(rooms, change, &mut hidden);
    }
    let mut masker = hidden.masker();
    let mut jobs = Vec::new();
    for id in &shown.jobs {
        let marked = Marked::SecretOrPersonal;
        let (wire, found) = in_full(&scratch, id, Purpose::Preview, marked).await?;
        jobs.push(wire);
        masker = masker.and(&found);
    }
    let jobs = jobs.into_iter().map(|job| masker.value(show_withheld(job)));
    let jobs = jobs.collect();
    Ok(Json(wire(shown, jobs, &masker)).into_response())
}

fn wire(shown: Preview, jobs: Vec<Value>, masker: &Masker) -> Value {
    let mut would_send = Vec::new();
    let mut not_asked = Vec::new();
    for call in shown.withheld {
        let list = match call.effect {
            Effect::Read => &mut not_asked,
            Effect::Repeatable | Effect::Once => &mut would_send,
        };
        list.push(masker.value(show_withheld(call_wire(call))));
    }
    let changes = shown.changes.into_iter();
    let changes: Value = changes
        .map(|change| masker.value(row_wire(change)))
        .collect();
    json!({
        "preview": true,
        "is_cut_short": shown.is_cut_short,
        "would_send": would_send,
        "not_asked": not_asked,
        "would_write": changes,
        "jobs": jobs,
    })
}

fn call_wire(call: Withheld) -> Value {
    let mut wire = json!({ "step": call.place.0, "action": call.action, "with": call.input });
    if let (Some(wire), Some(fields)) = (wire.as_object_mut(), call.also_send) {
        wire.insert("also_send".into(), fields);
    }
    wire
}

fn row_wire(change: RowChange) -> Value {
    let what = match (&change.before, &change.after) {
        (None, _) => "add",
        (Some(_), None) => "remove",
        (Some(_), Some(_)) => "change",
    };
    let mut wire = json!({ "table": change.table.as_str(), "change": what });
    for (name, row) in [("before", change.before), ("after", change.after)] {
        if let (Some(wire), Some(row)) = (wire.as_object_mut(), row) {
            wire.insert(name.into(), row.into());
        }
    }
    wire
}

/// What a table declares personal or secret is shown nowhere.
fn hide_columns(rooms: &Rooms, change: &RowChange, hidden: &mut Hidden) {
    let tables = rooms.intake.shelf.tables();
    let Some(table) = tables.get(&change.table) else {
        return;
    };
    let rows: [&Option<Object>; 2] = [&change.before, &change.after];
    for row in rows.into_iter().flatten() {
        for (name, column) in &table.columns {
            if (column.field.personal || column.field.secret)
                && let Some(value) = row.get(name)
            {
                hidden.take(value);
            }
        }
    }
}
