//! One job's way through a worker.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;

use crate::clock::{Clock, Moment};
use crate::interpret::{Answer, Called, Effect, EffectKind, Machine, Start, Turn};
use crate::journal::{Ending, Entry, EntryKey};
use crate::store::{
    Advance, Claimed, Committed, Haste, HoldRequest, JobRequest, Jobs, Lease, Next, Pinned,
    StoreError, TableStep,
};

use super::awaiting::Awaiting;
use super::checkpoint::CHECKPOINT_EVERY;
use super::hand_back::hand_back;
use super::perform::{Done, Outcome, is_change, is_once, is_repeatable_end, perform};
use super::unsent::HeldBack;
use super::{Left, Point, World};

/// One job while a worker has it.
pub(super) struct Run<'a> {
    pub(super) world: &'a World,
    pub(super) lease: Lease,
    pub(super) machine: Machine,
    /// What goes into the next commit.
    pub(super) pending: Advance,
    /// The numbers behind the table operations and holds of the next commit.
    pub(super) pending_numbers: Numbers,
    /// Calls that wait until what led to them is durable.
    pub(super) blocked: Vec<Effect>,
    pub(super) held_back: HeldBack,
    pub(super) under_way: FuturesUnordered<BoxFuture<'a, Done>>,
    pub(super) timers: BTreeMap<(Moment, u64), Effect>,
    pub(super) decisions: HashMap<EntryKey, u64>,
    /// Holds that wait in line.
    pub(super) in_line: Vec<(Asker, HoldRequest)>,
    /// Steps that wait for the ends of other jobs.
    pub(super) awaiting: Vec<Awaiting>,
    pub(super) requests: Vec<JobRequest>,
    /// When the job was last committed, by the machine's own measure.
    pub(super) committed_at: Instant,
    /// When finished iterations of loops were last folded.
    pub(super) folded_at: Instant,
    /// Whether the next commit makes the outcome of a `once` call durable.
    settles_once: bool,
    /// Whether the outside was asked for anything since the job was claimed.
    has_gone_out: bool,
    /// Whether something was committed that the disk may not have yet.
    is_unsettled: bool,
    /// Whether all that the machine was told since its last turn are ends of repeatable calls.
    is_repeatable_news: bool,
    /// Whether something pending would not come out the same again: a repeatable call would.
    has_firm_entries: bool,
    /// Whether the job was taken over from a dead worker and has not come further since: then the
    /// first thing that brings it further is committed at once.
    pub(super) is_recovering: bool,
}

#[derive(Default)]
pub(super) struct Numbers {
    pub(super) tables: Vec<Asker>,
    pub(super) holds: Vec<Asker>,
}

/// Who asked for something that a commit does.
#[derive(Clone, Copy)]
pub(super) struct Asker {
    pub(super) number: u64,
    pub(super) is_cleaning: bool,
}

/// Brings a claimed job as far as it goes. `pinned` is given at a job's first claim. `nudged`
/// wakes it up for requests that people left.
pub async fn advance(
    world: &World,
    claimed: Claimed,
    start: Start,
    pinned: Option<Pinned>,
    nudged: &Notify,
) -> Left {
    let mut run = Run {
        world,
        is_recovering: claimed.job.recoveries > 0,
        lease: claimed.lease,
        machine: Machine::new(start, claimed.entries),
        pending: Advance {
            pinned,
            ..Advance::default()
        },
        pending_numbers: Numbers::default(),
        blocked: Vec::new(),
        held_back: HeldBack::new(),
        under_way: FuturesUnordered::new(),
        timers: BTreeMap::new(),
        decisions: HashMap::new(),
        in_line: Vec::new(),
        awaiting: Vec::new(),
        committed_at: Instant::now(),
        folded_at: Instant::now(),
        requests: claimed.requests,
        settles_once: false,
        has_gone_out: false,
        // The claim itself need not be on the disk.
        is_unsettled: true,
        is_repeatable_news: false,
        has_firm_entries: false,
    };
    match run.until_left(nudged).await {
        Ok(left) => left,
        Err(error) => {
            tracing::warn!(job = %run.lease.job, "the job was left: {error}");
            hand_back(world, &run.lease, error).await
        }
    }
}

