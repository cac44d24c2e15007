//! Recipe and journal in, the next effects out.
//!
//! In: a [`Program`], what the job began with, its recorded entries, then answers to effects in
//! any order. Out: a [`Turn`] with effects, new entries and, once, the ending.
//! Always true: pure. Steps are written as `async` functions, but no runtime runs them: the
//! machine polls them by hand, so that time, vendors and crashes are inputs. What is recorded is
//! not asked for again; nothing is recomputed per step.

mod action;
mod ask;
mod block;
mod branch;
mod calling;
mod covers;
mod desk;
mod effect;
mod ending;
mod fold;
mod frame;
mod keeping;
mod leaf;
mod limit;
mod list;
mod on_failure;
mod page;
mod path;
mod preview;
mod progress;
mod recorded;
mod repeat;
mod results;
mod retry;
mod scope;
mod seeded;
mod source;
mod start;
mod trace;
mod transform;
mod vars;

pub use effect::{Answer, Call, Called, Effect, EffectKind, Verified};
pub use ending::cancelled;
pub use path::part::ON_FAILURE;
pub use progress::{Look, NextTry, Progress};
pub use trace::{TraceState, Traced};

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::clock::Moment;
use crate::compile::Program;
use crate::data::Value;
use crate::expression::EvaluationError;
use crate::journal::{Ending, Entry, EntryKey, EntryKind, Failure};
use crate::names::{JobId, RecipeName};
use crate::store::NewJob;

use desk::Desk;
use keeping::Folding;

/// The code of a call whose end nothing could clear up.
pub const OUTCOME_UNKNOWN: &str = "outcome_unknown";

/// The code of a failure that says that a person gave a call up of which nobody knows whether it
/// happened.
pub const DECIDED_TO_FAIL: &str = "decided_to_fail";

/// The most frames that may stand on one another.
pub const CALL_DEPTH_MAX: u32 = 24;

/// The most jobs that may have started one another in a row.
pub const START_DEPTH_MAX: u32 = 100;

/// The most jobs that one job may start.
pub const STARTS_PER_JOB_MAX: u32 = 10_000;

/// The most jobs that one step waits for.
pub const AWAITED_JOBS_MAX: usize = 10_000;

/// The most items that a listing gathers outside of a `foreach`.
pub const LISTED_ITEMS_MAX: usize = 10_000;

/// How much further a replay goes that has kept all the steps it may, to find how far the job is.
const TURNS_BEYOND_MAX: u32 = 500;

/// What a job begins with.
#[derive(Clone, Debug)]
pub struct Start {
    /// Its name.
    pub id: JobId,
    /// What it runs.
    pub program: Arc<Program>,
    /// The root `trigger`, or null.
    pub event: Value,
    /// The root `input`.
    pub input: Value,
    /// Its settings: project, integration, key.
    pub settings: Value,
    /// When it was first claimed.
    pub started_at: Moment,
    /// Who or what started it.
    pub started_by: String,
    /// How many jobs started one another up to this one.
    pub start_depth: u32,
    /// Whether it only shows what it would do: then calls may answer with withheld values.
    pub is_preview: bool,
}

/// A job under way.
pub struct Machine {
    job: Arc<Job>,
    future: Pin<Box<dyn Future<Output = Ending> + Send>>,
    ending: Option<Ending>,
    started_at: Moment,
}

/// What a job asks for and reports after some answers.
#[derive(Debug, Default)]
pub struct Turn {
    /// What the world is to do.
    pub effects: Vec<Effect>,
    /// What happened since the last turn, to be written.
    pub entries: Vec<Entry>,
    /// Frames that ended and give their key and slot back.
    pub released_holds: Vec<EntryKey>,
    /// Jobs that it starts, to be queued with the entries that say so.
    pub children: Vec<NewJob>,
    /// How often other recipes were called since the last turn.
    pub calls: BTreeMap<RecipeName, u64>,
    /// Whether the machine only paused and wants another turn at once.
    pub has_more_work: bool,
    /// How the job ended, if it did.
    pub ending: Option<Ending>,
}

