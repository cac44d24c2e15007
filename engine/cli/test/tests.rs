//! What an update writes over, and how what was expected and what was found are put.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use super::tell::{Layout, in_columns};
use super::update::write;
use crate::diagnostic::Look;
use crate::library::Library;
use crate::trial::Difference;

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

fn difference() -> Difference {
    let request = |id: i64, more: &str| {
        json!({
            "action": "crm.put_user",
            "with": { "id": id, "name": "Ann Example", "note": more, "origin": "recipes" },
        })
    };
    let long = "a note that is so long that it does not fit into one half of the page in one line";
    Difference {
        part: "requests".into(),
        expected: json!([request(7, "short"), { "action": "crm.leave" }]),
        found: json!([request(8, long)]),
    }
}

#[test]
fn expected_and_found_stand_beside_one_another_with_a_mark_where_they_differ() {
    let text = in_columns(&difference(), 106);
    assert_eq!(
        text,
        "\
┌─────────────────────────────────────────────────────────────────────────┐
│     EXPECTED                  FOUND                                     │
╞═════════════════════════════════════════════════════════════════════════╡
│     - action: crm.put_user    - action: crm.put_user                    │
│       with:                     with:                                   │
│ !       id: 7                     id: 8                                 │
│         name: Ann Example         name: Ann Example                     │
│ !       note: short               note: a note that is so long that it  │
│                                       does not fit into one half of the │
│                                       page in one line                  │
│         origin: recipes           origin: recipes                       │
│ !   - { action: crm.leave }                                             │
└─────────────────────────────────────────────────────────────────────────┘"
    );
}

#[test]
fn two_columns_need_a_terminal_with_room_for_them() {
    let of = |width| Layout::of(width, Look::Colourful);
    assert_eq!(of(Some(100)), Layout::Columns(100));
    for width in [Some(99), Some(40), None] {
        assert_eq!(of(width), Layout::Lines(Look::Colourful));
    }
}

#[test]
fn no_row_is_wider_than_the_terminal_and_no_word_is_lost() {
    for width in 100..180 {
        let text = in_columns(&difference(), width);
        for line in text.lines() {
            assert!(
                line.chars().count() + 6 <= usize::from(width),
                "{width}: {line}"
            );
        }
        for word in ["so", "long", "line", "crm.leave", "Ann", "Example"] {
            assert!(text.contains(word), "{width}: {word}\n{text}");
        }
    }
}
