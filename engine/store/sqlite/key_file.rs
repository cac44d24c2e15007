//! The file with the key that secrets are sealed with, and with those of earlier times.
//!
//! Always true: it is written whole or not at all, and only its owner may read it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::open::create_private;
use crate::data::hex;
use crate::store::StoreError;

/// The length of a key in bytes.
pub(super) const KEY_BYTES: usize = 32;

/// A key.
pub(super) type KeyBytes = [u8; KEY_BYTES];

/// Where the key of a database stands unless it is said otherwise: beside it.
pub(super) fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

/// The keys of a file, the one in use first.
pub(super) fn read(path: &Path) -> Result<Vec<KeyBytes>, StoreError> {
    let text = fs::read_to_string(path).map_err(|error| failed(path, &error))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Option<Vec<KeyBytes>> = lines.map(unhex).collect();
    match keys {
        Some(keys) if !keys.is_empty() => Ok(keys),
        _ => Err(StoreError::Corrupt(format!(
            "the key file `{}` does not hold 64 hexadecimal digits a line; restore it from a backup",
            path.display()
        ))),
    }
}

/// Writes the keys, the one in use first.
pub(super) fn write(path: &Path, keys: &[KeyBytes]) -> Result<(), StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let text: String = keys.iter().map(|key| hex(key) + "\n").collect();
    let write = || -> std::io::Result<()> {
        let _ = fs::remove_file(&new);
        let mut file = create_private(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        // What is sealed next must open after a loss of power, too.
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("the key file `{}`: {error}", path.display()))
}

fn unhex(text: &str) -> Option<KeyBytes> {
    if text.len() != KEY_BYTES * 2 || !text.is_ascii() {
        return None;
    }
    let mut key = [0; KEY_BYTES];
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
    }
    Some(key)
}
