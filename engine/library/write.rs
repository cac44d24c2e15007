//! Files that the program itself writes into a workspace.
//!
//! In: a folder and a copy. Out: its files on the disk, or why not.
//! Always true: nothing that is there is overwritten but the lock, which changes in one move; what
//! was written before a failure is taken away again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::origin::{self, Copy};

/// Writes a copy's files, the texts they were made of, and the lock.
pub fn write_copy(workspace: &Path, copy: &Copy) -> io::Result<()> {
    let mut made = Vec::new();
    let done = write_all(workspace, copy, &mut made);
    if done.is_err() {
        for path in made {
            let _ = fs::remove_file(path);
        }
    }
    done
}

fn write_all(workspace: &Path, copy: &Copy, made: &mut Vec<PathBuf>) -> io::Result<()> {
    for (hash, text) in &copy.bases {
        let path = workspace.join(origin::base_path(hash));
        // A text of this hash is the same text.
        if !path.exists() {
            write_new(&path, text, made)?;
        }
    }
    for (path, text) in &copy.files {
        write_new(&workspace.join(path), text, made)?;
    }
    replace(&workspace.join(origin::FILE), &copy.lock.to_text())
}

fn write_new(path: &Path, text: &str, made: &mut Vec<PathBuf>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| told(path, &error))?;
    made.push(path.to_owned());
    let written = file.write_all(text.as_bytes());
    written
        .and_then(|()| file.sync_all())
        .map_err(|error| told(path, &error))
}

/// Puts a text in a file's place, whole or not at all.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("lock.new");
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|error| told(path, &error))
}

fn told(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("{} cannot be written: {error}", path.display()),
    )
}
