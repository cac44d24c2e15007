//! Claims jobs under a lease, runs them, renews, gives back.
//!
//! In: the queue. Out: jobs brought as far as they go.
//! Always true: no more jobs run at once than allowed; a job that panics fails by itself and never
//! stops the others.

mod version;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;

use crate::clock::{Clock, Moment};
use crate::data::Value;
use crate::interpret::Start;
use crate::journal::{Ending, Failure, JobStatus};
use crate::library::Shelf;
use crate::names::JobId;
use crate::runner::{Left, World, advance, hand_back};
use crate::store::{Advance, Claimed, Jobs, Lease, Next, StoreError};

/// How long a lease lasts unless renewed, in real time: a worker is as slow as the machine.
pub const LEASE: Duration = Duration::from_secs(30);

/// How many jobs run at once in one process.
pub const JOBS_IN_FLIGHT_MAX: usize = 256;

/// The longest rest of an idle worker, in case a ring was missed.
const IDLE_REST_MAX: Duration = Duration::from_secs(5);

/// How long a job waits whose recipe cannot be used at the moment.
const UNUSABLE_WAIT: Duration = Duration::from_secs(60);

/// What a worker needs.
pub struct Worker {
    /// What running jobs may use.
    pub world: World,
    /// The recipes.
    pub shelf: Arc<Shelf>,
    leases: Mutex<HashMap<JobId, Lease>>,
    /// When the leases were last renewed.
    renewed_at: AtomicI64,
}

impl Worker {
    /// A worker that has nothing to do yet.
    pub fn new(world: World, shelf: Arc<Shelf>) -> Arc<Self> {
        Arc::new(Self {
            world,
            shelf,
            leases: Mutex::default(),
            renewed_at: AtomicI64::default(),
        })
    }

    /// Works until the server stops and every job was left in order.
    pub async fn work(self: Arc<Self>) {
        let mut running = JoinSet::new();
        let mut stopping = self.world.is_stopping.clone();
        let renewing = tokio::spawn(self.clone().renew());
        while !*stopping.borrow() {
            while running.try_join_next().is_some() {}
            let free = JOBS_IN_FLIGHT_MAX.saturating_sub(running.len());
            let claimed = self.claim(free).await;
            // If there was room for more, everything that is due has been taken.
            let is_idle = claimed.len() < free;
            for job in claimed {
                running.spawn(self.clone().run(job));
            }
            if free == 0 {
                tokio::select! {
                    _ = running.join_next() => {}
                    _ = stopping.changed() => {}
                }
            } else if is_idle {
                tokio::select! {
                    () = self.rest() => {}
                    _ = stopping.changed() => {}
                }
            }
        }
        while running.join_next().await.is_some() {}
        renewing.abort();
    }

    /// Claims and runs what can go on now, then returns: for tests and commands without a server.
    pub async fn work_off(self: &Arc<Self>) -> usize {
        let mut total = 0;
        loop {
            let claimed = self.claim(JOBS_IN_FLIGHT_MAX).await;
            if claimed.is_empty() {
                return total;
            }
            total += claimed.len();
            let mut running = JoinSet::new();
            for job in claimed {
                running.spawn(self.clone().run(job));
            }
            while running.join_next().await.is_some() {}
        }
    }

    /// Moves a clock that is moved by hand on to the next moment at which something is due;
    /// whether there is one.
    pub async fn leap(&self) -> Result<bool, StoreError> {
        let Some(due) = self.world.store.next_due().await? else {
            return Ok(false);
        };
        let clock = &self.world.clock;
        clock.advance(due.since(clock.now()));
        Ok(true)
    }

    async fn claim(&self, limit: usize) -> Vec<Claimed> {
        if limit == 0 {
            return Vec::new();
        }
        let clock = &self.world.clock;
        let now = clock.now();
        // After a sleep of the machine our own leases look lost; they are ours until taken.
        let renewed_at = Moment(self.renewed_at.load(Ordering::Relaxed));
        if now.since(renewed_at) > clock.span(LEASE / 2) {
            self.renew_now().await;
        }
        match self
            .world
            .store
            .claim(limit, now, self.world.clock.span(LEASE))
            .await
        {
            Ok(claimed) => {
                for job in self.world.store.woken() {
                    self.world.bell.ring(&job);
                }
                claimed
            }
            Err(error) => {
                tracing::warn!("no job can be claimed: {error}");
                Clock::rest(Duration::from_millis(500)).await;
                Vec::new()
            }
        }
    }

