//! Exclusive groups: no two calls of a group in flight on one connection.
//!
//! Always true: a hold is written down before the call is sent, and outlives a crash by the call's
//! timeout.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::ledger::{Hold, Ledger, LedgerError};
use crate::clock::{Clock, Moment};
use crate::names::ConnectionName;

type Gate = Arc<tokio::sync::Mutex<()>>;

/// The exclusive groups of all connections.
pub(super) struct Holds {
    gates: Mutex<BTreeMap<(ConnectionName, String), Gate>>,
    /// What an earlier process left, and when it ends by itself.
    left: Mutex<BTreeMap<(ConnectionName, String), Moment>>,
}

/// The groups that a call has taken.
pub(super) struct Taken {
    connection: ConnectionName,
    groups: Vec<(String, OwnedMutexGuard<()>)>,
}

/// Whether the groups are free.
pub(super) enum Free {
    /// They are taken now, and must be given back.
    Taken(Taken),
    /// Not before this moment.
    Until(Moment),
}

/// How long a call waits in line here before it is sent away to come back, in real time.
const PATIENCE: Duration = Duration::from_secs(2);

impl Holds {
    pub(super) fn new(left: Vec<Hold>) -> Self {
        let left = left
            .into_iter()
            .map(|hold| ((hold.connection, hold.group), hold.until))
            .collect();
        Self {
            gates: Mutex::default(),
            left: Mutex::new(left),
        }
    }

    /// Takes all these groups, or none; they are in one order for all calls.
    pub(super) async fn take(
        &self,
        connection: &ConnectionName,
        groups: &[String],
        timeout: Duration,
        clock: &Clock,
        ledger: &dyn Ledger,
    ) -> Result<Free, LedgerError> {
        let mut taken = Taken {
            connection: connection.clone(),
            groups: Vec::new(),
        };
        for group in groups {
            let now = clock.now();
            if let Some(until) = self.left_until(connection, group, now) {
                self.give_back(taken, ledger).await?;
                return Ok(Free::Until(until));
            }
            let gate = self.gate(connection, group);
            let Some(guard) = Clock::within(PATIENCE, gate.lock_owned()).await else {
                self.give_back(taken, ledger).await?;
                return Ok(Free::Until(clock.now().after(PATIENCE)));
            };
            taken.groups.push((group.clone(), guard));
            let hold = Hold {
                connection: connection.clone(),
                group: group.clone(),
                until: clock.now().after(timeout),
            };
            ledger.put_hold(hold).await?;
        }
        Ok(Free::Taken(taken))
    }

    /// Gives groups back.
    pub(super) async fn give_back(
        &self,
        taken: Taken,
        ledger: &dyn Ledger,
    ) -> Result<(), LedgerError> {
        for (group, guard) in taken.groups {
            ledger.remove_hold(taken.connection.clone(), group).await?;
            drop(guard);
        }
        Ok(())
    }

    fn gate(&self, connection: &ConnectionName, group: &str) -> Gate {
        self.gates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry((connection.clone(), group.to_owned()))
            .or_default()
            .clone()
    }

    /// When a hold of an earlier process ends, if it still counts.
    fn left_until(&self, connection: &ConnectionName, group: &str, now: Moment) -> Option<Moment> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|_, until| *until > now);
        left.get(&(connection.clone(), group.to_owned())).copied()
    }
}
