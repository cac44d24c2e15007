//! Where a file of a workspace is written, and how.
//!
//! In: a path below a workspace. Out: the file, whole, with the disk's word for it.
//! Always true: nothing outside the workspace is written, whatever links stand in it; who reads the
//! file sees the old text or the new one and never a part; whoever may read it may do so after.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::files;

/// A text that is on the disk beside the file whose place it will take.
#[derive(Debug)]
pub struct Beside {
    beside: PathBuf,
    place: PathBuf,
    /// What the file will be, once it is in its place.
    pub about: Metadata,
}

/// Why a file cannot stand in its place.
#[derive(Debug, thiserror::Error)]
pub enum Misplaced {
    /// It would not be where its path says, or be one too many.
    #[error("{0}")]
    Place(String),
    /// The disk refuses.
    #[error("{0}")]
    Disk(#[from] io::Error),
}

impl Beside {
    /// Writes the text beside the file of this path, which stays as it is.
    pub fn write(workspace: &Path, path: &str, text: &str) -> Result<Self, Misplaced> {
        if !workspace.join(path).exists() {
            files::check_room(workspace, [(path, true)])?;
        }
        Self::in_room(workspace, path, text)
    }

    /// The same for a file that there is room for.
    pub(super) fn in_room(workspace: &Path, path: &str, text: &str) -> Result<Self, Misplaced> {
        let place = safe(workspace, path)?;
        let folder = folder_of(&place);
        fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
        // What it leads to may have come to be just now.
        safe(workspace, path)?;
        let name = place.file_name().unwrap_or_default();
        // What begins with a dot is not read as a part of the workspace.
        let beside = folder.join(format!(".{}.saving", name.to_string_lossy()));
        // One that a crash left behind is in nobody's way.
        let _ = fs::remove_file(&beside);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&beside)
            .map_err(|error| told(&beside, &error))?;
        let written = file.write_all(text.as_bytes()).and_then(|()| {
            if let Ok(about) = fs::metadata(&place) {
                file.set_permissions(about.permissions())?;
            }
            file.sync_all()?;
            file.metadata()
        });
        match written {
            Ok(about) => Ok(Self {
                beside,
                place,
                about,
            }),
            Err(error) => {
                let _ = fs::remove_file(&beside);
                Err(told(&place, &error).into())
            }
        }
    }

    /// Puts the text in the file's place.
    pub fn put_in_place(&self) -> io::Result<()> {
        self.take_place()?;
        // It is in its place, whatever the file system says of its folder.
        sync(folder_of(&self.place));
        Ok(())
    }

    /// Puts the text in the file's place; the folder is made to last by whoever calls.
    pub(super) fn take_place(&self) -> io::Result<()> {
        fs::rename(&self.beside, &self.place).map_err(|error| told(&self.place, &error))
    }

    /// Leaves the file as it is.
    pub fn take_away(&self) {
        let _ = fs::remove_file(&self.beside);
    }
}

/// The place of a path, if it is one inside the workspace.
pub(super) fn safe(workspace: &Path, path: &str) -> Result<PathBuf, Misplaced> {
    let place = workspace.join(path);
    let root = workspace
        .canonicalize()
        .map_err(|error| told(workspace, &error))?;
    // Folders that are not there yet will be made, and are no links then.
    let there = place.ancestors().skip(1);
    let there = there.map(|folder| (folder, folder.symlink_metadata()));
    let folder = there.into_iter().find(|(_, about)| match about {
        Ok(_) => true,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    });
    let folder = folder.map_or(workspace, |(folder, _)| folder);
    let real = folder
        .canonicalize()
        .map_err(|error| told(folder, &error))?;
    if !real.starts_with(root) {
        return Err(Misplaced::Place(format!(
            "`{path}` stands in a folder that is a link out of the workspace; save it there"
        )));
    }
    match fs::symlink_metadata(&place) {
        Ok(about) if !about.is_file() => Err(Misplaced::Place(format!(
            "`{path}` is a link or no file at all; put a file there by hand first"
        ))),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(told(&place, &error).into()),
        _ => Ok(place),
    }
}

/// Makes what a folder lists last. Not every system can; then it is as sure as it gets.
pub(super) fn sync(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// What the disk says, with the file that it says it of.
pub(super) fn told(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("{} cannot be written: {error}", path.display()),
    )
}

fn folder_of(place: &Path) -> &Path {
    place.parent().unwrap_or(Path::new("."))
}
