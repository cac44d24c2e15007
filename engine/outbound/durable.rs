//! The ledger kept in the store, so that it outlives the process.

use futures_util::future::{BoxFuture, FutureExt};

use super::ledger::{Ledger, LedgerError, Remembered, RotatedToken};
use crate::clock::Moment;
use crate::names::ConnectionName;
use crate::store::{KeptSecret, NoticeClaim, SpentBlock, Store, StoreError, TakenGroup};

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl Ledger for Store {
    fn load(&self) -> BoxFuture<'_, Result<Remembered, LedgerError>> {
        load(self).boxed()
    }

    fn open_block(&self, block: SpentBlock) -> BoxFuture<'_, Result<(), LedgerError>> {
        async { Ok(Store::open_block(self, block).await?) }.boxed()
    }

    fn close_block(&self, id: String, until: Moment) -> BoxFuture<'_, Result<(), LedgerError>> {
        async move { Ok(Store::close_block(self, id, until).await?) }.boxed()
    }

    fn put_hold(&self, hold: TakenGroup) -> BoxFuture<'_, Result<(), LedgerError>> {
        async { Ok(self.take_group(hold).await?) }.boxed()
    }

    fn remove_hold(
        &self,
        connection: ConnectionName,
        group: String,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        async { Ok(self.give_group_back(connection, group).await?) }.boxed()
    }

    fn keep_refresh_token(
        &self,
        connection: ConnectionName,
        token: RotatedToken,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        let kept = KeptSecret {
            name: connection.to_string(),
            account: token.account,
            secret: token.token,
        };
        async { Ok(self.keep_secret(kept).await?) }.boxed()
    }

    fn claim_notice(
        &self,
        key: String,
        holder: String,
        now: Moment,
        until: Moment,
    ) -> BoxFuture<'_, Result<NoticeClaim, LedgerError>> {
        async move { Ok(Store::claim_notice(self, key, holder, now, until).await?) }.boxed()
    }

    fn confirm_notice(
        &self,
        key: String,
        holder: String,
        until: Moment,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        async move { Ok(Store::confirm_notice(self, key, holder, until).await?) }.boxed()
    }

    fn release_notice(
        &self,
        key: String,
        holder: String,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        async move { Ok(Store::release_notice(self, key, holder).await?) }.boxed()
    }
}

async fn load(store: &Store) -> Result<Remembered, LedgerError> {
    let secrets = store.kept_secrets().await?;
    let mut refresh_tokens = Vec::with_capacity(secrets.len());
    for kept in secrets {
        let connection = ConnectionName::new(&kept.name).map_err(LedgerError)?;
        let token = RotatedToken {
            token: kept.secret,
            account: kept.account,
        };
        refresh_tokens.push((connection, token));
    }
    Ok(Remembered {
        blocks: store.blocks().await?,
        holds: store.taken_groups().await?,
        refresh_tokens,
    })
}
