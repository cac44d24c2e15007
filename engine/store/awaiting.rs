//! Jobs that wait for the ends of others.
//!
//! Always true: a job is woken when the last of those that one of its steps waits for has ended,
//! and when it turns out that they never can.

use crate::journal::{Ending, EntryKey};
use crate::names::{JobId, RecipeName};

/// A step that waits for the ends of jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitRequest {
    /// The step.
    pub key: EntryKey,
    /// The jobs; none if it waits no more.
    pub jobs: Vec<JobId>,
}

/// Where an awaited job stands.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "in the end, each of them is an ending"
)]
pub enum Awaited {
    /// There is no such job.
    Unknown,
    /// It has not ended.
    Open,
    /// It cannot end before the one that waits for it: each waits for the other.
    Stuck {
        /// The recipe and key it waits for its turn at, if that is what it waits for.
        behind: Option<(RecipeName, Option<String>)>,
    },
    /// It ended, but what it gave was removed with its history.
    HistoryRemoved,
    /// It ended like this.
    Ended(Ending),
}
