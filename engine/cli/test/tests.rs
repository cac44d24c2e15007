//! What an update writes over, and what it leaves alone.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use super::update::write;
use crate::library::Library;

const FILE: &str = "recipes/stories/tests/greet.test.yaml";
const TEST: &str =
    "recipe: greet\ncases:\n  - title: Greets # whom?\n    expect: { output: hallo }\n";

/// A workspace with one test, and what was read of it.
fn workspace() -> (TempDir, Library) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("recipes/stories/tests")).unwrap();
    fs::write(folder.path().join(FILE), TEST).unwrap();
    let library = Library::read(folder.path()).unwrap();
    (folder, library)
}

/// Writes what was found, and says why not.
fn update(folder: &Path, library: &Library) -> Result<(), String> {
    let found = json!({ "output": "hello" });
    let written = write(folder, library, &Arc::from(FILE), &[(0, found)]);
    written.unwrap().map_err(|why| why.0)
}

/// What lies in the folder of the tests.
fn listed(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder.join("recipes/stories/tests")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
    names.collect()
}

#[test]
fn what_somebody_saved_while_the_tests_ran_is_kept() {
    let (folder, library) = workspace();
    let saved = TEST.replace("whom?", "Ann");
    fs::write(folder.path().join(FILE), &saved).unwrap();
    let why = update(folder.path(), &library).unwrap_err();
    assert!(why.contains("was changed while its tests ran"), "{why}");
    assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), saved);
    assert_eq!(listed(folder.path()), ["greet.test.yaml"]);
}

#[cfg(unix)]
#[test]
fn an_update_keeps_permissions_and_stays_in_the_workspace() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (folder, library) = workspace();
    let file = folder.path().join(FILE);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    update(folder.path(), &library).unwrap();
    let expected = TEST.replace("hallo", "hello");
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(listed(folder.path()), ["greet.test.yaml"]);
    // A folder that is a link leads to what is somebody else's.
    let (folder, library) = workspace();
    let outside = tempfile::tempdir().unwrap();
    let tests = folder.path().join("recipes/stories/tests");
    fs::rename(&tests, outside.path().join("tests")).unwrap();
    symlink(outside.path().join("tests"), &tests).unwrap();
    let why = update(folder.path(), &library).unwrap_err();
    assert!(why.contains("link out of the workspace"), "{why}");
    let there = outside.path().join("tests/greet.test.yaml");
    assert_eq!(fs::read_to_string(there).unwrap(), TEST);
}
