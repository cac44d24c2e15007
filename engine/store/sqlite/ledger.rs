//! What calls to the outside leave behind: spent budgets, exclusive holds, rotated tokens, notices.
//!
//! Always true: what was acknowledged counts after a crash; a secret is sealed before it is stored.

use std::time::Duration;

use sqlx::{Row, SqliteConnection};

use super::Sqlite;
use super::error::store_error;
use crate::clock::Moment;
use crate::data::Secret;
use crate::names::ConnectionName;
use crate::store::StoreError;

/// A block of calls taken from a connection's budget at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpentBlock {
    /// A name of its own.
    pub id: String,
    /// The connection.
    pub connection: ConnectionName,
    /// The budget, among those of the connection.
    pub budget: String,
    /// How many calls.
    pub calls: u32,
    /// The length of the budget's window.
    pub window: Duration,
    /// Until when its calls count; none while it is in use.
    pub counts_until: Option<Moment>,
}

/// An exclusive group of actions that is taken on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenGroup {
    /// The connection.
    pub connection: ConnectionName,
    /// The group.
    pub group: String,
    /// When it ends by itself.
    pub until: Moment,
}

/// What came of claiming a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeClaim {
    /// It is the holder's to send.
    Granted,
    /// This holder sent it.
    SentBefore,
    /// Another holder sent it.
    Sent,
    /// Another holder is about to send it, or will turn out to have failed.
    UnderWay,
}

/// A secret that came while running, with the account it is for.
#[derive(Clone, Debug)]
pub struct KeptSecret {
    /// What it is called: the connection's name.
    pub name: String,
    /// A mark of the account.
    pub account: String,
    /// The secret.
    pub secret: Secret,
}

impl Sqlite {
    /// Writes a block down before its first call.
    pub async fn open_block(&self, block: SpentBlock) -> Result<(), StoreError> {
        self.with_writer(|connection| Box::pin(open_block(connection, block)))
            .await
    }

    /// Says until when a used block counts, and forgets those that count no more.
    pub async fn close_block(&self, id: String, until: Moment) -> Result<(), StoreError> {
        // What the disk does not have yet counts longer, never shorter.
        self.with_writer_soon(move |connection| Box::pin(close_block(connection, id, until)))
            .await
    }

    /// All blocks that may still count.
    pub async fn blocks(&self) -> Result<Vec<SpentBlock>, StoreError> {
        self.with_reader(|connection| Box::pin(blocks(connection)))
            .await
    }

    /// Writes down that a group is taken.
    pub async fn take_group(&self, taken: TakenGroup) -> Result<(), StoreError> {
        self.with_writer(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO exclusive_hold (connection, members, held_until)
                     VALUES ($1, $2, $3)
                     ON CONFLICT DO UPDATE SET held_until = excluded.held_until",
                )
                .bind(taken.connection.as_str())
                .bind(taken.group)
                .bind(taken.until.0)
                .execute(connection)
                .await
                .map_err(store_error)?;
                Ok(())
            })
        })
        .await
    }

    /// Forgets that a group was taken.
    pub async fn give_group_back(
        &self,
        connection: ConnectionName,
        group: String,
    ) -> Result<(), StoreError> {
        // As with blocks: what the disk does not have yet holds longer.
        self.with_writer_soon(move |database| {
            Box::pin(async move {
                sqlx::query("DELETE FROM exclusive_hold WHERE connection = $1 AND members = $2")
                    .bind(connection.as_str())
                    .bind(group)
                    .execute(database)
                    .await
                    .map_err(store_error)?;
                Ok(())
            })
        })
        .await
    }

    /// All groups that were not given back.
    pub async fn taken_groups(&self) -> Result<Vec<TakenGroup>, StoreError> {
        self.with_reader(|connection| Box::pin(taken_groups(connection)))
            .await
    }

    /// Keeps a secret, sealed, in place of the last one of its name.
    pub async fn keep_secret(&self, kept: KeptSecret) -> Result<(), StoreError> {
        let body = self.sealer.seal(&kept.name, &kept.secret)?;
        self.with_writer(|connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO sealed (name, account, body) VALUES ($1, $2, $3)
                     ON CONFLICT (name) DO UPDATE
                     SET account = excluded.account, body = excluded.body",
                )
                .bind(kept.name)
                .bind(kept.account)
                .bind(body)
                .execute(connection)
                .await
                .map_err(store_error)?;
                Ok(())
            })
        })
        .await
    }

    /// All secrets that were kept and that this workspace's key opens.
    pub async fn kept_secrets(&self) -> Result<Vec<KeptSecret>, StoreError> {
        let rows: Vec<(String, String, Vec<u8>)> = self
            .with_reader(|connection| {
                Box::pin(async move {
                    sqlx::query_as("SELECT name, account, body FROM sealed ORDER BY name")
                        .fetch_all(connection)
                        .await
                        .map_err(store_error)
                })
            })
            .await?;
        let mut kept = Vec::with_capacity(rows.len());
        for (name, account, body) in rows {
            match self.sealer.open(&name, &body) {
                Some(secret) => kept.push(KeptSecret {
                    name,
                    account,
                    secret,
                }),
                None => tracing::warn!(
                    %name,
                    "a kept secret cannot be opened with this workspace's key file; it is left out"
                ),
            }
        }
        Ok(kept)
    }

    /// Claims a notice's key for one holder, until a moment by which it is sent or given up. The same
    /// holder may claim it again.
    pub async fn claim_notice(
        &self,
        key: String,
        holder: String,
        now: Moment,
        until: Moment,
    ) -> Result<NoticeClaim, StoreError> {
        self.with_writer(move |connection| {
            Box::pin(claim_notice(connection, key, holder, now, until))
        })
        .await
    }

    /// Says that a holder's notice was sent; it is known until a moment.
    pub async fn confirm_notice(
        &self,
        key: String,
        holder: String,
        until: Moment,
    ) -> Result<(), StoreError> {
        // What the disk does not have yet is a claim, which ends by itself.
        self.with_writer_soon(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE notice SET is_sent = 1, known_until = $3
                     WHERE key = $1 AND holder = $2",
                )
                .bind(key)
                .bind(holder)
                .bind(until.0)
                .execute(connection)
                .await
                .map_err(store_error)?;
                Ok(())
            })
        })
        .await
    }

    /// Gives a notice that was not sent back to whoever wants to send it next.
    pub async fn release_notice(&self, key: String, holder: String) -> Result<(), StoreError> {
        self.with_writer_soon(move |connection| {
            Box::pin(async move {
                sqlx::query("DELETE FROM notice WHERE key = $1 AND holder = $2 AND is_sent = 0")
                    .bind(key)
                    .bind(holder)
                    .execute(connection)
                    .await
                    .map_err(store_error)?;
                Ok(())
            })
        })
        .await
    }
}

