//! When a running job writes what nothing else forces it to write, and what of it.
//!
//! Always true: what is recorded stays in memory for a second at most, and only so much of it;
//! what loops have finished is folded on the way, so that most of it is never written at all.

use std::time::{Duration, Instant};

use crate::journal::drop_folded;
use crate::store::Next;

use super::run::Run;

/// The longest that something recorded stays in memory only.
pub(super) const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// The most entries that stay in memory only.
const UNWRITTEN_MAX: usize = 4_096;

/// How many finished iterations are folded with whatever commit comes next.
const FOLDED_AT_ONCE: u64 = 256;

impl Run<'_> {
    /// Whether something has been kept in memory only for too long, or too much of it.
    pub(super) fn is_checkpoint_due(&self) -> bool {
        let is_long_ago = self.committed_at.elapsed() >= CHECKPOINT_EVERY;
        ((is_long_ago || self.is_recovering) && self.has_unwritten())
            || self.pending.entries.len() >= UNWRITTEN_MAX
    }

    /// Whether a crash would take anything back.
    pub(super) fn has_unwritten(&self) -> bool {
        !self.pending.entries.is_empty() || self.machine.unfolded() > 0
    }

    /// Folds what loops have finished if it is worth a look through the journal: many iterations,
    /// a second's worth, or the last chance. What was not written yet is never written.
    pub(super) fn fold(&mut self) {
        let is_leaving = self.pending.next != Next::Running;
        if is_leaving
            || self.machine.unfolded() >= FOLDED_AT_ONCE
            || self.folded_at.elapsed() >= CHECKPOINT_EVERY
        {
            self.folded_at = Instant::now();
            let folded = self.machine.fold();
            drop_folded(&mut self.pending.entries, &folded);
            self.pending.entries.extend(folded);
        }
    }
}
