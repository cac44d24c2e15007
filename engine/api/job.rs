//! One job in full: what it was given, each step with input and output, what it waits for.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::{Extension, Json};
use serde_json::json;

use crate::compile::Program;
use crate::data::{Object, Value};
use crate::interpret::{Look, Machine, ON_FAILURE, Start, Traced};
use crate::journal::{Entry, EntryKind, JobStatus};
use crate::mask::{Hidden, Marked, Masker, in_place, learned_secrets};
use crate::names::{JobId, RecipeName};
use crate::shape::Shape;
use crate::store::{JobRecord, Jobs, Pinned, StoreError};

use super::aside::aside;
use super::body::{parameters, unknown_parameter};
use super::decide::open_decisions;
use super::personal::{About, Shapes, marks, of_job, shapes};
use super::rerun::{show_changes, show_lineage};
use super::reveal::{note_reveal, reveals};
use super::unseen::Unseen;
use super::{Problem, Rooms, SignedIn, cancel, progress, standing, tree, wait, wire};

/// What is asked for beside the job.
#[derive(Default)]
struct Asked {
    /// How long to wait for its end.
    patience: Option<std::time::Duration>,
    /// Whether personal values are to be shown.
    reveals: bool,
}

/// `GET /api/jobs/{id}`; with `?wait=30s` once it ended or needs a person, or then; with
/// `?reveal=personal` with personal values, which is noted in the audit.
pub(super) async fn show(
    State(rooms): State<Arc<Rooms>>,
    Extension(person): Extension<SignedIn>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let id = job_id(&id)?;
    let asked = asked(query.as_deref())?;
    if let Some(patience) = asked.patience {
        wait::until_settled(&rooms, &id, patience).await?;
    }
    if asked.reveals {
        note_reveal(&rooms, &person, format!("job:{id}")).await?;
    }
    let seen = Seen::of(&rooms, &id, Purpose::Record).await?;
    let (seen, masker) = match asked.reveals {
        true => (seen, (*learned_secrets()).clone()),
        false => seen.with_masker().await?,
    };
    let marked = match asked.reveals {
        true => Marked::Secret,
        false => Marked::SecretOrPersonal,
    };
    Ok(Json(in_full(&rooms, seen, masker, marked).await?))
}

/// What a job is shown for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It happened.
    Record,
    /// It is what a preview showed.
    Preview,
}

/// A job with its steps, without what is marked so.
pub(super) async fn in_full(
    rooms: &Rooms,
    seen: Seen,
    masker: Masker,
    marked: Marked,
) -> Result<Value, Problem> {
    let show = move || {
        let shown = Shown {
            seen: &seen,
            masker,
            marked,
        };
        (shown.wire(), shown.masker, seen)
    };
    let (mut wire, masker, seen) = aside(show).await?;
    let id = &seen.record.id;
    wire["journal_bytes"] = rooms.intake.store.journal_bytes(id).await?.into();
    let is_over = seen.record.status.is_final();
    let waiting = match is_over {
        true => Vec::new(),
        false => rooms.intake.store.requests(id).await?,
    };
    if !is_over {
        let open = open_decisions(&seen.entries);
        let open = open.iter().map(|open| {
            let program = seen.program.as_deref();
            open.wire(&rooms.intake.shelf, program, &|value| masker.value(value))
        });
        wire["decisions"] = open.collect();
        let records = std::slice::from_ref(&seen.record);
        standing::say_why(rooms, records, std::slice::from_mut(&mut wire)).await?;
        if let Value::Object(wire) = &mut wire {
            progress::show(&seen.look, &seen.entries, &*rooms.calls, wire);
            let program = seen.program.as_deref();
            wire.extend(program.and_then(|program| progress::stage(&seen.look, program)));
        }
    }
    show_changes(rooms, seen.to_mend(), &mut wire).await?;
    if let Some(cancel) = cancel::shown(&seen.entries, &waiting) {
        wire["cancel"] = cancel;
    }
    if let Some(event) = rooms.intake.store.event_of(id).await? {
        wire["event"] = event.to_string().into();
    }
    if seen.purpose == Purpose::Record {
        show_lineage(&rooms.intake.store.lineage(id).await?, &mut wire);
    }
    if let Some(pruned) = &seen.record.pruned {
        wire["steps_missing_because"] =
            format!("its history was removed on {}: {}", pruned.at, pruned.rule).into();
    }
    Ok(wire)
}

/// What takes out of others what must not be shown of a job.
pub(super) async fn masker(rooms: &Rooms, id: &JobId) -> Result<Masker, Problem> {
    let seen = Seen::of(rooms, id, Purpose::Record).await?;
    Ok(seen.with_masker().await?.1)
}

