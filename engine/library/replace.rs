//! Files of a workspace that change together.
//!
//! In: a folder and a [`Change`]. Out: all files as they shall be, or all as they were and why.
//! Always true: who reads the workspace sees all files as they were or all as they shall be, also
//! after a crash: a change counts from the moment that its list, one file with all its texts, is
//! moved in place, and what was cut off is finished by [`resume`]; a file that a person changed
//! meanwhile is kept; what could not be read afterwards is not written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::files;
use super::originals;
use super::place::{Beside, Misplaced, safe, sync, told};
use crate::data::digest;
use crate::origin::{self, Copy, Lock, Upgrade};

/// Where a change is made ready, below the workspace.
const FOLDER: &str = "recipes/.change";
/// The list of the change that counts, in that folder.
const LIST: &str = "list.json";
/// So many bytes at the beginning of a list hold its name.
const HEAD_BYTES: u64 = 64;

/// Files that change together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The text of each file before and afterwards; none where it is not there.
    pub files: BTreeMap<String, (Option<String>, Option<String>)>,
    /// The texts that copies were made of, by hash.
    pub bases: BTreeMap<String, String>,
}

/// How far files that changed have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// They are in their places.
    InPlace,
    /// They count, and wait to be put in their places, for this reason.
    Waiting(String),
}

/// Why files did not change.
#[derive(Debug, thiserror::Error)]
pub enum Hindrance {
    /// Somebody changed a file since the change was made up.
    #[error("{0} was changed meanwhile; nothing was written")]
    ChangedMeanwhile(String),
    /// They cannot stand where they are to, or could not be read afterwards.
    #[error("{0}")]
    Misplaced(String),
    /// The disk refuses.
    #[error("{0}")]
    Disk(#[from] io::Error),
}

impl From<Misplaced> for Hindrance {
    fn from(why: Misplaced) -> Self {
        match why {
            Misplaced::Place(why) => Self::Misplaced(why),
            Misplaced::Disk(why) => Self::Disk(why),
        }
    }
}

/// A change as it is listed. Its name comes first in the text.
#[derive(Debug, Serialize, Deserialize)]
struct List {
    name: String,
    files: Vec<Listed>,
}

/// A file of a change.
#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    path: String,
    /// The hash of its text before; none if it was not there.
    before: Option<String>,
    /// Its text afterwards; none if it goes.
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

/// Changes the files, all or none. Once this is no error, they are as they shall be for everybody
/// who reads them.
pub fn replace(workspace: &Path, change: &Change) -> Result<Replaced, Hindrance> {
    replace_with(workspace, change, &mut || Ok(()))
}

/// Changes the files; `next` is asked before each thing that is done to the disk.
pub(super) fn replace_with(
    workspace: &Path,
    change: &Change,
    next: &mut dyn FnMut() -> io::Result<()>,
) -> Result<Replaced, Hindrance> {
    finish(workspace, next)?;
    check(workspace, change)?;
    let list = List::of(workspace, change)?;
    let text = serde_json::to_vec(&list).map_err(io::Error::other)?;
    let folder = workspace.join(FOLDER);
    next()?;
    fs::create_dir_all(&folder).map_err(|error| told(&folder, &error))?;
    next()?;
    // No other change writes into a file of this name.
    let beside = folder.join(format!("{}.new", list.name));
    if let Err(error) = write(&beside, &text) {
        let _ = fs::remove_file(&beside);
        return Err(told(&beside, &error).into());
    }
    next()?;
    let place = folder.join(LIST);
    if let Err(error) = fs::rename(&beside, &place) {
        let _ = fs::remove_file(&beside);
        return Err(told(&place, &error).into());
    }
    sync(&folder);
    sync(&workspace.join("recipes"));
    match finish(workspace, next) {
        Ok(()) => Ok(Replaced::InPlace),
        Err(why) => Ok(Replaced::Waiting(why.to_string())),
    }
}

/// Finishes a change that was cut off. What was cut off before it counted is taken away.
pub fn resume(workspace: &Path) -> io::Result<()> {
    finish(workspace, &mut || Ok(()))
}

/// The files that are just changing, as they shall be.
pub(super) fn under_way(workspace: &Path) -> io::Result<BTreeMap<String, Option<String>>> {
    let list = list(&workspace.join(FOLDER))?;
    let listed = list.into_iter().flat_map(|list| list.files);
    let listed = listed.filter(|one| !is_base(&one.path));
    Ok(listed.map(|one| (one.path, one.after)).collect())
}

/// A file that is just changing, as it shall be; none if it is none of those.
pub(super) fn changing(workspace: &Path, path: &str) -> io::Result<Option<Option<String>>> {
    Ok(under_way(workspace)?.remove(path))
}

/// What is another one after files changed together than before.
pub(super) fn mark(workspace: &Path) -> [Option<String>; 2] {
    let mut head = Vec::new();
    let list = File::open(workspace.join(FOLDER).join(LIST));
    let list = list.and_then(|list| list.take(HEAD_BYTES).read_to_end(&mut head));
    let lock = hash_of(&workspace.join(origin::FILE));
    [list.ok().map(|_| digest(&head)), lock.unwrap_or_default()]
}

impl List {
    fn of(workspace: &Path, change: &Change) -> io::Result<Self> {
        let mut files = Vec::new();
        for (hash, text) in &change.bases {
            let path = origin::base_path(hash);
            let before = hash_of(&workspace.join(&path))?;
            // A text of this hash is the same text.
            if before.as_ref() != Some(hash) {
                files.push(Listed {
                    path,
                    before,
                    after: Some(text.clone()),
                });
            }
        }
        for (path, (before, after)) in &change.files {
            files.push(Listed {
                path: path.clone(),
                before: before.as_ref().map(|text| digest(text.as_bytes())),
                after: after.clone(),
            });
        }
        let name = Uuid::now_v7().to_string();
        Ok(Self { name, files })
    }

