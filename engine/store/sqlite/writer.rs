//! The one connection that writes, and the group commit.
//!
//! In: parts, each the work of one caller. Out: one transaction for all that is ready.
//! Always true: a part that fails is undone alone; nothing is acknowledged before the COMMIT that
//! holds it; if the COMMIT fails, every part of it is unavailable and nothing of it is stored; a
//! part that must be on the disk is acknowledged after an fsync of it and of all before it.

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};

use super::error::store_error;
use super::lately::{Lately, Touched};
use crate::clock::Clock;
use crate::store::{Haste, StoreError};

/// The most parts in one transaction: enough to pay for an fsync, few enough to answer soon.
const PARTS_MAX: usize = 500;
/// The most parts in line; who comes later waits for room.
const LINE_MAX: usize = 10_000;
/// The longest that something committed stays with the system, before the disk has it.
const SYNC_WITHIN: Duration = Duration::from_secs(1);

/// The way to the writing connection.
#[derive(Clone)]
pub(super) struct Writer {
    line: mpsc::Sender<Box<dyn Part>>,
    counters: Arc<Counters>,
    stop: watch::Sender<Stage>,
}

/// What the writer has done since it began.
#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    synced: AtomicU64,
}

/// How far the writer is from its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Works,
    Stops,
    Ended,
}

/// The work of one caller.
trait Part: Send {
    /// How soon the disk must have it.
    fn haste(&self) -> Haste;
    /// Does the work inside a savepoint; the error says what to undo.
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Undo>;
    /// Tells the caller, once it is known whether the whole was committed.
    fn acknowledge(self: Box<Self>, committed: &Result<(), StoreError>);
}

/// What becomes of a part after it ran.
enum Undo {
    /// It stays.
    Nothing,
    /// It is undone alone.
    Part,
    /// The database cannot go on: everything of this transaction is undone.
    All(StoreError),
}

impl Writer {
    /// Starts the writer over a connection. The lock is given back after the connection is closed.
    /// Of jobs that it changes, those who look on are told.
    pub(super) fn start(connection: SqliteConnection, lock: Option<File>, lately: Lately) -> Self {
        let (line, inbox) = mpsc::channel(LINE_MAX);
        let counters = Arc::<Counters>::default();
        let (stop, _) = watch::channel(Stage::Works);
        let work = run(
            connection,
            inbox,
            counters.clone(),
            stop.clone(),
            lock,
            lately,
        );
        tokio::spawn(work);
        Self {
            line,
            counters,
            stop,
        }
    }

    /// Lets the writer end after everything in line, and waits until the database is closed.
    pub(super) async fn close(&self) {
        let mut stage = self.stop.subscribe();
        self.stop.send_if_modified(|stage| {
            let works = *stage == Stage::Works;
            if works {
                *stage = Stage::Stops;
            }
            works
        });
        // The sender is held by this very writer, so the channel cannot close before.
        let _ = stage.wait_for(|stage| *stage == Stage::Ended).await;
    }

    /// Does the work in the next transaction and waits until it is as durable as it must be.
    pub(super) async fn perform<T, F>(&self, haste: Haste, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        let (answer, done) = oneshot::channel();
        let part = Box::new(Waiting {
            work: Some(work),
            haste,
            outcome: None,
            answer,
        });
        if self.line.send(part).await.is_err() {
            return Err(closed());
        }
        done.await.unwrap_or_else(|_| Err(closed()))
    }

