//! What was spent of one budget, and how calls are set aside for it.
//!
//! In: calls that begin and end. Out: whether there is room.
//! Always true: a block gives no more calls than were written down of it.

use std::collections::VecDeque;

use super::budget::Budget;
use super::waiters::{Ahead, Waiters};
use crate::clock::Moment;

/// How many blocks a budget is cut into at least, however fast it is.
const BLOCKS_PER_BUDGET: u32 = 20;

/// What was spent of one budget.
#[derive(Default)]
pub(super) struct Line {
    /// Calls under way.
    pub(super) running: u32,
    /// When each call that ended stops counting, in that order.
    pub(super) spent: VecDeque<Moment>,
    /// Blocks that were written down and still have calls to give or under way.
    pub(super) blocks: Vec<OpenBlock>,
    /// Calls that wait for room.
    pub(super) waiters: Waiters,
}

pub(super) struct OpenBlock {
    pub(super) id: String,
    pub(super) left: u32,
    pub(super) running: u32,
}

impl Line {
    /// When it is a call's turn, which is not before `from`. The n-th in line gets the n-th call that stops
    /// counting; those that come after a whole budget of others wait a window more.
    pub(super) fn turn(&self, budget: &Budget, ahead: Ahead, now: Moment, from: Moment) -> Moment {
        let calls = (budget.calls as usize).max(1);
        let counted = self.running as usize + self.spent.len();
        let free = calls.saturating_sub(counted);
        if ahead.due < free {
            return from;
        }
        let (rounds, place) = (ahead.all / calls, ahead.all % calls);
        let freed_at = match place.checked_sub(free) {
            None => from,
            Some(place) => {
                let surplus = counted.saturating_sub(calls);
                // Those under way count for at least one window more.
                let freed = self.spent.get(surplus + place).copied();
                freed.unwrap_or(now.after(budget.window)).max(from)
            }
        };
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        freed_at.after(budget.window.saturating_mul(rounds))
    }

    /// Forgets calls that count no more.
    pub(super) fn forget_old(&mut self, now: Moment) {
        while self.spent.front().is_some_and(|until| *until <= now) {
            self.spent.pop_front();
        }
    }

    /// How many calls more there is room for now.
    pub(super) fn room(&self, budget: &Budget) -> u32 {
        let counted = self.running as usize + self.spent.len();
        (budget.calls as usize).saturating_sub(counted) as u32
    }

    /// The block that the next call is of, if one has a call left.
    pub(super) fn open_block(&self) -> Option<String> {
        let block = self.blocks.iter().find(|block| block.left > 0)?;
        Some(block.id.clone())
    }

    pub(super) fn begin(&mut self, block: &str) {
        self.running += 1;
        if let Some(block) = self.blocks.iter_mut().find(|open| open.id == block) {
            block.left = block.left.saturating_sub(1);
            block.running += 1;
        }
    }

    /// Ends a call; true if its block is used up.
    pub(super) fn end(&mut self, block: &str, until: Moment) -> bool {
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

/// How many calls a block has: those of one second, or as many as want room now.
pub(super) fn block_size(budget: &Budget, in_line: u32, room: u32) -> u32 {
    let a_second = f64::from(budget.calls) / budget.window.as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of floats saturates, which is what is wanted"
    )]
    let a_second = (a_second.ceil() as u32).min(budget.calls / BLOCKS_PER_BUDGET);
    a_second.max(in_line).min(room).max(1)
}
