//! Who waits for room, in order.
//!
//! In: calls that find no room, with the moment at which each is told to come back. Out: how many
//! stand before a call.
//! Always true: a call keeps its place until it is served or does not come back in time; so each
//! is told a moment of its own, and they do not all come back for the same room.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Moment};

/// The calls that wait for one thing.
#[derive(Default)]
pub(super) struct Waiters {
    numbers: BTreeMap<String, u64>,
    places: BTreeMap<u64, Place>,
    /// The same, by the moment at which they come back.
    coming: BTreeSet<(Moment, u64)>,
    next: u64,
}

struct Place {
    who: String,
    until: Moment,
}

/// Who stands before a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ahead {
    /// How many in all.
    pub(super) all: usize,
    /// How many whose moment has come, so that what is free now is theirs.
    pub(super) due: usize,
}

impl Ahead {
    /// Nobody does.
    pub(super) const NOBODY: Self = Self { all: 0, due: 0 };
}

/// How long a place is kept for a call that does not come back, in real time: longer than a busy
/// worker needs to take its job up.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// How long a call that has others before it stays away at the most, or a quarter of the time that it
/// has to wait if that is longer: those before it may have been cancelled meanwhile.
const AWAY_MAX: Duration = Duration::from_secs(600);

impl Waiters {
    /// How many stand before a call; one that has no place yet would be the last.
    pub(super) fn ahead(&mut self, who: &str, clock: &Clock) -> Ahead {
        let now = clock.now();
        self.forget_absent(now.before(clock.span(KEPT_FOR)));
        let number = self.numbers.get(who).copied().unwrap_or(self.next);
        let coming = self.coming.range(..=(now, u64::MAX));
        Ahead {
            all: match number == self.next {
                true => self.places.len(),
                false => self.places.range(..number).count(),
            },
            due: coming.filter(|(_, before)| *before < number).count(),
        }
    }

    /// Keeps a call's place, or gives it the last one, until it comes back.
    pub(super) fn stay(&mut self, who: &str, until: Moment) {
        let number = self.numbers.get(who).copied().unwrap_or(self.next);
        self.leave(who);
        self.next = self.next.max(number + 1);
        self.numbers.insert(who.to_owned(), number);
        self.coming.insert((until, number));
        let who = who.to_owned();
        self.places.insert(number, Place { who, until });
    }

    /// Gives a call's place up.
    pub(super) fn leave(&mut self, who: &str) {
        if let Some(number) = self.numbers.remove(who)
            && let Some(place) = self.places.remove(&number)
        {
            self.coming.remove(&(place.until, number));
        }
    }

    /// Whether a call has a place.
    pub(super) fn has(&self, who: &str) -> bool {
        self.numbers.contains_key(who)
    }

    /// Gives up the places of those that should have come back before a moment.
    fn forget_absent(&mut self, before: Moment) {
        while let Some((until, number)) = self.coming.first().copied()
            && until < before
        {
            self.coming.remove(&(until, number));
            if let Some(place) = self.places.remove(&number) {
                self.numbers.remove(&place.who);
            }
        }
    }
}

/// When a call comes back that expects its turn at a moment.
pub(super) fn back_at(turn: Moment, ahead: Ahead, now: Moment) -> Moment {
    if ahead.all == 0 {
        return turn;
    }
    turn.min(now.after(AWAY_MAX.max(turn.since(now) / 4)))
}

/// A place in line, given up when it is dropped.
pub(super) struct InLine<'a>(&'a AtomicU32);

impl<'a> InLine<'a> {
    /// Gets in line.
    pub(super) fn enter(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }

    /// Leaves the line; how many were in it, this one included.
    pub(super) fn others(self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
