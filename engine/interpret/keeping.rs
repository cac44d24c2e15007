//! How much of a job's loops stays in its journal.
//!
//! In: what the loops write. Out: from when on their iterations are folded, and how many of the
//! first ones never are.
//! Always true: what is never folded is little, in number and in bytes, as a job that is taken up
//! again has all of it in memory at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::journal::{EntryKey, EntryKind};

/// From when on a job's iterations are folded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folding {
    /// How many iterations a job finishes, over all its loops, before any is folded.
    pub(super) after: u64,
    /// How many bytes its loops write before any is folded, if that comes first.
    pub(super) after_bytes: usize,
    /// How many of each loop are never folded, to show what the others were like; of loops inside
    /// others, fewer.
    pub(super) kept: u64,
    /// How many bytes a loop writes, with the loops inside it, before no more of it are kept.
    pub(super) kept_bytes: usize,
}

/// How many iterations are kept of a loop inside another: of each that the outer one keeps, so that
/// together they would be many.
const KEPT_INSIDE_MAX: u64 = 4;

/// How many bytes the loops of a job have written, by the place of the outermost one.
#[derive(Default)]
pub(super) struct Weights {
    by_loop: BTreeMap<Arc<str>, usize>,
    all: usize,
}

impl Folding {
    /// For previews, which are there to show every step.
    pub(super) const NEVER: Self = Self {
        after: u64::MAX,
        after_bytes: usize::MAX,
        kept: 0,
        kept_bytes: 0,
    };

    /// How many iterations of a loop that begins are never folded.
    pub(super) fn kept_of(&self, key: &EntryKey, weights: &Weights) -> u64 {
        match outermost(key) {
            None => self.kept,
            Some(_) if self.is_heavy(key, weights) => self.kept.min(1),
            Some(_) => self.kept.min(KEPT_INSIDE_MAX),
        }
    }

    /// Whether a loop, or the outermost one around it, has written so much that no more of it is
    /// kept.
    pub(super) fn is_heavy(&self, key: &EntryKey, weights: &Weights) -> bool {
        // A loop that is tried again writes below its own place, with the attempt after the number.
        let own = key.0.rsplit_once('~').map_or(&*key.0, |(own, _)| own);
        let outermost = outermost(key).unwrap_or(own);
        let written = weights.by_loop.get(outermost);
        written.is_some_and(|bytes| *bytes > self.kept_bytes)
    }
}

impl Default for Folding {
    fn default() -> Self {
        Self {
            after: 1_000,
            after_bytes: 1 << 20,
            kept: 20,
            kept_bytes: 256 << 10,
        }
    }
}

impl Weights {
    /// Takes in that something was written, or found written.
    pub(super) fn add(&mut self, key: &EntryKey, kind: &EntryKind) {
        let Some(place) = outermost(key) else {
            return;
        };
        let bytes = key.0.len() + kind.weight();
        self.all += bytes;
        match self.by_loop.get_mut(place) {
            Some(written) => *written += bytes,
            None => {
                self.by_loop.insert(Arc::from(place), bytes);
            }
        }
    }

    /// What all of them wrote.
    pub(super) fn all(&self) -> usize {
        self.all
    }
}

/// The place of the outermost loop around what stands at a key.
fn outermost(key: &EntryKey) -> Option<&str> {
    key.0.split_once('[').map(|(place, _)| place)
}
