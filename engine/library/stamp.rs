//! Which files of a workspace changed since it was last read.
//!
//! In: a folder. Out: a [`Stamp`] of names, sizes and times of all files in it that are read.
//! Always true: it is cheap enough to be made every few seconds; nothing is read but the folders.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::files::{CONNECTIONS, DEPTH_MAX, FOLDERS, is_read};
use crate::clock::Moment;
use crate::origin;

/// The state of all files of a workspace, as far as names, sizes and times tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp(BTreeMap<String, State>);

/// Size and time of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    size: u64,
    changed_ns: Option<u128>,
}

/// What became of a workspace's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// The files that are new or changed, by path below the workspace.
    pub saved: Vec<String>,
    /// The files that are gone.
    pub gone: Vec<String>,
}

impl Stamp {
    /// The state of a workspace now. What cannot be looked at counts as not there.
    pub fn of(workspace: &Path) -> Self {
        let mut stamp = Self::default();
        for folder in FOLDERS {
            stamp.see_below(&workspace.join(folder), folder, 1);
        }
        for file in [CONNECTIONS, origin::FILE] {
            stamp.see(&workspace.join(file), file);
        }
        stamp
    }

    /// What changed between an earlier state and this one.
    pub fn since(&self, earlier: &Self) -> Differences {
        let saved = self.0.iter();
        let saved = saved.filter(|(path, state)| earlier.0.get(*path) != Some(*state));
        let gone = earlier.0.keys().filter(|path| !self.0.contains_key(*path));
        Differences {
            saved: saved.map(|(path, _)| path.clone()).collect(),
            gone: gone.cloned().collect(),
        }
    }

    /// The part of it that is about these files.
    pub fn of_those(&self, which: &dyn Fn(&str) -> bool) -> Self {
        let states = self.0.iter().filter(|(path, _)| which(path));
        Self(states.map(|(path, state)| (path.clone(), *state)).collect())
    }

    /// Takes down what a file was earlier, so that what became of it since is still a change.
    pub fn hold(&mut self, path: &str, earlier: &Self) {
        match earlier.0.get(path) {
            Some(state) => drop(self.0.insert(path.to_owned(), *state)),
            None => drop(self.0.remove(path)),
        }
    }

    /// Takes down what a file is now, so that it counts as no change any more.
    pub fn note(&mut self, path: &str, about: &Metadata) {
        self.0.insert(path.to_owned(), State::of(about));
    }

    /// Whether a file is there and did not change since this moment, as far as it says.
    pub fn is_older(&self, path: &str, than: Moment) -> bool {
        let changed = self.0.get(path).and_then(|state| state.changed_ns);
        let than = u128::try_from(than.0).map(|than| than * 1_000);
        matches!((changed, than), (Some(changed), Ok(than)) if changed <= than)
    }

    fn see(&mut self, place: &Path, path: &str) {
        if let Ok(about) = fs::metadata(place) {
            self.note(path, &about);
        }
    }

    fn see_below(&mut self, folder: &Path, path: &str, depth: usize) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{path}/{name}");
            if name.starts_with('.') {
                continue;
            }
            if is_read(&path) {
                self.see(&entry.path(), &path);
            } else if depth < DEPTH_MAX && entry.path().is_dir() {
                self.see_below(&entry.path(), &path, depth + 1);
            }
        }
    }
}

impl State {
    fn of(about: &Metadata) -> Self {
        let changed = about.modified().ok();
        let since = changed.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Self {
            size: about.len(),
            changed_ns: since.map(|since| since.as_nanos()),
        }
    }
}
