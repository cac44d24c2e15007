//! Which jobs changed lately, for those who look on.
//!
//! In: the numbers of jobs, as transactions that were committed changed them. Out: those since a place
//! in the order of changes.
//! Always true: what is kept is bounded, and nobody who looks on is waited for: of what came too long
//! ago, only that there was something is told.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::SqliteConnection;
use tokio::sync::watch;
use uuid::Uuid;

use super::error::store_error;
use crate::store::StoreError;

/// How many changes are kept: some seconds of a busy server.
pub(super) const KEPT_MAX: usize = 10_000;

/// The changes of jobs, the latest of them; clones share them.
#[derive(Clone, Debug)]
pub struct Lately {
    /// Tells places of this process from those of others.
    mark: Arc<str>,
    kept: Arc<Mutex<VecDeque<i64>>>,
    /// How many changes there were.
    count: watch::Sender<u64>,
}

/// A place in the order of changes: how many there were before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u64);

/// What changed since a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// The numbers of jobs, each once, with the place after its change.
    pub(super) jobs: Vec<(i64, Place)>,
    /// The place after all of them.
    pub end: Place,
    /// Whether there was more, which is not known any more.
    pub has_gap: bool,
}

impl Lately {
    pub(super) fn new() -> Self {
        Self {
            mark: Uuid::now_v7().simple().to_string().into(),
            kept: Arc::default(),
            count: watch::Sender::new(0),
        }
    }

    /// The place after all changes so far.
    pub fn now(&self) -> Place {
        Place(*self.count.borrow())
    }

    /// A place as it is written, so that somebody comes back to it.
    pub fn written(&self, place: Place) -> String {
        format!("{}-{}", self.mark, place.0)
    }

    /// A place as it was written by this process; `None` if it is none.
    pub fn read(&self, written: &str) -> Option<Place> {
        let count = written.strip_prefix(&*self.mark)?.strip_prefix('-')?;
        let place = Place(count.parse().ok()?);
        (place <= self.now()).then_some(place)
    }

    /// Waits until something changed after a place.
    pub async fn after(&self, place: Place) {
        let mut count = self.count.subscribe();
        // The sender is held by this very value, so it cannot be gone.
        let _ = count.wait_for(|count| *count > place.0).await;
    }

    /// What changed since a place, of so many changes at most.
    pub fn since(&self, place: Place, most: usize) -> Since {
        let kept = self.kept();
        let count = *self.count.borrow();
        let first = count - kept.len() as u64;
        let begin = place.0.clamp(first, count);
        let skipped = usize::try_from(begin - first).unwrap_or(usize::MAX);
        let changes: Vec<i64> = kept.iter().skip(skipped).take(most).copied().collect();
        let end = Place(begin + changes.len() as u64);
        let mut seen = BTreeSet::new();
        let places = (begin + 1..).map(Place);
        let numbered: Vec<(i64, Place)> = changes.into_iter().zip(places).collect();
        // Of several changes of a job, the last counts.
        let last = numbered.into_iter().rev();
        let mut jobs: Vec<_> = last.filter(|(job, _)| seen.insert(*job)).collect();
        jobs.reverse();
        Since {
            jobs,
            end,
            has_gap: place.0 < first,
        }
    }

    /// Takes changes in that were committed.
    pub(super) fn take_in(&self, jobs: Vec<i64>) {
        if jobs.is_empty() {
            return;
        }
        let mut kept = self.kept();
        let more = jobs.len() as u64;
        kept.extend(jobs);
        let too_many = kept.len().saturating_sub(KEPT_MAX);
        kept.drain(..too_many);
        self.count.send_modify(|count| *count += more);
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<i64>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The jobs that the transaction under way changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched(Arc<Mutex<Vec<i64>>>);

impl Touched {
    /// Has SQLite tell of each row of `job` that changes on this connection.
    pub(super) async fn on(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let touched = Self::default();
        let told = touched.clone();
        let mut handle = connection.lock_handle().await.map_err(store_error)?;
        handle.set_update_hook(move |change| {
            if change.table == "job" {
                told.list().push(change.rowid);
            }
        });
        Ok(touched)
    }

    /// The jobs that changed since this was asked last.
    pub(super) fn take(&self) -> Vec<i64> {
        let mut jobs = std::mem::take(&mut *self.list());
        jobs.dedup();
        jobs
    }

    fn list(&self) -> MutexGuard<'_, Vec<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
