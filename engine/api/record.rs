//! A job as a test: what it was given, found and was answered, with stand-ins for secrets and people.
//!
//! In: a job that ended. Out: the text of a test file, which held when it was run.
//! Always true: the text tells nothing that the job's own page hides; what cannot become a test is
//! refused with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;

use crate::compile::{Program, Step, StepKind};
use crate::data::{Object, Value, weight};
use crate::journal::{Decision, Entry, EntryKind, Failure};
use crate::mask::StandIns;
use crate::names::TableName;
use crate::shape::Shape;
use crate::source::parse;
use crate::store::{Pinned, RowBefore};
use crate::table::{SETTINGS_TABLE, Table, key_text};
use crate::trial::{NotRecorded, Story, record as run_as_test};

use super::aside::played;
use super::job::{Purpose, Seen, job_id};
use super::{Problem, Rooms};

/// Of a longer table, a test holds the rows that the job came upon.
const ROWS_WHOLE: usize = 40;

/// Longer tables are not looked through.
const ROWS_MAX: usize = 20_000;

/// Of tables of which a test would hold more bytes, none is written: nobody would read it.
const ROWS_BYTES_MAX: usize = 1024 * 1024;

/// `GET /api/jobs/{id}/record`
pub(super) async fn record(
    State(rooms): State<Arc<Rooms>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let id = job_id(&id)?;
    let seen = Seen::of(&rooms, &id, Purpose::Record).await?;
    let refused = |why: NotRecorded| {
        let detail = format!("job {id} cannot become a test: {}", why.0);
        Problem::conflict("cannot_record", detail)
    };
    let (program, pinned) = whole(&seen).map_err(refused)?;
    let tables = match tables(&rooms, &seen, program, pinned).await? {
        Ok(tables) => tables,
        Err(why) => return Err(refused(why)),
    };
    let recipe = seen.record.recipe.to_string();
    let text = written(&rooms, seen, tables).await?.map_err(refused)?;
    Ok(Json(json!({ "recipe": recipe, "test": text })))
}

/// The text of the test.
async fn written(
    rooms: &Arc<Rooms>,
    seen: Seen,
    tables: Rows,
) -> Result<Result<String, NotRecorded>, Problem> {
    let alone = rooms.alone()?;
    let is_stopping = rooms.intake.is_stopping.clone();
    let rooms = rooms.clone();
    played(is_stopping, async move || {
        let _alone = alone;
        let (program, pinned) = whole(&seen)?;
        let mut stand_ins = StandIns::of(seen.masker());
        let story = story(&rooms, &seen, program, pinned, tables, &mut stand_ins);
        let text = run_as_test(&rooms.intake.shelf, &story).await?;
        check(&text, &stand_ins, &seen.sources)?;
        Ok(text)
    })
    .await
}

/// What the job ran, if all that it did is known.
fn whole(seen: &Seen) -> Result<(&Arc<Program>, &Pinned), NotRecorded> {
    let refused = |why: &str| Err(NotRecorded(why.to_owned()));
    if !seen.record.status.is_final() {
        return refused("it has not ended yet");
    }
    if seen.record.pruned.is_some() {
        return refused("its history was removed");
    }
    if let Some(trouble) = &seen.trouble {
        return Err(NotRecorded(trouble.clone()));
    }
    for entry in &seen.entries {
        match entry.kind {
            EntryKind::LoopFolded { .. } => {
                return refused(
                    "its loops ran so often that not every time is kept; record one that had less \
                     to do",
                );
            }
            EntryKind::OutputGiven { .. } | EntryKind::ElementsGiven { .. } => {
                return refused("it was done again with what a person gave it");
            }
            EntryKind::CancelRequested { .. } => return refused("it was cancelled"),
            _ => {}
        }
    }
    match (&seen.program, &seen.pinned) {
        (Some(program), Some(pinned)) => Ok((program, pinned)),
        _ => refused("it ended before it began"),
    }
}

/// The rows before, by table.
type Rows = BTreeMap<TableName, Vec<Object>>;

