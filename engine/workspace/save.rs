//! Saves a recipe for somebody who is not at the machine.
//!
//! In: a recipe's text, and which one it was made of. Out: the version that runs from now on, or
//! why nothing changed.
//! Always true: what is not sound is not written; what somebody else saved meanwhile stays; once
//! this returns, new jobs run on the text.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::Workspace;
use super::place::Beside;
use crate::data::digest;
use crate::diagnostic::{Diagnostic, Severity};
use crate::library::{Change, Found, Library, found_at, path_of};
use crate::names::RecipeName;
use crate::store::{AuditEntry, NewVersion, StoreError, VersionOrigin};

/// A recipe to be saved.
#[derive(Clone, Debug)]
pub struct Save {
    /// The recipe.
    pub name: RecipeName,
    /// Its text.
    pub text: String,
    /// What stands there now.
    pub expected: Expected,
    /// What may become of the recipes that call it.
    pub others: Others,
    /// Whether it is an earlier version.
    pub origin: VersionOrigin,
    /// Who saves it.
    pub by: String,
}

/// What is expected to stand in a recipe's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A text with one of these SHA-256.
    OneOf(Vec<String>),
    /// Any text.
    Any,
    /// Nothing yet.
    Nothing,
}

/// What may become of the recipes that call a saved one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They stay as sound as they are.
    StaySound,
    /// Some may break, as somebody will mend them next.
    MayBreak,
}

/// A recipe that was saved.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The SHA-256 of its text.
    pub hash: String,
    /// What else is to be known about the file.
    pub findings: Vec<Diagnostic>,
    /// What is wrong in other files since.
    pub broken: Vec<Diagnostic>,
    /// Whether there was no such recipe before.
    pub is_new: bool,
}

/// How much has to be read again for a saved recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Recipes alone.
    Recipes,
    /// Everything.
    All,
}

/// Why a recipe was not saved.
#[derive(Clone, Debug)]
pub enum NotSaved {
    /// Another text stands there than was expected; the SHA-256 of that one, if there is one.
    Changed(Option<String>),
    /// There is such a recipe already.
    IsThere,
    /// There is no such project.
    NoProject,
    /// There is no such recipe.
    NoRecipe,
    /// It came with the program.
    Bundled,
    /// It cannot be the name of what is saved.
    BadName(String),
    /// This field cannot be given so.
    BadField(String, String),
    /// These errors are in the text.
    Unsound(Vec<Diagnostic>),
    /// Other recipes would have these errors.
    BreaksOthers(Vec<Diagnostic>),
    /// A file cannot be put there.
    BadPlace(String),
    /// It cannot be written at the moment.
    Unwritable(String),
    /// It cannot be noted.
    Store(StoreError),
}

impl Workspace {
    /// Saves a recipe and lets new jobs run on it.
    pub async fn save(&self, save: Save) -> Result<Saved, NotSaved> {
        if save.name.name() == "project" {
            let why = "`project` is the file of the project itself; choose another name";
            return Err(NotSaved::BadName(why.to_owned()));
        }
        let mut turn = self.turn.lock().await;
        self.finish_change().await.map_err(NotSaved::Unwritable)?;
        let path = path_of(&save.name);
        let before = self.intake.shelf.library();
        if !before.catalogue.projects.contains_key(save.name.project()) {
            return Err(NotSaved::NoProject);
        }
        let Standing { found, is_here } = Standing::now(&self.folder, &path);
        check_expected(&save.expected, found.as_ref(), is_here)?;
        let (after, reach) = self.judged(&before, &path, &save).await?;
        let findings = after.diagnostics_of(&path).cloned().collect();
        let broken = newly_broken(&before, &after, &path);
        if save.others == Others::StaySound && !broken.is_empty() {
            return Err(NotSaved::BreaksOthers(broken));
        }
        let hash = digest(save.text.as_bytes());
        let standing = Standing { found, is_here };
        let is_new = standing.found.is_none();
        let about = self.write(&path, &save, &hash, standing).await?;
        turn.note(&path, &about);
        match reach {
            Reach::Recipes => {
                self.intake.shelf.replace(after);
                self.intake.bell.ring_queue();
                self.intake.bell.ring_clock();
            }
            Reach::All => {
                let taken = self.read_all().await;
                taken.map_err(|why| NotSaved::Unwritable(format!("it is saved, but {why}")))?;
            }
        }
        Ok(Saved {
            hash,
            findings,
            broken,
            is_new,
        })
    }

