//! What a replay shows of a job's steps: input, output, times.

use std::sync::Arc;

use serde::Serialize;

use crate::clock::Moment;
use crate::data::Value;
use crate::journal::{EntryKey, Failure};
use crate::names::RecipeName;

/// One step as a replay saw it.
#[derive(Clone, Debug, Serialize)]
pub struct Traced {
    /// Its place in the job.
    pub key: EntryKey,
    /// The recipe it stands in.
    pub recipe: RecipeName,
    /// Its id, written or made.
    pub step: Arc<str>,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// Its kind and target, such as `call integration-master-flow-check`.
    pub kind: String,
    /// What became of it.
    pub state: TraceState,
    /// When it began.
    pub began_at: Moment,
    /// When it ended.
    pub ended_at: Moment,
    /// What it was given, where that is a value of its own.
    pub input: Option<Value>,
    /// What it gave.
    pub output: Option<Value>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What a preview has to say of it.
    pub note: Option<String>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceState {
    /// It began and has not ended.
    Began,
    /// It did what it is for.
    Succeeded,
    /// It failed.
    Failed,
    /// Its `when` did not hold.
    Skipped,
    /// A preview could not run it, because it hangs on something that was withheld.
    NotRun,
}
