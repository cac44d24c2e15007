//! Takes changed files of the workspace up while the server runs.
//!
//! In: which files changed. Out: what runs from now on, or why everything stays as it was.
//! Always true: a file that breaks changes nothing but what is shown of it; a connector or
//! connection that is mended counts for the next call.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::{Workspace, columns, read};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::library::{Differences, Held, Library, found_at};
use crate::names::RecipeName;
use crate::origin::codes::{BASE_IS_GONE, NOT_RECORDED};
use crate::outbound::Accounts;
use crate::store::{NewVersion, StoreError, VersionOrigin};
use crate::trigger::gone;

/// What copies may lose.
const LOST: [Code; 2] = [NOT_RECORDED, BASE_IS_GONE];

/// What to do about a finding, as the end of a line of the log.
fn helped(found: &Diagnostic) -> String {
    let help = found.help.as_deref();
    help.map_or_else(String::new, |help| format!(": {help}"))
}

/// Why changed files do not count.
#[derive(Debug, thiserror::Error)]
enum NotTakenUp {
    /// They will not as they are.
    #[error("changed lookup tables were refused: {0}")]
    Refused(String),
    /// Something else stands in the way.
    #[error("{0}")]
    Failed(String),
}

impl Workspace {
    /// Takes changed files up; where only recipes changed, without reading all others again.
    pub(super) async fn take_up(&self, changed: Differences) -> Result<usize, String> {
        if changed.gone.is_empty()
            && !self.is_behind.load(Ordering::SeqCst)
            && let Some(library) = self.read_some(changed.saved).await
        {
            return Ok(self.put_in_place(library).await);
        }
        self.read_all(Held::new()).await
    }

    /// Reads everything again, but for what is held back, and puts what is good in place. What fails
    /// for a reason that may pass is tried again at the next look.
    pub(super) async fn read_all(&self, held: Held) -> Result<usize, String> {
        let taken = self.read_all_or_refuse(held).await;
        let may_pass = matches!(taken, Err(NotTakenUp::Failed(_)));
        self.is_behind.store(may_pass, Ordering::SeqCst);
        taken.map_err(|why| {
            let why = why.to_string();
            self.intake.shelf.note_refusal(&why);
            why
        })
    }

    async fn read_some(&self, paths: Vec<String>) -> Option<Library> {
        // What was refused before is not taken up in parts.
        if self.intake.shelf.refusal().is_some() {
            return None;
        }
        let (folder, library) = (self.folder.clone(), self.intake.shelf.library());
        let read = move || {
            let files = paths.into_iter().map(|path| {
                let found = found_at(&folder, &path)?;
                Some((path, found))
            });
            library.with_saved(files.collect::<Option<_>>()?)
        };
        tokio::task::spawn_blocking(read).await.ok().flatten()
    }

    async fn read_all_or_refuse(&self, held: Held) -> Result<usize, NotTakenUp> {
        let intake = &self.intake;
        self.settle_saving().await.map_err(|error| {
            NotTakenUp::Failed(format!(
                "a connection that was saved cannot be noted: {error}"
            ))
        })?;
        let filled = intake.shelf.tables().into_keys().collect();
        let (mut library, _) = read(&self.folder, filled, held)
            .await
            .map_err(|why| NotTakenUp::Failed(format!("the workspace cannot be read: {why}")))?;
        intake.shelf.keep_good(&mut library);
        let hindered = columns::hindered_jobs(intake, &library.catalogue.tables)
            .await
            .map_err(|error| {
                NotTakenUp::Failed(format!("what unfinished jobs use cannot be told: {error}"))
            })?;
        if !hindered.is_empty() {
            return Err(NotTakenUp::Refused(hindered.join("; ")));
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
            .map_err(|error| match error {
                StoreError::Conflict(_) => NotTakenUp::Refused(error.to_string()),
                _ => NotTakenUp::Failed(format!("lookup tables cannot be declared: {error}")),
            })?;
        let findings = self.put_in_place(library).await;
        intake.shelf.forget_refusal();
        intake.store.declare_settings(intake.shelf.settings());
        let (connectors, connections) = intake.shelf.accounts();
        let accounts = Accounts {
            connectors,
            connections,
        };
        let vault = intake.store.vault();
        self.outbound.replace(accounts, || vault.arrive());
        Ok(findings)
    }

    /// Lets jobs be made of what was read; how many findings there are.
    async fn put_in_place(&self, library: Library) -> usize {
        let shelf = &self.intake.shelf;
        let findings = library.diagnostics.len();
        let before = shelf.library();
        let renewed = shelf.replace(library);
        self.tell_refused(&before, &shelf.library());
        self.tell_lost(&before).await;
        // It runs, whether or not it can be noted; at the next start it is noted if it was not.
        if let Err(error) = self.note_versions(&shelf.library(), &renewed).await {
            tracing::error!("new versions of recipes could not be noted: {error}");
        }
        self.intake.bell.ring_queue();
        self.intake.bell.ring_clock();
        findings
    }

    /// Says in the log which started recipes lost their files, and which copies what is recorded of
    /// them.
    pub(super) async fn tell_lost(&self, before: &Library) {
        let now = self.intake.shelf.library();
        let of_copies = |found: &&Diagnostic| LOST.contains(&found.code);
        let known = |found: &&Diagnostic| before.diagnostics.contains(found);
        let found = now.diagnostics.iter().filter(of_copies);
        for found in found.filter(|found| !known(found)) {
            tracing::warn!("{}{}", found.message, helped(found));
        }
        match gone(&self.intake).await {
            Err(error) => tracing::error!("which recipes are started cannot be told: {error}"),
            Ok(gone) => {
                let was_there = |name| before.paths.is_empty() || before.written.contains_key(name);
                for (_, found) in gone.iter().filter(|(name, _)| was_there(name)) {
                    tracing::error!("{}{}", found.message, helped(found));
                }
            }
        }
    }

    /// Says in the log which changed recipes have errors, and what becomes of them.
    fn tell_refused(&self, before: &Library, now: &Library) {
        for (name, written) in &now.written {
            let known = before.written.get(name);
            if known.is_some_and(|known| known.hash == written.hash) {
                continue;
            }
            let mut errors = now.diagnostics_of(&written.file);
            let Some(error) = errors.find(|found| found.severity == Severity::Error) else {
                continue;
            };
            let goes_on = match self.intake.shelf.program(name) {
                Some(_) => "its last good version goes on",
                None => "nothing runs of it",
            };
            tracing::error!(
                "{} was refused, {goes_on}: {}: {}",
                written.file,
                error.place,
                error.message
            );
        }
    }

    /// Keeps the texts of versions that came from files or with the program.
    pub(super) async fn note_versions(
        &self,
        library: &Library,
        names: &[RecipeName],
    ) -> Result<(), StoreError> {
        if names.is_empty() {
            return Ok(());
        }
        let written: BTreeMap<_, _> = names
            .iter()
            .filter_map(|name| Some((name, library.written.get(name)?)))
            .collect();
        let versions = written.into_iter().map(|(name, written)| NewVersion {
            recipe: name.clone(),
            hash: written.hash.clone(),
            text: written.text.to_string(),
            origin: match written.is_bundled {
                true => VersionOrigin::Bundled,
                false => VersionOrigin::File,
            },
            by: None,
        });
        let now = self.intake.clock.now();
        let store = &self.intake.store;
        store.keep_versions(versions.collect(), now, None).await
    }
}