    /// What the workspace would be with the text, if there is no error in it.
    async fn judged(
        &self,
        before: &Arc<Library>,
        path: &str,
        save: &Save,
    ) -> Result<(Library, Reach), NotSaved> {
        let found = Found {
            bytes: Ok(save.text.clone().into_bytes()),
            is_bundled: false,
            is_here: true,
        };
        let files = BTreeMap::from([(path.to_owned(), found)]);
        let change = Change {
            files: BTreeMap::from([(path.to_owned(), (None, Some(save.text.clone())))]),
            ..Change::default()
        };
        let (library, folder) = (before.clone(), self.folder.clone());
        let judge = move || match library.with_saved(files) {
            Some(after) => Ok((after, Reach::Recipes)),
            None => Library::as_if(&folder, &change).map(|after| (after, Reach::All)),
        };
        let judged = tokio::task::spawn_blocking(judge).await;
        let judged = judged.map_err(|fault| NotSaved::Unwritable(fault.to_string()))?;
        let (after, reach) = judged.map_err(|why| NotSaved::Unwritable(why.to_string()))?;
        let is_error = |found: &Diagnostic| found.severity == Severity::Error;
        if after.diagnostics_of(path).any(is_error) {
            return Err(NotSaved::Unsound(
                after.diagnostics_of(path).cloned().collect(),
            ));
        }
        match after.hindered.get(&save.name) {
            Some(file) => Err(NotSaved::BadPlace(format!(
                "{file}, which the recipe needs, has errors; mend that first (`recipes check`)"
            ))),
            None => Ok((after, reach)),
        }
    }

    /// Puts the text in its place and notes who did that; if it cannot be noted, all is as before.
    async fn write(
        &self,
        path: &str,
        save: &Save,
        hash: &str,
        before: Standing,
    ) -> Result<Metadata, NotSaved> {
        let (folder, file, text) = (self.folder.clone(), path.to_owned(), save.text.clone());
        let put = move || put(&folder, &file, &text, &before).map(|about| (about, before));
        let written = tokio::task::spawn_blocking(put).await;
        let (about, before) =
            written.map_err(|fault| NotSaved::Unwritable(fault.to_string()))??;
        let version = NewVersion {
            recipe: save.name.clone(),
            hash: hash.to_owned(),
            text: save.text.clone(),
            origin: save.origin,
            by: Some(save.by.clone()),
        };
        let (action, detail) = match save.origin {
            VersionOrigin::Restored(number) => ("recipe_restored", json!({ "version": number })),
            _ => ("recipe_saved", json!({ "hash": hash })),
        };
        let now = self.intake.clock.now();
        let entry = AuditEntry {
            at: now,
            by: save.by.clone(),
            action: action.to_owned(),
            subject: format!("recipe:{}", save.name),
            detail,
        };
        let store = &self.intake.store;
        let noted = store.keep_versions(vec![version], now, Some(entry)).await;
        if let Err(error) = noted {
            let (folder, file, hash) = (self.folder.clone(), path.to_owned(), hash.to_owned());
            let take_back = move || take_back(&folder, &file, &hash, before);
            let taken_back = tokio::task::spawn_blocking(take_back).await;
            taken_back.map_err(|fault| NotSaved::Unwritable(fault.to_string()))??;
            return Err(NotSaved::Store(error));
        }
        Ok(about)
    }
}

