//! Budgets: never more than so many calls in any window of a given length.
//!
//! Always true: a call counts from its grant until one window after its end; a restart refills
//! nothing, since blocks of calls are written down before their first one.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::sync::Mutex;

use super::ledger::{Block, Ledger, LedgerError};
use crate::clock::Moment;
use crate::names::ConnectionName;

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
pub(super) struct Budgets(Mutex<State>);

#[derive(Default)]
struct State {
    lines: BTreeMap<(ConnectionName, String), Line>,
    paused: BTreeMap<ConnectionName, Moment>,
}

/// What was spent of one budget.
#[derive(Default)]
struct Line {
    /// Calls under way.
    running: u32,
    /// When each call that ended stops counting, in that order.
    spent: VecDeque<Moment>,
    /// Blocks that were written down and still have calls to give or under way.
    blocks: Vec<OpenBlock>,
}

struct OpenBlock {
    id: String,
    left: u32,
    running: u32,
}

/// Room for one call, in each of its budgets.
pub(super) struct Grant {
    connection: ConnectionName,
    taken: Vec<(Budget, String)>,
}

/// Whether there is room.
pub(super) enum Room {
    /// There is; it must be given back when the call has ended.
    Granted(Grant),
    /// Not before this moment.
    Until(Moment),
}

/// How many blocks a budget is cut into: a crash loses at most one of them.
const BLOCKS_PER_BUDGET: u32 = 20;

impl Budgets {
    pub(super) fn new(blocks: Vec<Block>, now: Moment) -> Self {
        let mut state = State::default();
        for block in blocks {
            let until = block.counts_until.unwrap_or(now.after(block.window));
            let line = state
                .lines
                .entry((block.connection, block.budget))
                .or_default();
            line.spent
                .extend(std::iter::repeat_n(until, block.calls as usize));
            line.spent.make_contiguous().sort();
        }
        Self(Mutex::new(state))
    }

    /// Takes room for one call from all of these budgets, or from none.
    pub(super) async fn take(
        &self,
        connection: &ConnectionName,
        budgets: &[Budget],
        now: Moment,
        ledger: &dyn Ledger,
    ) -> Result<Room, LedgerError> {
        let mut state = self.0.lock().await;
        if let Some(until) = state.paused.get(connection).copied() {
            if until > now {
                return Ok(Room::Until(until));
            }
            state.paused.remove(connection);
        }
        let mut wait: Option<Moment> = None;
        for budget in budgets {
            let line = state.line(connection, budget);
            if let Some(until) = line.full_until(budget, now) {
                wait = wait.max(Some(until));
            }
        }
        if let Some(until) = wait {
            return Ok(Room::Until(until));
        }
        let mut taken = Vec::with_capacity(budgets.len());
        for budget in budgets {
            let line = state.line(connection, budget);
            let block = line.block(connection, budget, ledger).await?;
            taken.push((budget.clone(), block));
        }
        // Only now, so that a ledger that fails takes no room from the first budgets.
        for (budget, block) in &taken {
            state.line(connection, budget).begin(block);
        }
        Ok(Room::Granted(Grant {
            connection: connection.clone(),
            taken,
        }))
    }

    /// Says that a call has ended, with a reply or without.
    pub(super) async fn give_back(
        &self,
        grant: Grant,
        now: Moment,
        ledger: &dyn Ledger,
    ) -> Result<(), LedgerError> {
        let mut used = Vec::new();
        let mut state = self.0.lock().await;
        for (budget, block) in &grant.taken {
            let until = now.after(budget.window);
            let line = state.line(&grant.connection, budget);
            if line.end(block, until) {
                used.push((block.clone(), until));
            }
        }
        drop(state);
        for (block, until) in used {
            ledger.close_block(block, until).await?;
        }
        Ok(())
    }

    /// Lets no call through before a moment, because the vendor asked for it.
    pub(super) async fn pause(&self, connection: &ConnectionName, until: Moment) {
        let mut state = self.0.lock().await;
        let paused = state.paused.entry(connection.clone()).or_insert(until);
        *paused = (*paused).max(until);
    }
}

impl State {
    fn line(&mut self, connection: &ConnectionName, budget: &Budget) -> &mut Line {
        self.lines
            .entry((connection.clone(), budget.name.clone()))
            .or_default()
    }
}

impl Line {
    /// When there is room again, if there is none now.
    fn full_until(&mut self, budget: &Budget, now: Moment) -> Option<Moment> {
        while self.spent.front().is_some_and(|until| *until <= now) {
            self.spent.pop_front();
        }
        let counted = self.running as usize + self.spent.len();
        let surplus = (counted + 1).checked_sub(budget.calls as usize)?;
        if surplus == 0 {
            return None;
        }
        // Those under way count for at least one window more.
        let freed = self.spent.get(surplus - 1).copied();
        Some(freed.unwrap_or(now.after(budget.window)))
    }

    /// The block that the next call is of; a new one is written down first.
    async fn block(
        &mut self,
        connection: &ConnectionName,
        budget: &Budget,
        ledger: &dyn Ledger,
    ) -> Result<String, LedgerError> {
        if let Some(block) = self.blocks.iter().find(|block| block.left > 0) {
            return Ok(block.id.clone());
        }
        let block = Block {
            id: uuid::Uuid::now_v7().to_string(),
            connection: connection.clone(),
            budget: budget.name.clone(),
            calls: (budget.calls / BLOCKS_PER_BUDGET).max(1),
            window: budget.window,
            counts_until: None,
        };
        let id = block.id.clone();
        self.blocks.push(OpenBlock {
            id: id.clone(),
            left: block.calls,
            running: 0,
        });
        let written = ledger.open_block(block).await;
        if written.is_err() {
            self.blocks.retain(|block| block.id != id);
        }
        written.map(|()| id)
    }

    fn begin(&mut self, block: &str) {
        self.running += 1;
        if let Some(block) = self.blocks.iter_mut().find(|open| open.id == block) {
            block.left = block.left.saturating_sub(1);
            block.running += 1;
        }
    }

    /// Ends a call; true if its block is used up.
    fn end(&mut self, block: &str, until: Moment) -> bool {
        self.running = self.running.saturating_sub(1);
        self.spent.push_back(until);
        let Some(at) = self.blocks.iter().position(|open| open.id == block) else {
            return false;
        };
        self.blocks[at].running = self.blocks[at].running.saturating_sub(1);
        let is_used = self.blocks[at].left == 0 && self.blocks[at].running == 0;
        if is_used {
            self.blocks.remove(at);
        }
        is_used
    }
}
