//! How full the queue is, without asking the store for each arrival.
//!
//! Always true: what waits for a stopped recipe to be started takes no room from anything else.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::names::RecipeName;
use crate::store::{Queue, Store};

use super::Refusal;

/// The most jobs that may wait for a worker.
pub const QUEUED_JOBS_MAX: u64 = 100_000;

/// The most jobs of one recipe that may wait until it is started: few enough that they leave room
/// for others once it is.
const HELD_BACK_JOBS_MAX: u64 = 50_000;

/// How long a count is believed.
const COUNT_LASTS: Duration = Duration::from_secs(1);

/// The last count of waiting jobs, and what was taken in since.
#[derive(Debug)]
pub struct Gauge {
    queued_max: u64,
    held_back_max: u64,
    reading: Mutex<Reading>,
}

#[derive(Debug, Default)]
struct Reading {
    counted_at: Option<Instant>,
    queue: Queue,
}

impl Default for Gauge {
    fn default() -> Self {
        Self::new(QUEUED_JOBS_MAX, HELD_BACK_JOBS_MAX)
    }
}

impl Gauge {
    /// One for a queue of this length, and for so many jobs of each recipe that is stopped.
    pub fn new(queued_max: u64, held_back_max: u64) -> Self {
        Self {
            queued_max,
            held_back_max,
            reading: Mutex::default(),
        }
    }

    /// Refuses if so many new jobs would make the queue longer than it may be.
    pub(super) async fn make_room(&self, store: &Store, jobs: usize) -> Result<(), Refusal> {
        self.count(store).await?;
        let waiting = &mut self.reading().queue.waiting;
        *waiting =
            within(*waiting, jobs, self.queued_max).ok_or(Refusal::QueueFull(self.queued_max))?;
        Ok(())
    }

    /// Refuses if a recipe, which these new jobs need started, has no room for so many.
    pub(super) async fn make_room_for(
        &self,
        store: &Store,
        recipe: &RecipeName,
        jobs: usize,
    ) -> Result<(), Refusal> {
        self.count(store).await?;
        if self.reading().queue.started.contains(recipe) {
            return self.make_room(store, jobs).await;
        }
        let mut reading = self.reading();
        let held = reading.queue.held_back.entry(recipe.clone()).or_default();
        *held = within(*held, jobs, self.held_back_max).ok_or_else(|| Refusal::RecipeFull {
            recipe: recipe.clone(),
            jobs: self.held_back_max,
        })?;
        Ok(())
    }

    /// Counts, unless that was just done.
    async fn count(&self, store: &Store) -> Result<(), Refusal> {
        let counted_at = self.reading().counted_at;
        if counted_at.is_some_and(|at| at.elapsed() < COUNT_LASTS) {
            return Ok(());
        }
        let queue = store.queue().await?;
        *self.reading() = Reading {
            counted_at: Some(Instant::now()),
            queue,
        };
        Ok(())
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many there are with the new ones, if that is not too many.
fn within(jobs: u64, new: usize, most: u64) -> Option<u64> {
    let all = jobs.saturating_add(u64::try_from(new).unwrap_or(u64::MAX));
    (all <= most).then_some(all)
}