/// The parts of a job that its steps share.
struct Job {
    id: JobId,
    value: Arc<Value>,
    event: Option<Arc<Value>>,
    settings: covers::Settings,
    program: Arc<Program>,
    start_depth: u32,
    is_preview: bool,
    desk: Desk,
    /// Why the job cannot even begin.
    trouble: Option<Failure>,
}

/// Why a block ends before its last step.
#[derive(Debug)]
enum Exit {
    /// The recipe returns.
    Returned(Value),
    /// The job stops.
    Stopped { is_success: bool, reason: String },
    /// A step failed.
    Failed(Box<Failure>),
    /// The job is cancelled.
    Cancelled,
}

type Flow<T = ()> = Result<T, Exit>;

impl Machine {
    /// Sets a job up, at its beginning or after its recorded entries.
    pub fn new(start: Start, entries: Vec<Entry>) -> Self {
        Self::with_trace(start, entries, Folding::default(), None)
    }

    /// Sets a job up that folds its loops once so many iterations are over, but for the first few
    /// of each loop (one at least): of use where small jobs are to behave like large ones.
    pub fn folding(start: Start, entries: Vec<Entry>, after: u64, kept: u64) -> Self {
        let rule = Folding {
            after,
            kept: kept.max(1),
            ..Folding::default()
        };
        Self::with_trace(start, entries, rule, None)
    }

    /// Replays a job from its entries to show its steps; what is not recorded stays open. Waits
    /// that were over at `ended_at`, or at the last entry of a job that goes on, are over.
    pub fn replay(start: Start, entries: Vec<Entry>, ended_at: Option<Moment>) -> Vec<Traced> {
        Self::look(start, entries, ended_at).steps
    }

    /// The same, with how far the job has come.
    pub fn look(start: Start, entries: Vec<Entry>, ended_at: Option<Moment>) -> Look {
        let last = entries.iter().map(|entry| entry.at).max();
        let seen_until = ended_at.or(last).unwrap_or(start.started_at);
        let mut machine = Self::with_trace(start, entries, Folding::default(), Some(()));
        let (mut timers, mut calls) = (BTreeSet::new(), Vec::new());
        let mut turns_beyond = 0;
        loop {
            let turn = machine.turn(machine.started_at);
            for effect in turn.effects {
                match effect.kind {
                    EffectKind::Timer { until } if until <= seen_until => {
                        timers.insert((until, effect.number));
                    }
                    EffectKind::Call(call) => calls.push((effect.number, *call)),
                    _ => {}
                }
            }
            turns_beyond += u32::from(machine.job.desk.is_trace_full());
            // One at a time, so that a wait inside a step with a time limit is over first.
            if let (false, Some((until, number))) = (turn.has_more_work, timers.pop_first()) {
                machine.answer(number, until, Answer::Fired);
            } else if !turn.has_more_work || turns_beyond > TURNS_BEYOND_MAX {
                break;
            }
        }
        calls.retain(|(number, _)| machine.is_waiting(*number));
        let mut state = machine.job.desk.state();
        Look {
            steps: state.trace.take().unwrap_or_default(),
            loops: state.loops.under_way(),
            tries: std::mem::take(&mut state.tries),
            calls: calls.into_iter().map(|(_, call)| call).collect(),
        }
    }

    /// Goes on as far as the answers allow. `now` counts for deadlines only.
    pub fn turn(&mut self, now: Moment) -> Turn {
        self.job.desk.state().clock = now;
        if self.ending.is_none() {
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(ending) = self.future.as_mut().poll(&mut context) {
                self.ending = Some(ending);
            }
        }
        let mut state = self.job.desk.state();
        Turn {
            effects: std::mem::take(&mut state.effects),
            entries: std::mem::take(&mut state.entries),
            released_holds: std::mem::take(&mut state.released_holds),
            children: std::mem::take(&mut state.children),
            calls: std::mem::take(&mut state.calls),
            has_more_work: std::mem::take(&mut state.has_more_work) && self.ending.is_none(),
            ending: self.ending.clone(),
        }
    }

    /// Takes the answer to an effect in. An answer nobody waits for any more is dropped.
    pub fn answer(&mut self, number: u64, at: Moment, answer: Answer) {
        self.job.desk.answer(number, at, answer);
    }

