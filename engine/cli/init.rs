//! `recipes init`: a new workspace.
//!
//! Always true: nothing that is there is overwritten.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::{Ended, say};

/// Makes a folder into a workspace: where your recipes, connections and the database live
#[derive(Args, Debug)]
pub(super) struct Init {
    /// The folder (the workspace if left out)
    folder: Option<PathBuf>,
}

/// What a workspace keeps out of git.
pub(super) const GIT_IGNORE: (&str, &str) = (".gitignore", include_str!("init/gitignore"));

/// The files of a new workspace.
const FILES: [(&str, &str); 4] = [
    ("connections.yaml", include_str!("init/connections.yaml")),
    GIT_IGNORE,
    ("README.md", include_str!("init/README.md")),
    ("settings.yaml", include_str!("init/settings.yaml")),
];

/// The folders of a new workspace.
const FOLDERS: [&str; 3] = ["recipes", "connectors", "lookup-tables"];

impl Init {
    pub(super) fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let folder = self.folder.unwrap_or_else(|| workspace.to_owned());
        if folder.is_file() {
            bail!(
                "`{}` is a file; give the name of a folder",
                folder.display()
            );
        }
        for name in FOLDERS {
            let path = folder.join(name);
            fs::create_dir_all(&path)
                .with_context(|| format!("the folder `{}` cannot be made", path.display()))?;
        }
        for (name, text) in FILES {
            let path = folder.join(name);
            if path.exists() {
                say(&format!("kept      {}\n", path.display()))?;
                continue;
            }
            fs::write(&path, text)
                .with_context(|| format!("`{}` cannot be written", path.display()))?;
            say(&format!("written   {}\n", path.display()))?;
        }
        say(&format!(
            "\n{folder} is a workspace now. Next: fill in connections.yaml, then\n  \
             recipes check --workspace {folder}\n  recipes serve --workspace {folder}\n",
            folder = folder.display()
        ))?;
        Ok(Ended::Well)
    }
}