    fn is_sound(&self) -> bool {
        self.files.iter().all(|one| {
            one.path == origin::FILE || origin::is_inside(&one.path) || is_base(&one.path)
        })
    }
}

/// Refuses what is not as it was, and what could not be read once it was written.
fn check(workspace: &Path, change: &Change) -> Result<(), Hindrance> {
    for (path, (before, after)) in &change.files {
        let place = safe(workspace, path)?;
        if hash_of(&place)? != before.as_ref().map(|text| digest(text.as_bytes())) {
            return Err(Hindrance::ChangedMeanwhile(path.clone()));
        }
        let bytes_max = files::bytes_max(path);
        if after.as_ref().is_some_and(|text| text.len() > bytes_max) {
            return Err(Hindrance::Misplaced(format!(
                "{path} would be larger than {} MiB, and could not be read; nothing was written",
                bytes_max >> 20
            )));
        }
    }
    if let Some((_, Some(lock))) = change.files.get(origin::FILE) {
        originals::lock(lock).map_err(|why| {
            Hindrance::Misplaced(format!(
                "nothing was written: it could not be recorded ({why})"
            ))
        })?;
    }
    let files = change.files.iter();
    let files = files.map(|(path, (_, after))| (path.as_str(), after.is_some()));
    Ok(files::check_room(workspace, files)?)
}

fn finish(workspace: &Path, next: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
    let folder = workspace.join(FOLDER);
    if !folder.exists() {
        return Ok(());
    }
    let list = list(&folder)?;
    let mut folders = BTreeSet::new();
    for listed in list.iter().flat_map(|list| &list.files) {
        put(workspace, listed, next)?;
        let place = workspace.join(&listed.path);
        let above = place.ancestors().skip(1);
        let above = above.take_while(|above| above.starts_with(workspace));
        folders.extend(above.map(Path::to_owned));
    }
    next()?;
    folders.iter().for_each(|folder| sync(folder));
    next()?;
    let place = folder.join(LIST);
    if list.is_some() {
        fs::remove_file(&place).map_err(|error| told(&place, &error))?;
        sync(&folder);
    } else if place.exists() {
        let aside = set_aside(&place, &workspace.join("recipes/.change.damaged"))?;
        tracing::error!(
            "the list of files that were just changing was damaged and counts for nothing; it is {}",
            aside.display()
        );
    }
    next()?;
    // Without a list, what is left is in nobody's way.
    let _ = fs::remove_dir_all(&folder);
    Ok(())
}

/// Puts a listed file in its place.
fn put(
    workspace: &Path,
    listed: &Listed,
    next: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<()> {
    let place = workspace.join(&listed.path);
    let now = hash_of(&place)?;
    let after = listed.after.as_deref();
    if now == after.map(|text| digest(text.as_bytes())) {
        return Ok(());
    }
    if now.is_some() && now != listed.before {
        next()?;
        let kept = set_aside(&place, &named(&place, ".kept"))?;
        tracing::warn!(
            "{} was changed by hand while it changed together with others: what stood there is {}",
            listed.path,
            kept.display()
        );
    }
    next()?;
    match after {
        Some(text) => {
            let beside = Beside::in_room(workspace, &listed.path, text);
            let beside = beside.map_err(|why| match why {
                Misplaced::Place(why) => io::Error::other(why),
                Misplaced::Disk(why) => why,
            })?;
            beside.take_place()
        }
        None if place.exists() => fs::remove_file(&place).map_err(|error| told(&place, &error)),
        None => Ok(()),
    }
}

/// The change that counts. A list that is none, as somebody damaged it, counts for nothing.
fn list(folder: &Path) -> io::Result<Option<List>> {
    let place = folder.join(LIST);
    match fs::read(&place) {
        Ok(text) => {
            let list: Option<List> = serde_json::from_slice(&text).ok();
            Ok(list.filter(List::is_sound))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("{} cannot be read: {error}", place.display());
            Err(io::Error::new(error.kind(), message))
        }
    }
}

/// Whether a path is one of a text that copies were made of.
fn is_base(path: &str) -> bool {
    let name = path.strip_prefix(origin::BASES);
    let hash = name.and_then(|name| name.strip_prefix('/')?.strip_suffix(".yaml"));
    hash.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Moves a file to where it is kept, or to the first place after that which is free.
fn set_aside(path: &Path, to: &Path) -> io::Result<PathBuf> {
    let places = (1..).map(|number| match number {
        1 => to.to_owned(),
        number => named(to, &format!("-{number}")),
    });
    let mut free = places.filter(|place| place.symlink_metadata().is_err());
    let free = free.next().unwrap_or_else(|| to.to_owned());
    fs::rename(path, &free).map_err(|error| told(path, &error))?;
    Ok(free)
}

/// A path whose name goes on with this.
fn named(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
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

/// Writes a file that is made to last.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(text)?;
    file.sync_all()
}
