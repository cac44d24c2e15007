//! Tokens: the admin's, made at the first start, and one for commands on the same machine.
//!
//! Always true: the admin's token is kept as SHA-256 only and shown once; files with secrets can
//! be read by their owner only.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::api::fresh_token;
use crate::clock::Moment;
use crate::data::{Secret, digest};
use crate::mask::learn_secret;
use crate::names::{Role, TokenName};
use crate::settings::Settings;
use crate::store::{NewToken, Store, StoreError, Tokens};

use super::Trouble;

/// What the first admin's token is called.
pub(super) const ADMIN: &str = "admin";

/// What the token is called that commands on this machine use.
pub(super) const CLI: &str = "cli";

/// The file in which earlier versions kept the admin token's hash.
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

/// The admin's token, made if there never was one: what comes back is to be shown, this once.
pub(super) async fn first_admin(
    settings: &Settings,
    store: &Store,
    now: Moment,
) -> Result<Option<Secret>, Trouble> {
    if settings.admin_token.is_some() || !store.tokens().await?.is_empty() {
        return Ok(None);
    }
    let name = TokenName::new(ADMIN).map_err(StoreError::Corrupt)?;
    let keep = |hash: String| NewToken {
        name,
        role: Role::Admin,
        hash,
        created_by: "first-start".to_owned(),
        expires_at: None,
    };
    // Earlier versions kept the hash of the one token that there was in a file.
    let path = settings.data(ADMIN_FILE);
    if let Ok(hash) = fs::read_to_string(&path)
        && hash.trim().len() == 64
    {
        store
            .create_token(keep(hash.trim().to_owned()), now)
            .await?;
        let _ = fs::remove_file(&path);
        return Ok(None);
    }
    let token = fresh_token();
    learn_secret(token.reveal());
    let hash = digest(token.reveal().as_bytes());
    store.create_token(keep(hash), now).await?;
    Ok(Some(token))
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
