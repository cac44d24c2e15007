//! How far a job has come: its loops under way, and the calls that it waits for.
//!
//! In: what a replay comes past. Out: for each loop how many of its elements are done.
//! Always true: only a replay keeps this; a loop that has ended is not under way.

use std::collections::BTreeMap;

use crate::journal::EntryKey;

use super::desk::Desk;
use super::effect::Call;
use super::trace::Traced;

/// What a replay shows of a job.
#[derive(Debug, Default)]
pub struct Look {
    /// Its steps, in the order in which they ended.
    pub steps: Vec<Traced>,
    /// Its loops under way, the outer ones first.
    pub loops: Vec<Progress>,
    /// The calls that have begun or are about to, and have not ended.
    pub calls: Vec<Call>,
    /// The tries that steps wait for, by the place of the try that failed.
    pub tries: BTreeMap<EntryKey, NextTry>,
}

/// A further try of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextTry {
    /// Which it is, from 2 on.
    pub number: u32,
    /// How many there are at the most.
    pub of: u32,
}

/// A loop under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its place.
    pub key: EntryKey,
    /// How many elements have ended, well or not.
    pub done: u64,
    /// How many of these failed and were passed over.
    pub failed: u64,
    /// How many there are in all, where that is known.
    pub total: Option<u64>,
}

/// The loops under way, by place.
#[derive(Default)]
pub(super) struct Loops(BTreeMap<EntryKey, Progress>);

impl Loops {
    /// Them all, the outer ones first.
    pub(super) fn under_way(&self) -> Vec<Progress> {
        self.0.values().cloned().collect()
    }

    pub(super) fn forget(&mut self, key: &EntryKey) {
        self.0.remove(key);
    }
}

impl Desk {
    /// Notes how far a loop is, if anybody looks.
    pub(super) fn note_progress(&self, progress: impl FnOnce() -> Progress) {
        let mut state = self.state();
        if state.trace.is_some() {
            let progress = progress();
            state.loops.0.insert(progress.key.clone(), progress);
        }
    }

    /// Notes which try is waited for after this one, if anybody looks; or that none is any more.
    pub(super) fn note_try(&self, key: &EntryKey, next: Option<NextTry>) {
        let mut state = self.state();
        match next {
            Some(next) if state.trace.is_some() => {
                state.tries.insert(key.clone(), next);
            }
            _ => {
                state.tries.remove(key);
            }
        }
    }
}
