//! Files that change together, wherever the machine stops; work on many files at once.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::at_once::at_once;
use super::files::find_own;
use super::replace::{Change, Hindrance, replace, replace_with, resume};

const BEFORE: [(&str, &str); 4] = [
    ("recipes/a/changed.yaml", "title: Before\n"),
    ("recipes/a/gone.yaml", "title: Gone\n"),
    ("recipes/a/other.yaml", "title: Other\n"),
    ("recipes.lock", "files: {}\n"),
];
const AFTER: [(&str, &str); 4] = [
    ("recipes/a/changed.yaml", "title: After\n"),
    ("recipes/a/new.yaml", "title: New\n"),
    ("recipes/a/other.yaml", "title: Other\n"),
    ("recipes.lock", "files: {} # after\n"),
];

fn texts(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    files.iter().map(owned).collect()
}

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in BEFORE {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn change() -> Change {
    let (before, after) = (texts(&BEFORE), texts(&AFTER));
    let paths = before.keys().chain(after.keys());
    let files = paths.map(|path| {
        (
            path.clone(),
            (before.get(path).cloned(), after.get(path).cloned()),
        )
    });
    Change {
        files: files.collect(),
        bases: texts(&[("0000", "a base\n")]),
    }
}

/// What a reader of the workspace sees.
fn seen(workspace: &Path) -> BTreeMap<String, String> {
    let found = find_own(workspace).unwrap().into_iter();
    let text = |bytes: Result<Vec<u8>, String>| String::from_utf8(bytes.unwrap()).unwrap();
    found
        .map(|(path, found)| (path, text(found.bytes)))
        .collect()
}

/// What stands on the disk itself.
fn on_disk(workspace: &Path) -> BTreeMap<String, String> {
    let paths = texts(&BEFORE).into_keys().chain(texts(&AFTER).into_keys());
    paths
        .filter_map(|path| Some((path.clone(), fs::read_to_string(workspace.join(path)).ok()?)))
        .collect()
}

/// Stops before the given thing that is done to the disk: whether it came to that.
fn cut_off(workspace: &Path, at: usize) -> bool {
    let mut count = 0;
    let mut next = || {
        count += 1;
        match count > at {
            true => Err(io::Error::other("the machine stops")),
            false => Ok(()),
        }
    };
    replace_with(workspace, &change(), &mut next).is_err()
}

#[test]
fn wherever_the_machine_stops_all_files_are_old_or_all_are_new() {
    let (mut old, mut new) = (0, 0);
    for at in 0.. {
        let folder = workspace();
        let workspace = folder.path();
        if !cut_off(workspace, at) {
            assert_eq!(seen(workspace), texts(&AFTER));
            break;
        }
        let found = seen(workspace);
        if found == texts(&BEFORE) {
            old += 1;
        } else {
            assert_eq!(found, texts(&AFTER), "stopped at {at}");
            new += 1;
        }
        resume(workspace).unwrap();
        assert_eq!(seen(workspace), found, "resumed after {at}");
        assert_eq!(on_disk(workspace), found, "resumed after {at}");
        assert!(!workspace.join("recipes/.change").exists());
    }
    assert!(old >= 4 && new >= 4, "{old} times old, {new} times new");
}

#[test]
fn what_a_person_changes_while_a_change_is_cut_off_is_kept() {
    for at in 0.. {
        let folder = workspace();
        let workspace = folder.path();
        if !cut_off(workspace, at) {
            break;
        }
        if seen(workspace) == texts(&BEFORE) {
            continue;
        }
        let path = workspace.join("recipes/a/changed.yaml");
        fs::write(&path, "title: Mine\n").unwrap();
        if !workspace.join("recipes/.change/list.json").exists() {
            continue;
        }
        resume(workspace).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "title: After\n");
        let kept = workspace.join("recipes/a/changed.yaml.kept");
        assert_eq!(fs::read_to_string(kept).unwrap(), "title: Mine\n");
    }
}

#[test]
fn what_was_changed_since_is_not_written_over() {
    let folder = workspace();
    let path = folder.path().join("recipes/a/changed.yaml");
    fs::write(&path, "title: Mine\n").unwrap();
    let refused = replace(folder.path(), &change()).unwrap_err();
    assert!(
        matches!(&refused, Hindrance::ChangedMeanwhile(path) if path == "recipes/a/changed.yaml")
    );
    fs::write(&path, "title: Before\n").unwrap();
    fs::write(
        folder.path().join("recipes/a/new.yaml"),
        "title: Mine too\n",
    )
    .unwrap();
    let refused = replace(folder.path(), &change()).unwrap_err();
    assert!(matches!(&refused, Hindrance::ChangedMeanwhile(path) if path == "recipes/a/new.yaml"));
    assert!(!folder.path().join("recipes/.change").exists());
}

#[test]
fn what_is_done_with_many_items_at_once_comes_out_in_their_order() {
    // Fewer than a thread is worth, and numbers that no number of processors divides.
    for count in [0, 1, 63, 127, 128, 1_009] {
        let tens = at_once((0..count).collect(), |number: usize| number * 10);
        let wanted: Vec<usize> = (0..count).map(|number| number * 10).collect();
        assert_eq!(tens, wanted);
    }
}
