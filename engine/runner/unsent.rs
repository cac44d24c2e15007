//! Calls that must not happen twice and never left.
//!
//! In: entries on their way to a commit, and effects that will not be performed now. Out: entries
//! that tell the truth of them.
//! Always true: an intent that stands in the journal without an end means a call in doubt; so the
//! intent of a call that was not sent is taken back.

use super::run::Run;
use crate::clock::Moment;
use crate::connector::Effect as Repeats;
use crate::interpret::{Effect, EffectKind};
use crate::journal::{Entry, EntryKind};

impl Run<'_> {
    /// Gives up calls that were not sent, with their intents.
    pub(super) fn withhold_blocked(&mut self) {
        let blocked = std::mem::take(&mut self.blocked);
        let now = self.world.clock.now();
        withdraw(&mut self.pending.entries, blocked.iter(), now);
    }

    /// Withdraws the intents of calls that were put off, so that nobody takes them for sent.
    pub(super) fn withdraw_put_off(&mut self) {
        let now = self.world.clock.now();
        withdraw(&mut self.pending.entries, self.timers.values(), now);
    }

    /// Puts off a call that could not be sent now; of a cancelled job, it never is.
    pub(super) fn put_off(&mut self, until: Moment, effect: Effect) {
        if self.machine.is_cancelled() && !effect.is_cleaning {
            let now = self.world.clock.now();
            withdraw(&mut self.pending.entries, [&effect].into_iter(), now);
            self.machine.abandon(effect.number);
        } else {
            self.timers.insert((until, effect.number), effect);
        }
    }
}

/// Withdraws the intents of calls that were not sent; they are asked for again.
pub(super) fn withdraw<'a>(
    entries: &mut Vec<Entry>,
    unsent: impl Iterator<Item = &'a Effect>,
    now: Moment,
) {
    for effect in unsent {
        let EffectKind::Call(call) = &effect.kind else {
            continue;
        };
        if call.action.effect != Repeats::Once {
            continue;
        }
        let count = entries.len();
        entries.retain(|entry| {
            let is_intent = matches!(entry.kind, EntryKind::CallIntended { .. });
            !(is_intent && entry.key == effect.key)
        });
        if entries.len() == count {
            // The intent is durable already.
            let key = effect.key.clone();
            let kind = EntryKind::CallWithdrawn;
            entries.push(Entry { key, at: now, kind });
        }
    }
}