impl<'a> Run<'a> {
    async fn until_left(&mut self, nudged: &Notify) -> Result<Left, StoreError> {
        self.cancel_first();
        loop {
            let turn = self.machine.turn(self.world.clock.now());
            let has_more_work = turn.has_more_work;
            if let Some(ending) = self.sort(turn) {
                self.pending.next = Next::Ended(ending);
                self.commit().await?;
                return Ok(Left::Ended);
            }
            if self.take_up_requests() {
                continue;
            }
            let is_stopping = *self.world.is_stopping.borrow();
            if is_stopping {
                self.withhold_blocked();
            }
            if self.must_commit() || self.is_checkpoint_due() {
                self.commit().await?;
                continue;
            }
            if is_stopping && self.under_way.is_empty() {
                self.withdraw_put_off();
                self.pending.next = Next::GivenBack;
                self.commit().await?;
                return Ok(Left::GivenBack);
            }
            if has_more_work {
                tokio::task::yield_now().await;
                continue;
            }
            self.start_blocked();
            if self.fire_timers() || self.look_at_awaited().await? {
                continue;
            }
            if self.under_way.is_empty() {
                return self.give_back().await;
            }
            self.wait(nudged).await?;
        }
    }

    /// Sorts a turn's effects by what they wait for; the ending, if there is one.
    fn sort(&mut self, turn: Turn) -> Option<Ending> {
        self.has_firm_entries |= !self.is_repeatable_news && !turn.entries.is_empty();
        self.is_repeatable_news = false;
        self.pending.entries.extend(turn.entries);
        self.pending.children.extend(turn.children);
        self.forget_left();
        // Who was let go while in line does not ask again.
        self.in_line
            .retain(|(_, hold)| !turn.released_holds.contains(&hold.key));
        self.pending.released_holds.extend(turn.released_holds);
        for (recipe, count) in turn.calls {
            match self
                .pending
                .calls
                .iter_mut()
                .find(|(name, _)| *name == recipe)
            {
                Some((_, total)) => *total += count,
                None => self.pending.calls.push((recipe, count)),
            }
        }
        for effect in turn.effects {
            let asker = Asker {
                number: effect.number,
                is_cleaning: effect.is_cleaning,
            };
            match &effect.kind {
                EffectKind::Change { table, operation } => {
                    let (table, operation) = (table.clone(), operation.clone());
                    let key = effect.key;
                    self.pending.table_operations.push(TableStep {
                        key,
                        table,
                        operation,
                    });
                    self.pending_numbers.tables.push(asker);
                }
                EffectKind::Hold(request) => {
                    self.pending.holds.push(request.clone());
                    self.pending_numbers.holds.push(asker);
                }
                EffectKind::Timer { until } => {
                    self.timers.insert((*until, effect.number), effect);
                }
                EffectKind::Await(jobs) => {
                    let jobs = jobs.clone();
                    self.awaiting.push(Awaiting::new(effect, jobs));
                }
                EffectKind::Decision => {
                    self.decisions.insert(effect.key, effect.number);
                }
                EffectKind::Call(_) if !effect.kind.is_read() => self.take_up_call(effect),
                EffectKind::Call(_) | EffectKind::Verify(_) | EffectKind::Read { .. } => {
                    // A server that stops starts nothing new; the next worker asks again.
                    if !*self.world.is_stopping.borrow() {
                        self.start(effect);
                    }
                }
            }
        }
        turn.ending
    }

    /// Whether something waits for a commit.
    fn must_commit(&self) -> bool {
        let pending = &self.pending;
        !pending.table_operations.is_empty()
            || !pending.holds.is_empty()
            || !pending.released_holds.is_empty()
            || !pending.children.is_empty()
            || !pending.awaits.is_empty()
            || (!self.blocked.is_empty()
                && (self.is_unsettled
                    || pending.pinned.is_some()
                    || self.has_firm_entries
                    || (self.blocked.iter().any(is_once) && !pending.entries.is_empty())))
    }

