//! Files that change together: a copy, an upgrade.
//!
//! In: a change. Out: its files on the disk and taken up, or why not.
//! Always true: it has the turn only while it writes; what was changed since the change was made up
//! is not written over; what is begun comes to its end, and to the audit, whoever hangs up.

use std::io;
use std::sync::{Arc, PoisonError};

use super::{Workspace, columns, stamp};
use crate::library::{self, Change, Hindrance, Library, Originals, Replaced, Stamp, Unsound};
use crate::store::{AuditEntry, StoreError};

/// Why files that were to change together did not, or do not count.
#[derive(Debug, thiserror::Error)]
pub enum NotChanged {
    /// They are as they were.
    #[error(transparent)]
    Hindered(#[from] Hindrance),
    /// They are as they were, since they would not count.
    #[error("nothing was written: {0}")]
    Refused(String),
    /// They were written, and everything goes on as before.
    #[error("the files were written, but the server goes on with those of before: {0}")]
    NotTakenUp(String),
    /// They were written and count, and who had that done could not be noted.
    #[error("the files were written, but that could not be noted in the audit: {0}")]
    NotNoted(StoreError),
}

impl Workspace {
    /// What copies are made of, as it is on the disk now.
    pub async fn originals(&self) -> Result<Originals, Unsound> {
        let folder = self.folder.clone();
        let read = tokio::task::spawn_blocking(move || library::originals(&folder)).await;
        read.unwrap_or_else(|_| Err(Unsound(FAULT.to_owned())))
    }

    /// The workspace as it is, and as it would be.
    pub async fn as_if(&self, change: &Change) -> Result<(Library, Library), Unsound> {
        let (folder, change) = (self.folder.clone(), change.clone());
        let known = self.present().await;
        let read = move || {
            let before = match known {
                Some(library) => (*library).clone(),
                None => Library::read(&folder)?,
            };
            Ok((before, Library::as_if(&folder, &change)?))
        };
        let read: Result<io::Result<_>, _> = tokio::task::spawn_blocking(read).await;
        match read {
            Ok(Ok(libraries)) => Ok(libraries),
            Ok(Err(error)) => Err(Unsound(error.to_string())),
            Err(_) => Err(Unsound(FAULT.to_owned())),
        }
    }

    /// The workspace as it was last read, if nothing changed since and all of it counts.
    async fn present(&self) -> Option<Arc<Library>> {
        let turn = self.turn.try_lock().ok()?;
        let now = stamp(&self.folder).await?;
        let library = self.intake.shelf.library();
        let is_whole = library.broken.is_empty() && self.intake.shelf.refusal().is_none();
        (now == *turn && is_whole).then_some(library)
    }

    /// Writes the files, all or none, takes them up, and notes who had that done. It comes to its
    /// end whoever waits for it.
    pub async fn change(
        self: &Arc<Self>,
        change: Change,
        entry: AuditEntry,
    ) -> Result<(), NotChanged> {
        let own = self.clone();
        let changing = tokio::spawn(async move { own.change_now(change, entry).await });
        let changed = changing.await;
        changed.unwrap_or_else(|fault| Err(Hindrance::Disk(io::Error::other(fault)).into()))
    }

    async fn change_now(&self, change: Change, entry: AuditEntry) -> Result<(), NotChanged> {
        let mut turn = self.turn.lock().await;
        self.check_tables(&change, &turn).await?;
        let folder = self.folder.clone();
        let written = tokio::task::spawn_blocking(move || library::replace(&folder, &change));
        let written = written.await;
        let written = written.unwrap_or_else(|fault| Err(Hindrance::Disk(io::Error::other(fault))));
        if let Replaced::Waiting(why) = written? {
            tracing::error!("{WAITING}: {why}");
        }
        *turn = stamp(&self.folder).await.unwrap_or_default();
        let taken_up = self.read_all().await;
        // Whatever became of them, they are written.
        let noted = self.intake.store.note(entry).await;
        taken_up.map(drop).map_err(NotChanged::NotTakenUp)?;
        noted.map_err(NotChanged::NotNoted)
    }

    /// Refuses what could be written and would not count, as a lookup table does not fit.
    async fn check_tables(&self, change: &Change, turn: &Stamp) -> Result<(), NotChanged> {
        let now = stamp(&self.folder).await.unwrap_or_default();
        let unseen = now.since(turn);
        let paths = change.files.keys().chain(&unseen.saved);
        let mut tables = paths
            .chain(&unseen.gone)
            .filter(|path| path.starts_with("lookup-tables/"));
        if tables.next().is_none() && self.intake.shelf.refusal().is_none() {
            return Ok(());
        }
        let (folder, change) = (self.folder.clone(), change.clone());
        let read = tokio::task::spawn_blocking(move || Library::as_if(&folder, &change));
        let read = read.await.unwrap_or_else(|_| Err(io::Error::other(FAULT)));
        let mut after = read.map_err(Hindrance::Disk)?;
        self.intake.shelf.keep_good(&mut after);
        let checked = columns::check(&self.intake, &after.catalogue.tables).await;
        checked.map_err(NotChanged::Refused)
    }

    /// Puts files in place that changed together and had to wait; how that ended is told once.
    pub(super) async fn finish_change(&self) -> Result<(), String> {
        let folder = self.folder.clone();
        let resumed = tokio::task::spawn_blocking(move || library::resume(&folder)).await;
        let resumed = resumed.unwrap_or_else(|fault| Err(io::Error::other(fault)));
        let why = resumed.err().map(|why| format!("{WAITING}: {why}"));
        let mut told = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != why {
            match &why {
                Some(why) => tracing::error!("{why}"),
                None => tracing::info!("files that had to wait are in their places"),
            }
            told.clone_from(&why);
        }
        why.map_or(Ok(()), Err)
    }
}

const WAITING: &str = "files that changed together count, and wait to be put in their places";
const FAULT: &str = "reading the workspace met a fault of the engine's own";
