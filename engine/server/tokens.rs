//! Tokens: the admin's, made at the first start, and one for commands on the same machine.
//!
//! Always true: the admin's token is kept as SHA-256 only and shown once; files with secrets can
//! be read by their owner only.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::data::{Secret, digest};
use crate::mask::learn_secret;
use crate::settings::Settings;

use super::Trouble;

/// The file that holds the admin token's hash.
const ADMIN_FILE: &str = "admin-token.sha256";

/// The file that tells commands of the same machine where the server is.
pub(super) const SERVER_FILE: &str = "server.json";

/// Where a running server is, for commands of the same machine.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Whereabouts {
    /// Its address, such as `http://127.0.0.1:8700`.
    pub url: String,
    /// A token that lives as long as the server does.
    pub token: String,
    /// The process.
    pub pid: u32,
}

impl Whereabouts {
    /// Reads where the server of a workspace is, if one left word.
    pub fn read(workspace: &Path) -> Option<Self> {
        let path = crate::settings::data_file(workspace, SERVER_FILE);
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }
}

/// The hash of the admin token, and the token itself if it was made just now.
pub(super) fn admin(settings: &Settings) -> Result<(String, Option<Secret>), Trouble> {
    if let Some(token) = &settings.admin_token {
        learn_secret(token.reveal());
        return Ok((digest(token.reveal().as_bytes()), None));
    }
    let path = settings.data(ADMIN_FILE);
    if let Ok(hash) = fs::read_to_string(&path)
        && hash.trim().len() == 64
    {
        return Ok((hash.trim().to_owned(), None));
    }
    let token = fresh();
    learn_secret(token.reveal());
    let hash = digest(token.reveal().as_bytes());
    write_private(&path, &format!("{hash}\n"))?;
    Ok((hash, Some(token)))
}

/// A token that nobody can guess: two random UUIDs, 244 bits.
pub fn fresh() -> Secret {
    let (a, b) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    let bytes: Vec<u8> = a.as_bytes().iter().chain(b.as_bytes()).copied().collect();
    Secret::new(format!("rcp_{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// Writes a file that only its owner may read, whole or not at all.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), Trouble> {
    let trouble = |error: std::io::Error| Trouble::Write {
        path: path.display().to_string(),
        why: error.to_string(),
    };
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let _ = fs::remove_file(&name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&name).map_err(trouble)?;
    file.write_all(text.as_bytes()).map_err(trouble)?;
    file.sync_all().map_err(trouble)?;
    fs::rename(&name, path).map_err(trouble)
}