/// The rows of the program's tables when the job began.
async fn tables(
    rooms: &Rooms,
    seen: &Seen,
    program: &Program,
    pinned: &Pinned,
) -> Result<Result<Rows, NotRecorded>, Problem> {
    let mut named = BTreeSet::new();
    for recipe in program.recipes.values() {
        recipe.for_each_step(&mut |step: &Step| {
            if let StepKind::Table { table, .. } = &step.kind {
                named.insert(table.clone());
            }
        });
    }
    let known = rooms.intake.shelf.tables();
    let mut all = Rows::new();
    let mut bytes = 0;
    for name in named {
        let Some(table) = known.get(&name).filter(|_| name.as_str() != SETTINGS_TABLE) else {
            continue;
        };
        let store = &rooms.intake.store;
        let (job, began_at) = (&seen.record.id, pinned.started_at);
        let rows = store.rows_before(&name, job, began_at, ROWS_MAX + 1);
        let rows = rows.await?;
        if rows.len() > ROWS_MAX {
            return Ok(Err(NotRecorded(format!(
                "the table `{name}` held more than {ROWS_MAX} rows"
            ))));
        }
        let rows = needed(table, rows, seen);
        bytes += rows.iter().map(size_of_row).sum::<usize>();
        if bytes > ROWS_BYTES_MAX {
            return Ok(Err(NotRecorded(format!(
                "with the rows of the table `{name}` it would be longer than anybody reads; give \
                 the table a key, so that the rows that the job met are known"
            ))));
        }
        all.insert(name, rows);
    }
    Ok(Ok(all))
}

fn size_of_row(row: &Object) -> usize {
    row.values().map(weight).sum()
}

/// Of a long table the rows that the job came upon.
fn needed(table: &Table, rows: Vec<RowBefore>, seen: &Seen) -> Vec<Object> {
    if rows.len() <= ROWS_WHOLE || table.key.is_empty() {
        return rows.into_iter().map(|row| row.row).collect();
    }
    let mut keys = BTreeSet::new();
    for entry in &seen.entries {
        if let EntryKind::StepSucceeded { output } = &entry.kind {
            keys_in(table, output, &mut keys);
        }
    }
    for value in seen
        .look
        .steps
        .iter()
        .filter_map(|step| step.input.as_ref())
    {
        keys_in(table, value, &mut keys);
    }
    let is_met = |row: &RowBefore| row.is_touched || keys.contains(&own_key(table, &row.row));
    let met = rows.into_iter().filter(is_met);
    met.map(|row| row.row).collect()
}

/// The keys of all that could be a row of the table.
fn keys_in(table: &Table, value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if table.key.iter().all(|column| object.contains_key(column)) {
                keys.insert(own_key(table, object));
            }
            object
                .values()
                .for_each(|value| keys_in(table, value, keys));
        }
        Value::Array(list) => list.iter().for_each(|value| keys_in(table, value, keys)),
        _ => {}
    }
}

fn own_key(table: &Table, row: &Object) -> String {
    let null = Value::Null;
    let values = table
        .key
        .iter()
        .map(|column| row.get(column).unwrap_or(&null));
    key_text(&values.collect::<Vec<_>>())
}

/// The job with stand-ins.
fn story(
    rooms: &Rooms,
    seen: &Seen,
    program: &Program,
    pinned: &Pinned,
    tables: Rows,
    stand_ins: &mut StandIns,
) -> Story {
    let record = &seen.record;
    // Whoever is met late in the job may have been named early: all are met first.
    entries(seen, stand_ins);
    stand_ins.value(&program.root().input, record.input.clone());
    let project = rooms.intake.shelf.project(record.recipe.project());
    let declared = rooms.intake.shelf.tables();
    let mut rows = BTreeMap::new();
    for (table, found) in tables {
        let shape = declared
            .get(&table)
            .map_or(Shape::Any, |table| table.row_shape());
        let own = project.iter().flat_map(|project| &project.tables);
        let mut own = own.filter(|(_, named)| **named == table);
        let name = own.next().map_or(table.as_str(), |(name, _)| name);
        let mut shown = |row: Object| match stand_ins.value(&shape, Value::Object(row)) {
            Value::Object(row) => row,
            _ => Object::new(),
        };
        rows.insert(name.to_owned(), found.into_iter().map(&mut shown).collect());
    }
    let status = record.status.as_str();
    let failure = record.ending.as_ref().and_then(|end| end.failure.as_ref());
    Story {
        recipe: record.recipe.clone(),
        about: format!(
            "Recorded from job {} of {}.\nSecrets and what is about people were replaced by \
             stand-ins.",
            record.id, pinned.started_at
        ),
        title: format!("Does what a job did on {}: {status}", day(pinned)),
        now: pinned.started_at,
        event: stand_ins.value(&Shape::Any, event(seen)),
        input: stand_ins.value(&program.root().input, record.input.clone()),
        settings: settings(rooms, program, pinned, stand_ins),
        tables: rows,
        entries: entries(seen, stand_ins),
        status: record.status,
        failure: failure.map(|failure| failure.code.clone()),
    }
}

