//! Builds the list of bundled files into the program.
//!
//! In: the repository's `recipes`, `connectors` and `lookup-tables`. Out: `bundled.rs`, a list of
//! paths and texts.
//! Always true: the list is sorted, so that the same sources give the same program.

use std::fs;
use std::io;
use std::path::Path;

/// The folders whose YAML files are bundled, with the pages that tell of projects.
const FOLDERS: [&str; 3] = ["connectors", "lookup-tables", "recipes"];

#[expect(
    clippy::print_stdout,
    reason = "this is how a build script speaks to cargo"
)]
#[expect(
    clippy::disallowed_methods,
    reason = "a build script has no settings room"
)]
fn main() -> io::Result<()> {
    let mut paths = Vec::new();
    for folder in FOLDERS {
        println!("cargo:rerun-if-changed={folder}");
        find(Path::new(folder), &mut paths)?;
    }
    println!("cargo:rerun-if-changed=engine/library/embed.rs");
    paths.sort();
    let mut list = String::from("&[\n");
    for path in paths {
        list.push_str(&format!(
            "    ({path:?}, include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/\", {path:?}))),\n"
        ));
    }
    list.push_str("]\n");
    let target = std::env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&target).join("bundled.rs"), list)
}

/// Gathers the YAML files of a folder and of those inside; a folder that is not there has none.
fn find(folder: &Path, paths: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, paths)?;
        } else if is_bundled(&path) {
            let text = path
                .to_str()
                .ok_or_else(|| io::Error::other("a file name is no text"))?;
            paths.push(text.replace('\\', "/"));
        }
    }
    Ok(())
}

fn is_bundled(path: &Path) -> bool {
    let is_yaml = path
        .extension()
        .is_some_and(|extension| extension == "yaml");
    let is_page = path.starts_with("recipes") && path.ends_with("README.md");
    is_yaml || is_page
}
