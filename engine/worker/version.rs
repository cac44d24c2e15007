//! Which version of its recipe a job runs, and with which settings.
//!
//! In: a claimed job. Out: its program, or why it cannot run.
//! Always true: what a job pinned stays the same until it ends.

use std::sync::Arc;

use super::Worker;
use crate::clock::Moment;
use crate::compile::Program;
use crate::interpret::cancelled;
use crate::journal::{Ending, Entry, EntryKey, EntryKind, Failure, JobStatus};
use crate::library::NoVersion;
use crate::store::{Advance, Claimed, Next, Pinned, RequestKind, StoreError};

impl Worker {
    /// The program that a job pinned, or how a job without it ends.
    pub(super) async fn pinned_program(
        &self,
        pinned: &Pinned,
    ) -> Result<Result<Arc<Program>, Failure>, StoreError> {
        let found = self.shelf.pinned(&self.world.store, pinned).await?;
        Ok(found.map_err(|why| {
            let (code, help) = match &why {
                NoVersion::Gone => ("sources_missing", "rerun it on the current version"),
                NoVersion::Damaged(_) => ("sources_damaged", "rerun it on the current version"),
                NoVersion::Unusable(_) => (
                    "sources_unusable",
                    "mend that and release the job, or rerun it on the current version",
                ),
            };
            Failure::new(code, format!("{why}; {help}"))
        }))
    }

    /// Keeps the program's sources and takes the settings down for a new job.
    pub(super) async fn pin(
        &self,
        program: &Arc<Program>,
        now: Moment,
    ) -> Result<Result<Pinned, Failure>, StoreError> {
        // The store of a preview is its own; what it keeps is not kept in the real one.
        let is_preview = self.world.is_preview;
        if is_preview || self.shelf.is_unsaved(&program.hash) {
            let sources = self.shelf.sources(program);
            self.world
                .store
                .save_program(&program.hash, &sources)
                .await?;
            if !is_preview {
                self.shelf.mark_saved(&program.hash);
            }
        }
        let declared = self.shelf.settings_of(program);
        let settings = match self.world.store.settings(&declared).await? {
            Ok(settings) => settings,
            Err(why) => return Ok(Err(Failure::new("wrong_settings", why))),
        };
        Ok(Ok(Pinned {
            program: program.hash.clone(),
            settings,
            started_at: now,
        }))
    }
}

/// How a job ends that was cancelled and of which nothing runs, because nothing of it began or its
/// sources are gone; `None` if it was not cancelled.
pub(super) fn cancelled_unrun(claimed: &Claimed, now: Moment) -> Option<Advance> {
    let by = claimed
        .requests
        .iter()
        .find_map(|asked| match &asked.kind {
            RequestKind::Cancel { by } => Some(by.clone()),
            RequestKind::Decide { .. } => None,
        })?;
    let ending = Ending {
        status: JobStatus::Stopped,
        output: None,
        failure: Some(cancelled(Some(&by))),
    };
    Some(Advance {
        entries: vec![Entry {
            key: EntryKey::of_job(),
            at: now,
            kind: EntryKind::CancelRequested { by },
        }],
        consumed_requests: claimed.requests.iter().map(|asked| asked.number).collect(),
        next: Next::Ended(ending),
        ..Advance::default()
    })
}
