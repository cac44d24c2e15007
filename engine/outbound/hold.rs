//! Exclusive groups: no two calls of a group in flight on one connection.
//!
//! Always true: a hold is written down before the call is sent; it outlives a crash, a call that is
//! let go of, and a call that broke off without an answer, by the call's timeout in real time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::ledger::{Ledger, LedgerError};
use crate::clock::{Clock, Moment};
use crate::names::ConnectionName;
use crate::store::TakenGroup;

type Gate = Arc<tokio::sync::Mutex<()>>;

/// Groups that nobody in this process holds, and that still count until a moment.
type Left = Arc<Mutex<BTreeMap<(ConnectionName, String), Moment>>>;

/// The exclusive groups of all connections.
pub(super) struct Holds {
    gates: Mutex<BTreeMap<(ConnectionName, String), Gate>>,
    /// What an earlier process or a call that was let go of left, and when it ends by itself.
    left: Left,
}

/// The groups that a call has taken. Dropped without being given back, they stay taken until they
/// end by themselves: the vendor may still be at work.
pub(super) struct Taken {
    connection: ConnectionName,
    groups: Vec<Held>,
    left: Left,
    /// Whether the vendor may be at work although the call has ended.
    is_left: bool,
}

/// A group that a call has taken.
struct Held {
    group: String,
    until: Moment,
    gate: OwnedMutexGuard<()>,
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

/// How much longer than the timeout a hold lasts, in real time: what lies between writing it down and
/// sending the call.
const MARGIN: Duration = Duration::from_secs(2);

impl Holds {
    pub(super) fn new(left: Vec<TakenGroup>) -> Self {
        let left = left
            .into_iter()
            .map(|hold| ((hold.connection, hold.group), hold.until))
            .collect();
        Self {
            gates: Mutex::default(),
            left: Arc::new(Mutex::new(left)),
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
            left: self.left.clone(),
            is_left: false,
        };
        for group in groups {
            let gate = self.gate(connection, group);
            let Some(gate) = Clock::within(PATIENCE, gate.lock_owned()).await else {
                self.give_back(taken, ledger).await?;
                return Ok(Free::Until(clock.now().after(clock.span(PATIENCE))));
            };
            let now = clock.now();
            if let Some(until) = self.left_until(connection, group, now) {
                drop(gate);
                self.give_back(taken, ledger).await?;
                return Ok(Free::Until(until));
            }
            let until = now.after(clock.span(timeout + MARGIN));
            let hold = TakenGroup {
                connection: connection.clone(),
                group: group.clone(),
                until,
            };
            if let Err(error) = ledger.put_hold(hold).await {
                // Nothing was sent, so the groups are free at once.
                taken.groups.clear();
                return Err(error);
            }
            taken.groups.push(Held {
                group: group.clone(),
                until,
                gate,
            });
        }
        Ok(Free::Taken(taken))
    }

    /// Sees to it that groups stay taken for a whole timeout from now on, whatever happens.
    pub(super) async fn prolong(
        &self,
        taken: &mut Taken,
        timeout: Duration,
        clock: &Clock,
        ledger: &dyn Ledger,
    ) -> Result<(), LedgerError> {
        let now = clock.now();
        for held in &mut taken.groups {
            if held.until >= now.after(clock.span(timeout)) {
                continue;
            }
            let until = now.after(clock.span(timeout + MARGIN));
            let hold = TakenGroup {
                connection: taken.connection.clone(),
                group: held.group.clone(),
                until,
            };
            ledger.put_hold(hold).await?;
            held.until = until;
        }
        Ok(())
    }

    /// Gives groups back, unless they must end by themselves.
    pub(super) async fn give_back(
        &self,
        mut taken: Taken,
        ledger: &dyn Ledger,
    ) -> Result<(), LedgerError> {
        if taken.is_left {
            return Ok(());
        }
        for held in std::mem::take(&mut taken.groups) {
            ledger
                .remove_hold(taken.connection.clone(), held.group)
                .await?;
            drop(held.gate);
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

impl Taken {
    /// Leaves the groups taken until they end by themselves.
    pub(super) fn leave(&mut self) {
        self.is_left = true;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.groups.is_empty() {
            return;
        }
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        for held in self.groups.drain(..) {
            left.insert((self.connection.clone(), held.group), held.until);
        }
    }
}
