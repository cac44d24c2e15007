//! The workspace that the engine is tried on.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Its files.
const FILES: [(&str, &str); 10] = [
    (
        "recipes/torture/project.yaml",
        include_str!("workspace/recipes/torture/project.yaml"),
    ),
    (
        "recipes/torture/take-event.yaml",
        include_str!("workspace/recipes/torture/take-event.yaml"),
    ),
    (
        "recipes/torture/file-event.yaml",
        include_str!("workspace/recipes/torture/file-event.yaml"),
    ),
    (
        "recipes/torture/many-rounds.yaml",
        include_str!("workspace/recipes/torture/many-rounds.yaml"),
    ),
    (
        "recipes/torture/all-pages.yaml",
        include_str!("workspace/recipes/torture/all-pages.yaml"),
    ),
    (
        "recipes/torture/tick.yaml",
        include_str!("workspace/recipes/torture/tick.yaml"),
    ),
    (
        "lookup-tables/torture-events.yaml",
        include_str!("workspace/lookup-tables/torture-events.yaml"),
    ),
    (
        "lookup-tables/torture-log.yaml",
        include_str!("workspace/lookup-tables/torture-log.yaml"),
    ),
    (
        "connectors/torture.yaml",
        include_str!("workspace/connectors/torture.yaml"),
    ),
    (
        "connections.yaml",
        include_str!("workspace/connections.yaml"),
    ),
];

/// The recipes that are started.
pub(super) const STARTED: [&str; 2] = ["torture/take-event", "torture/tick"];

/// Makes the workspace below a folder: `vendor` is where the stand-in answers, `post` the port of the
/// mail server.
pub(super) fn furnish(folder: &Path, vendor: &str, post: u16) -> anyhow::Result<PathBuf> {
    let workspace = folder.join("workspace");
    for (path, text) in FILES {
        let path = workspace.join(path);
        let parent = path.parent().context("every file stands in a folder")?;
        fs::create_dir_all(parent)?;
        let text = text.replace("{{vendor}}", vendor);
        fs::write(&path, text.replace("{{post}}", &post.to_string()))
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    Ok(workspace)
}
