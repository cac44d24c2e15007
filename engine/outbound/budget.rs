//! Budgets: never more than so many calls in any window of a given length.
//!
//! Always true: a call counts from its grant until one window after its end, also if it was let go
//! of in between; a restart refills nothing, since blocks of calls are written down before their
//! first one. A crash spends what was left of a block: what the budget allows in a second, or one
//! call, and never what nobody asked for beyond that. What the vendor says of its own count
//! ([`Allowance`]) and of when to come back makes the room smaller, never larger.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::ledger::{Ledger, LedgerError};
use super::spent::{Line, OpenBlock, block_size};
use super::waiters::{Ahead, InLine, back_at};
use crate::clock::{Clock, Moment};
use crate::connector::Allowance;
use crate::names::ConnectionName;
use crate::store::SpentBlock;

/// A budget of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    /// Its name among those of the connection.
    pub(super) name: String,
    /// How many calls.
    pub(super) calls: u32,
    /// In any window of this length.
    pub(super) window: Duration,
}

/// The budgets of all connections.
pub(super) struct Budgets {
    clock: Clock,
    state: Arc<Mutex<State>>,
    /// Whoever takes room holds it, so that no block is written down twice.
    turn: tokio::sync::Mutex<()>,
    /// How many stand in line for it.
    in_line: AtomicU32,
}

#[derive(Default)]
struct State {
    lines: BTreeMap<(ConnectionName, String), Line>,
    paused: BTreeMap<ConnectionName, Moment>,
    /// What vendors said is left.
    allowed: BTreeMap<ConnectionName, Allowance>,
    /// Calls under way.
    running: BTreeMap<ConnectionName, u32>,
    /// Blocks that are used up, and until when they count; to be written down.
    used: Vec<(String, Moment)>,
}

/// Room for one call, in each of its budgets. It is given back when it is dropped, so that no end
/// of a call, a panic included, keeps it.
pub(super) struct Grant {
    connection: ConnectionName,
    taken: Vec<(Budget, String)>,
    clock: Clock,
    state: Arc<Mutex<State>>,
}

