//! Where the steps of a job hand out effects and take in answers.
//!
//! In: recorded entries at the start, answers later. Out: effects and new entries.
//! Always true: what is recorded is never asked for again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::clock::Moment;
use crate::journal::{Entry, EntryKey, EntryKind};
use crate::names::RecipeName;
use crate::store::NewJob;

use super::ask::Ask;
use super::effect::{Answer, Effect, EffectKind};
use super::fold::Folds;
use super::keeping::Folding;
use super::progress::{Loops, NextTry};
use super::recorded::Recorded;
use super::seeded::Seeded;
use super::trace::Traced;

/// How many steps run before the machine lets its driver breathe.
const WORK_PER_TURN: u32 = 2_000;

/// The most step records that a trace keeps.
const TRACE_MAX: usize = 20_000;

/// The desk of one job.
pub(super) struct Desk(Mutex<State>);

#[derive(Default)]
pub(super) struct State {
    /// The time that the driver last told.
    pub(super) clock: Moment,
    pub(super) recorded: BTreeMap<EntryKey, Recorded>,
    pub(super) folds: Folds,
    pub(super) waiting: HashMap<u64, Slot>,
    pub(super) numbers: u64,
    cancelled_scopes: HashSet<u64>,
    /// Timed steps whose time was up before they were resumed: they may come to the end that is
    /// recorded of them, and ask for nothing more.
    closed_scopes: HashSet<u64>,
    /// How many jobs were started.
    pub(super) starts: u32,
    pub(super) children: Vec<NewJob>,
    work: u32,
    pub(super) effects: Vec<Effect>,
    pub(super) entries: Vec<Entry>,
    pub(super) released_holds: Vec<EntryKey>,
    pub(super) calls: BTreeMap<RecipeName, u64>,
    pub(super) has_more_work: bool,
    pub(super) cancelled_by: Option<String>,
    pub(super) seeded: Seeded,
    pub(super) has_failed_elements: bool,
    pub(super) trace: Option<Vec<Traced>>,
    /// Loops under way, for a replay.
    pub(super) loops: Loops,
    /// The tries that are waited for, for a replay.
    pub(super) tries: BTreeMap<EntryKey, NextTry>,
    /// What a preview has to say of steps under way, by place.
    pub(super) notes: BTreeMap<EntryKey, String>,
}

/// A place that waits for an answer.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) answer: Option<Option<(Moment, Answer)>>,
    pub(super) waker: Option<Waker>,
    pub(super) is_kept: bool,
    pub(super) is_decision: bool,
    pub(super) surroundings: Surroundings,
}

/// The timed steps that surround a place, by number.
pub(super) type Scopes = Arc<[u64]>;

/// What decides whether a place is to end early.
#[derive(Clone, Default)]
pub(super) struct Surroundings {
    /// The timed steps around it.
    pub(super) scopes: Scopes,
    /// Whether it is cleaning up (`finally`), which goes on if the job is cancelled or a time
    /// around it is up; times set inside hold.
    pub(super) is_cleaning: bool,
}

impl Desk {
    pub(super) fn new(entries: Vec<Entry>, rule: Folding, is_traced: Option<()>) -> Self {
        let mut recorded: BTreeMap<EntryKey, Recorded> = BTreeMap::new();
        let mut folds = Folds::new(rule);
        let mut cancelled_by = None;
        let mut seeded = Seeded::default();
        for entry in entries {
            let Some(Entry { key, at, kind }) =
                seeded.take_up(entry).and_then(|entry| folds.take_up(entry))
            else {
                continue;
            };
            if let EntryKind::CancelRequested { by } = kind {
                cancelled_by = Some(by);
            } else if !key.0.is_empty() {
                folds.weights.add(&key, &kind);
                recorded.entry(key).or_default().take_up(at, kind);
            }
        }
        Self(Mutex::new(State {
            recorded,
            folds,
            trace: is_traced.map(|()| Vec::new()),
            cancelled_by,
            seeded,
            ..State::default()
        }))
    }

    /// The state, whatever became of a thread that panicked while it held it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the journal holds about a place; it is asked for once.
    pub(super) fn recorded(&self, key: &EntryKey) -> Recorded {
        let mut state = self.state();
        if state.recorded.is_empty() {
            return Recorded::default();
        }
        state.recorded.remove(key).unwrap_or_default()
    }

    /// Whether the journal still holds anything at places that begin like this.
    pub(super) fn has_recorded_below(&self, place: &str) -> bool {
        let state = self.state();
        let mut from_there = state.recorded.range(EntryKey(Arc::from(place))..);
        from_there
            .next()
            .is_some_and(|(key, _)| key.0.starts_with(place))
    }

    /// The time that the driver last told: for deadlines, which are recorded as they are set.
    pub(super) fn clock(&self) -> Moment {
        self.state().clock
    }

    /// Writes an entry.
    pub(super) fn write(&self, key: &EntryKey, at: Moment, kind: EntryKind) {
        let mut state = self.state();
        state.folds.weights.add(key, &kind);
        state.entries.push(Entry {
            key: key.clone(),
            at,
            kind,
        });
    }

