//! Wakes running jobs and the worker that claims them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::names::JobId;

/// Knows which jobs run here, and how to wake them.
#[derive(Debug, Default)]
pub struct Bell {
    running: Mutex<HashMap<JobId, Arc<Notify>>>,
    queue: Notify,
    clock: Notify,
}

impl Bell {
    /// A job starts running here: what wakes it.
    pub fn enter(&self, job: &JobId) -> Arc<Notify> {
        self.running().entry(job.clone()).or_default().clone()
    }

    /// A job has left.
    pub fn leave(&self, job: &JobId) {
        self.running().remove(job);
    }

    /// Wakes a job that runs here; else the worker, to claim it.
    pub fn ring(&self, job: &JobId) {
        match self.running().get(job) {
            Some(notify) => notify.notify_one(),
            None => self.queue.notify_one(),
        }
    }

    /// Tells the worker that there is something to claim.
    pub fn ring_queue(&self) {
        self.queue.notify_one();
    }

    /// Waits for a ring that is meant for the worker.
    pub async fn queue_rung(&self) {
        self.queue.notified().await;
    }

    /// Says that a recipe was started or changed, so that other things may be due by the clock.
    pub fn ring_clock(&self) {
        self.clock.notify_one();
    }

    /// Waits for a ring that is meant for what looks at the clock.
    pub async fn clock_rung(&self) {
        self.clock.notified().await;
    }

    fn running(&self) -> MutexGuard<'_, HashMap<JobId, Arc<Notify>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
