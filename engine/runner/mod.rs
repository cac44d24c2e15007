//! The local driver: turn of the machine, effects, commit, until the job ends or waits.
//!
//! In: a claimed job. Out: what was committed.
//! Always true: before an effect that changes something, everything that led to it is durable;
//! one commit of a job is open at a time; a job that only waits is given back.

mod awaiting;
mod bell;
mod checkpoint;
mod halt;
mod hand_back;
mod perform;
mod requests;
mod run;
mod unsent;

pub use bell::Bell;
pub use halt::{Halt, Point};
pub use hand_back::hand_back;
pub use run::advance;

use std::sync::Arc;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::step::Calls;
use crate::store::Store;

/// What a running job may use.
#[derive(Clone)]
pub struct World {
    /// Journals, tables, queue.
    pub store: Arc<Store>,
    /// The outside.
    pub calls: Arc<dyn Calls>,
    /// The time.
    pub clock: Clock,
    /// Where a crash test stops the process.
    pub halt: Arc<Halt>,
    /// Wakes running jobs and the worker.
    pub bell: Arc<Bell>,
    /// Turns true when jobs are to be given back.
    pub is_stopping: watch::Receiver<bool>,
    /// Whether jobs only show what they would do.
    pub is_preview: bool,
}

/// How the runner left a job.
#[derive(Debug, PartialEq)]
pub enum Left {
    /// It ended.
    Ended,
    /// It waits for a moment, a hold, another job or a person, without a worker.
    Waiting,
    /// It was given back because the server stops.
    GivenBack,
    /// Its lease or the database was lost: what is durable counts.
    Lost,
}
