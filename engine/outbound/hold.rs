//! Exclusive groups: no two calls of a group in flight on one connection.
//!
//! Always true: a hold is written down before the call is sent; it outlives a crash, a call that is
//! let go of, and a call that broke off without an answer, by the call's timeout in real time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::lane::{Lane, Pass};
use super::ledger::{Ledger, LedgerError};
use crate::clock::{Clock, Moment};
use crate::names::ConnectionName;
use crate::store::TakenGroup;

/// Groups that nobody in this process holds, and that still count until a moment.
type Left = Arc<Mutex<BTreeMap<(ConnectionName, String), Moment>>>;

/// The exclusive groups of all connections.
pub(super) struct Holds {
    lanes: Mutex<BTreeMap<(ConnectionName, String), Arc<Lane>>>,
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
    pass: Pass,
}

/// Groups that no other call of this process is in, before anything is written down. Dropped, they
/// are free again.
pub(super) struct Entered {
    connection: ConnectionName,
    passes: Vec<(String, Pass)>,
}

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
            lanes: Mutex::default(),
            left: Arc::new(Mutex::new(left)),
        }
    }

    /// Enters all these groups, or none; they are in one order for all calls. Else says when to come
    /// back; the call has a place in line until then.
    pub(super) async fn enter(
        &self,
        connection: &ConnectionName,
        groups: &[String],
        who: &str,
        clock: &Clock,
    ) -> Result<Entered, Moment> {
        let mut passes = Vec::with_capacity(groups.len());
        for group in groups {
            let lane = self.lane(connection, group);
            let pass = lane.enter(who, clock).await?;
            if let Some(until) = self.left_until(connection, group, clock.now()) {
                drop(pass);
                return Err(lane.come_back(who, clock, until));
            }
            passes.push((group.clone(), pass));
        }
        Ok(Entered {
            connection: connection.clone(),
            passes,
        })
    }

    /// Writes down that a call is in its groups.
    pub(super) async fn take(
        &self,
        entered: Entered,
        timeout: Duration,
        clock: &Clock,
        ledger: &dyn Ledger,
    ) -> Result<Taken, LedgerError> {
        let mut taken = Taken {
            connection: entered.connection,
            groups: Vec::new(),
            left: self.left.clone(),
            is_left: false,
        };
        for (group, mut pass) in entered.passes {
            let until = clock.now().after(clock.span(timeout + MARGIN));
            let hold = TakenGroup {
                connection: taken.connection.clone(),
                group: group.clone(),
                until,
            };
            if let Err(error) = ledger.put_hold(hold).await {
                // Nothing was sent, so the groups are free at once.
                taken.groups.clear();
                return Err(error);
            }
            pass.begin();
            taken.groups.push(Held { group, until, pass });
        }
        Ok(taken)
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
            drop(held.pass);
        }
        Ok(())
    }

    fn lane(&self, connection: &ConnectionName, group: &str) -> Arc<Lane> {
        self.lanes
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

impl Entered {
    /// Keeps the groups for the call that is about to be made, for a short time.
    pub(super) fn reserve(self) {
        for (_, pass) in self.passes {
            pass.reserve();
        }
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
