//! One exclusive group of one connection: who is in it, who waits.
//!
//! In: calls that want in. Out: a pass for one of them, or when to come back.
//! Always true: at most one call has a pass; only a few wait here and now, and the others come back
//! one after the other, at the pace at which calls leave.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::waiters::{Ahead, Waiters, back_at};
use crate::clock::{Clock, Moment};

/// How long a call waits here before it is sent away to come back, in real time.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many calls wait here at once; who comes later is sent away at once.
const WAITING_HERE_MAX: usize = 16;

/// How long the lane is kept for a call that is about to be made, in real time.
const RESERVED_FOR: Duration = Duration::from_secs(30);

/// How long a call is thought to take before one was seen, in real time.
const FIRST_GUESS: Duration = Duration::from_secs(1);

/// The least that a call is thought to take, in real time.
const SHORTEST: Duration = Duration::from_millis(10);

/// The lane of a group.
#[derive(Default)]
pub(super) struct Lane {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Default)]
struct State {
    holder: Option<Holder>,
    waiters: Waiters,
    /// How long calls were in it of late.
    pace: Option<Duration>,
}

struct Holder {
    who: String,
    /// Until when it is kept for a call that has not come yet.
    reserved_until: Option<Moment>,
}

/// The right to be in a lane; given back when it is dropped.
pub(super) struct Pass {
    lane: Arc<Lane>,
    clock: Clock,
    /// Since when the call is under way, if it is.
    since: Option<Moment>,
}

/// What a call that wants in is told.
enum Told {
    In,
    Wait,
    Leave,
}

impl Lane {
    /// Lets a call in, now or within a short time; or says when to come back.
    pub(super) async fn enter(self: &Arc<Self>, who: &str, clock: &Clock) -> Result<Pass, Moment> {
        let here = Clock::within(PATIENCE, self.wait_here(who, clock)).await;
        if here == Some(true) {
            return Ok(Pass {
                lane: self.clone(),
                clock: clock.clone(),
                since: None,
            });
        }
        Err(self.come_back(who, clock, clock.now().after(clock.span(PATIENCE))))
    }

    /// Waits until the call is in (`true`), or is one too many to wait here.
    async fn wait_here(&self, who: &str, clock: &Clock) -> bool {
        loop {
            let freed = self.freed.notified();
            match self.ask(who, clock) {
                Told::In => return true,
                Told::Wait => freed.await,
                Told::Leave => return false,
            }
        }
    }

    fn ask(&self, who: &str, clock: &Clock) -> Told {
        let mut state = self.state();
        let now = clock.now();
        let Ahead { all, due } = state.waiters.ahead(who, clock);
        let is_taken = state.holder.as_ref().is_some_and(|holder| {
            let is_kept = holder.reserved_until.is_none_or(|until| until > now);
            is_kept && (holder.reserved_until.is_none() || holder.who != who)
        });
        let is_mine = state.holder.as_ref().is_some_and(|it| it.who == who);
        if !is_taken && (due == 0 || is_mine) {
            state.waiters.leave(who);
            state.holder = Some(Holder {
                who: who.to_owned(),
                reserved_until: None,
            });
            return Told::In;
        }
        if all >= WAITING_HERE_MAX {
            return Told::Leave;
        }
        state.waiters.stay(who, now);
        Told::Wait
    }

    /// When a call comes back for which the lane is not free before a moment.
    pub(super) fn come_back(&self, who: &str, clock: &Clock, free_at: Moment) -> Moment {
        let mut state = self.state();
        let ahead = state.waiters.ahead(who, clock);
        let pace = state.pace.unwrap_or(clock.span(FIRST_GUESS));
        let pace = pace.max(clock.span(SHORTEST));
        // A little early, so that somebody is there when the lane gets free.
        let before = u32::try_from(ahead.all).unwrap_or(u32::MAX);
        let turn = free_at.after(pace.saturating_mul(before) / 4 * 3);
        let until = back_at(turn, ahead, clock.now());
        state.waiters.stay(who, until);
        until
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The call that has the pass begins.
    pub(super) fn begin(&mut self) {
        self.since = Some(self.clock.now());
    }

    /// Leaves the lane, and keeps it for the call that is about to be made, for a short time.
    pub(super) fn reserve(self) {
        let until = self.clock.now().after(self.clock.span(RESERVED_FOR));
        if let Some(holder) = &mut self.lane.state().holder {
            holder.reserved_until = Some(until);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.lane.state();
        if let Some(holder) = &state.holder
            && holder.reserved_until.is_some()
        {
            return;
        }
        state.holder = None;
        if let Some(since) = self.since {
            let took = self.clock.now().since(since);
            let pace = state.pace.map_or(took, |pace| (pace * 3 + took) / 4);
            state.pace = Some(pace);
        }
        drop(state);
        self.lane.freed.notify_waiters();
    }
}
