//! One job in full: what it was given, each step with input and output, what it waits for.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde_json::json;

use crate::clock::Moment;
use crate::compile::{Program, Step, StepKind};
use crate::data::{Object, Value};
use crate::interpret::{Machine, Start, Traced};
use crate::journal::{Entry, EntryKind};
use crate::names::{JobId, RecipeName};
use crate::shape::Shape;
use crate::store::{JobRecord, Jobs, Pinned};

use super::decide::open_decisions;
use super::mask::{Hidden, mask};
use super::{Problem, Rooms, cancel, tree, wait, wire};

/// `GET /api/jobs/{id}`; with `?wait=30s` once it ended or needs a person, or then.
pub(super) async fn show(
    State(rooms): State<Arc<Rooms>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let id = job_id(&id)?;
    if let Some(patience) = wait::patience(query.as_deref())? {
        wait::until_settled(&rooms, &id, patience).await?;
    }
    let (wire, _) = in_full(&rooms, &id, Purpose::Record).await?;
    Ok(Json(wire))
}

/// What a job is shown for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It happened.
    Record,
    /// It is what a preview showed.
    Preview,
}

/// A job with its steps, and what had to be hidden of it.
pub(super) async fn in_full(
    rooms: &Rooms,
    id: &JobId,
    purpose: Purpose,
) -> Result<(Value, Hidden), Problem> {
    let (record, entries, shown) = load(rooms, id, purpose).await?;
    let mut wire = shown.wire(&record, &entries);
    let waiting = match record.status.is_final() {
        true => Vec::new(),
        false => rooms.intake.store.requests(id).await?,
    };
    if let Some(cancel) = cancel::shown(&entries, &waiting) {
        wire["cancel"] = cancel;
    }
    if let Some(event) = rooms.intake.store.event_of(id).await? {
        wire["event"] = event.to_string().into();
    }
    if let Some(pruned) = &record.pruned {
        wire["steps_missing_because"] =
            format!("its history was removed on {}: {}", pruned.at, pruned.rule).into();
    }
    Ok((wire, shown.hidden))
}

/// What a job began with.
fn start(program: Arc<Program>, record: &JobRecord, pinned: &Pinned, purpose: Purpose) -> Start {
    Start {
        id: record.id.clone(),
        program,
        event: record.event.clone(),
        input: record.input.clone(),
        settings: pinned.settings.clone(),
        started_at: pinned.started_at,
        started_by: record.started_by.clone(),
        is_preview: purpose == Purpose::Preview,
    }
}

/// What of a job must not be shown anywhere.
pub(super) async fn hidden(rooms: &Rooms, id: &JobId) -> Result<Hidden, Problem> {
    let (_, _, shown) = load(rooms, id, Purpose::Record).await?;
    Ok(shown.hidden)
}

async fn load(
    rooms: &Rooms,
    id: &JobId,
    purpose: Purpose,
) -> Result<(JobRecord, Vec<Entry>, Shown), Problem> {
    let (record, entries, pinned) = rooms.intake.store.job(id).await?;
    let mut shown = Shown::default();
    if let Some(pinned) = &pinned
        && record.pruned.is_none()
    {
        match program(rooms, pinned).await? {
            Ok(program) => {
                let start = start(program, &record, pinned, purpose);
                shown = Shown::replay(rooms, start, &entries, record.ended_at);
            }
            Err(why) => shown.trouble = Some(why),
        }
    }
    Ok((record, entries, shown))
}

/// Reads a job's name from an address.
pub(super) fn job_id(text: &str) -> Result<JobId, Problem> {
    JobId::new(text).map_err(|_| Problem::not_found(format!("there is no job `{text}`")))
}

/// The program that a job pinned, or why it cannot be had any more.
async fn program(rooms: &Rooms, pinned: &Pinned) -> Result<Result<Arc<Program>, String>, Problem> {
    let shelf = &rooms.intake.shelf;
    if let Some(program) = shelf.program_of_hash(&pinned.program) {
        return Ok(Ok(program));
    }
    let Some(sources) = rooms.intake.store.program(&pinned.program).await? else {
        return Ok(Err("the sources that the job began with are gone".into()));
    };
    Ok(shelf.revive(&pinned.program, &sources))
}

/// What is shown of a job beside its record.
#[derive(Default)]
struct Shown {
    program: Option<Arc<Program>>,
    traced: Vec<Traced>,
    shapes: HashMap<(RecipeName, Arc<str>), (Shape, Shape)>,
    hidden: Hidden,
    trouble: Option<String>,
}