    /// Waits for a ring, for the next moment at which something is due, or a little.
    async fn rest(&self) {
        // Under load the next ring is there already.
        if self.world.bell.queue_rung().now_or_never().is_some() {
            return;
        }
        let due = self.world.store.next_due().await.ok().flatten();
        let due = async {
            match due {
                Some(moment) => self.world.clock.sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.world.bell.queue_rung() => {}
            () = due => {}
            () = Clock::rest(IDLE_REST_MAX) => {}
        }
    }

    async fn run(self: Arc<Self>, claimed: Claimed) {
        let lease = claimed.lease.clone();
        // In this order: a run of before that lets go in between leaves the bell of its own lease only.
        self.leases().insert(lease.job.clone(), lease.clone());
        let nudged = self.world.bell.enter(&lease.job);
        let work = AssertUnwindSafe(self.bring_on(claimed, &nudged))
            .catch_unwind()
            .await;
        let left = match work {
            Ok(Ok(left)) => left,
            Ok(Err(error)) => {
                tracing::warn!(job = %lease.job, "the job could not be run: {error}");
                hand_back(&self.world, &lease, error).await
            }
            Err(_) => {
                let failure = Failure::new(
                    "internal",
                    "the engine met a fault of its own; its log says where",
                );
                let _ = self.end(&lease, JobStatus::Failed, failure).await;
                Left::Ended
            }
        };
        self.let_go(&lease);
        if left == Left::Waiting {
            // What it waits for may be due already.
            self.world.bell.ring_queue();
        }
    }

    /// Ends a job of which nothing is to run, if it was cancelled.
    async fn end_cancelled(&self, claimed: &Claimed, now: Moment) -> Result<bool, StoreError> {
        let Some(advance) = version::cancelled_unrun(claimed, now) else {
            return Ok(false);
        };
        let store = &self.world.store;
        store.commit(&claimed.lease, now, advance).await?;
        Ok(true)
    }

    /// Gives a claimed job its program and settings, and runs it.
    async fn bring_on(
        &self,
        mut claimed: Claimed,
        nudged: &tokio::sync::Notify,
    ) -> Result<Left, StoreError> {
        let now = self.world.clock.now();
        if claimed.pinned.is_none() && self.end_cancelled(&claimed, now).await? {
            return Ok(Left::Ended);
        }
        let (program, pinned) = match &claimed.pinned {
            Some(pinned) => match self.pinned_program(pinned).await? {
                Ok(program) => (program, None),
                // Nothing of it runs any more, not even what cleans up.
                Err(_) if self.end_cancelled(&claimed, now).await? => return Ok(Left::Ended),
                Err(failure) => {
                    let status = JobStatus::Quarantined;
                    return self.end(&claimed.lease, status, failure).await;
                }
            },
            None => {
                let Some(program) = self.shelf.program(&claimed.job.recipe) else {
                    return self.put_off(&claimed, now).await;
                };
                match self.pin(&program, now).await? {
                    Ok(pinned) => (program, Some(pinned)),
                    Err(failure) => {
                        return self.end(&claimed.lease, JobStatus::Failed, failure).await;
                    }
                }
            }
        };
        let pin = pinned.as_ref().or(claimed.pinned.as_ref());
        let start = Start {
            id: claimed.job.id.clone(),
            program,
            event: std::mem::take(&mut claimed.job.event),
            input: std::mem::take(&mut claimed.job.input),
            settings: pin.map_or(Value::Null, |pin| pin.settings.clone()),
            started_at: pin.map_or(now, |pin| pin.started_at),
            started_by: claimed.job.started_by.clone(),
            start_depth: claimed.job.start_depth,
            is_preview: self.world.is_preview,
        };
        Ok(advance(&self.world, claimed, start, pinned, nudged).await)
    }

    /// Leaves a job for later whose recipe cannot be used at the moment.
    async fn put_off(&self, claimed: &Claimed, now: Moment) -> Result<Left, StoreError> {
        tracing::warn!(
            job = %claimed.job.id, recipe = %claimed.job.recipe,
            "the recipe is missing or has errors; its jobs wait"
        );
        let next = Next::PutOff(now.after(UNUSABLE_WAIT));
        let advance = Advance {
            next,
            ..Advance::default()
        };
        self.world
            .store
            .commit(&claimed.lease, now, advance)
            .await?;
        Ok(Left::Waiting)
    }

    async fn end(
        &self,
        lease: &Lease,
        status: JobStatus,
        failure: Failure,
    ) -> Result<Left, StoreError> {
        let ending = Ending {
            status,
            output: None,
            failure: Some(failure),
        };
        let advance = Advance {
            next: Next::Ended(ending),
            ..Advance::default()
        };
        self.world
            .store
            .commit(lease, self.world.clock.now(), advance)
            .await?;
        Ok(Left::Ended)
    }

    /// Renews the leases of all running jobs well before they run out.
    async fn renew(self: Arc<Self>) {
        loop {
            Clock::rest(LEASE / 3).await;
            self.renew_now().await;
        }
    }

    /// Renews all leases now; those that were lost are dropped, and their runs find out when they
    /// commit next, which is before they send anything that changes something.
    async fn renew_now(&self) {
        let leases: Vec<Lease> = self.leases().values().cloned().collect();
        let clock = &self.world.clock;
        let now = clock.now();
        if leases.is_empty() {
            self.renewed_at.store(now.0, Ordering::Relaxed);
            return;
        }
        match self
            .world
            .store
            .renew(leases, now.after(clock.span(LEASE)))
            .await
        {
            Ok(lost) => {
                self.renewed_at.store(now.0, Ordering::Relaxed);
                for lease in lost {
                    // A run that came to its end meanwhile has let go of it itself.
                    if self.let_go(&lease) {
                        tracing::warn!(job = %lease.job, "the lease was lost");
                    }
                }
            }
            Err(error) => tracing::warn!("leases could not be renewed: {error}"),
        }
    }

    /// Forgets a lease, unless the job has been claimed again since; whether it was held.
    fn let_go(&self, lease: &Lease) -> bool {
        let mut leases = self.leases();
        let is_held = leases
            .get(&lease.job)
            .is_some_and(|held| held.number == lease.number);
        if is_held {
            leases.remove(&lease.job);
            self.world.bell.leave(&lease.job);
        }
        is_held
    }

    fn leases(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
