//! How full the queue is, without asking the store for each arrival.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::Store;

use super::Refusal;

/// The most jobs that may wait for a worker or for their recipe to be started.
pub const QUEUED_JOBS_MAX: u64 = 100_000;

/// How long a count is believed.
const COUNT_LASTS: Duration = Duration::from_secs(1);

/// The last count of waiting jobs, and what was taken in since.
#[derive(Debug, Default)]
pub struct Gauge(Mutex<Reading>);

#[derive(Debug, Default)]
struct Reading {
    counted_at: Option<Instant>,
    waiting: u64,
}

impl Gauge {
    /// Refuses if so many new jobs would make the queue longer than it may be.
    pub(super) async fn make_room(&self, store: &Store, jobs: usize) -> Result<(), Refusal> {
        let jobs = u64::try_from(jobs).unwrap_or(u64::MAX);
        let is_fresh = {
            let reading = self.reading();
            reading
                .counted_at
                .is_some_and(|at| at.elapsed() < COUNT_LASTS)
        };
        if !is_fresh {
            let waiting = store.queue_length().await?;
            *self.reading() = Reading {
                counted_at: Some(Instant::now()),
                waiting,
            };
        }
        let mut reading = self.reading();
        if reading.waiting.saturating_add(jobs) > QUEUED_JOBS_MAX {
            return Err(Refusal::QueueFull);
        }
        reading.waiting += jobs;
        Ok(())
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
