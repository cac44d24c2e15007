//! Files that change together, wherever the machine stops; work on many files at once.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::Library;
use super::at_once::at_once;
use super::files::{file_of, find_own, found_at};
use super::originals::originals;
use super::replace::{Change, Hindrance, Replaced, replace, replace_with, resume};
use crate::origin::{self, Lock, Origin};

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
    !matches!(
        replace_with(workspace, &change(), &mut next),
        Ok(Replaced::InPlace)
    )
}

/// The list of a change that counts.
fn is_listed(workspace: &Path) -> bool {
    workspace.join("recipes/.change/list.json").exists()
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
    assert!(old >= 3 && new >= 4, "{old} times old, {new} times new");
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
        if !is_listed(workspace) {
            continue;
        }
        // What was kept before stays.
        fs::write(
            workspace.join("recipes/a/changed.yaml.kept"),
            "title: First\n",
        )
        .unwrap();
        resume(workspace).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "title: After\n");
        for (end, text) in [(".kept", "title: First\n"), (".kept-2", "title: Mine\n")] {
            let kept = workspace.join(format!("recipes/a/changed.yaml{end}"));
            assert_eq!(fs::read_to_string(kept).unwrap(), text);
        }
    }
}

#[test]
fn a_disk_that_refuses_in_the_middle_is_told_or_all_files_count() {
    let (mut told, mut waiting) = (0, 0);
    for at in 0.. {
        let folder = workspace();
        let workspace = folder.path();
        let mut count = 0;
        // The process lives on: only one thing is refused.
        let mut next = || {
            count += 1;
            match count == at + 1 {
                true => Err(io::Error::other("no room")),
                false => Ok(()),
            }
        };
        match replace_with(workspace, &change(), &mut next) {
            Err(_) => {
                told += 1;
                assert_eq!(seen(workspace), texts(&BEFORE), "refused at {at}");
                replace(workspace, &change()).unwrap();
            }
            Ok(Replaced::Waiting(_)) => {
                waiting += 1;
                let found = found_at(workspace, "recipes/a/new.yaml").unwrap();
                assert_eq!(found.bytes, file_of(AFTER[1].1).bytes, "refused at {at}");
                assert!(found_at(workspace, "recipes/a/gone.yaml").is_none());
                resume(workspace).unwrap();
            }
            Ok(Replaced::InPlace) => break,
        }
        assert_eq!(seen(workspace), texts(&AFTER), "refused at {at}");
        assert_eq!(on_disk(workspace), texts(&AFTER), "refused at {at}");
    }
    assert!(told >= 3 && waiting >= 4, "{told} told, {waiting} waiting");
}

#[test]
fn what_cannot_be_put_in_its_place_counts_until_it_can() {
    let folder = workspace();
    let workspace = folder.path();
    let obstacle = workspace.join("recipes/a/.new.yaml.saving/in-the-way");
    fs::create_dir_all(&obstacle).unwrap();
    let replaced = replace(workspace, &change()).unwrap();
    assert!(matches!(&replaced, Replaced::Waiting(why) if why.contains(".new.yaml.saving")));
    assert_eq!(seen(workspace), texts(&AFTER));
    assert!(resume(workspace).is_err());
    assert!(replace(workspace, &change()).is_err());
    fs::remove_dir_all(obstacle.parent().unwrap()).unwrap();
    resume(workspace).unwrap();
    assert_eq!(on_disk(workspace), texts(&AFTER));
}

#[test]
fn a_list_that_somebody_damaged_counts_for_nothing_and_is_kept() {
    let damages: [&[u8]; 3] = [b"", b"{\"name\":\"a\"", b"[]"];
    for damage in damages {
        let folder = workspace();
        let workspace = folder.path();
        fs::create_dir_all(workspace.join("recipes/.change")).unwrap();
        fs::write(workspace.join("recipes/.change/list.json"), damage).unwrap();
        assert_eq!(seen(workspace), texts(&BEFORE));
        assert_eq!(replace(workspace, &change()).unwrap(), Replaced::InPlace);
        assert_eq!(on_disk(workspace), texts(&AFTER));
        let kept = fs::read(workspace.join("recipes/.change.damaged")).unwrap();
        assert_eq!(kept, damage);
    }
}

