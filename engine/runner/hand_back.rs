//! Giving jobs back: those that only wait, and those whose worker cannot write to the database.
//!
//! Always true: a job that waits is given back with all that can wake it; one whose commits failed
//! is not taken for one that crashed if the database comes back; a job that can never be written
//! is taken out with the reason, and stops no other.

use std::time::Duration;

use crate::clock::Clock;
use crate::journal::{Ending, Failure, JobStatus};
use crate::store::{Advance, Jobs, Lease, Next, RequestKind, StoreError};

use super::run::Run;
use super::{Left, World};

/// The wait between attempts to write to a database that cannot be written.
const UNAVAILABLE_WAIT: Duration = Duration::from_secs(1);

/// Gives a job back in order once the database can be written again, so that a full disk is not
/// taken for a crash. What was not committed is done over, or cleared up.
pub async fn hand_back(world: &World, lease: &Lease, mut error: StoreError) -> Left {
    while matches!(error, StoreError::Unavailable(_)) && !*world.is_stopping.borrow() {
        Clock::rest(UNAVAILABLE_WAIT).await;
        match commit(world, lease, Next::GivenBack).await {
            Ok(()) => return Left::GivenBack,
            Err(still) => error = still,
        }
    }
    if matches!(error, StoreError::Unavailable(_) | StoreError::LeaseLost(_)) {
        return Left::Lost;
    }
    let message = format!("what the job needs or did cannot be read or recorded: {error}");
    let ending = Ending {
        status: JobStatus::Quarantined,
        output: None,
        failure: Some(Failure::new("not_recorded", message)),
    };
    match commit(world, lease, Next::Ended(ending)).await {
        Ok(()) => Left::Ended,
        Err(_) => Left::Lost,
    }
}

async fn commit(world: &World, lease: &Lease, next: Next) -> Result<(), StoreError> {
    let advance = Advance {
        next,
        ..Advance::default()
    };
    let done = world.store.commit(lease, world.clock.now(), advance).await;
    for job in done?.woken {
        world.bell.ring(&job);
    }
    Ok(())
}

impl Run<'_> {
    /// Gives a job back that only waits: for moments, for holds, for other jobs, for people.
    pub(super) async fn give_back(&mut self) -> Result<Left, StoreError> {
        self.withdraw_put_off();
        let wake_at = self.timers.keys().next().map(|(moment, _)| *moment);
        let waits_for_jobs = !self.in_line.is_empty() || !self.awaiting.is_empty();
        if wake_at.is_none() && self.decisions.is_empty() && !waits_for_jobs {
            let failure = Failure::new("internal", "the job waits for nothing");
            self.pending.next = Next::Ended(Ending {
                status: JobStatus::Failed,
                output: None,
                failure: Some(failure),
            });
            self.commit().await?;
            return Ok(Left::Ended);
        }
        self.drop_requests();
        self.pending.next = if self.decisions.is_empty() {
            Next::Waiting(wake_at)
        } else {
            Next::NeedsDecision(wake_at)
        };
        self.commit().await?;
        Ok(Left::Waiting)
    }
    /// Lets go of requests that fit nothing the job waits for, but for those of places that it has
    /// yet to come back to.
    fn drop_requests(&mut self) {
        for request in std::mem::take(&mut self.requests) {
            let is_early = match &request.kind {
                RequestKind::Decide { key, .. } => self.machine.will_come_back_to(key),
                RequestKind::Cancel { .. } => false,
            };
            if !is_early {
                self.pending.consumed_requests.push(request.number);
            }
        }
    }
}
