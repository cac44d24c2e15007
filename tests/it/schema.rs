//! The schemas and the pages of the reference in `schemas/` are those that the program makes.

use std::process::Command;

use recipe_engine::connector::CONNECTOR;
use recipe_engine::diagnostic::{Look, Report, print};
use recipe_engine::form::check;
use recipe_engine::library::Library;
use recipe_engine::source::parse;

use crate::golden::root;

/// Pages of the reference that no grammar could write.
const WRITTEN_BY_HAND: [&str; 1] = ["security.md"];

#[test]
fn schemas_and_reference_are_up_to_date() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let status = Command::new(env!("CARGO_BIN_EXE_recipes"))
        .args(["schema", "--write"])
        .arg(folder.path())
        .status()
        .expect("the program runs");
    assert!(status.success());
    let mut count = 0;
    for entry in std::fs::read_dir(folder.path()).expect("it can be listed") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("it has a name");
        let made = std::fs::read_to_string(&path).expect("it can be read");
        let kept = std::fs::read_to_string(root().join("schemas").join(name)).unwrap_or_default();
        assert!(
            made == kept,
            "{name:?} is out of date: run `recipes schema --write`"
        );
        count += 1;
    }
    let kept = std::fs::read_dir(root().join("schemas"))
        .expect("it can be listed")
        .count();
    let expected = count + WRITTEN_BY_HAND.len();
    assert_eq!(expected, kept, "schemas/ holds files that no longer exist");
    for page in WRITTEN_BY_HAND {
        assert!(root().join("schemas").join(page).exists(), "{page} is gone");
    }
}

#[test]
fn the_grammar_of_connectors_describes_the_shipped_ones() {
    let library = Library::bundled();
    let mut report = Report::default();
    let mut count = 0;
    for (path, text) in &library.texts {
        if path.starts_with("connectors/") {
            let (document, _) = parse(path, text.as_bytes());
            check(
                &document.expect("it was read before").root,
                &CONNECTOR,
                &mut report,
            );
            count += 1;
        }
    }
    let found = report.into_diagnostics();
    assert!(
        found.is_empty(),
        "{}",
        print(&found, &library.texts, Look::Plain)
    );
    assert!(count >= 2);
}
