//! A text in a file's place, for somebody who is not at the machine.
//!
//! In: a text, and what stood in its place when it was looked at. Out: the file, or why it stays as
//! it was.
//! Always true: what somebody else wrote meanwhile is kept; a text that cannot be noted does not
//! stay.

use std::fs::{self, Metadata};
use std::path::Path;

use super::{NotSaved, Workspace};
use crate::data::digest;
use crate::library::{Beside, Found, Misplaced, found_at};
use crate::store::StoreError;

impl Workspace {
    /// Puts a text in the place of what stood there and has that noted; if it cannot be noted, all is
    /// as before.
    pub(super) async fn put_noted(
        &self,
        path: &str,
        text: &str,
        before: Standing,
        noted: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<Metadata, NotSaved> {
        let (folder, file, whole) = (self.folder.clone(), path.to_owned(), text.to_owned());
        let put = move || put(&folder, &file, &whole, &before).map(|about| (about, before));
        let written = tokio::task::spawn_blocking(put).await;
        let (about, before) = written.map_err(fault)??;
        if let Err(error) = noted.await {
            let (folder, file) = (self.folder.clone(), path.to_owned());
            let hash = digest(text.as_bytes());
            let take_back = move || take_back(&folder, &file, &hash, before);
            tokio::task::spawn_blocking(take_back)
                .await
                .map_err(fault)??;
            return Err(NotSaved::Store(error));
        }
        Ok(about)
    }
}

/// What stood in a file's place when it was looked at.
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

    /// What the workspace has there itself.
    pub(super) fn bytes(&self) -> Option<&Result<Vec<u8>, String>> {
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

/// A fault of the engine's own while it saved.
pub(super) fn fault(fault: tokio::task::JoinError) -> NotSaved {
    NotSaved::Unwritable(fault.to_string())
}

impl From<Misplaced> for NotSaved {
    fn from(why: Misplaced) -> Self {
        match why {
            Misplaced::Place(why) => Self::BadPlace(why),
            Misplaced::Disk(why) => Self::Unwritable(why.to_string()),
        }
    }
}
