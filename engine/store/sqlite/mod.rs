//! The store in one SQLite file, inside the process.
//!
//! In: a path. Out: [`Sqlite`], which keeps every promise of the contract.
//! Always true: one connection writes, in group commits with full sync; reading has connections of
//! its own and sees everything that was acknowledged.

mod error;
mod jobs;
mod ledger;
mod open;
mod pack;
mod recipes;
mod seal;
mod tables;
mod writer;

pub use jobs::{Fires, Prune, RECOVERIES_MAX};
pub use ledger::{KeptSecret, SpentBlock, TakenGroup};
pub use recipes::{AuditEntry, RecipeState};
pub use tables::{Import, RowFilter, RowVersion, TableRow};

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::{SqliteConnection, SqlitePool};

use self::error::store_error;
use self::seal::Sealer;
use self::tables::{Declared, Settings};
use self::writer::Writer;
use crate::store::StoreError;

/// A database that is open; clones share it.
#[derive(Clone)]
pub struct Sqlite {
    writer: Writer,
    readers: Option<SqlitePool>,
    tables: Declared,
    settings: Settings,
    sealer: Arc<Sealer>,
}

impl Sqlite {
    /// Opens or creates the database file at this path, alone: a second server is refused.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = open::open_file(path).await?;
        Ok(Self {
            writer: Writer::start(opened.writer, Some(opened.lock)),
            readers: Some(opened.readers),
            tables: Declared::default(),
            settings: Settings::default(),
            sealer: Arc::new(Sealer::beside(path)?),
        })
    }

    /// A store that is gone with its last clone: for tests and previews.
    pub async fn in_memory() -> Result<Self, StoreError> {
        Ok(Self {
            writer: Writer::start(open::open_in_memory().await?, None),
            readers: None,
            tables: Declared::default(),
            settings: Settings::default(),
            sealer: Arc::new(Sealer::passing()?),
        })
    }

    /// How many transactions were committed since it was opened: each waited for one fsync.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// Ends the writer after everything in line, works the log into the file and gives the lock
    /// back. Whatever is asked of the store afterwards is refused.
    pub async fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        self.writer.close().await;
    }

    /// Does the work in the next group commit.
    async fn with_writer<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        self.writer.perform(work).await
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
            return self.writer.perform(work).await;
        };
        let mut connection = readers.acquire().await.map_err(store_error)?;
        work(&mut connection).await
    }
}

#[cfg(test)]
mod tests;