/// Reads a job's name from an address.
pub(super) fn job_id(text: &str) -> Result<JobId, Problem> {
    JobId::new(text).map_err(|_| Problem::not_found(format!("there is no job `{text}`")))
}

fn asked(query: Option<&str>) -> Result<Asked, Problem> {
    let mut asked = Asked::default();
    for (name, value) in parameters(query) {
        match name.as_str() {
            "wait" => asked.patience = Some(wait::period(&value)?),
            "reveal" => asked.reveals = reveals(&value)?,
            _ => return Err(unknown_parameter(&name, &["wait", "reveal"])),
        }
    }
    Ok(asked)
}

/// A job as it is stored, and what its replay tells.
pub(super) struct Seen {
    purpose: Purpose,
    pub(super) record: JobRecord,
    pub(super) entries: Vec<Entry>,
    pub(super) program: Option<Arc<Program>>,
    pub(super) pinned: Option<Pinned>,
    pub(super) look: Look,
    pub(super) shapes: Shapes,
    pub(super) sources: BTreeMap<String, String>,
    pub(super) trouble: Option<String>,
}

impl Seen {
    /// Loads a job and replays it; of a damaged job, what can be read.
    pub(super) async fn of(rooms: &Rooms, id: &JobId, purpose: Purpose) -> Result<Self, Problem> {
        let store = &rooms.intake.store;
        let mut damage = None;
        let (record, entries, pinned) = match store.job(id).await {
            Err(StoreError::Corrupt(why)) => {
                damage = Some(format!("what the database holds of it is damaged: {why}"));
                (store.record(id).await?, Vec::new(), None)
            }
            loaded => loaded?,
        };
        let (found, trouble) = match &pinned {
            _ if damage.is_some() => (None, damage),
            Some(pinned) => match rooms.intake.shelf.pinned(store, pinned).await? {
                Ok(program) => (Some(program), None),
                Err(why) => (None, Some(why.to_string())),
            },
            // Queued jobs will run what is there now.
            None => (rooms.intake.shelf.program(&record.recipe), None),
        };
        let mut seen = Self {
            purpose,
            record,
            entries,
            look: Look::default(),
            shapes: Shapes::new(),
            sources: BTreeMap::new(),
            program: found,
            pinned: pinned.clone(),
            trouble,
        };
        if let Some(program) = seen.program.clone() {
            seen.shapes = shapes(rooms, &program);
            seen.sources = rooms.intake.shelf.sources(&program);
            if let Some(pinned) = pinned
                && seen.record.pruned.is_none()
            {
                seen.replay(program, pinned).await;
            }
        }
        Ok(seen)
    }

    /// The job, what its replay tells, and its journal.
    pub(super) fn parts(&self) -> (&JobRecord, &Look, &[Entry]) {
        (&self.record, &self.look, &self.entries)
    }

    /// Whether what the recipe calls after a failure failed itself.
    pub(super) fn reaction_failed(&self) -> bool {
        self.look
            .steps
            .iter()
            .any(|step| &*step.step == ON_FAILURE && step.failure.is_some())
    }

    /// What it pinned, if it ended in a way that asks for a rerun.
    fn to_mend(&self) -> Option<(&RecipeName, &Pinned)> {
        let is_bad = self.record.status.is_final() && self.record.status != JobStatus::Succeeded;
        let is_bad = is_bad && self.purpose == Purpose::Record;
        Some((
            &self.record.recipe,
            self.pinned.as_ref().filter(|_| is_bad)?,
        ))
    }

    /// The job, and what takes everything personal and secret out of what is shown of it.
    pub(super) async fn with_masker(self) -> Result<(Self, Masker), Problem> {
        aside(move || {
            let masker = self.masker();
            (self, masker)
        })
        .await
    }

    /// What takes everything personal and secret out of what is shown of the job.
    pub(super) fn masker(&self) -> Masker {
        let mut hidden = Hidden::default();
        self.gather(&mut hidden);
        of_job(&hidden, self.program.as_deref())
    }

    /// Whether something that the job works with is declared to be about people, or it began with
    /// what came from outside.
    fn is_about_people(&self) -> bool {
        let mut shapes = self
            .shapes
            .values()
            .flat_map(|(input, output)| [input, output]);
        !self.record.event.is_null() || shapes.any(marks) || {
            let root = self.program.as_deref().map(Program::root);
            root.is_none_or(|root| marks(&root.input) || marks(&root.output))
        }
    }

    /// Takes in everything personal and secret that the job knows.
    pub(super) fn gather(&self, hidden: &mut Hidden) {
        let about = About {
            record: &self.record,
            entries: &self.entries,
            program: self.program.as_deref(),
            traced: &self.look.steps,
            shapes: &self.shapes,
            sources: &self.sources,
        };
        about.gather(hidden);
    }

