//! Calls that must not happen twice and never left.
//!
//! In: entries on their way to a commit, and effects that will not be performed now. Out: entries
//! that tell the truth of them.
//! Always true: an intent that stands in the journal without an end means a call in doubt; so the
//! intent of a call that was not sent is taken back, or its try is recorded as not sent.

use crate::clock::Moment;
use crate::connector::Effect as Repeats;
use crate::interpret::{Effect, EffectKind};
use crate::journal::{Entry, EntryKind, Failure};

/// Withdraws the intents of calls that were not sent, each with the moment of its next try.
pub(super) fn withdraw<'a>(
    entries: &mut Vec<Entry>,
    unsent: impl Iterator<Item = (Moment, &'a Effect)>,
    now: Moment,
) {
    for (next_try_at, effect) in unsent {
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
        if entries.len() < count {
            continue;
        }
        // The intent is durable already.
        let failure = Failure::new("not_sent", "the call was put off before it was sent");
        let kind = EntryKind::StepFailed {
            failure,
            next_try_at: Some(next_try_at),
        };
        let key = effect.key.clone();
        entries.push(Entry { key, at: now, kind });
    }
}
