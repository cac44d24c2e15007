//! Whether anything in a workspace changed since it was last read.
//!
//! In: a folder. Out: a [`Stamp`] over names, sizes and times of all its files.
//! Always true: it is cheap enough to be made every few seconds; nothing is read but the folders.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp([u8; 32]);

impl Stamp {
    /// The state of a workspace now. What cannot be looked at counts as not there.
    pub fn of(workspace: &Path) -> Self {
        let mut lines = Vec::new();
        for part in PARTS {
            see(&workspace.join(part), 0, &mut lines);
        }
        lines.sort();
        let mut digest = Sha256::new();
        for line in lines {
            digest.update(line.as_bytes());
        }
        Self(digest.finalize().into())
    }
}

fn see(path: &Path, depth: u32, lines: &mut Vec<String>) {
    let Ok(about) = fs::metadata(path) else {
        return;
    };
    if about.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        for entry in entries.filter(|_| depth < DEPTH_MAX) {
            see(&entry.path(), depth + 1, lines);
        }
        return;
    }
    let changed = about.modified().ok();
    lines.push(format!("{} {} {changed:?}\n", path.display(), about.len()));
}