    async fn replay(&mut self, program: Arc<Program>, pinned: Pinned) {
        let start = Start {
            id: self.record.id.clone(),
            program,
            event: self.record.event.clone(),
            input: self.record.input.clone(),
            settings: pinned.settings,
            started_at: pinned.started_at,
            started_by: self.record.started_by.clone(),
            start_depth: self.record.start_depth,
            is_preview: self.purpose == Purpose::Preview,
        };
        let (entries, ended_at) = (self.entries.clone(), self.record.ended_at);
        // A long job's replay takes its time, in which others are to be answered.
        let replay = move || Machine::look(start, entries, ended_at);
        match tokio::task::spawn_blocking(replay).await {
            Ok(look) => self.look = look,
            Err(fault) => {
                tracing::error!(job = %self.record.id, "the job cannot be replayed: {fault}");
                self.trouble = Some("the engine met a fault of its own; its log says where".into());
            }
        }
    }
}

/// A job as it is shown.
struct Shown<'a> {
    seen: &'a Seen,
    masker: Masker,
    marked: Marked,
}

impl Shown<'_> {
    fn wire(&self) -> Value {
        let (record, entries) = (&self.seen.record, &self.seen.entries);
        let Value::Object(mut wire) = wire::job(record) else {
            return Value::Null;
        };
        let (input, output) = match &self.seen.program {
            Some(program) => (program.root().input.clone(), program.root().output.clone()),
            None => (Shape::Any, Shape::Any),
        };
        if !record.event.is_null() {
            wire.insert("trigger".into(), self.hidden(record.event.clone()));
        }
        if record
            .input
            .as_object()
            .is_some_and(|input| !input.is_empty())
        {
            wire.insert("input".into(), self.declared(&input, &record.input));
        }
        if let Some(ending) = &record.ending {
            if let Some(value) = &ending.output {
                wire.insert("output".into(), self.declared(&output, value));
            }
            if let Some(failure) = &ending.failure {
                wire.insert("failure".into(), self.hidden(json!(failure)));
            }
        }
        if record.recoveries > 0 {
            wire.insert("recoveries".into(), record.recoveries.into());
        }
        let steps = tree::tree(
            &self.seen.look,
            entries,
            &|step, node| self.step(step, node),
            &|value| self.hidden(value),
        );
        wire.insert("steps".into(), Value::Array(steps));
        wire.insert("log".into(), self.lines().into());
        if let Some(trouble) = &self.seen.trouble {
            wire.insert("steps_missing_because".into(), trouble.as_str().into());
        }
        Value::Object(wire)
    }

    fn hidden(&self, value: Value) -> Value {
        self.masker.value(value)
    }

    fn declared(&self, shape: &Shape, value: &Value) -> Value {
        self.hidden(in_place(shape, value.clone(), self.marked))
    }

    /// Adds what a step was given and gave.
    fn step(&self, step: &Traced, mut node: Object) -> Object {
        let any = (Shape::Any, Shape::Any);
        let key = (step.recipe.clone(), step.step.clone());
        let (input, output) = self.seen.shapes.get(&key).unwrap_or(&any);
        let parts = [
            ("input", &step.input, input),
            ("output", &step.output, output),
        ];
        for (name, value, shape) in parts {
            if let Some(value) = value {
                node.insert(name.into(), self.declared(shape, value));
            }
        }
        if let Some(note) = &step.note {
            node.insert("note".into(), self.hidden(note.as_str().into()));
        }
        if let Some(failure) = &step.failure {
            node.insert("failure".into(), self.hidden(json!(failure)));
        }
        node
    }

    /// The job's log.
    fn lines(&self) -> Vec<Value> {
        let unseen = Unseen::of(&self.seen.entries, &self.seen.sources);
        let hides_unseen = self.marked == Marked::SecretOrPersonal && self.seen.is_about_people();
        let line = |entry: &Entry| match &entry.kind {
            EntryKind::LineLogged {
                level,
                message,
                data,
            } => {
                let (mut message, mut data) = (message.clone(), data.clone());
                if hides_unseen && unseen.holds(entry) {
                    message = unseen.text(&message);
                    data = data.map(|data| unseen.value(data));
                }
                let mut line = json!({
                    "at": wire::moment(entry.at),
                    "key": entry.key.0,
                    "level": level,
                    "message": self.masker.text(&message),
                });
                if let (Some(line), Some(data)) = (line.as_object_mut(), data) {
                    line.insert("data".into(), self.hidden(data));
                }
                Some(line)
            }
            _ => None,
        };
        self.seen.entries.iter().filter_map(line).collect()
    }
}
