//! Files that change together: a copy, an upgrade.
//!
//! In: a change. Out: its files on the disk and taken up, or why not.
//! Always true: it has the turn only while it writes; what was changed since the change was made up
//! is not written over; what is begun comes to its end, and to the audit, whoever hangs up.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, PoisonError};

use super::{Workspace, columns, stamp};
use crate::library::{self, Change, Hindrance, Library, Originals, Replaced, Stamp, Unsound};
use crate::store::{AuditEntry, StoreError};

/// Why the files cannot be read to be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// One is just being written.
    #[error("{0} is being written all the while: try again once it is saved; nothing was done")]
    Restless(String),
    /// They are not fit for it.
    #[error(transparent)]
    Unsound(#[from] Unsound),
}

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
    /// What copies are made of, as it is on the disk once these files rest.
    pub async fn originals(
        &self,
        which: &(dyn Fn(&str) -> bool + Send + Sync),
    ) -> Result<Originals, Unread> {
        let read = || {
            let folder = self.folder.clone();
            tokio::task::spawn_blocking(move || library::originals(&folder))
        };
        let read = self.at_rest(which, read).await.map_err(Unread::Restless)?;
        let read = read.unwrap_or_else(|_| Err(Unsound(FAULT.to_owned())));
        read.map_err(Unread::Unsound)
    }

    /// The workspace as it is, and as it would be.
    pub async fn as_if(&self, change: &Change) -> Result<(Library, Library), Unsound> {
        let (folder, change) = (self.folder.clone(), change.clone());
        let known = self.present().await;
        let counted = self.turn.lock().await.clone();
        let now = stamp(&self.folder).await.unwrap_or_default();
        let held = self.held(&now, &own(&change), &counted);
        let read = move || {
            let before = match known {
                Some(library) => (*library).clone(),
                None => Library::as_if(&folder, &Change::default(), &held)?,
            };
            Ok((before, Library::as_if(&folder, &change, &held)?))
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
        let write = {
            let change = change.clone();
            move || library::replace(&folder, &change)
        };
        let written = tokio::task::spawn_blocking(write).await;
        let written = written.unwrap_or_else(|fault| Err(Hindrance::Disk(io::Error::other(fault))));
        if let Replaced::Waiting(why) = written? {
            tracing::error!("{WAITING}: {why}");
        }
        let held = self.hold_others(&own(&change), &mut turn).await;
        let taken_up = self.read_all(held).await;
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
        let held = self.held(&now, &own(change), turn);
        let (folder, change) = (self.folder.clone(), change.clone());
        let read = tokio::task::spawn_blocking(move || Library::as_if(&folder, &change, &held));
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

/// The paths of the files that a change is of.
fn own(change: &Change) -> BTreeSet<&str> {
    change.files.keys().map(String::as_str).collect()
}

const WAITING: &str = "files that changed together count, and wait to be put in their places";
const FAULT: &str = "reading the workspace met a fault of the engine's own";
