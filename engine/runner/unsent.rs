//! Calls that must not happen twice and never left.
//!
//! In: entries on their way to a commit, and effects that will not be performed now. Out: entries
//! that tell the truth of them.
//! Always true: an intent that stands in the journal without an end means a call in doubt; so the
//! intent of a call that was not sent is taken back.

use std::collections::BTreeMap;

use futures_util::future::FutureExt;

use super::World;
use super::perform::{Done, Outcome, is_once};
use super::run::Run;
use crate::clock::Moment;
use crate::connector::Effect as Repeats;
use crate::interpret::{Effect, EffectKind};
use crate::journal::{Entry, EntryKind};

/// Intents of calls that wait for room, by the numbers of their effects: not written yet.
pub(super) type HeldBack = BTreeMap<u64, Entry>;

impl Run<'_> {
    /// Takes up a call that changes something. One that must not happen twice asks for room before
    /// its intent is written, so that waiting for room leaves no trace in the journal.
    pub(super) fn take_up_call(&mut self, effect: Effect) {
        let entries = &mut self.pending.entries;
        let place = entries.iter().rposition(|entry| is_intent(entry, &effect));
        match place {
            Some(place) if is_once(&effect) && !*self.world.is_stopping.borrow() => {
                let intent = entries.remove(place);
                self.held_back.insert(effect.number, intent);
                self.ask_for_room(effect);
            }
            _ => self.blocked.push(effect),
        }
    }

    /// Asks for room for a call whose intent is held back.
    pub(super) fn ask_for_room(&mut self, effect: Effect) {
        let mut asking = room(self.world, effect).boxed();
        match (&mut asking).now_or_never() {
            Some(done) => self.take_room(done),
            None => self.under_way.push(asking),
        }
    }

    /// Goes on with a call that asked for room.
    pub(super) fn take_room(&mut self, done: Done) {
        let Done {
            effect, outcome, ..
        } = done;
        if let Outcome::Later(until) = outcome {
            self.put_off(until, effect);
        } else if self.machine.is_cancelled() && !effect.is_cleaning {
            self.held_back.remove(&effect.number);
            self.machine.abandon(effect.number);
        } else {
            let intent = self.held_back.remove(&effect.number);
            self.pending.entries.extend(intent);
            self.blocked.push(effect);
        }
    }

    /// Gives up calls that were not sent, with their intents.
    pub(super) fn withhold_blocked(&mut self) {
        let blocked = std::mem::take(&mut self.blocked);
        self.withdraw(blocked.iter());
    }

    /// Withdraws the intents of calls that were put off, so that nobody takes them for sent.
    pub(super) fn withdraw_put_off(&mut self) {
        let put_off = std::mem::take(&mut self.timers);
        self.withdraw(put_off.values());
        self.timers = put_off;
    }

    /// Puts off a call that could not be sent now; of a cancelled job, it never is.
    pub(super) fn put_off(&mut self, until: Moment, effect: Effect) {
        if self.machine.is_cancelled() && !effect.is_cleaning {
            self.withdraw([&effect].into_iter());
            self.machine.abandon(effect.number);
        } else {
            self.timers.insert((until, effect.number), effect);
        }
    }

    /// Withdraws the intents of calls that were not sent; they are asked for again.
    pub(super) fn withdraw<'e>(&mut self, unsent: impl Iterator<Item = &'e Effect>) {
        let at = self.world.clock.now();
        for effect in unsent {
            let EffectKind::Call(call) = &effect.kind else {
                continue;
            };
            let is_held_back = self.held_back.remove(&effect.number).is_some();
            if call.action.effect != Repeats::Once || is_held_back {
                continue;
            }
            let entries = &mut self.pending.entries;
            let count = entries.len();
            entries.retain(|entry| !is_intent(entry, effect));
            if entries.len() == count {
                // The intent is durable already.
                let key = effect.key.clone();
                let kind = EntryKind::CallWithdrawn;
                entries.push(Entry { key, at, kind });
            }
        }
    }
}

/// Asks for room for a call.
async fn room(world: &World, effect: Effect) -> Done {
    let later = match &effect.kind {
        EffectKind::Call(call) => world.calls.room(call).await,
        _ => None,
    };
    Done {
        effect,
        at: world.clock.now(),
        outcome: later.map_or(Outcome::Room, Outcome::Later),
    }
}

fn is_intent(entry: &Entry, effect: &Effect) -> bool {
    matches!(entry.kind, EntryKind::CallIntended { .. }) && entry.key == effect.key
}
