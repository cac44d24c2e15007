//! Does one connector action: signs in, sends, pages, judges the reply.
//!
//! In: a [`Call`]. Out: how it ended, or from when on there is room for it.
//! Always true: a call that must not happen twice never ends as failed once its first byte may have
//! left, unless the vendor's answer says so; secrets are read while a request is built, and are
//! taken out of all that comes back; nothing is sent without room in the budget and the hold it
//! needs; no request goes into a private network that nobody allowed, and no redirect is followed.

mod account;
mod address;
mod budget;
mod client;
mod delivery;
mod durable;
mod greeting;
mod guard;
mod hold;
mod lane;
mod ledger;
mod letter;
mod mail;
mod notice;
mod perform;
mod question;
mod scrub;
mod sign_in;
mod spent;
mod standing;
mod token;
mod waiters;

pub use account::{Accounts, Prepared};
pub use address::PrivateHosts;
pub use client::BODY_BYTES_MAX;
pub use ledger::{Forgetful, Ledger, LedgerError, Remembered};
pub use question::Probe;

use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::{BoxFuture, FutureExt};

use crate::clock::{Clock, Moment};
use crate::connector::{References, Trouble};
use crate::interpret::Call;
use crate::journal::Failure;
use crate::names::ConnectionName;
use crate::step::{Asked, Calls, HeldUp, Performed};

/// All that goes out to vendors.
pub struct Outbound {
    accounts: RwLock<Arc<Accounts>>,
    references: Arc<dyn References>,
    ledger: Arc<dyn Ledger>,
    clock: Clock,
    clients: client::Clients,
    tokens: token::Tokens,
    budgets: budget::Budgets,
    holds: hold::Holds,
    questions: question::Questions,
    notices: notice::Notices,
}

impl Outbound {
    /// Opens the way out; what the ledger remembers of an earlier process counts.
    pub async fn open(
        accounts: Accounts,
        references: Arc<dyn References>,
        ledger: Arc<dyn Ledger>,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let unavailable = |error: LedgerError| Failure::new("unavailable", error.to_string());
        let remembered = ledger.load().await.map_err(unavailable)?;
        let budgets = budget::Budgets::new(remembered.blocks, clock.clone());
        // Blocks that an earlier process had in use count for one window, not for one each start.
        budgets.settle(&*ledger).await.map_err(unavailable)?;
        Ok(Self {
            accounts: RwLock::new(Arc::new(accounts)),
            references,
            clients: client::Clients::default(),
            tokens: token::Tokens::new(remembered.refresh_tokens),
            budgets,
            holds: hold::Holds::new(remembered.holds),
            questions: question::Questions::default(),
            notices: notice::Notices::default(),
            ledger,
            clock,
        })
    }

    /// Lets requests also reach what an admin named.
    #[must_use]
    pub fn allowing(mut self, hosts: PrivateHosts) -> Self {
        self.clients = client::Clients::allowing(hosts);
        self
    }

    /// Puts other connectors and connections in place; calls under way keep theirs. What else is to
    /// be there with them comes at the same moment: no call sees the one without the other.
    pub fn replace(&self, accounts: Accounts, with_them: impl FnOnce()) {
        let mut held = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *held = Arc::new(accounts);
        with_them();
        drop(held);
        self.notices.forget_failures();
    }

    /// The connectors and connections as they are now.
    pub fn accounts(&self) -> Arc<Accounts> {
        self.accounts
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Finds what a call names: connection and secrets of the same moment.
    fn prepare(&self, call: &Call) -> Result<Prepared, Trouble> {
        let held = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        held.prepare(call, &*self.references)
    }

    /// Finds what a call of an action without input needs: all of the same moment.
    fn prepare_bare(&self, name: &ConnectionName, action: &str) -> Result<Prepared, Trouble> {
        let held = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        held.open(name, action, &*self.references)
    }
}

impl Calls for Outbound {
    fn room<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Moment>> {
        self.keep_room(call).boxed()
    }

    fn held_up(&self, call: &Call) -> Option<HeldUp> {
        self.why_held_up(call)
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Performed> {
        self.perform(call).boxed()
    }

    fn verify<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Asked> {
        self.ask(call).boxed()
    }
}

#[cfg(test)]
mod tests;