#[test]
fn what_could_not_be_read_afterwards_is_not_written() {
    let folder = workspace();
    let workspace = folder.path();
    let mut too_large = change();
    let text = format!("title: {}\n", "x".repeat(1 << 20));
    let file = too_large.files.get_mut("recipes/a/new.yaml").unwrap();
    file.1 = Some(text);
    let mut unreadable = change();
    let lock = unreadable.files.get_mut(origin::FILE).unwrap();
    lock.1 = Some("files: { \n".to_owned());
    let mut too_many = change();
    for number in 0..20_000 {
        let path = format!("recipes/b/r{number}.yaml");
        too_many
            .files
            .insert(path, (None, Some("title: R\n".to_owned())));
    }
    for (change, why) in [
        (too_large, "larger than 1 MiB"),
        (unreadable, "could not be recorded"),
        (too_many, "more than 20000 files"),
    ] {
        let refused = replace(workspace, &change).unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
        assert_eq!(on_disk(workspace), texts(&BEFORE));
        assert!(!workspace.join("recipes/.change").exists());
    }
}

#[test]
fn a_lock_may_be_larger_than_what_people_write() {
    let folder = workspace();
    let origin = Origin {
        of: format!("recipes/{}/with-a-name-that-is-long.yaml", "n".repeat(60)),
        version: "1.2.3".to_owned(),
        hash: "0".repeat(64),
    };
    let files = (0..4_000).map(|number| {
        let path = format!("recipes/{}/r{number}.yaml", "n".repeat(60));
        (path, origin.clone())
    });
    let lock = Lock {
        files: files.collect(),
    };
    let text = lock.to_text();
    assert!(text.len() > 1 << 20);
    let mut change = change();
    change.files.get_mut(origin::FILE).unwrap().1 = Some(text);
    replace(folder.path(), &change).unwrap();
    assert_eq!(originals(folder.path()).unwrap().lock, lock);
    let library = super::Library::read(folder.path()).unwrap();
    assert_eq!(library.lock, lock);
}

#[cfg(unix)]
#[test]
fn nothing_outside_the_workspace_is_written_and_nobody_gets_to_read_more() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let outside = tempfile::tempdir().unwrap();
    for path in ["recipes/a", "recipes/a/changed.yaml", origin::FILE] {
        let folder = workspace();
        let workspace = folder.path();
        let place = workspace.join(path);
        let away = outside.path().join(path.replace('/', "-"));
        fs::rename(&place, &away).unwrap();
        symlink(&away, &place).unwrap();
        let refused = replace(workspace, &change()).unwrap_err();
        assert!(matches!(&refused, Hindrance::Misplaced(_)), "{refused}");
        assert_eq!(on_disk(workspace), texts(&BEFORE), "{path}");
    }
    let folder = workspace();
    let path = folder.path().join("recipes/a/changed.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    replace(folder.path(), &change()).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
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

#[test]
fn a_saved_recipe_is_taken_up_without_reading_the_lock_again() {
    let hash = "0".repeat(64);
    let lock = format!(
        "files:\n  recipes/a/lost.yaml:\n    of: recipes/b/lost.yaml\n    version: \"1\"\n    hash: \
         \"{hash}\"\n"
    );
    let recipe = "title: One\ntrigger: { manual: }\nsteps: [{ log: hi }]\n";
    let files = [
        ("recipes/a/project.yaml", "title: A\nversion: 1.0.0\n"),
        ("recipes/a/one.yaml", recipe),
        (origin::FILE, &lock),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), file_of(text)));
    let mut library = Library::of(BTreeMap::from(files));
    let told = |library: &Library| {
        let found = library.diagnostics_of(origin::FILE);
        found.map(ToString::to_string).collect::<Vec<_>>()
    };
    let before = told(&library);
    assert_eq!(before.len(), 1, "{before:?}");
    // However the lock would be read now, it is not.
    let (file, text) = (Arc::from(origin::FILE), Arc::from("files: ["));
    library.texts.insert(file, text);
    let saved = file_of(&recipe.replace("One", "Two"));
    let saved = BTreeMap::from([("recipes/a/one.yaml".to_owned(), saved)]);
    let after = library.with_saved(saved).unwrap();
    assert_eq!(told(&after), before);
}