/// What stood in a recipe's place when it was looked at.
pub(super) struct Standing {
    /// The file; the bundled one behind it if there is none.
    pub(super) found: Option<Found>,
    /// Whether the workspace has one itself.
    pub(super) is_here: bool,
}

impl Standing {
    /// What stands there now.
    pub(super) fn now(folder: &Path, path: &str) -> Self {
        Self {
            found: found_at(folder, path),
            is_here: folder.join(path).exists(),
        }
    }

    fn bytes(&self) -> Option<&Result<Vec<u8>, String>> {
        let found = self.found.as_ref().filter(|_| self.is_here);
        found.map(|found| &found.bytes)
    }
}

/// Puts a text in the place of what stood there, unless something else does by now.
pub(super) fn put(
    folder: &Path,
    path: &str,
    text: &str,
    before: &Standing,
) -> Result<Metadata, NotSaved> {
    let beside = Beside::write(folder, path, text)?;
    // Much may have been done since it was looked at: others edit by hand.
    let now = Standing::now(folder, path);
    if now.bytes() != before.bytes() {
        beside.take_away();
        let hash = |found: Found| Some(digest(found.bytes.as_ref().ok()?));
        return Err(NotSaved::Changed(now.found.and_then(hash)));
    }
    match beside.put_in_place() {
        Ok(()) => Ok(beside.about),
        Err(error) => {
            beside.take_away();
            let why = format!("`{path}` cannot be written: {error}");
            Err(NotSaved::Unwritable(why))
        }
    }
}

/// Puts back what stood there before a text of this hash was put in its place.
fn take_back(folder: &Path, path: &str, hash: &str, before: Standing) -> Result<(), NotSaved> {
    let cannot = |why: String| {
        NotSaved::Unwritable(format!(
            "`{path}` is saved, could not be noted and cannot be put back as it was: {why}"
        ))
    };
    let present = Standing::now(folder, path);
    let is_ours =
        |bytes: &Result<Vec<u8>, String>| bytes.as_ref().is_ok_and(|bytes| digest(bytes) == hash);
    // What somebody else wrote since is theirs.
    if !present.bytes().is_some_and(is_ours) {
        return Ok(());
    }
    match before.bytes() {
        None => fs::remove_file(folder.join(path)).map_err(|error| cannot(error.to_string())),
        Some(Err(why)) => Err(cannot(why.clone())),
        Some(Ok(bytes)) => {
            let text = std::str::from_utf8(bytes).map_err(|error| cannot(error.to_string()))?;
            let beside = Beside::write(folder, path, text)?;
            beside.put_in_place().map_err(|error| {
                beside.take_away();
                cannot(error.to_string())
            })
        }
    }
}

/// Holds what stands there against what is expected to.
fn check_expected(
    expected: &Expected,
    found: Option<&Found>,
    is_here: bool,
) -> Result<(), NotSaved> {
    let hash = found.and_then(|found| Some(digest(found.bytes.as_ref().ok()?)));
    match (expected, found) {
        (Expected::Nothing, Some(_)) => Err(NotSaved::IsThere),
        (Expected::Nothing, None) => Ok(()),
        (Expected::Any | Expected::OneOf(_), None) => Err(NotSaved::NoRecipe),
        (_, Some(_)) if !is_here => Err(NotSaved::Bundled),
        (Expected::OneOf(hashes), _) if hash.as_ref().is_none_or(|hash| !hashes.contains(hash)) => {
            Err(NotSaved::Changed(hash))
        }
        _ => Ok(()),
    }
}

/// The errors in other files that were not there before.
fn newly_broken(before: &Library, after: &Library, path: &str) -> Vec<Diagnostic> {
    let found = after.diagnostics.iter();
    let errors = found.filter(|found| found.severity == Severity::Error);
    let elsewhere = errors.filter(|found| &*found.place.file != path);
    let was_there = |found: &Diagnostic| {
        let mut known = before.diagnostics_of(&found.place.file);
        known.any(|known| known == found)
    };
    elsewhere
        .filter(|found| !was_there(found))
        .cloned()
        .collect()
}
