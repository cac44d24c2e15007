//! Where secrets of connections come from: the environment, files below the workspace, and what an
//! admin had sealed in the database.

use std::fs;
use std::path::PathBuf;

use crate::connector::References;
use crate::data::Secret;
use crate::names::SecretName;
use crate::store::Vault;

/// The largest file that a secret is read from.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Follows references as they stand in the `connections.yaml` of a workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceReferences {
    folder: PathBuf,
    vault: Vault,
}

impl WorkspaceReferences {
    /// References of this workspace; relative paths begin there.
    pub fn of(workspace: impl Into<PathBuf>) -> Self {
        Self {
            folder: workspace.into(),
            vault: Vault::default(),
        }
    }

    /// With what an admin had sealed.
    #[must_use]
    pub fn with(mut self, vault: Vault) -> Self {
        self.vault = vault;
        self
    }
}

impl References for WorkspaceReferences {
    fn environment(&self, name: &str) -> Option<String> {
        super::environment(name)
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let path = self.folder.join(path);
        let about = fs::metadata(&path).map_err(|error| error.to_string())?;
        if about.len() > FILE_BYTES_MAX {
            return Err(format!("it is larger than {FILE_BYTES_MAX} bytes"));
        }
        fs::read_to_string(&path).map_err(|error| error.to_string())
    }

    fn sealed(&self, name: &SecretName) -> Option<Secret> {
        self.vault.get(name)
    }
}