impl Shown {
    /// Replays a job and finds out what must not be shown.
    fn replay(rooms: &Rooms, start: Start, entries: &[Entry], ended_at: Option<Moment>) -> Self {
        let (program, given) = (start.program.clone(), start.input.clone());
        let traced = Machine::replay(start, entries.to_vec(), ended_at);
        let mut shown = Self {
            traced,
            shapes: shapes(rooms, &program),
            ..Self::default()
        };
        shown.hidden.gather(&program.root().input, &given);
        for step in &shown.traced {
            if let Some((input, output)) =
                shown.shapes.get(&(step.recipe.clone(), step.step.clone()))
            {
                step.input
                    .iter()
                    .for_each(|value| shown.hidden.gather(input, value));
                step.output
                    .iter()
                    .for_each(|value| shown.hidden.gather(output, value));
            }
        }
        shown.program = Some(program);
        shown
    }

    fn wire(&self, record: &JobRecord, entries: &[Entry]) -> Value {
        let Value::Object(mut wire) = wire::job(record) else {
            return Value::Null;
        };
        let hide = |value: &Value| self.hidden.apply(value.clone());
        let (input, output) = match &self.program {
            Some(program) => (program.root().input.clone(), program.root().output.clone()),
            None => (Shape::Any, Shape::Any),
        };
        if !record.event.is_null() {
            wire.insert("trigger".into(), hide(&record.event));
        }
        if record
            .input
            .as_object()
            .is_some_and(|input| !input.is_empty())
        {
            wire.insert("input".into(), hide(&mask(&input, record.input.clone())));
        }
        if let Some(ending) = &record.ending {
            if let Some(value) = &ending.output {
                wire.insert("output".into(), hide(&mask(&output, value.clone())));
            }
            if let Some(failure) = &ending.failure {
                wire.insert("failure".into(), hide(&json!(failure)));
            }
        }
        if record.recoveries > 0 {
            wire.insert("recoveries".into(), record.recoveries.into());
        }
        if !record.status.is_final() {
            let open: Vec<Value> = open_decisions(entries)
                .into_iter()
                .map(|open| hide(&open.wire()))
                .collect();
            wire.insert("decisions".into(), open.into());
        }
        let steps = tree::tree(&self.traced, entries, &|step, node| self.step(step, node));
        // Masked as a whole once more: what is known of open steps comes from the journal alone.
        wire.insert("steps".into(), hide(&Value::Array(steps)));
        wire.insert(
            "log".into(),
            lines(entries).into_iter().map(|line| hide(&line)).collect(),
        );
        if let Some(trouble) = &self.trouble {
            wire.insert("steps_missing_because".into(), trouble.as_str().into());
        }
        Value::Object(wire)
    }

    /// Adds what a step was given and gave.
    fn step(&self, step: &Traced, mut node: Object) -> Object {
        let any = (Shape::Any, Shape::Any);
        let key = (step.recipe.clone(), step.step.clone());
        let (input, output) = self.shapes.get(&key).unwrap_or(&any);
        let parts = [
            ("input", &step.input, input),
            ("output", &step.output, output),
        ];
        for (name, value, shape) in parts {
            if let Some(value) = value {
                node.insert(name.into(), self.hidden.apply(mask(shape, value.clone())));
            }
        }
        if let Some(note) = &step.note {
            node.insert("note".into(), self.hidden.apply(note.as_str().into()));
        }
        if let Some(failure) = &step.failure {
            node.insert("failure".into(), self.hidden.apply(json!(failure)));
        }
        node
    }
}

/// The declared input and output of every step that has them.
fn shapes(rooms: &Rooms, program: &Program) -> HashMap<(RecipeName, Arc<str>), (Shape, Shape)> {
    let mut shapes = HashMap::new();
    for (name, recipe) in &program.recipes {
        recipe.for_each_step(&mut |step: &Step| {
            let declared = match &step.kind {
                StepKind::Action { action, .. } => rooms
                    .intake
                    .shelf
                    .connector(&action.connector)
                    .and_then(|connector| connector.actions.get(&action.action).cloned())
                    .map(|action| (action.input.clone(), action.output.clone())),
                StepKind::Call { recipe, .. } => program
                    .recipes
                    .get(recipe)
                    .map(|callee| (callee.input.clone(), callee.output.clone())),
                _ => None,
            };
            if let Some(declared) = declared {
                shapes.insert((name.clone(), step.id.clone()), declared);
            }
        });
    }
    shapes
}

/// The job's log.
fn lines(entries: &[Entry]) -> Vec<Value> {
    entries
        .iter()
        .filter_map(|entry| match &entry.kind {
            EntryKind::LineLogged {
                level,
                message,
                data,
            } => {
                let mut line = json!({
                    "at": wire::moment(entry.at),
                    "key": entry.key.0,
                    "level": level,
                    "message": message,
                });
                if let (Some(line), Some(data)) = (line.as_object_mut(), data) {
                    line.insert("data".into(), data.clone());
                }
                Some(line)
            }
            _ => None,
        })
        .collect()
}
