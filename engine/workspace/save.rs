//! Saves a recipe for somebody who is not at the machine.
//!
//! In: a recipe's text, and which one it was made of. Out: the version that runs from now on, or
//! why nothing changed.
//! Always true: what is not sound is not written; what somebody else saved meanwhile stays; once
//! this returns, new jobs run on the text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::sync::Arc;

use serde_json::json;

use super::place::{Standing, fault};
use super::{Workspace, stamp};
use crate::data::digest;
use crate::diagnostic::{Diagnostic, Severity};
use crate::library::{Change, Found, Library, Stamp, path_of};
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
    /// This file is just being written.
    Restless(String),
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
        let (after, reach) = self.judged(&before, &path, &save, &turn).await?;
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
                let held = self.hold_others(&BTreeSet::from([&*path]), &mut turn).await;
                let taken = self.read_all(held).await;
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
        counted: &Stamp,
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
        let library = before.clone();
        let judged = tokio::task::spawn_blocking(move || library.with_saved(files)).await;
        let (after, reach) = match judged.map_err(fault)? {
            Some(after) => (after, Reach::Recipes),
            None => {
                let now = stamp(&self.folder).await.unwrap_or_default();
                let held = self.held(&now, &BTreeSet::from([path]), counted);
                let folder = self.folder.clone();
                let read = move || Library::as_if(&folder, &change, &held);
                let judged = tokio::task::spawn_blocking(read).await.map_err(fault)?;
                let after = judged.map_err(|why| NotSaved::Unwritable(why.to_string()))?;
                (after, Reach::All)
            }
        };
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
        let noted = store.keep_versions(vec![version], now, Some(entry));
        self.put_noted(path, &save.text, before, noted).await
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