fn day(pinned: &Pinned) -> String {
    pinned.started_at.to_string().chars().take(10).collect()
}

/// The event as it is given by hand: of a delivery the part that became this job alone, with those
/// headers that a recipe looks at.
fn event(seen: &Seen) -> Value {
    let mut event = seen.record.event.clone();
    if let Value::Object(members) = &mut event
        && members.contains_key("body")
    {
        let item = members.shift_remove("item");
        let index = members.shift_remove("index");
        let index = index.as_ref().and_then(Value::as_u64).unwrap_or_default();
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        if let (Some(item), Some(body)) = (item, members.get_mut("body")) {
            leave(body, &item, index);
        }
    }
    if let Some(Value::Object(headers)) = event.get_mut("headers") {
        let sources = seen.sources.values().map(|text| text.to_lowercase());
        let sources: Vec<String> = sources.collect();
        headers.retain(|name, _| {
            let name = name.to_lowercase();
            sources.iter().any(|text| text.contains(&name))
        });
    }
    event
}

/// Leaves of the list that a delivery was split at the one element that became the job.
fn leave(body: &mut Value, item: &Value, index: usize) -> bool {
    match body {
        Value::Array(list) if list.get(index) == Some(item) => {
            *list = vec![item.clone()];
            true
        }
        Value::Array(list) => list.iter_mut().any(|value| leave(value, item, index)),
        Value::Object(object) => object.values_mut().any(|value| leave(value, item, index)),
        _ => false,
    }
}

/// The settings that are not as they are declared.
fn settings(rooms: &Rooms, program: &Program, pinned: &Pinned, stand_ins: &mut StandIns) -> Object {
    let mut all = Object::new();
    for (project, integrations) in rooms.intake.shelf.settings_of(program) {
        for (integration, keys) in integrations {
            let mut own = Object::new();
            for (key, field) in keys {
                let value = &pinned.settings[&project][&integration][&key];
                if value.is_null() || Some(value) == field.default.as_ref() {
                    continue;
                }
                let shape = Shape::object_of([("value", field)]);
                let mut shown = stand_ins.value(&shape, json!({ "value": value }));
                own.insert(key, shown["value"].take());
            }
            if !own.is_empty() {
                all.insert(integration, own.into());
            }
        }
    }
    all
}

/// What happened, with stand-ins.
fn entries(seen: &Seen, stand_ins: &mut StandIns) -> Vec<Entry> {
    let places = seen.look.steps.iter().map(|step| {
        let shapes = seen.shapes.get(&(step.recipe.clone(), step.step.clone()));
        (&step.key, shapes.map(|(_, output)| output))
    });
    let places: BTreeMap<_, _> = places.collect();
    let mut shown = seen.entries.clone();
    for entry in &mut shown {
        let shape = places.get(&entry.key).copied().flatten();
        match &mut entry.kind {
            EntryKind::StepSucceeded { output } => {
                *output = stand_ins.value(shape.unwrap_or(&Shape::Any), output.take());
            }
            EntryKind::StepFailed { failure, .. } => {
                *failure = Failure {
                    message: stand_ins.text(&failure.message),
                    body: failure
                        .body
                        .take()
                        .map(|body| stand_ins.value(&Shape::Any, body)),
                    ..failure.clone()
                };
            }
            EntryKind::DecisionMade {
                decision: Decision::Happened { output },
                ..
            } => *output = stand_ins.value(shape.unwrap_or(&Shape::Any), output.take()),
            _ => {}
        }
    }
    shown
}

/// Whether the text tells what is not to be told; what the recipes themselves say may be.
fn check(
    text: &str,
    stand_ins: &StandIns,
    sources: &BTreeMap<String, String>,
) -> Result<(), NotRecorded> {
    let (document, _) = parse(&Arc::from("recorded.test.yaml"), text.as_bytes());
    let value = document.map_or(Value::from(text), |document| document.root.to_value());
    let sources: Vec<String> = sources.values().map(|text| text.to_lowercase()).collect();
    let is_allowed = |piece: &str| {
        let piece = piece.to_lowercase();
        sources.iter().any(|source| source.contains(&piece))
    };
    match stand_ins.told_by(&value, &is_allowed) {
        None => Ok(()),
        Some(_) => Err(NotRecorded(
            "something about a person or a secret would stand in it, which its steps put together \
             in a way that leaves no place for a stand-in"
                .to_owned(),
        )),
    }
}
