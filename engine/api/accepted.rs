//! The tokens that are accepted: those of the database, and those that live as long as the server.
//!
//! Always true: this server alone changes the tokens of its database, so what stands here is what
//! stands there; a token is in the database before it is accepted, and no longer accepted once it
//! is revoked there.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use crate::clock::{Clock, Moment};
use crate::names::{Role, TokenName};
use crate::store::{NewToken, Store, StoreError, TokenRecord, Tokens};

/// The tokens that are accepted.
pub struct Accepted {
    store: Arc<Store>,
    clock: Clock,
    known: RwLock<Vec<Arc<Known>>>,
    /// One change at a time, so that none is accepted that was revoked meanwhile.
    turn: Mutex<()>,
}

/// A token that is accepted.
#[derive(Debug)]
pub(super) struct Known {
    /// Its number in the database; none if it lives as long as the server.
    pub(super) number: Option<i64>,
    pub(super) name: Arc<str>,
    pub(super) role: Role,
    pub(super) hash: String,
    pub(super) expires_at: Option<Moment>,
    used_at: AtomicI64,
    pub(super) is_revoked: watch::Sender<bool>,
}

impl Accepted {
    /// Reads the tokens of the database; the passing ones are admins', each with its name and the
    /// SHA-256 of its text in hexadecimal digits.
    pub async fn open<'a>(
        store: Arc<Store>,
        clock: Clock,
        passing: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Result<Self, StoreError> {
        let mut known: Vec<_> = passing
            .into_iter()
            .map(|(name, hash)| {
                Arc::new(Known {
                    number: None,
                    name: Arc::from(name),
                    role: Role::Admin,
                    hash,
                    expires_at: None,
                    used_at: AtomicI64::new(i64::MAX),
                    is_revoked: watch::Sender::new(false),
                })
            })
            .collect();
        let kept = store.tokens().await?.into_iter();
        known.extend(
            kept.filter(|kept| kept.revoked.is_none())
                .map(|kept| Arc::new(Known::of(kept))),
        );
        Ok(Self {
            store,
            clock,
            known: RwLock::new(known),
            turn: Mutex::new(()),
        })
    }

    /// Keeps a token and accepts it from now on.
    pub(super) async fn create(&self, token: NewToken) -> Result<TokenRecord, StoreError> {
        let _turn = self.turn.lock().await;
        let record = self.store.create_token(token, self.clock.now()).await?;
        let known = Arc::new(Known::of(record.clone()));
        self.write().push(known);
        Ok(record)
    }

    /// Revokes a token: it is not taken any more, and the streams that it opened end.
    pub(super) async fn revoke(&self, name: &TokenName, by: &str) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let number = self.store.revoke_token(name, by, self.clock.now()).await?;
        self.write().retain(|known| {
            let is_meant = known.number == Some(number);
            if is_meant {
                known.is_revoked.send_replace(true);
            }
            !is_meant
        });
        Ok(())
    }

    /// Whether a name belongs to a token that lives as long as the server.
    pub(super) fn is_passing(&self, name: &str) -> bool {
        let all = self.all();
        all.iter()
            .any(|known| known.number.is_none() && &*known.name == name)
    }

    /// Notes about when a token was last used. That it cannot be noted keeps nobody out.
    pub(super) async fn note_use(&self, known: &Known, now: Moment) {
        if let Some(number) = known.number
            && let Err(why) = self.store.token_used(number, now).await
        {
            tracing::debug!(%why, "when a token was last used cannot be noted");
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Known>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Arc<Known>>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn of(record: TokenRecord) -> Self {
        Self {
            number: Some(record.number),
            name: Arc::from(record.token.name.as_str()),
            role: record.token.role,
            hash: record.token.hash,
            expires_at: record.token.expires_at,
            used_at: AtomicI64::new(record.used_at.map_or(i64::MIN, |at| at.0)),
            is_revoked: watch::Sender::new(false),
        }
    }

    /// Takes note of a use; answers whether the last note of one is older than this.
    pub(super) fn is_used(&self, now: Moment, after: Duration) -> bool {
        let last = self.used_at.load(Ordering::Relaxed);
        let is_due = last < now.before(after).0;
        // Of several requests at once, one writes.
        is_due
            && self
                .used_at
                .compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

impl std::fmt::Debug for Accepted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Accepted({} tokens)", self.all().len())
    }
}
