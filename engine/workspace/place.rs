//! Where a file is written, and how.
//!
//! In: a path below a workspace. Out: the file, whole, with the disk's word for it.
//! Always true: nothing outside the workspace is written, whatever links stand in it; who reads the
//! file sees the old text or the new one and never a part.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::NotSaved;

/// A text that is on the disk beside the file whose place it will take.
#[derive(Debug)]
pub(super) struct Beside {
    beside: PathBuf,
    place: PathBuf,
    /// What the file will be, once it is in its place.
    pub(super) about: Metadata,
}

impl Beside {
    /// Writes the text beside the file of this path, which stays as it is.
    pub(super) fn write(workspace: &Path, path: &str, text: &str) -> Result<Self, NotSaved> {
        let place = safe(workspace, path)?;
        let cannot =
            |error: io::Error| NotSaved::Unwritable(format!("`{path}` cannot be written: {error}"));
        let (folder, name) = (folder_of(&place), place.file_name().unwrap_or_default());
        // What begins with a dot is not read as a part of the workspace.
        let beside = folder.join(format!(".{}.saving", name.to_string_lossy()));
        // One that a crash left behind is in nobody's way.
        let _ = fs::remove_file(&beside);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&beside)
            .map_err(cannot)?;
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
                Err(cannot(error))
            }
        }
    }

    /// Puts the text in the file's place.
    pub(super) fn put_in_place(&self) -> io::Result<()> {
        fs::rename(&self.beside, &self.place)?;
        if cfg!(unix) {
            File::open(folder_of(&self.place))?.sync_all()?;
        }
        Ok(())
    }

    /// Leaves the file as it is.
    pub(super) fn take_away(&self) {
        let _ = fs::remove_file(&self.beside);
    }
}

/// The place of a path, if it is one inside the workspace; its folder is made.
fn safe(workspace: &Path, path: &str) -> Result<PathBuf, NotSaved> {
    let place = workspace.join(path);
    let folder = folder_of(&place);
    let cannot =
        |error: io::Error| NotSaved::Unwritable(format!("`{path}` cannot be written: {error}"));
    fs::create_dir_all(folder).map_err(cannot)?;
    let real = folder.canonicalize().map_err(cannot)?;
    if !real.starts_with(workspace.canonicalize().map_err(cannot)?) {
        return Err(NotSaved::BadPlace(format!(
            "`{path}` stands in a folder that is a link out of the workspace; save it there"
        )));
    }
    match fs::symlink_metadata(&place) {
        Ok(about) if !about.is_file() => Err(NotSaved::BadPlace(format!(
            "`{path}` is a link or no file at all; put a file there by hand first"
        ))),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot(error)),
        _ => Ok(place),
    }
}

fn folder_of(place: &Path) -> &Path {
    place.parent().unwrap_or(Path::new("."))
}
