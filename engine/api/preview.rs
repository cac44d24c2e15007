//! What a run would do: `POST /api/recipes/{project}/{name}/run` with `"preview": true`.

use std::collections::BTreeMap;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use crate::connector::Effect;
use crate::data::{Value, show_withheld};
use crate::mask::{Hidden, Marked, Masker, in_place};
use crate::names::RecipeName;
use crate::preview::{Limits, Preview, RowChange, Withheld, preview};
use crate::shape::Shape;
use crate::trigger::Given;

use super::job::{Purpose, Seen, in_full};
use super::once::Keep;
use super::personal::of_job;
use super::{Problem, Rooms};

impl Rooms {
    /// A turn at what may take much of the machine: previews, checks, tests, recordings.
    pub(super) fn alone(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.previews.clone().try_acquire_owned().map_err(|_| {
            let title =
                "A preview, checks, tests or a recording are running, and one runs at a time.";
            Problem::new(429, "preview_running", title).header(header::RETRY_AFTER, "10")
        })
    }
}

/// Runs the preview and tells what came of it; nothing was changed anywhere.
pub(super) async fn run(
    rooms: &Rooms,
    name: &RecipeName,
    given: Given,
    by: &str,
    limits: Limits,
) -> Result<Response, Problem> {
    let _alone = rooms.alone()?;
    let calls = rooms.calls.clone();
    let shown = preview(&rooms.intake, calls, name, given, by, limits).await?;
    let scratch = Rooms {
        intake: shown.intake.clone(),
        ..rooms.clone()
    };
    let mut seen = BTreeMap::new();
    let mut hidden = Hidden::default();
    hide_declared(rooms, &shown, &mut hidden);
    // What jobs were given that others started is told of as well.
    for id in &shown.begun {
        let job = Seen::of(&scratch, id, Purpose::Preview).await?;
        job.gather(&mut hidden);
        if shown.jobs.contains(id) {
            seen.insert(id.clone(), job);
        }
    }
    let program = rooms.intake.shelf.program(name);
    let masker = of_job(&hidden, program.as_deref());
    let mut jobs = Vec::new();
    for id in &shown.jobs {
        let job = match seen.remove(id) {
            Some(job) => job,
            None => Seen::of(&scratch, id, Purpose::Preview).await?,
        };
        let marked = Marked::SecretOrPersonal;
        let wire = in_full(&scratch, job, masker.clone(), marked).await?;
        // Its values were looked through; what else stands there is the recipe's own.
        jobs.push(show_withheld(wire));
    }
    let told = Json(wire(rooms, shown, jobs, &masker));
    Ok((Extension(Keep::Nothing), told).into_response())
}

fn wire(rooms: &Rooms, shown: Preview, jobs: Vec<Value>, masker: &Masker) -> Value {
    let mut would_send = Vec::new();
    let mut not_asked = Vec::new();
    for call in shown.withheld {
        let list = match call.effect {
            Effect::Read => &mut not_asked,
            Effect::Repeatable | Effect::Once => &mut would_send,
        };
        list.push(call_wire(rooms, call, masker));
    }
    let changes = shown.changes.into_iter();
    let changes: Value = changes
        .map(|change| row_wire(rooms, change, masker))
        .collect();
    let mut wire = json!({
        "preview": true,
        "is_cut_short": shown.cut.is_some(),
        "would_send": would_send,
        "not_asked": not_asked,
        "would_write": changes,
        "jobs": jobs,
    });
    if let Some(cut) = shown.cut {
        wire["cut_short_because"] = cut.to_string().into();
    }
    wire
}

fn call_wire(rooms: &Rooms, call: Withheld, masker: &Masker) -> Value {
    let action = format!("{}.{}", call.action.connector, call.action.action);
    let declared = input_shape(rooms, &call);
    let input = in_place(&declared, call.input, Marked::SecretOrPersonal);
    let input = masker.value(show_withheld(input));
    let mut wire = json!({ "step": call.place.0, "action": action, "with": input });
    if let (Some(wire), Some(fields)) = (wire.as_object_mut(), call.also_send) {
        wire.insert("also_send".into(), masker.value(show_withheld(fields)));
    }
    wire
}

fn row_wire(rooms: &Rooms, change: RowChange, masker: &Masker) -> Value {
    let what = match (&change.before, &change.after) {
        (None, _) => "add",
        (Some(_), None) => "remove",
        (Some(_), Some(_)) => "change",
    };
    let declared = row_shape(rooms, &change);
    let mut wire = json!({ "table": change.table.as_str(), "change": what });
    for (name, row) in [("before", change.before), ("after", change.after)] {
        if let (Some(wire), Some(row)) = (wire.as_object_mut(), row) {
            let row = in_place(&declared, row.into(), Marked::SecretOrPersonal);
            wire.insert(name.into(), masker.value(row));
        }
    }
    wire
}

/// What actions and tables declare personal or secret is shown nowhere.
fn hide_declared(rooms: &Rooms, shown: &Preview, hidden: &mut Hidden) {
    let marked = Marked::SecretOrPersonal;
    for call in &shown.withheld {
        hidden.gather(&input_shape(rooms, call), &call.input, marked);
    }
    for change in &shown.changes {
        let declared = row_shape(rooms, change);
        for row in [&change.before, &change.after].into_iter().flatten() {
            hidden.gather(&declared, &Value::Object(row.clone()), marked);
        }
    }
}

fn input_shape(rooms: &Rooms, call: &Withheld) -> Shape {
    let connector = rooms.intake.shelf.connector(&call.action.connector);
    let action = connector
        .as_ref()
        .and_then(|connector| connector.actions.get(&call.action.action));
    action.map_or(Shape::Any, |action| action.input.clone())
}

fn row_shape(rooms: &Rooms, change: &RowChange) -> Shape {
    let tables = rooms.intake.shelf.tables();
    let table = tables.get(&change.table);
    table.map_or(Shape::Any, |table| table.row_shape())
}
