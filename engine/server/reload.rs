//! Takes changed files of the workspace up while the server runs.
//!
//! Always true: a file that breaks changes nothing but what is shown of it; a connector or
//! connection that is mended counts for the next call; a command finds the files as they are when
//! it is given.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::columns;
use crate::api::Files;
use crate::clock::Clock;
use crate::library::{Library, Stamp};
use crate::outbound::{Accounts, Outbound};
use crate::trigger::Intake;

/// How often the files are looked at. Polling also sees what network folders and container mounts
/// do not announce.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The files of a workspace, and the rooms that work with what was read of them.
pub(super) struct Reload {
    workspace: PathBuf,
    intake: Intake,
    outbound: Arc<Outbound>,
    /// The files as they were when they were last read.
    last: Mutex<Option<Stamp>>,
}

impl Reload {
    /// The files as these rooms know them.
    pub(super) fn new(
        workspace: PathBuf,
        intake: Intake,
        outbound: Arc<Outbound>,
        read: Option<Stamp>,
    ) -> Arc<Self> {
        Arc::new(Self {
            workspace,
            intake,
            outbound,
            last: Mutex::new(read),
        })
    }

    /// Looks at the files until the server stops.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut stopping = self.intake.is_stopping.clone();
        while !*stopping.borrow() {
            tokio::select! {
                () = Clock::rest(LOOK_EVERY) => {}
                _ = stopping.changed() => return,
            }
            match self.look().await {
                Ok(None) => {}
                Ok(Some(findings)) => tracing::info!(
                    "changed files were taken up ({findings} findings; `recipes check` shows them)"
                ),
                Err(why) => tracing::error!("everything stays as it was: {why}"),
            }
        }
    }

    /// Takes the files up now, whether they have changed or not.
    pub(super) async fn take_up(&self) -> Result<usize, String> {
        take_up(&self.workspace, &self.intake, &self.outbound).await
    }

    /// Takes the files up if they have changed since they were last read.
    async fn look(&self) -> Result<Option<usize>, String> {
        let mut last = self.last.lock().await;
        let now = stamp(&self.workspace).await;
        if now == *last {
            return Ok(None);
        }
        *last = now;
        self.take_up().await.map(Some)
    }
}

impl Files for Reload {
    fn look(&self) -> BoxFuture<'_, Result<Option<usize>, String>> {
        Self::look(self).boxed()
    }
}

/// Reads the workspace again and puts what is good in place: how many findings there are, or why
/// nothing of it was taken.
async fn take_up(workspace: &Path, intake: &Intake, outbound: &Outbound) -> Result<usize, String> {
    let taken = take_up_or_refuse(workspace, intake, outbound).await;
    if let Err(why) = &taken {
        intake.shelf.note_refusal(why);
    }
    taken
}

async fn take_up_or_refuse(
    workspace: &Path,
    intake: &Intake,
    outbound: &Outbound,
) -> Result<usize, String> {
    let library = read(workspace)
        .await
        .map_err(|why| format!("the workspace cannot be read: {why}"))?;
    let hindered = columns::hindered_jobs(intake, &library.catalogue.tables)
        .await
        .map_err(|error| format!("what unfinished jobs use cannot be told: {error}"))?;
    if !hindered.is_empty() {
        return Err(format!(
            "changed lookup tables were refused: {}",
            hindered.join("; ")
        ));
    }
    let tables: Vec<_> = library
        .catalogue
        .tables
        .values()
        .map(|table| (**table).clone())
        .collect();
    intake
        .store
        .declare(&tables, intake.clock.now())
        .await
        .map_err(|error| format!("changed lookup tables were refused: {error}"))?;
    let findings = library.diagnostics.len();
    intake.shelf.replace(library);
    intake.store.declare_settings(intake.shelf.settings());
    let (connectors, connections) = intake.shelf.accounts();
    outbound.replace(Accounts {
        connectors,
        connections,
    });
    intake.bell.ring_queue();
    intake.bell.ring_clock();
    Ok(findings)
}

/// Reads the workspace on a thread that may block.
pub(super) async fn read(workspace: &Path) -> Result<Library, String> {
    let path = workspace.to_owned();
    match tokio::task::spawn_blocking(move || Library::read(&path)).await {
        Ok(Ok(library)) => Ok(library),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("reading it met a fault of the engine's own".to_owned()),
    }
}

pub(super) async fn stamp(workspace: &Path) -> Option<Stamp> {
    let path = workspace.to_owned();
    tokio::task::spawn_blocking(move || Stamp::of(&path))
        .await
        .ok()
}
