//! The files of a workspace under a running engine: watched, taken up, saved.
//!
//! In: files that changed, by hand or over the API. Out: what runs from now on, and the versions of
//! each recipe that ever did.
//! Always true: one change is taken up at a time; a file that breaks changes nothing but what is
//! shown of it; a recipe is saved whole or not at all, and never over what somebody else saved.

mod change;
mod columns;
mod connections;
mod place;
mod rest;
mod save;
mod take_up;
mod watch;
mod written;

pub use change::{NotChanged, Unread};
pub use connections::{Given, SaveConnection, connections_hash, settle_saving};
pub use save::{Expected, NotSaved, Others, Save, Saved};
pub use watch::Look;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::Mutex;

use crate::clock::Moment;
use crate::library::{Held, Library, Stamp};
use crate::names::TableName;
use crate::outbound::Outbound;
use crate::store::StoreError;
use crate::trigger::Intake;

/// A workspace's files and what runs of them.
pub struct Workspace {
    folder: PathBuf,
    intake: Intake,
    outbound: Arc<Outbound>,
    /// The files as they were last taken up; who changes them has it.
    turn: Mutex<Stamp>,
    /// Why files that changed together wait to be put in their places, as it was last told.
    waiting: std::sync::Mutex<Option<String>>,
    /// The files as the last look saw them, if they were not at rest then, and since when they are
    /// so.
    seen: std::sync::Mutex<Option<(Stamp, Moment)>>,
    /// Whether changed files wait to be taken up although nothing is wrong with them.
    is_behind: AtomicBool,
    /// Whether a connection is being saved, or was and that is not settled.
    is_saving: AtomicBool,
}

impl Workspace {
    /// The workspace in this folder, whose files were read when they had this stamp.
    pub fn new(folder: &Path, read_at: Stamp, intake: Intake, outbound: Arc<Outbound>) -> Self {
        Self {
            folder: folder.to_owned(),
            intake,
            outbound,
            turn: Mutex::new(read_at),
            waiting: std::sync::Mutex::default(),
            seen: std::sync::Mutex::default(),
            is_behind: AtomicBool::default(),
            is_saving: AtomicBool::default(),
        }
    }

    /// Takes all files up, changed or not: how many findings there are, or why everything stays as
    /// it was.
    pub async fn take_all_up(&self) -> Result<usize, String> {
        let mut turn = self.turn.lock().await;
        let now = stamp(&self.folder).await;
        *turn = now.unwrap_or_default();
        self.read_all(Held::new()).await
    }

    /// Notes the versions that run as the engine opens.
    pub async fn note_present(&self) -> Result<(), StoreError> {
        let live = self.intake.store.live_versions().await?;
        let library = self.intake.shelf.library();
        let recipes = library.recipes.iter();
        let fresh = recipes.filter(|(name, recipe)| live.get(name.as_str()) != Some(&recipe.hash));
        let names: Vec<_> = fresh.map(|(name, _)| name.clone()).collect();
        self.tell_lost(&Library::default()).await;
        self.note_versions(&library, &names).await
    }
}

/// Reads a workspace on a thread that may block, with the stamp that its files had before. The rows
/// of these tables stand in the database already; these files are held back.
pub async fn read(
    folder: &Path,
    filled: BTreeSet<TableName>,
    held: Held,
) -> Result<(Library, Stamp), String> {
    let path = folder.to_owned();
    let read = move || {
        let stamp = Stamp::of(&path);
        Library::read_with(&path, &filled, &held).map(|library| (library, stamp))
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("reading it met a fault of the engine's own".to_owned()),
    }
}

async fn stamp(folder: &Path) -> Option<Stamp> {
    let path = folder.to_owned();
    tokio::task::spawn_blocking(move || Stamp::of(&path))
        .await
        .ok()
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Workspace({})", self.folder.display())
    }
}

#[cfg(test)]
mod tests;
