//! Which files of a workspace changed since it was last read.
//!
//! In: a folder. Out: a [`Stamp`] of names, sizes and times of all its files.
//! Always true: it is cheap enough to be made every few seconds; nothing is read but the folders.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::origin;

/// The folders and files that make a workspace.
const PARTS: [&str; 5] = [
    "recipes",
    "connectors",
    "lookup-tables",
    "connections.yaml",
    origin::FILE,
];

/// How deep folders are looked into.
const DEPTH_MAX: u32 = 4;

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
        for part in PARTS {
            stamp.see(&workspace.join(part), part, 0);
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

    /// Takes down what a file is now, so that it counts as no change any more.
    pub fn note(&mut self, path: &str, about: &Metadata) {
        self.0.insert(path.to_owned(), State::of(about));
    }

    fn see(&mut self, place: &Path, path: &str, depth: u32) {
        let Ok(about) = fs::metadata(place) else {
            return;
        };
        if !about.is_dir() {
            self.0.insert(path.to_owned(), State::of(&about));
            return;
        }
        let entries = fs::read_dir(place).into_iter().flatten().flatten();
        for entry in entries.filter(|_| depth < DEPTH_MAX) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') {
                self.see(&entry.path(), &format!("{path}/{name}"), depth + 1);
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
