//! The ledger kept in the store, so that it outlives the process.

use futures_util::future::{BoxFuture, FutureExt};

use super::ledger::{Block, Hold, Ledger, LedgerError, Remembered, RotatedToken};
use crate::clock::Moment;
use crate::names::ConnectionName;
use crate::store::sqlite::{KeptSecret, SpentBlock, TakenGroup};
use crate::store::{Store, StoreError};

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl Ledger for Store {
    fn load(&self) -> BoxFuture<'_, Result<Remembered, LedgerError>> {
        load(self).boxed()
    }

    fn open_block(&self, block: Block) -> BoxFuture<'_, Result<(), LedgerError>> {
        let block = SpentBlock {
            id: block.id,
            connection: block.connection,
            budget: block.budget,
            calls: block.calls,
            window: block.window,
            counts_until: block.counts_until,
        };
        async { Ok(Store::open_block(self, block).await?) }.boxed()
    }

    fn close_block(&self, id: String, until: Moment) -> BoxFuture<'_, Result<(), LedgerError>> {
        async move { Ok(Store::close_block(self, id, until).await?) }.boxed()
    }

    fn put_hold(&self, hold: Hold) -> BoxFuture<'_, Result<(), LedgerError>> {
        let taken = TakenGroup {
            connection: hold.connection,
            group: hold.group,
            until: hold.until,
        };
        async { Ok(self.take_group(taken).await?) }.boxed()
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
    ) -> BoxFuture<'_, Result<bool, LedgerError>> {
        async move { Ok(Store::claim_notice(self, key, holder, now, until).await?) }.boxed()
    }
}

async fn load(store: &Store) -> Result<Remembered, LedgerError> {
    let blocks = store.blocks().await?;
    let holds = store.taken_groups().await?;
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
        blocks: blocks.into_iter().map(block_of).collect(),
        holds: holds.into_iter().map(hold_of).collect(),
        refresh_tokens,
    })
}

fn block_of(spent: SpentBlock) -> Block {
    Block {
        id: spent.id,
        connection: spent.connection,
        budget: spent.budget,
        calls: spent.calls,
        window: spent.window,
        counts_until: spent.counts_until,
    }
}

fn hold_of(taken: TakenGroup) -> Hold {
    Hold {
        connection: taken.connection,
        group: taken.group,
        until: taken.until,
    }
}
