//! Takes changed files of the workspace up while the server runs.
//!
//! Always true: a file that breaks changes nothing but what is shown of it; a connector or
//! connection that is mended counts for the next call.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::columns;
use crate::clock::Clock;
use crate::library::{Library, Stamp};
use crate::outbound::{Accounts, Outbound};
use crate::trigger::Intake;

/// How often the files are looked at. Polling also sees what network folders and container mounts
/// do not announce.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The files of the workspace, for those who write into it.
pub(super) struct Files {
    workspace: PathBuf,
    intake: Intake,
    outbound: Arc<Outbound>,
    turn: Mutex<()>,
}

impl Files {
    pub(super) fn of(workspace: PathBuf, intake: Intake, outbound: Arc<Outbound>) -> Self {
        Self {
            workspace,
            intake,
            outbound,
            turn: Mutex::new(()),
        }
    }
}

impl crate::api::Files for Files {
    fn workspace(&self) -> &Path {
        &self.workspace
    }

    fn turn(&self) -> &Mutex<()> {
        &self.turn
    }

    fn take_up(&self) -> BoxFuture<'_, Result<usize, String>> {
        take_up(&self.workspace, &self.intake, &self.outbound).boxed()
    }
}

/// Looks at the files until the server stops.
pub(super) async fn watch(workspace: PathBuf, intake: Intake, outbound: Arc<Outbound>) {
    let mut stopping = intake.is_stopping.clone();
    let mut last = stamp(&workspace).await;
    while !*stopping.borrow() {
        tokio::select! {
            () = Clock::rest(LOOK_EVERY) => {}
            _ = stopping.changed() => return,
        }
        let now = stamp(&workspace).await;
        if now != last {
            last = now;
            match take_up(&workspace, &intake, &outbound).await {
                Ok(findings) => tracing::info!(
                    "changed files were taken up ({findings} findings; `recipes check` shows them)"
                ),
                Err(why) => tracing::error!("everything stays as it was: {why}"),
            }
        }
    }
}

/// Reads the workspace again and puts what is good in place: how many findings there are, or why
/// nothing of it was taken.
pub(super) async fn take_up(
    workspace: &Path,
    intake: &Intake,
    outbound: &Outbound,
) -> Result<usize, String> {
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

async fn stamp(workspace: &Path) -> Option<Stamp> {
    let path = workspace.to_owned();
    tokio::task::spawn_blocking(move || Stamp::of(&path))
        .await
        .ok()
}
