//! The place of a step in its job, while it runs.
//!
//! Always true: the same step of the same iteration and attempt has the same key at every
//! resumption; with the attempts left out, retries share it too.

use std::fmt::Write;
use std::sync::Arc;

use crate::data::digest;
use crate::journal::EntryKey;

/// A chain from a step up to the root frame.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    id: &'a str,
    index: Option<Index>,
    attempt: u32,
}

/// Which iteration of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// The element (or batch, page, round, question) of this number.
    At(u64),
    /// The element of a page.
    OfPage(u64, u64),
}

/// Parts of the machine's own below a step or frame. No id of a step can look like them.
pub(super) mod part {
    /// The concurrency key and slot of a frame.
    pub(in crate::interpret) const HOLD: &str = "+hold";
    /// The time limit of a step.
    pub(in crate::interpret) const TIMEOUT: &str = "+timeout";
    /// The time limit of a frame.
    pub(in crate::interpret) const DEADLINE: &str = "+deadline";
    /// The wait between two rounds.
    pub(in crate::interpret) const EVERY: &str = "+every";
    /// What runs when the job ends failed.
    pub const ON_FAILURE: &str = "+on_failure";
}

impl<'a> Path<'a> {
    /// The root frame.
    pub(super) const ROOT: Path<'static> = Path {
        parent: None,
        id: "",
        index: None,
        attempt: 1,
    };

    /// A step or part below this place.
    pub(super) fn child(&'a self, id: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            id,
            index: None,
            attempt: 1,
        }
    }

    /// This place in one iteration.
    pub(super) fn at(self, index: Index) -> Path<'a> {
        Path {
            index: Some(index),
            ..self
        }
    }

    /// This place in one attempt.
    pub(super) fn attempt(self, attempt: u32) -> Path<'a> {
        Path { attempt, ..self }
    }

    /// The key of journal entries at this place.
    pub(super) fn key(&self) -> EntryKey {
        let mut text = String::with_capacity(48);
        self.write(&mut text, true);
        EntryKey(Arc::from(text))
    }

    /// A hash of job and place without the attempts: the same for every try.
    pub(super) fn stable_hash(&self, job: &str, salt: &str) -> String {
        let mut text = format!("{job}\n{salt}\n");
        self.write(&mut text, false);
        digest(text.as_bytes())
    }

    fn write(&self, text: &mut String, with_attempts: bool) {
        if let Some(parent) = self.parent {
            parent.write(text, with_attempts);
            if parent.parent.is_some() {
                text.push('/');
            }
        }
        text.push_str(self.id);
        // Writing to a text cannot fail.
        let _ = match self.index {
            Some(Index::At(index)) => write!(text, "[{index}]"),
            Some(Index::OfPage(page, index)) => write!(text, "[{page}.{index}]"),
            None => Ok(()),
        };
        if with_attempts && self.attempt > 1 {
            let _ = write!(text, "~{}", self.attempt);
        }
    }
}
