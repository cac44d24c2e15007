//! Files of a workspace that change together.
//!
//! In: a folder and a [`Change`]. Out: all files as they shall be, or all as they were and why.
//! Always true: who reads the workspace sees all files as they were or all as they shall be, also
//! after a crash: from the moment that the list of the change is whole, what it names counts, and
//! what was cut off is finished by [`resume`]; a file that a person changed meanwhile is kept.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::data::digest;
use crate::origin::{self, Copy, Lock, Upgrade};

/// Where a change is made ready, below the workspace.
const FOLDER: &str = "recipes/.change";
/// The list of a change, in that folder.
const LIST: &str = "list.json";

/// Files that change together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The text of each file before and afterwards; none where it is not there.
    pub files: BTreeMap<String, (Option<String>, Option<String>)>,
    /// The texts that copies were made of, by hash.
    pub bases: BTreeMap<String, String>,
}

/// Why files did not change.
#[derive(Debug, thiserror::Error)]
pub enum Hindrance {
    /// Somebody changed a file since the change was made up.
    #[error("{0} was changed meanwhile; nothing was written")]
    ChangedMeanwhile(String),
    /// The disk refuses.
    #[error("{0}")]
    Disk(#[from] io::Error),
}

/// A file of a change, as it is listed.
#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    path: String,
    /// The hash of its text before; none if it was not there.
    before: Option<String>,
    /// The hash of its text afterwards; none if it goes.
    after: Option<String>,
}

impl Change {
    /// The files of a copy.
    pub fn of_copy(copy: &Copy, own: &BTreeMap<String, String>, lock: Option<String>) -> Self {
        let files = copy.files.iter().map(|(path, text)| {
            let before = own.get(path).cloned();
            (path.clone(), (before, Some(text.clone())))
        });
        let mut change = Self {
            files: files.collect(),
            bases: copy.bases.clone(),
        };
        change.record(lock, copy.lock.to_text());
        change
    }

    /// The files of an upgrade in which everything is settled.
    pub fn of_upgrade(upgrade: &Upgrade, lock: Option<String>) -> Self {
        let files = upgrade.texts().map(|(path, text)| {
            let before = upgrade.before.get(path).cloned();
            (path.to_owned(), (before, text.map(str::to_owned)))
        });
        let mut change = Self {
            files: files.collect(),
            bases: upgrade.bases.clone(),
        };
        change.record(lock, upgrade.lock.to_text());
        change
    }

    /// What is recorded of copies, and nothing else.
    pub fn of_record(lock: &Lock, before: Option<String>) -> Self {
        let mut change = Self::default();
        change.record(before, lock.to_text());
        change
    }

    fn record(&mut self, before: Option<String>, after: String) {
        let lock = (before, Some(after));
        self.files.insert(origin::FILE.to_owned(), lock);
    }
}

/// Changes the files, all or none.
pub fn replace(workspace: &Path, change: &Change) -> Result<(), Hindrance> {
    replace_with(workspace, change, &mut || Ok(()))
}

/// Changes the files; `next` is asked before each thing that is done to the disk.
pub(super) fn replace_with(
    workspace: &Path,
    change: &Change,
    next: &mut dyn FnMut() -> io::Result<()>,
) -> Result<(), Hindrance> {
    resume(workspace)?;
    for (path, (before, _)) in &change.files {
        if hash_of(&workspace.join(path))? != before.as_ref().map(|text| digest(text.as_bytes())) {
            return Err(Hindrance::ChangedMeanwhile(path.clone()));
        }
    }
    for (hash, text) in &change.bases {
        let path = workspace.join(origin::base_path(hash));
        // A text of this hash is the same text.
        if hash_of(&path)?.as_ref() != Some(hash) {
            next()?;
            put(&path, text.as_bytes())?;
        }
    }
    let folder = workspace.join(FOLDER);
    let mut list = Vec::new();
    for (path, (before, after)) in &change.files {
        let hash = |text: &Option<String>| text.as_ref().map(|text| digest(text.as_bytes()));
        if let Some(text) = after {
            next()?;
            put(&folder.join(digest(text.as_bytes())), text.as_bytes())?;
        }
        list.push(Listed {
            path: path.clone(),
            before: hash(before),
            after: hash(after),
        });
    }
    let list = serde_json::to_vec(&list).map_err(io::Error::other)?;
    next()?;
    put(&folder.join(LIST), &list)?;
    finish(workspace, next)?;
    Ok(())
}

/// Finishes a change that was cut off. What was cut off before it counted is taken away.
pub fn resume(workspace: &Path) -> io::Result<()> {
    finish(workspace, &mut || Ok(()))
}

/// The files that are just changing, as they shall be.
pub(super) fn under_way(workspace: &Path) -> BTreeMap<String, Option<String>> {
    let folder = workspace.join(FOLDER);
    let mut files = BTreeMap::new();
    for listed in list(&folder).unwrap_or_default() {
        let text = match &listed.after {
            Some(hash) => match fs::read_to_string(folder.join(hash)) {
                Ok(text) => Some(text),
                // It was finished at this moment: what stands in its place is what shall be.
                Err(_) => continue,
            },
            None => None,
        };
        files.insert(listed.path, text);
    }
    files
}

/// What is another one after files changed together than before.
pub(super) fn mark(workspace: &Path) -> [Option<String>; 2] {
    let list = workspace.join(FOLDER).join(LIST);
    [list, workspace.join(origin::FILE)].map(|path| hash_of(&path).unwrap_or_default())
}

fn finish(workspace: &Path, next: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
    let folder = workspace.join(FOLDER);
    if !folder.exists() {
        return Ok(());
    }
    for listed in list(&folder).unwrap_or_default() {
        let path = workspace.join(&listed.path);
        let now = hash_of(&path)?;
        if now == listed.after {
            continue;
        }
        if now.is_some() && now != listed.before {
            next()?;
            fs::rename(&path, kept(&path)).map_err(|error| told(&path, &error))?;
        }
        next()?;
        match &listed.after {
            Some(hash) => {
                let text = folder.join(hash);
                let text = fs::read(&text).map_err(|error| told(&text, &error))?;
                put(&path, &text)?;
            }
            None if path.exists() => fs::remove_file(&path).map_err(|error| told(&path, &error))?,
            None => {}
        }
    }
    next()?;
    // Without its list, what is left of a change counts for nothing.
    let list = folder.join(LIST);
    if list.exists() {
        fs::remove_file(&list).map_err(|error| told(&list, &error))?;
        sync(&folder);
    }
    next()?;
    fs::remove_dir_all(&folder).map_err(|error| told(&folder, &error))
}

/// The files of a change that counts.
fn list(folder: &Path) -> Option<Vec<Listed>> {
    let text = fs::read(folder.join(LIST)).ok()?;
    let listed: Vec<Listed> = serde_json::from_slice(&text).ok()?;
    let is_sound = |one: &Listed| one.path == origin::FILE || origin::is_inside(&one.path);
    listed.iter().all(is_sound).then_some(listed)
}

/// Where a file goes that a person changed while the change was cut off.
fn kept(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".kept");
    path.with_file_name(name)
}

/// The hash of what a file holds; none if it is not there.
fn hash_of(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(digest(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(told(path, &error)),
    }
}

/// Puts a text in a file's place, whole or not at all.
fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let beside = path.with_file_name(name);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|error| told(path, &error))?;
    sync(folder);
    Ok(())
}

/// Makes what a folder lists last. Not every system can; then it is as sure as it gets.
fn sync(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

fn told(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("{} cannot be written: {error}", path.display()),
    )
}