    /// Whether anybody still waits for the answer to an effect.
    pub fn is_waiting(&self, number: u64) -> bool {
        self.job.desk.state().waiting.contains_key(&number)
    }

    /// Whether the journal holds something of a place that the job, resumed, has not come to yet.
    pub fn will_come_back_to(&self, key: &EntryKey) -> bool {
        self.job.desk.state().recorded.contains_key(key)
    }

    /// Tells the machine that an effect will not be performed, because the job is cancelled.
    pub fn abandon(&mut self, number: u64) {
        self.job.desk.abandon(number);
    }

    /// How many iterations of loops ended that the journal does not know to be folded.
    pub fn unfolded(&self) -> u64 {
        self.job.desk.unfolded()
    }

    /// Folds what loops have finished, for the next commit: what its entries stand for is not
    /// written any more, and goes if it was (see [`crate::journal::append`]).
    pub fn fold(&mut self) -> Vec<Entry> {
        self.job.desk.fold()
    }

    /// Asks the job to end early: nothing new starts, calls under way are waited for. Asked again,
    /// nothing changes.
    pub fn cancel(&mut self, by: &str, at: Moment) {
        self.job.desk.cancel(by, at);
    }

    /// Whether the job was asked to end early.
    pub fn is_cancelled(&self) -> bool {
        self.job.desk.cancelled_by().is_some()
    }

    fn with_trace(
        start: Start,
        entries: Vec<Entry>,
        folding: Folding,
        is_traced: Option<()>,
    ) -> Self {
        let folding = match start.is_preview {
            true => Folding::NEVER,
            false => folding,
        };
        let mut value = serde_json::json!({
            "id": start.id.as_str(),
            "recipe": start.program.root.as_str(),
            "started_at": start.started_at.to_string(),
            "started_by": start.started_by,
        });
        let (mut event, settings) = (start.event, settings_of(start.settings));
        let recipe = start.program.root();
        let found = covers::covers(recipe, &mut event, &value, &settings, start.started_at);
        let trouble = match found {
            Ok(Some(covers)) => {
                value["covers"] = covers;
                None
            }
            Ok(None) => None,
            Err(failure) => Some(*failure),
        };
        let job = Arc::new(Job {
            id: start.id,
            value: Arc::new(value),
            event: (!event.is_null()).then(|| Arc::new(event)),
            settings,
            program: start.program,
            start_depth: start.start_depth,
            is_preview: start.is_preview,
            desk: Desk::new(entries, folding, is_traced),
            trouble,
        });
        let started_at = start.started_at;
        let began_at = job.desk.began_at(started_at);
        let future = Box::pin(ending::run(job.clone(), start.input, began_at));
        Self {
            job,
            future,
            ending: None,
            started_at,
        }
    }
}

impl Job {
    fn setting(&self, project: &str, integration: &str) -> Option<Arc<Value>> {
        self.settings.get(project)?.get(integration).cloned()
    }
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Machine({})", self.job.id)
    }
}

/// Takes the snapshot of settings apart, so that a step shares what it reads.
fn settings_of(settings: Value) -> covers::Settings {
    let Value::Object(projects) = settings else {
        return BTreeMap::new();
    };
    let mut shared = BTreeMap::new();
    for (project, integrations) in projects {
        let Value::Object(integrations) = integrations else {
            continue;
        };
        let integrations = integrations
            .into_iter()
            .map(|(integration, keys)| (integration.to_lowercase(), Arc::new(keys)))
            .collect();
        shared.insert(project, integrations);
    }
    shared
}

impl From<EvaluationError> for Exit {
    fn from(error: EvaluationError) -> Self {
        if let Some(by) = error.withheld_by {
            return Exit::Failed(Box::new(preview::not_known(&by)));
        }
        let message = format!("`{}`: {}", error.expression, error.message);
        Exit::Failed(Box::new(Failure::new("no_value", message)))
    }
}

impl From<Failure> for Exit {
    fn from(failure: Failure) -> Self {
        Exit::Failed(Box::new(failure))
    }
}

/// The entry of a good end.
fn succeeded(output: Value) -> EntryKind {
    EntryKind::StepSucceeded { output }
}

#[cfg(test)]
mod tests;