    /// Commits what is pending and hands the results to the machine.
    pub(super) async fn commit(&mut self) -> Result<(), StoreError> {
        self.fold();
        let mut advance = std::mem::take(&mut self.pending);
        advance.haste = self.haste();
        let haste = advance.haste;
        let numbers = std::mem::take(&mut self.pending_numbers);
        let at = self.world.clock.now();
        let holds = advance.holds.clone();
        let is_further = advance.entries.iter().any(Entry::is_progress);
        let committed = self.world.store.commit(&self.lease, at, advance).await?;
        let Committed {
            performed,
            granted,
            woken,
        } = committed;
        self.committed_at = Instant::now();
        self.is_recovering &= !is_further;
        self.is_unsettled = haste == Haste::Soon;
        self.has_firm_entries = false;
        for job in woken {
            self.world.bell.ring(&job);
        }
        self.world.halt.pass(Point::Committed).await;
        if std::mem::take(&mut self.settles_once) {
            self.world.halt.pass(Point::CommitDone).await;
        }
        self.start_blocked();
        for ((_, result), asker) in performed.into_iter().zip(numbers.tables) {
            self.machine
                .answer(asker.number, at, Answer::Performed(result));
        }
        for ((is_granted, asker), hold) in granted.into_iter().zip(numbers.holds).zip(holds) {
            if is_granted {
                self.machine.answer(asker.number, at, Answer::Granted);
            } else {
                self.in_line.push((asker, hold));
            }
        }
        Ok(())
    }

    /// How soon the disk must have the next commit: before the outside hears of anything that
    /// followed from it. What a job did that has asked nothing of the outside, it would do again.
    fn haste(&self) -> Haste {
        if self.blocked.is_empty() && !self.has_gone_out {
            Haste::Soon
        } else {
            Haste::Now
        }
    }

    /// Starts the calls that only waited for a commit.
    fn start_blocked(&mut self) {
        for effect in std::mem::take(&mut self.blocked) {
            self.start(effect);
        }
    }

    fn start(&mut self, effect: Effect) {
        self.has_gone_out |= !matches!(effect.kind, EffectKind::Read { .. });
        self.under_way.push(perform(self.world, effect).boxed());
    }

    /// Answers the timers whose moment has come; whether there were any.
    fn fire_timers(&mut self) -> bool {
        let now = self.world.clock.now();
        let mut has_fired = false;
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let effect = entry.remove();
            if matches!(effect.kind, EffectKind::Timer { .. }) {
                self.machine.answer(effect.number, now, Answer::Fired);
            } else if self.held_back.contains_key(&effect.number) {
                self.ask_for_room(effect);
            } else {
                self.start(effect);
            }
            has_fired = true;
        }
        has_fired
    }

    /// Waits for whatever comes first: an answer, a timer, a request, the server's stop.
    async fn wait(&mut self, nudged: &Notify) -> Result<(), StoreError> {
        let next_timer = self.timers.keys().next().map(|(moment, _)| *moment);
        let clock = self.world.clock.clone();
        let has_unwritten = self.has_unwritten();
        let timer = async {
            match next_timer {
                Some(moment) => clock.sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(done) = self.under_way.next() => {
                self.is_repeatable_news = true;
                self.take(done).await;
                // What has ended meanwhile goes into the same turn and the same commit.
                while let Some(Some(done)) = self.under_way.next().now_or_never() {
                    self.take(done).await;
                }
            }
            () = timer => {}
            () = nudged.notified() => {
                self.requests = self.world.store.requests(&self.lease.job).await?;
                for (asker, hold) in std::mem::take(&mut self.in_line) {
                    self.pending.holds.push(hold);
                    self.pending_numbers.holds.push(asker);
                }
                self.look_again();
            }
            () = Clock::rest(CHECKPOINT_EVERY), if has_unwritten => {}
        }
        Ok(())
    }

    async fn take(&mut self, done: Done) {
        if self.held_back.contains_key(&done.effect.number) {
            return self.take_room(done);
        }
        let Done {
            effect,
            at,
            outcome,
        } = done;
        match outcome {
            Outcome::Later(moment) => self.put_off(moment, effect),
            Outcome::Room => {}
            Outcome::Answer(answer) => {
                self.is_repeatable_news &= is_repeatable_end(&effect, &answer);
                if is_change(&effect) {
                    self.world.halt.pass(Point::ReplyReceived).await;
                }
                if is_once(&effect) {
                    self.settles_once |= matches!(answer, Answer::Called(Called::Done { .. }));
                }
                self.machine.answer(effect.number, at, answer);
            }
        }
    }
}