    /// How many transactions were committed, and how many of them waited for an fsync.
    pub(super) fn commits(&self) -> (u64, u64) {
        let Counters { commits, synced } = &*self.counters;
        (
            commits.load(Ordering::Relaxed),
            synced.load(Ordering::Relaxed),
        )
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is shut down".to_owned())
}

struct Waiting<T, F> {
    work: Option<F>,
    haste: Haste,
    outcome: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Part for Waiting<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send,
{
    fn haste(&self) -> Haste {
        self.haste
    }

    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Undo> {
        Box::pin(async move {
            let Some(work) = self.work.take() else {
                return Undo::Nothing;
            };
            // A fault in one part must not end the writer for all others.
            let outcome = match AssertUnwindSafe(async { work(connection).await })
                .catch_unwind()
                .await
            {
                Ok(outcome) => outcome,
                Err(_) => Err(StoreError::Conflict(
                    "the engine met a fault of its own while it wrote; its log says where"
                        .to_owned(),
                )),
            };
            let undo = match &outcome {
                Ok(_) => Undo::Nothing,
                Err(StoreError::Unavailable(why)) => {
                    Undo::All(StoreError::Unavailable(why.clone()))
                }
                Err(_) => Undo::Part,
            };
            self.outcome = Some(outcome);
            undo
        })
    }

    fn acknowledge(self: Box<Self>, committed: &Result<(), StoreError>) {
        let outcome = match (committed, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            // A refusal stays a refusal, whatever became of the others.
            (Err(_), Some(Err(refused))) => Err(refused),
            (Err(error), _) => Err(error.clone()),
            (Ok(()), None) => Err(closed()),
        };
        // Nobody listens any more if the caller was dropped; what it asked for is done all the same.
        let _ = self.answer.send(outcome);
    }
}

async fn run(
    mut connection: SqliteConnection,
    mut inbox: mpsc::Receiver<Box<dyn Part>>,
    counters: Arc<Counters>,
    stop: watch::Sender<Stage>,
    lock: Option<File>,
    lately: Lately,
) {
    let mut parts = Vec::with_capacity(PARTS_MAX);
    let mut stage = stop.subscribe();
    let touched = Touched::on(&mut connection).await.unwrap_or_else(|error| {
        tracing::error!(%error, "nobody who looks on is told of jobs");
        Touched::default()
    });
    let mut desk = Desk {
        connection,
        mode: Haste::Now,
        unsynced_since: None,
        counters,
    };
    loop {
        tokio::select! {
            biased;
            count = inbox.recv_many(&mut parts, PARTS_MAX) => if count == 0 { break },
            () = desk.sync_is_due() => {}
            // What is in line already is still done; who comes later is sent away.
            () = stopping(&mut stage) => {
                inbox.close();
                if inbox.recv_many(&mut parts, PARTS_MAX).await == 0 {
                    break;
                }
            }
        }
        let committed = desk.commit_together(&mut parts).await;
        let jobs = touched.take();
        if let Err(error) = &committed {
            tracing::warn!(%error, parts = parts.len(), "a transaction was undone");
            // After a full disk SQLite may have rolled back by itself; then this one has no effect.
            let _ = execute(&mut desk.connection, "ROLLBACK").await;
        }
        if committed.is_ok() {
            lately.take_in(jobs);
        }
        for part in parts.drain(..) {
            part.acknowledge(&committed);
        }
    }
    // Closing works the log into the file, with all syncs that belong to that.
    if let Err(error) = desk.connection.close().await {
        tracing::warn!(%error, "closing the database");
    }
    drop(lock);
    stop.send_replace(Stage::Ended);
}

async fn stopping(stage: &mut watch::Receiver<Stage>) {
    let _ = stage.wait_for(|stage| *stage != Stage::Works).await;
}

/// The writing connection, and what of its work the disk may not have yet.
struct Desk {
    connection: SqliteConnection,
    /// Whether SQLite syncs at each COMMIT at the moment.
    mode: Haste,
    /// Since when something is committed that no fsync has followed.
    unsynced_since: Option<Instant>,
    counters: Arc<Counters>,
}

impl Desk {
    /// Returns when what was committed without an fsync has waited long enough.
    async fn sync_is_due(&self) {
        match self.unsynced_since {
            Some(since) => Clock::rest(SYNC_WITHIN.saturating_sub(since.elapsed())).await,
            None => std::future::pending().await,
        }
    }

    /// Runs every part in a savepoint of its own and commits them together. Neighbouring statements
    /// are sent as one, since each way to the database's thread and back costs as much as a small
    /// write. No parts at all: syncs what is left to be synced.
    async fn commit_together(&mut self, parts: &mut [Box<dyn Part>]) -> Result<(), StoreError> {
        let haste = if parts.is_empty() || parts.iter().any(|part| part.haste() == Haste::Now) {
            Haste::Now
        } else {
            Haste::Soon
        };
        self.set_mode(haste).await?;
        let syncs_others = haste == Haste::Now && self.unsynced_since.is_some();
        let connection = &mut self.connection;
        let begin = if syncs_others { BEGIN_SYNC } else { BEGIN };
        execute(connection, begin).await?;
        let count = parts.len();
        for (index, part) in parts.iter_mut().enumerate() {
            match part.run(connection).await {
                Undo::Nothing if index + 1 < count => {
                    execute(connection, "RELEASE part; SAVEPOINT part").await?;
                }
                Undo::Nothing => {}
                Undo::Part => execute(connection, "ROLLBACK TO part").await?,
                Undo::All(error) => return Err(error),
            }
        }
        execute(connection, "RELEASE part; COMMIT").await?;
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        match haste {
            Haste::Now => {
                self.unsynced_since = None;
                self.counters.synced.fetch_add(1, Ordering::Relaxed);
            }
            Haste::Soon => {
                self.unsynced_since.get_or_insert_with(Instant::now);
            }
        }
        Ok(())
    }

    async fn set_mode(&mut self, mode: Haste) -> Result<(), StoreError> {
        if self.mode == mode {
            return Ok(());
        }
        // Never from the cache of statements: SQLite follows this one while it prepares it.
        let sql = match mode {
            Haste::Now => "PRAGMA synchronous = FULL",
            Haste::Soon => "PRAGMA synchronous = NORMAL",
        };
        sqlx::raw_sql(sql)
            .execute(&mut self.connection)
            .await
            .map_err(store_error)?;
        self.mode = mode;
        Ok(())
    }
}

const BEGIN: &str = "BEGIN IMMEDIATE; SAVEPOINT part";

/// Writes the file's mark again: without a write, COMMIT would sync nothing.
const BEGIN_SYNC: &str = "BEGIN IMMEDIATE; PRAGMA application_id = 1380143173; SAVEPOINT part";

/// Writes the file's mark again.
pub(super) async fn write_mark(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    execute(connection, "PRAGMA application_id = 1380143173").await
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::query(sql)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}
