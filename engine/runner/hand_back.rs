//! What becomes of a job whose worker cannot write to the database.
//!
//! Always true: the job is not taken for one that crashed if the database comes back; a job that
//! can never be written is taken out with the reason, and stops no other.

use std::time::Duration;

use crate::clock::Clock;
use crate::journal::{Ending, Failure, JobStatus};
use crate::store::{Advance, Jobs, Lease, Next, StoreError};

use super::{Left, World};

/// The wait between attempts to write to a database that cannot be written.
const UNAVAILABLE_WAIT: Duration = Duration::from_secs(1);

/// Gives a job back in order once the database can be written again, so that a full disk is not
/// taken for a crash. What was not committed is done over, or cleared up.
pub(super) async fn hand_back(world: &World, lease: &Lease, mut error: StoreError) -> Left {
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
    let message = format!("what the job did cannot be recorded: {error}");
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