    /// Hands out an effect and waits for its answer; `None` if the job is cancelled meanwhile
    /// (calls under way are always answered).
    pub(super) fn ask(
        &self,
        key: EntryKey,
        kind: EffectKind,
        surroundings: Surroundings,
    ) -> Ask<'_> {
        Ask::new(self, key, kind, surroundings)
    }

    /// Takes an answer in. An answer that nobody waits for any more is dropped.
    pub(super) fn answer(&self, number: u64, at: Moment, answer: Answer) {
        self.settle(number, Some((at, answer)));
    }

    /// Lets a place go whose effect will not be performed.
    pub(super) fn abandon(&self, number: u64) {
        self.settle(number, None);
    }

    /// Asks the job to end early: what waits is let go, calls under way are waited for. The wish
    /// is recorded, so that the job ends early too if another worker must go on with it.
    pub(super) fn cancel(&self, by: &str, at: Moment) {
        {
            let mut state = self.state();
            if state.cancelled_by.is_some() {
                return;
            }
            state.cancelled_by = Some(by.to_owned());
        }
        let kind = EntryKind::CancelRequested { by: by.to_owned() };
        self.write(&EntryKey::of_job(), at, kind);
        self.let_go(|slot| !slot.is_kept && !slot.surroundings.is_cleaning || slot.is_decision);
    }

    /// Who ended the job early, if somebody did.
    pub(super) fn cancelled_by(&self) -> Option<String> {
        self.state().cancelled_by.clone()
    }

    /// A number for a step that has a time limit.
    pub(super) fn new_scope(&self) -> u64 {
        let mut state = self.state();
        state.numbers += 1;
        state.numbers
    }

    /// Ends everything inside a step whose time is up, in the same way.
    pub(super) fn cancel_scope(&self, scope: u64) {
        self.state().cancelled_scopes.insert(scope);
        self.let_go(|slot| !slot.is_kept && slot.surroundings.scopes.contains(&scope));
    }

    /// Lets a step whose time was up before it was resumed ask for nothing more.
    pub(super) fn close_scope(&self, scope: u64) {
        self.state().closed_scopes.insert(scope);
    }

    /// Whether the journal holds that the step at a place is tried again.
    pub(super) fn has_put_off(&self, key: &EntryKey) -> bool {
        let state = self.state();
        let failed = state.recorded.get(key).and_then(|at| at.failed.as_ref());
        failed.is_some_and(|(_, _, next)| next.is_some())
    }

    /// Lets go what is meant and has not been answered.
    fn let_go(&self, is_meant: impl Fn(&Slot) -> bool) {
        let waiting: Vec<u64> = {
            let state = self.state();
            let slots = state.waiting.iter();
            let meant = slots.filter(|(_, slot)| slot.answer.is_none() && is_meant(slot));
            let mut numbers: Vec<u64> = meant.map(|(number, _)| *number).collect();
            numbers.sort_unstable();
            numbers
        };
        for number in waiting {
            self.settle(number, None);
        }
    }

    fn settle(&self, number: u64, answer: Option<(Moment, Answer)>) {
        let waker = {
            let mut state = self.state();
            let Some(slot) = state.waiting.get_mut(&number) else {
                return;
            };
            slot.answer = Some(answer);
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Lets the driver look after other things once in a while.
    pub(super) async fn breathe(&self) {
        let is_due = {
            let mut state = self.state();
            state.work += 1;
            let is_due = state.work.is_multiple_of(WORK_PER_TURN);
            state.has_more_work |= is_due;
            is_due
        };
        if is_due {
            yield_once().await;
        }
    }

    /// Whether a place is to end early, so that nothing new may begin there.
    pub(super) fn begins_nothing(&self, surroundings: &Surroundings) -> bool {
        let state = self.state();
        let mut scopes = surroundings.scopes.iter();
        state.covers(surroundings) || scopes.any(|scope| state.closed_scopes.contains(scope))
    }

    /// Whether a place is to be left at once. A job that was cancelled before its worker died is
    /// first brought to where it was, so that what had begun is found and cleaned up after.
    pub(super) fn is_left(&self, surroundings: &Surroundings) -> bool {
        let state = self.state();
        let is_back = state.recorded.is_empty();
        state.covers(surroundings) && (is_back || state.covers_by_time(surroundings))
    }

    /// Remembers that an element or step failed and the job went on.
    pub(super) fn mark_failed_element(&self) {
        self.state().has_failed_elements = true;
    }

    /// Whether steps are traced at all.
    pub(super) fn is_traced(&self) -> bool {
        self.state().trace.is_some()
    }

    /// Whether no more steps are kept of a trace.
    pub(super) fn is_trace_full(&self) -> bool {
        let state = self.state();
        state
            .trace
            .as_ref()
            .is_some_and(|trace| trace.len() >= TRACE_MAX)
    }

    /// Keeps what is known of a step, if steps are traced.
    pub(super) fn trace(&self, traced: Traced) {
        if let Some(trace) = &mut self.state().trace
            && trace.len() < TRACE_MAX
        {
            trace.push(traced);
        }
    }
}

impl State {
    pub(super) fn covers(&self, surroundings: &Surroundings) -> bool {
        (self.cancelled_by.is_some() && !surroundings.is_cleaning)
            || self.covers_by_time(surroundings)
    }

    /// Ends the timed steps around a place that were not to ask for anything more.
    pub(super) fn cancel_closed(&mut self, surroundings: &Surroundings) {
        for scope in surroundings.scopes.iter() {
            if self.closed_scopes.contains(scope) {
                self.cancelled_scopes.insert(*scope);
            }
        }
    }

    /// Whether the time of a step around a place is up.
    fn covers_by_time(&self, surroundings: &Surroundings) -> bool {
        let mut scopes = surroundings.scopes.iter();
        scopes.any(|scope| self.cancelled_scopes.contains(scope))
    }
}

/// Gives the turn back once, asking to be polled again.
async fn yield_once() {
    let mut has_yielded = false;
    std::future::poll_fn(|context| {
        if has_yielded {
            return Poll::Ready(());
        }
        has_yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
