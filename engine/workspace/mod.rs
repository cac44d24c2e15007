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
mod save;
mod take_up;
mod written;

pub use change::NotChanged;
pub use connections::{Given, SaveConnection};
pub use save::{Expected, NotSaved, Others, Save, Saved};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::library::{Library, Stamp};
use crate::outbound::Outbound;
use crate::store::StoreError;
use crate::trigger::Intake;

/// How often the files are looked at. Polling also sees what network folders and container mounts
/// do not announce.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A workspace's files and what runs of them.
pub struct Workspace {
    folder: PathBuf,
    intake: Intake,
    outbound: Arc<Outbound>,
    /// The files as they were last taken up; who changes them has it.
    turn: Mutex<Stamp>,
}

impl Workspace {
    /// The workspace in this folder, whose files were read when they had this stamp.
    pub fn new(folder: &Path, read_at: Stamp, intake: Intake, outbound: Arc<Outbound>) -> Self {
        Self {
            folder: folder.to_owned(),
            intake,
            outbound,
            turn: Mutex::new(read_at),
        }
    }

    /// Looks at the files until the server stops.
    pub async fn watch(self: Arc<Self>) {
        let mut stopping = self.intake.is_stopping.clone();
        while !*stopping.borrow() {
            tokio::select! {
                () = Clock::rest(LOOK_EVERY) => {}
                _ = stopping.changed() => return,
            }
            match self.look().await {
                Ok(None) => {}
                Ok(Some(findings)) => tracing::info!(
                    "changed files were read, and what is sound counts from now on ({findings} \
                     findings; `recipes check` shows them)"
                ),
                Err(why) => tracing::error!("everything stays as it was: {why}"),
            }
        }
    }

    /// Takes up what changed since the last look: how many findings there are now, if anything did,
    /// or why everything stays as it was.
    pub async fn look(&self) -> Result<Option<usize>, String> {
        let mut turn = self.turn.lock().await;
        let Some(now) = stamp(&self.folder).await else {
            return Ok(None);
        };
        let changed = now.since(&turn);
        if changed.saved.is_empty() && changed.gone.is_empty() {
            return Ok(None);
        }
        *turn = now;
        self.take_up(changed).await.map(Some)
    }

    /// Takes all files up, changed or not: how many findings there are, or why everything stays as
    /// it was.
    pub async fn take_all_up(&self) -> Result<usize, String> {
        let mut turn = self.turn.lock().await;
        let now = stamp(&self.folder).await;
        *turn = now.unwrap_or_default();
        self.read_all().await
    }

    /// Notes the versions that run as the engine opens.
    pub async fn note_present(&self) -> Result<(), StoreError> {
        let live = self.intake.store.live_versions().await?;
        let library = self.intake.shelf.library();
        let recipes = library.recipes.iter();
        let fresh = recipes.filter(|(name, recipe)| live.get(name.as_str()) != Some(&recipe.hash));
        let names: Vec<_> = fresh.map(|(name, _)| name.clone()).collect();
        self.note_versions(&library, &names).await
    }
}

/// Reads a workspace on a thread that may block, with the stamp that its files had before.
pub async fn read(folder: &Path) -> Result<(Library, Stamp), String> {
    let path = folder.to_owned();
    let read = move || {
        let stamp = Stamp::of(&path);
        Library::read(&path).map(|library| (library, stamp))
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
