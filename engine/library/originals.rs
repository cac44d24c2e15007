//! The files that copies are made of, as they stand on the disk.
//!
//! In: a workspace. Out: [`Originals`], from which copies and upgrades are made.
//! Always true: what cannot be read is told, not left out; a kept text that was changed since does
//! not count.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::files::{self, Found};
use crate::data::digest;
use crate::diagnostic::Severity;
use crate::origin::{self, Lock, Source};
use crate::source;

/// What copies are made of.
#[derive(Clone, Debug, Default)]
pub struct Originals {
    /// The text of every file that the workspace has itself.
    pub own: BTreeMap<String, String>,
    /// The text of every bundled file.
    pub bundled: BTreeMap<String, String>,
    /// What copied files were made of.
    pub lock: Lock,
    /// The text in which that is recorded.
    pub lock_text: Option<String>,
    /// The texts that copies were made of, by hash.
    pub bases: BTreeMap<String, String>,
    /// The files that are no text, by path, with the reason.
    pub unreadable: BTreeMap<String, String>,
}

/// Why copies can neither be made nor upgraded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsound(pub String);

/// Reads a workspace's files, and what is recorded of them.
pub fn originals(workspace: &Path) -> Result<Originals, Unsound> {
    let cannot = |error: std::io::Error| Unsound(format!("the workspace cannot be read: {error}"));
    let mut found = Originals::default();
    for (path, file) in files::find_own(workspace).map_err(cannot)? {
        match text(&path, file) {
            Ok(text) => drop(found.own.insert(path, text)),
            Err(why) => drop(found.unreadable.insert(path, why)),
        }
    }
    for (path, file) in files::bundled() {
        found
            .bundled
            .extend(text(&path, file).ok().map(|text| (path, text)));
    }
    if let Some(why) = found.unreadable.get(origin::FILE) {
        return Err(Unsound(format!("{} cannot be read: {why}", origin::FILE)));
    }
    if let Some(text) = found.own.remove(origin::FILE) {
        found.lock = lock(&text)?;
        found.lock_text = Some(text);
    }
    for entry in found.lock.files.values() {
        let path = workspace.join(origin::base_path(&entry.hash));
        if let Ok(text) = fs::read_to_string(path)
            && digest(text.as_bytes()) == entry.hash
        {
            found.bases.insert(entry.hash.clone(), text);
        }
    }
    Ok(found)
}

impl Originals {
    /// The files, for making copies.
    pub fn source(&self) -> Source<'_> {
        Source {
            own: &self.own,
            bundled: &self.bundled,
            lock: &self.lock,
            bases: &self.bases,
        }
    }

    /// Whether all files of a project are text.
    pub fn check(&self, project: &str) -> Result<(), Unsound> {
        let inside = format!("recipes/{project}/");
        let mut broken = self.unreadable.iter();
        match broken.find(|(path, _)| path.starts_with(&inside)) {
            Some((path, why)) => Err(Unsound(format!("{path} cannot be read: {why}"))),
            None => Ok(()),
        }
    }
}

fn text(path: &str, file: Found) -> Result<String, String> {
    let bytes = file.bytes?;
    if bytes.len() > files::bytes_max(path) {
        return Err("it is too large".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned())
}

/// A lock file that was broken by hand is not written over: what it records would be lost.
pub(super) fn lock(text: &str) -> Result<Lock, Unsound> {
    let bytes_max = files::bytes_max(origin::FILE);
    let (document, report) = source::parse_up_to(&origin::FILE.into(), text.as_bytes(), bytes_max);
    let (lock, found) = match &document {
        Some(document) => Lock::read(document),
        None => (Lock::default(), report),
    };
    let errors = found.into_diagnostics().into_iter();
    let mut errors = errors.filter(|found| found.severity == Severity::Error);
    match errors.next() {
        Some(error) => Err(Unsound(format!(
            "{}: {}; mend it, or put it back as it was (`recipes check` shows all that is wrong)",
            error.place, error.message
        ))),
        None => Ok(lock),
    }
}
