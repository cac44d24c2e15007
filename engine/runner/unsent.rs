//! Calls that must not happen twice and never left.
//!
//! In: entries on their way to a commit, and effects that will not be performed now. Out: entries
//! that tell the truth of them.
//! Always true: an intent that stands in the journal without an end means a call in doubt; so the
//! intent of a call that was not sent is taken back.

use crate::clock::Moment;
use crate::connector::Effect as Repeats;
use crate::interpret::{Effect, EffectKind};
use crate::journal::{Entry, EntryKind};

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
