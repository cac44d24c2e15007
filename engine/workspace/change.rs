//! Files that change together: a copy, an upgrade.
//!
//! In: a change. Out: its files on the disk and taken up, or why not.
//! Always true: it has the turn only while it writes; what was changed since the change was made up
//! is not written over.

use std::io;
use std::sync::Arc;

use super::{Workspace, stamp};
use crate::library::{self, Change, Hindrance, Library, Originals, Unsound};

/// Why files that were to change together did not, or do not count.
#[derive(Debug, thiserror::Error)]
pub enum NotChanged {
    /// They are as they were.
    #[error(transparent)]
    Hindered(#[from] Hindrance),
    /// They were written, and everything goes on as before.
    #[error("the files were written, but the server goes on with those of before: {0}")]
    NotTakenUp(String),
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

    /// Writes the files, all or none, and takes them up.
    pub async fn change(&self, change: Change) -> Result<(), NotChanged> {
        let mut turn = self.turn.lock().await;
        let folder = self.folder.clone();
        let written = tokio::task::spawn_blocking(move || library::replace(&folder, &change));
        let written = written.await;
        written.unwrap_or_else(|fault| Err(Hindrance::Disk(io::Error::other(fault))))?;
        *turn = stamp(&self.folder).await.unwrap_or_default();
        let taken_up = self.read_all().await;
        taken_up.map(drop).map_err(NotChanged::NotTakenUp)
    }
}

const FAULT: &str = "reading the workspace met a fault of the engine's own";
