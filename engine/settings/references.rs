//! Where secrets of connections come from: the environment, and files below the workspace.

use std::fs;
use std::path::PathBuf;

use crate::connector::References;

/// The largest file that a secret is read from.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Follows references as they stand in the `connections.yaml` of a workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceReferences(PathBuf);

impl WorkspaceReferences {
    /// References of this workspace; relative paths begin there.
    pub fn of(workspace: impl Into<PathBuf>) -> Self {
        Self(workspace.into())
    }
}

impl References for WorkspaceReferences {
    fn environment(&self, name: &str) -> Option<String> {
        super::environment(name)
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let path = self.0.join(path);
        let about = fs::metadata(&path).map_err(|error| error.to_string())?;
        if about.len() > FILE_BYTES_MAX {
            return Err(format!("it is larger than {FILE_BYTES_MAX} bytes"));
        }
        fs::read_to_string(&path).map_err(|error| error.to_string())
    }
}
