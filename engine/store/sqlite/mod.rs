//! The store in one SQLite file, inside the process.
//!
//! In: a path. Out: [`Sqlite`], which keeps every promise of the contract.
//! Always true: one connection writes, in group commits with full sync; reading has connections of
//! its own and sees everything that was acknowledged.

mod answers;
mod checksum;
mod error;
mod fill;
mod history;
mod jobs;
mod key_file;
mod keys;
mod lately;
mod ledger;
mod limits;
mod open;
mod pack;
mod recipes;
mod saving;
mod seal;
mod tables;
mod tokens;
mod vault;
mod veil;
mod versions;
mod writer;

pub use answers::{Answer, Known, Named};
pub use history::{KeptJob, Space, Step};
pub use jobs::{
    EventDetail, EventFilter, EventReplayed, Fire, FireOutcome, FireRow, Fired, Fires, Found,
    IfDoneAgain, JobMark, Lineage, NotQueued, PassedOver, Poll, PollEnd, PollKept, Polled,
    PolledItem, Queue, RECOVERIES_MAX, Reach, Release, Replay, Rerun, RuleKept, Standing,
    StoredEvent, Tried, UNKEPT_DROPPED, UNKEPT_REJECTED, UNKEPT_REPEATED, Unkept,
};
pub use keys::{forget_key, key_beside};
pub use lately::{Lately, Place, Since};
pub use ledger::{KeptSecret, NoticeClaim, SpentBlock, TakenGroup};
pub use limits::{CommitLimits, commit_limits};
pub use open::check_integrity;
pub use recipes::{AuditEntry, RecipeState, UnfinishedVersion};
pub use saving::{Saving, SavingEnded};
pub use tables::{Import, RowBefore, RowFilter, RowNamed, RowVersion, TableRow};
pub use vault::{SecretRecord, Vault};
pub use versions::{NewVersion, Version, VersionOrigin};

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use sqlx::{SqliteConnection, SqlitePool};

use self::error::store_error;
use self::seal::Sealer;
use self::tables::{Declared, Settings};
use self::writer::Writer;
use crate::names::JobId;
use crate::store::{Haste, StoreError};

/// A database that is open; clones share it.
#[derive(Clone)]
pub struct Sqlite {
    writer: Writer,
    readers: Option<SqlitePool>,
    tables: Declared,
    settings: Settings,
    sealer: Arc<Sealer>,
    /// Where the key stands; nowhere if it is gone with the process.
    key_file: Option<Arc<PathBuf>>,
    vault: Vault,
    jobs_ended: Arc<AtomicU64>,
    lately: Lately,
    /// Jobs that claims have woken.
    woken: Arc<Mutex<Vec<JobId>>>,
}

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Transactions that were committed.
    pub commits: u64,
    /// Of these, those that waited for an fsync.
    pub synced_commits: u64,
    /// Jobs that ended.
    pub jobs_ended: u64,
}

impl Sqlite {
    /// Opens or creates the database file at this path, alone: a second server is refused. The key
    /// stands beside it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with_key(path, &key_beside(path)).await
    }

    /// Opens or creates the database file at this path, with the key file at that one, which is made
    /// for a new database and must fit one that is there.
    pub async fn open_with_key(path: &Path, key: &Path) -> Result<Self, StoreError> {
        let mut opened = open::open_file(path).await?;
        let sealer = keys::fitting(&mut opened.writer, key).await?;
        let lately = Lately::new();
        let store = Self {
            writer: Writer::start(opened.writer, Some(opened.lock), lately.clone()),
            lately,
            readers: Some(opened.readers),
            tables: Declared::default(),
            settings: Settings::default(),
            sealer: Arc::new(sealer),
            key_file: Some(Arc::new(key.to_owned())),
            vault: Vault::default(),
            jobs_ended: Arc::default(),
            woken: Arc::default(),
        };
        store.open_vault().await?;
        Ok(store)
    }

    /// A store that is gone with its last clone: for tests and previews.
    pub async fn in_memory() -> Result<Self, StoreError> {
        let lately = Lately::new();
        Ok(Self {
            writer: Writer::start(open::open_in_memory().await?, None, lately.clone()),
            lately,
            readers: None,
            tables: Declared::default(),
            settings: Settings::default(),
            sealer: Arc::new(Sealer::passing()?),
            key_file: None,
            vault: Vault::default(),
            jobs_ended: Arc::default(),
            woken: Arc::default(),
        })
    }

    /// What was done since it was opened.
    pub fn counts(&self) -> Counts {
        let (commits, synced_commits) = self.writer.commits();
        Counts {
            commits,
            synced_commits,
            jobs_ended: self.jobs_ended.load(Ordering::Relaxed),
        }
    }

    /// Which jobs changed lately.
    pub fn lately(&self) -> &Lately {
        &self.lately
    }

    /// Waits until the disk has everything that was committed so far.
    pub async fn settle(&self) -> Result<(), StoreError> {
        self.with_writer(|_| Box::pin(async { Ok(()) })).await
    }

    /// Writes a page that says what it said before: fails if nothing can be written.
    pub async fn check_writing(&self) -> Result<(), StoreError> {
        self.with_writer(|connection| Box::pin(writer::write_mark(connection)))
            .await
    }

    /// Ends the writer after everything in line, works the log into the file and gives the lock
    /// back. Whatever is asked of the store afterwards is refused.
    pub async fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        self.writer.close().await;
    }

    /// Does the work in the next group commit; the disk has it when this returns.
    async fn with_writer<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        self.writer.perform(Haste::Now, work).await
    }

    /// Does the work in the next commit; the disk has it soon.
    async fn with_writer_soon<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        self.writer.perform(Haste::Soon, work).await
    }

    /// Reads what is committed. A database in memory has one connection, which does it in between.
    async fn with_reader<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        let Some(readers) = &self.readers else {
            return self.writer.perform(Haste::Soon, work).await;
        };
        let mut connection = readers.acquire().await.map_err(store_error)?;
        work(&mut connection).await
    }
}

#[cfg(test)]
mod tests;
