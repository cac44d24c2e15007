//! What must outlive the process: spent budgets, holds, rotated tokens, notices that were sent.
//!
//! Always true: an entry is durable before what it stands for leaves the machine.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt, ready};

use crate::clock::Moment;
use crate::data::Secret;
use crate::names::ConnectionName;
use crate::store::{NoticeClaim, SpentBlock, TakenGroup};

/// What an earlier process left.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// Budgets spent; a block still in use counts for one whole window from now on.
    pub blocks: Vec<SpentBlock>,
    /// Holds that were not given back.
    pub holds: Vec<TakenGroup>,
    /// Refresh tokens that replaced those of `connections.yaml`.
    pub refresh_tokens: Vec<(ConnectionName, RotatedToken)>,
}

/// A refresh token that a vendor gave in place of the last one.
#[derive(Clone, Debug)]
pub struct RotatedToken {
    /// The token.
    pub token: Secret,
    /// The SHA-256 of the connection's own values: another account needs its own first token.
    pub account: String,
}

/// Why the ledger cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger of calls cannot be kept: {0}")]
pub struct LedgerError(pub String);

/// Keeps what must outlive the process.
pub trait Ledger: Send + Sync {
    /// All that still counts.
    fn load(&self) -> BoxFuture<'_, Result<Remembered, LedgerError>>;

    /// Writes a block down before its first call.
    fn open_block(&self, block: SpentBlock) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Says until when a used block counts.
    fn close_block(&self, id: String, until: Moment) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Writes a hold down.
    fn put_hold(&self, hold: TakenGroup) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Forgets a hold.
    fn remove_hold(
        &self,
        connection: ConnectionName,
        group: String,
    ) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Keeps a rotated refresh token; sealed, for it is a secret.
    fn keep_refresh_token(
        &self,
        connection: ConnectionName,
        token: RotatedToken,
    ) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Claims a notice's key for one holder, until a moment by which it is sent or given up. The same
    /// holder may claim it again, until it was sent.
    fn claim_notice(
        &self,
        key: String,
        holder: String,
        now: Moment,
        until: Moment,
    ) -> BoxFuture<'_, Result<NoticeClaim, LedgerError>>;

    /// Says that a holder's notice was sent; it is known until a moment.
    fn confirm_notice(
        &self,
        key: String,
        holder: String,
        until: Moment,
    ) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Gives a notice that was not sent back to whoever wants to send it next.
    fn release_notice(&self, key: String, holder: String)
    -> BoxFuture<'_, Result<(), LedgerError>>;
}

/// A ledger for one process: it keeps notices while it lives, and forgets the rest, which the
/// process itself remembers.
#[derive(Default)]
pub struct Forgetful {
    notices: Mutex<BTreeMap<String, Notice>>,
}

struct Notice {
    holder: String,
    until: Moment,
    is_sent: bool,
}

impl Forgetful {
    fn notices(&self) -> MutexGuard<'_, BTreeMap<String, Notice>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Forgetful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forgetful")
    }
}

impl Ledger for Forgetful {
    fn load(&self) -> BoxFuture<'_, Result<Remembered, LedgerError>> {
        ready(Ok(Remembered::default())).boxed()
    }

    fn open_block(&self, _block: SpentBlock) -> BoxFuture<'_, Result<(), LedgerError>> {
        ready(Ok(())).boxed()
    }

    fn close_block(&self, _id: String, _until: Moment) -> BoxFuture<'_, Result<(), LedgerError>> {
        ready(Ok(())).boxed()
    }

    fn put_hold(&self, _hold: TakenGroup) -> BoxFuture<'_, Result<(), LedgerError>> {
        ready(Ok(())).boxed()
    }

    fn remove_hold(
        &self,
        _connection: ConnectionName,
        _group: String,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        ready(Ok(())).boxed()
    }

    fn keep_refresh_token(
        &self,
        _connection: ConnectionName,
        _token: RotatedToken,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        ready(Ok(())).boxed()
    }

    fn claim_notice(
        &self,
        key: String,
        holder: String,
        now: Moment,
        until: Moment,
    ) -> BoxFuture<'_, Result<NoticeClaim, LedgerError>> {
        let mut notices = self.notices();
        notices.retain(|_, notice| notice.until > now);
        let notice = notices.entry(key).or_insert_with(|| Notice {
            holder: holder.clone(),
            until,
            is_sent: false,
        });
        let claim = match (notice.holder == holder, notice.is_sent) {
            (true, false) => NoticeClaim::Granted,
            (true, true) => NoticeClaim::SentBefore,
            (false, true) => NoticeClaim::Sent,
            (false, false) => NoticeClaim::UnderWay,
        };
        if claim == NoticeClaim::Granted {
            notice.until = notice.until.max(until);
        }
        ready(Ok(claim)).boxed()
    }

    fn confirm_notice(
        &self,
        key: String,
        holder: String,
        until: Moment,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        if let Some(notice) = self.notices().get_mut(&key)
            && notice.holder == holder
        {
            notice.is_sent = true;
            notice.until = until;
        }
        ready(Ok(())).boxed()
    }

    fn release_notice(
        &self,
        key: String,
        holder: String,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.notices()
            .retain(|of, notice| *of != key || notice.holder != holder || notice.is_sent);
        ready(Ok(())).boxed()
    }
}
