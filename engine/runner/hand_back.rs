//! What becomes of a job whose worker cannot write to the database.
//!
//! Always true: the job is not taken for one that crashed if the database comes back.

use std::time::Duration;

use crate::clock::Clock;
use crate::store::{Advance, Jobs, Lease, Next, StoreError};

use super::{Left, World};

/// The wait between attempts to write to a database that cannot be written.
const UNAVAILABLE_WAIT: Duration = Duration::from_secs(1);

/// Gives a job back in order once the database can be written again, so that a full disk is not
/// taken for a crash. What was not committed is done over, or cleared up.
pub(super) async fn hand_back(world: &World, lease: &Lease, mut error: StoreError) -> Left {
    while matches!(error, StoreError::Unavailable(_)) && !*world.is_stopping.borrow() {
        Clock::rest(UNAVAILABLE_WAIT).await;
        let advance = Advance {
            next: Next::GivenBack,
            ..Advance::default()
        };
        match world.store.commit(lease, world.clock.now(), advance).await {
            Ok(_) => return Left::GivenBack,
            Err(still) => error = still,
        }
    }
    Left::Lost
}
