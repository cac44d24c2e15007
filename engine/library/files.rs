//! The files of a workspace: those in its folders, and the bundled ones behind them.
//!
//! In: a folder. Out: paths and bytes.
//! Always true: a file of the workspace stands before the bundled one of the same path; no more of
//! a file is read than a file may have.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::place::Misplaced;
use super::replace;
use crate::origin;
use crate::source::FILE_BYTES_MAX;

/// What is bundled into the program: paths and bytes.
static BUNDLED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// The folders of a workspace that hold files to read.
pub(super) const FOLDERS: [&str; 3] = ["recipes", "connectors", "lookup-tables"];
/// The file that names the connections.
pub(super) const CONNECTIONS: &str = "connections.yaml";
/// The most files a workspace may have.
const FILES_MAX: usize = 20_000;
/// The most bytes `recipes.lock` may have: enough for an entry of every file.
const LOCK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How often a workspace is read at most until nothing changed meanwhile.
const LOOKS_MAX: usize = 5;
/// How deep folders are looked into: `recipes/<project>/tests/<file>`.
pub(super) const DEPTH_MAX: usize = 4;

/// A file before it is read as YAML.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its bytes, one more than allowed if it is too large; or why there are none.
    pub bytes: Result<Vec<u8>, String>,
    /// Whether it came with the program.
    pub is_bundled: bool,
    /// Whether the workspace has it itself, be it with the same text.
    pub is_here: bool,
}

/// All files of a workspace by path, the bundled ones included.
pub(super) fn find(workspace: &Path) -> io::Result<BTreeMap<String, Found>> {
    find_own(workspace).map(over_bundled)
}

/// The bundled files, and the workspace's own in front of them.
pub(super) fn over_bundled(own: BTreeMap<String, Found>) -> BTreeMap<String, Found> {
    let mut files = bundled();
    for (path, found) in own {
        // The repository itself is a workspace too; its files are the bundled ones.
        let same = files
            .get_mut(&path)
            .filter(|bundled| matches!((&bundled.bytes, &found.bytes), (Ok(a), Ok(b)) if a == b));
        match same {
            Some(same) => same.is_here = true,
            None => drop(files.insert(path, found)),
        }
    }
    files
}

/// A file with this text.
pub(super) fn file_of(text: &str) -> Found {
    Found {
        bytes: Ok(text.as_bytes().to_vec()),
        is_bundled: false,
        is_here: true,
    }
}

/// The files that a workspace has itself, by path; those that are just changing together, as they
/// will be.
pub(super) fn find_own(workspace: &Path) -> io::Result<BTreeMap<String, Found>> {
    let mut before = replace::mark(workspace);
    for _ in 1..LOOKS_MAX {
        let found = look(workspace)?;
        let after = replace::mark(workspace);
        if after == before {
            return Ok(found);
        }
        // Files that change together changed while they were read.
        before = after;
    }
    look(workspace)
}

