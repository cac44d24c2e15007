//! Tokens: fetched once, kept until shortly before they end, renewed by one call for all.
//!
//! Always true: at most one token request per connection is under way; a rotated refresh token is
//! written down before the token beside it is used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::ledger::RotatedToken;
use crate::clock::Moment;
use crate::connector::{Token, Trouble};
use crate::data::Secret;
use crate::mask::learn_secret;
use crate::names::ConnectionName;

/// The tokens of all connections.
pub(super) struct Tokens(Mutex<BTreeMap<ConnectionName, Arc<tokio::sync::Mutex<Slot>>>>);

/// What is known of one connection's token; whoever holds it may renew it.
#[derive(Default)]
pub(super) struct Slot {
    held: Option<Held>,
    refused: Option<Refused>,
    rotated: Option<RotatedToken>,
}

/// A token that can be used.
#[derive(Clone)]
pub(super) struct Held {
    /// The token.
    pub(super) access: Secret,
    /// The base URL that goes with it.
    pub(super) base_url: Option<String>,
    renew_at: Moment,
    account: String,
}

/// A sign-in that the vendor refused.
struct Refused {
    trouble: Trouble,
    until: Moment,
    account: String,
}

/// How long a refused sign-in is not tried again, so that waiting calls do not lock the account.
const REFUSED_FOR: Duration = Duration::from_secs(10);

impl Tokens {
    pub(super) fn new(rotated: Vec<(ConnectionName, RotatedToken)>) -> Self {
        let slots = rotated.into_iter().map(|(connection, rotated)| {
            learn_secret(rotated.token.reveal());
            let slot = Slot {
                rotated: Some(rotated),
                ..Slot::default()
            };
            (connection, Arc::new(tokio::sync::Mutex::new(slot)))
        });
        Self(Mutex::new(slots.collect()))
    }

    /// The slot of a connection; locking it makes a renewal the only one.
    pub(super) fn slot(&self, connection: &ConnectionName) -> Arc<tokio::sync::Mutex<Slot>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(connection.clone())
            .or_default()
            .clone()
    }
}

impl Slot {
    /// The token, if it still holds and belongs to this account; or why there can be none now.
    pub(super) fn held(&self, account: &str, now: Moment) -> Result<Option<Held>, Trouble> {
        if let Some(refused) = &self.refused
            && refused.account == account
            && refused.until > now
        {
            return Err(refused.trouble.clone());
        }
        Ok(self
            .held
            .as_ref()
            .filter(|held| held.account == account && held.renew_at > now)
            .cloned())
    }

    /// The refresh token that a former answer gave for this account.
    pub(super) fn rotated(&self, account: &str) -> Option<&Secret> {
        self.rotated
            .as_ref()
            .filter(|rotated| rotated.account == account)
            .map(|rotated| &rotated.token)
    }

    /// Keeps a rotated refresh token.
    pub(super) fn rotate(&mut self, rotated: RotatedToken) {
        self.rotated = Some(rotated);
    }

    /// Keeps a token until shortly before its end.
    pub(super) fn keep(
        &mut self,
        token: Token,
        refresh_before: Duration,
        account: &str,
        now: Moment,
    ) -> Held {
        // A token that lives shorter than the margin is used for half of its life.
        let life = token
            .expires_in
            .saturating_sub(refresh_before)
            .max(token.expires_in / 2);
        let held = Held {
            access: token.access,
            base_url: token.base_url,
            renew_at: now.after(life),
            account: account.to_owned(),
        };
        self.refused = None;
        self.held = Some(held.clone());
        held
    }

    /// Remembers that the vendor refused to sign in.
    pub(super) fn refuse(&mut self, trouble: Trouble, account: &str, now: Moment) {
        self.held = None;
        self.refused = Some(Refused {
            trouble,
            until: now.after(REFUSED_FOR),
            account: account.to_owned(),
        });
    }

    /// Forgets a token that was not accepted, unless it was renewed since.
    pub(super) fn forget(&mut self, access: &Secret) {
        if self
            .held
            .as_ref()
            .is_some_and(|held| held.access == *access)
        {
            self.held = None;
        }
    }
}