/// Who takes room, by the key of a call.
#[derive(Clone, Copy)]
pub(super) enum Whose<'a> {
    /// The call itself, which leaves the line.
    Call(&'a str),
    /// A sign-in on behalf of that call, which keeps its place.
    SignIn(&'a str),
}

/// Whether there is room.
pub(super) enum Room {
    /// There is.
    Granted(Grant),
    /// Not before this moment.
    Until(Moment),
}

/// Under which name a vendor's wish to be left alone is written down, among the blocks.
const PAUSE: &str = "pause";

/// How far apart two ends of a vendor's window may be said to be and still be the same one.
const SAME_WINDOW: Duration = Duration::from_secs(2);

impl Budgets {
    /// What an earlier process left counts; of a block that was in use, for a window from now on.
    pub(super) fn new(blocks: Vec<SpentBlock>, clock: Clock) -> Self {
        let now = clock.now();
        let mut state = State::default();
        for block in blocks {
            if block.budget == PAUSE {
                let until = block.counts_until.unwrap_or_default();
                state.pause(&block.connection, until);
                continue;
            }
            let until = block.counts_until.unwrap_or(now.after(block.window));
            if block.counts_until.is_none() {
                state.used.push((block.id, until));
            }
            let line = state
                .lines
                .entry((block.connection, block.budget))
                .or_default();
            line.spent
                .extend(std::iter::repeat_n(until, block.calls as usize));
            line.spent.make_contiguous().sort();
        }
        Self {
            clock,
            state: Arc::new(Mutex::new(state)),
            turn: tokio::sync::Mutex::default(),
            in_line: AtomicU32::default(),
        }
    }

    /// Takes room for one call from all of these budgets, or from none. Who finds none has a place in
    /// line until then.
    pub(super) async fn take(
        &self,
        connection: &ConnectionName,
        budgets: &[Budget],
        whose: Whose<'_>,
        ledger: &dyn Ledger,
    ) -> Result<Room, LedgerError> {
        let in_line = InLine::enter(&self.in_line);
        let _turn = self.turn.lock().await;
        let in_line = in_line.others();
        let (Whose::Call(who) | Whose::SignIn(who)) = whose;
        if let Some(until) = lock(&self.state).line_up(connection, budgets, who, &self.clock) {
            return Ok(Room::Until(until));
        }
        let mut taken = Vec::with_capacity(budgets.len());
        for budget in budgets {
            let open = lock(&self.state).line(connection, budget).open_block();
            let block = match open {
                Some(block) => block,
                None => self.write_down(connection, budget, in_line, ledger).await?,
            };
            taken.push((budget.clone(), block));
        }
        // Only now, so that a ledger that fails takes no room from the first budgets.
        let mut state = lock(&self.state);
        for (budget, block) in &taken {
            let line = state.line(connection, budget);
            line.begin(block);
            if matches!(whose, Whose::Call(_)) {
                line.waiters.leave(who);
            }
        }
        state.begin(connection);
        Ok(Room::Granted(Grant {
            connection: connection.clone(),
            taken,
            clock: self.clock.clone(),
            state: self.state.clone(),
        }))
    }

    /// Keeps room free for one call that is about to be made, for a short time; or says when there
    /// may be any.
    pub(super) fn reserve(
        &self,
        connection: &ConnectionName,
        budgets: &[Budget],
        who: &str,
    ) -> Option<Moment> {
        let mut state = lock(&self.state);
        let full = state.line_up(connection, budgets, who, &self.clock);
        if full.is_none() {
            for budget in budgets {
                let now = self.clock.now();
                state.line(connection, budget).waiters.stay(who, now);
            }
        }
        full
    }

    /// Until when the vendor wants to be left alone, if it does.
    pub(super) fn closed_until(&self, connection: &ConnectionName) -> Option<Moment> {
        lock(&self.state).closed_until(connection, self.clock.now())
    }

    /// When a budget has room again, if it has none now; looking takes none of it.
    pub(super) fn full_until(
        &self,
        connection: &ConnectionName,
        budget: &Budget,
    ) -> Option<Moment> {
        let now = self.clock.now();
        let state = lock(&self.state);
        let line = state
            .lines
            .get(&(connection.clone(), budget.name.clone()))?;
        let turn = line.turn(budget, Ahead::NOBODY, now, now);
        (turn > now).then_some(turn)
    }

    /// Opens a block; it gives calls only after it was written down.
    async fn write_down(
        &self,
        connection: &ConnectionName,
        budget: &Budget,
        in_line: u32,
        ledger: &dyn Ledger,
    ) -> Result<String, LedgerError> {
        let room = lock(&self.state).line(connection, budget).room(budget);
        let block = SpentBlock {
            id: uuid::Uuid::now_v7().to_string(),
            connection: connection.clone(),
            budget: budget.name.clone(),
            calls: block_size(budget, in_line, room),
            window: budget.window,
            counts_until: None,
        };
        let (id, calls) = (block.id.clone(), block.calls);
        ledger.open_block(block).await?;
        let open = OpenBlock {
            id: id.clone(),
            left: calls,
            running: 0,
        };
        lock(&self.state).line(connection, budget).blocks.push(open);
        Ok(id)
    }

    /// Writes down which blocks are used up. What is not written down counts longer, never shorter.
    pub(super) async fn settle(&self, ledger: &dyn Ledger) -> Result<(), LedgerError> {
        let used = std::mem::take(&mut lock(&self.state).used);
        let mut rest = used.into_iter();
        while let Some((block, until)) = rest.next() {
            if let Err(error) = ledger.close_block(block.clone(), until).await {
                let mut state = lock(&self.state);
                state.used.push((block, until));
                state.used.extend(rest);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Lets no call through before a moment, because the vendor asked for it; a restart forgets
    /// nothing of that.
    pub(super) async fn pause(
        &self,
        connection: &ConnectionName,
        until: Moment,
        ledger: &dyn Ledger,
    ) -> Result<(), LedgerError> {
        if !lock(&self.state).pause(connection, until) {
            return Ok(());
        }
        let pause = SpentBlock {
            id: format!("{PAUSE}/{connection}"),
            connection: connection.clone(),
            budget: PAUSE.to_owned(),
            calls: 0,
            window: Duration::ZERO,
            counts_until: Some(until),
        };
        ledger.open_block(pause).await
    }

    /// Takes the vendor's own count into account. Calls under way may not be in it yet.
    pub(super) fn heed(&self, connection: &ConnectionName, said: Allowance) {
        let mut state = lock(&self.state);
        let running = state.running.get(connection).copied().unwrap_or(0);
        let mut left = said.left.saturating_sub(running);
        if let Some(known) = state.allowed.get(connection) {
            let apart = known
                .until
                .since(said.until)
                .max(said.until.since(known.until));
            if apart <= SAME_WINDOW {
                // Answers may come in another order than they were made.
                left = left.min(known.left);
            }
        }
        let until = said.until;
        state
            .allowed
            .insert(connection.clone(), Allowance { left, until });
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        let now = self.clock.now();
        for (budget, block) in &self.taken {
            let until = now.after(budget.window);
            if state.line(&self.connection, budget).end(block, until) {
                state.used.push((block.clone(), until));
            }
        }
        state.end(&self.connection);
    }
}

/// Nothing that holds this lock leaves numbers half changed, so a panic elsewhere spoils nothing.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn line(&mut self, connection: &ConnectionName, budget: &Budget) -> &mut Line {
        self.lines
            .entry((connection.clone(), budget.name.clone()))
            .or_default()
    }

    /// Leaves the vendor alone until a moment; whether that is later than was known.
    fn pause(&mut self, connection: &ConnectionName, until: Moment) -> bool {
        let known = self.paused.get(connection).copied().unwrap_or_default();
        if until > known {
            self.paused.insert(connection.clone(), until);
        }
        until > known
    }

    /// A call of the connection begins.
    fn begin(&mut self, connection: &ConnectionName) {
        *self.running.entry(connection.clone()).or_default() += 1;
        if let Some(allowed) = self.allowed.get_mut(connection) {
            allowed.left = allowed.left.saturating_sub(1);
        }
    }

    /// A call of the connection ended.
    fn end(&mut self, connection: &ConnectionName) {
        if let Some(running) = self.running.get_mut(connection) {
            *running = running.saturating_sub(1);
        }
    }

    /// Until when the vendor wants to be left alone, by its own words or its own count.
    fn closed_until(&mut self, connection: &ConnectionName, now: Moment) -> Option<Moment> {
        let paused = self.paused.get(connection).copied();
        if paused.is_some_and(|until| until > now) {
            return paused;
        }
        self.paused.remove(connection);
        let allowed = self.allowed.get(connection).copied()?;
        if allowed.until <= now {
            self.allowed.remove(connection);
            return None;
        }
        (allowed.left == 0).then_some(allowed.until)
    }

    /// When there may be room in all of these budgets, if there is none now: then the call has a
    /// place in the line of the one that has room last, and keeps those that it has in others.
    fn line_up(
        &mut self,
        connection: &ConnectionName,
        budgets: &[Budget],
        who: &str,
        clock: &Clock,
    ) -> Option<Moment> {
        let now = clock.now();
        let from = self.closed_until(connection, now).unwrap_or(now);
        let mut last: Option<(Moment, Moment, &Budget)> = None;
        for budget in budgets {
            let line = self.line(connection, budget);
            line.forget_old(now);
            let ahead = line.waiters.ahead(who, clock);
            let turn = line.turn(budget, ahead, now, from);
            if last.is_none_or(|(latest, ..)| turn > latest) {
                last = Some((turn, back_at(turn, ahead, now), budget));
            }
        }
        let Some((turn, back_at, slowest)) = last else {
            return (from > now).then_some(from);
        };
        if turn <= now {
            return None;
        }
        for budget in budgets {
            let waiters = &mut self.line(connection, budget).waiters;
            if budget == slowest || waiters.has(who) {
                waiters.stay(who, back_at);
            }
        }
        Some(back_at)
    }
}