fn look(workspace: &Path) -> io::Result<BTreeMap<String, Found>> {
    // What is asked for must be there: a misspelt folder is not an empty workspace.
    if !workspace.is_dir() {
        let message = format!("there is no folder `{}`", workspace.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    let places = places(workspace)?;
    if places.len() > FILES_MAX {
        return Err(io::Error::other(too_many()));
    }
    let places = places.into_iter();
    let mut own: BTreeMap<String, Found> = places
        .map(|(path, place)| {
            let found = read(&path, &place);
            (path, found)
        })
        .collect();
    for name in [CONNECTIONS, origin::FILE] {
        let path = workspace.join(name);
        if path.exists() {
            own.insert(name.to_owned(), read(name, &path));
        }
    }
    for (path, text) in replace::under_way(workspace)? {
        match text {
            Some(text) => own.insert(path, file_of(&text)),
            None => own.remove(&path),
        };
    }
    Ok(own)
}

/// Whether a file is the page that tells of a project, and no YAML.
pub(super) fn is_page(path: &str) -> bool {
    path.starts_with("recipes/") && path.ends_with("/README.md")
}

/// Whether a workspace has room for these files when they are there, or not, as it is said.
pub(super) fn check_room<'a>(
    workspace: &Path,
    files: impl IntoIterator<Item = (&'a str, bool)>,
) -> Result<(), Misplaced> {
    let mut paths = places(workspace)?;
    let before = paths.len();
    for (path, is_there) in files {
        let is_counted = FOLDERS.iter().any(|folder| {
            let rest = path.strip_prefix(folder);
            rest.is_some_and(|rest| rest.starts_with('/') && !rest.contains("/."))
        });
        match is_there {
            true if is_counted => drop(paths.insert(path.to_owned(), PathBuf::new())),
            true => {}
            false => drop(paths.remove(path)),
        }
    }
    match paths.len() > FILES_MAX.max(before) {
        true => Err(Misplaced::Place(format!(
            "{}; nothing was written. Remove what is not needed, or use another workspace",
            too_many()
        ))),
        false => Ok(()),
    }
}

/// The most bytes that a file of this path may have.
pub(super) fn bytes_max(path: &str) -> usize {
    match path == origin::FILE {
        true => LOCK_BYTES_MAX,
        false => FILE_BYTES_MAX,
    }
}

/// Whether a file in one of the folders is read, by its path below the workspace.
pub(super) fn is_read(path: &str) -> bool {
    let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml");
    is_yaml || (is_page(path) && path.matches('/').count() == 2)
}

/// One file of a workspace as it is now; the bundled one behind it if there is none.
pub fn found_at(workspace: &Path, path: &str) -> Option<Found> {
    let bundled = bundled_file(path);
    let place = workspace.join(path);
    let behind = || {
        bundled.map(|bytes| Found {
            bytes: Ok(bytes.to_vec()),
            is_bundled: true,
            is_here: false,
        })
    };
    let found = match replace::changing(workspace, path) {
        Err(error) => Found {
            bytes: Err(error.to_string()),
            is_bundled: false,
            is_here: true,
        },
        Ok(Some(Some(text))) => file_of(&text),
        Ok(Some(None)) => return behind(),
        Ok(None) if !place.exists() => return behind(),
        Ok(None) => read(path, &place),
    };
    let is_bundled = matches!((&found.bytes, bundled), (Ok(own), Some(bytes)) if own == bytes);
    Some(Found {
        is_bundled,
        ..found
    })
}

/// The bundled files alone.
pub fn bundled() -> BTreeMap<String, Found> {
    let found = |bytes: &[u8]| Found {
        bytes: Ok(bytes.to_vec()),
        is_bundled: true,
        is_here: false,
    };
    BUNDLED
        .iter()
        .map(|(path, bytes)| ((*path).to_owned(), found(bytes)))
        .collect()
}

/// The bundled file of a path.
pub(super) fn bundled_file(path: &str) -> Option<&'static [u8]> {
    let found = BUNDLED.binary_search_by_key(&path, |(path, _)| path);
    found.ok().map(|at| BUNDLED[at].1)
}

/// Where the files in the folders of a workspace are, by path.
fn places(workspace: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut places = BTreeMap::new();
    for folder in FOLDERS {
        find_below(&workspace.join(folder), folder, 1, &mut places)?;
    }
    Ok(places)
}

fn find_below(
    folder: &Path,
    path: &str,
    depth: usize,
    files: &mut BTreeMap<String, PathBuf>,
) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            let message = format!("cannot list `{}`: {error}", folder.display());
            return Err(io::Error::new(error.kind(), message));
        }
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{path}/{name}");
        if is_read(&path) {
            // Enough to know that they are too many; no folder is listed without end.
            if files.len() > 2 * FILES_MAX {
                return Err(io::Error::other(too_many()));
            }
            files.insert(path, entry.path());
        } else if entry.path().is_dir() && depth < DEPTH_MAX {
            find_below(&entry.path(), &path, depth + 1, files)?;
        }
    }
    Ok(())
}

fn too_many() -> String {
    format!("the workspace has more than {FILES_MAX} files")
}

/// Reads a file, but never more of it than a file may have.
fn read(path: &str, place: &Path) -> Found {
    Found {
        bytes: read_bytes(place, bytes_max(path)).map_err(|error| error.to_string()),
        is_bundled: false,
        is_here: true,
    }
}

fn read_bytes(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    // Pipes and devices would be read forever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