async fn open_block(
    connection: &mut SqliteConnection,
    block: SpentBlock,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO budget_block (id, connection, budget, calls, length, counts_until)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET counts_until = excluded.counts_until",
    )
    .bind(block.id)
    .bind(block.connection.as_str())
    .bind(block.budget)
    .bind(i64::from(block.calls))
    .bind(i64::try_from(block.window.as_micros()).unwrap_or(i64::MAX))
    .bind(block.counts_until.map(|moment| moment.0))
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

async fn close_block(
    connection: &mut SqliteConnection,
    id: String,
    until: Moment,
) -> Result<(), StoreError> {
    // A block is closed one window before it stops counting: that is the present moment.
    sqlx::query(
        "UPDATE budget_block SET counts_until = $2 WHERE id = $1;
         DELETE FROM budget_block WHERE (connection, budget) = (
                SELECT connection, budget FROM budget_block WHERE id = $1)
            AND counts_until <= $2 - length",
    )
    .bind(id)
    .bind(until.0)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

async fn blocks(connection: &mut SqliteConnection) -> Result<Vec<SpentBlock>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, connection, budget, calls, length, counts_until FROM budget_block ORDER BY id",
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    rows.iter()
        .map(|row| {
            let calls: i64 = row.try_get(3).map_err(store_error)?;
            let window: i64 = row.try_get(4).map_err(store_error)?;
            let until: Option<i64> = row.try_get(5).map_err(store_error)?;
            Ok(SpentBlock {
                id: row.try_get(0).map_err(store_error)?,
                connection: name(row.try_get(1).map_err(store_error)?)?,
                budget: row.try_get(2).map_err(store_error)?,
                calls: u32::try_from(calls).unwrap_or(u32::MAX),
                window: Duration::from_micros(window.unsigned_abs()),
                counts_until: until.map(Moment),
            })
        })
        .collect()
}

async fn taken_groups(connection: &mut SqliteConnection) -> Result<Vec<TakenGroup>, StoreError> {
    let rows = sqlx::query("SELECT connection, members, held_until FROM exclusive_hold")
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    rows.iter()
        .map(|row| {
            Ok(TakenGroup {
                connection: name(row.try_get(0).map_err(store_error)?)?,
                group: row.try_get(1).map_err(store_error)?,
                until: Moment(row.try_get(2).map_err(store_error)?),
            })
        })
        .collect()
}

async fn claim_notice(
    connection: &mut SqliteConnection,
    key: String,
    holder: String,
    now: Moment,
    until: Moment,
) -> Result<NoticeClaim, StoreError> {
    sqlx::query(
        "DELETE FROM notice WHERE known_until <= $3;
         INSERT INTO notice (key, holder, known_until, is_sent) VALUES ($1, $2, $4, 0)
         ON CONFLICT (key) DO UPDATE SET known_until = MAX(known_until, excluded.known_until)
            WHERE holder = excluded.holder AND is_sent = 0",
    )
    .bind(&key)
    .bind(&holder)
    .bind(now.0)
    .bind(until.0)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    let (claimed_by, is_sent): (String, bool) =
        sqlx::query_as("SELECT holder, is_sent FROM notice WHERE key = $1")
            .bind(key)
            .fetch_one(connection)
            .await
            .map_err(store_error)?;
    Ok(match (claimed_by == holder, is_sent) {
        (true, false) => NoticeClaim::Granted,
        (true, true) => NoticeClaim::SentBefore,
        (false, true) => NoticeClaim::Sent,
        (false, false) => NoticeClaim::UnderWay,
    })
}

fn name(text: &str) -> Result<ConnectionName, StoreError> {
    ConnectionName::new(text).map_err(StoreError::Corrupt)
}
