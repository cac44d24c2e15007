//! Every finding has a fixture that triggers it and nothing else, and says what it should.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use recipe_engine::cli::explanations;
use recipe_engine::diagnostic::{Look, print};
use recipe_engine::library::{Found, Library};
use recipe_engine::trial::suites;

use crate::golden::{differs, files_below, root};

/// Why the findings of starting a recipe have no fixture.
const STARTING: &str = "found when a recipe is started; the stories at the doors show it";

/// Codes that no file alone can trigger, each with the reason.
const WITHOUT_FIXTURE: &[(&str, &str)] = &[
    (
        "R216",
        "shown by the connector room's own tests, beside what is available",
    ),
    ("L001", "takes a clone; a story at the doors shows it"),
    ("L002", "takes a lock file; a story at the doors shows it"),
    ("L003", "takes a lock file; a story at the doors shows it"),
    ("L004", "takes a lock file; a story at the doors shows it"),
    ("L005", "takes recipes/.base; a story at the doors shows it"),
    ("L006", "takes recipes/.base; a story at the doors shows it"),
    ("S001", STARTING),
    ("S002", STARTING),
    ("S003", STARTING),
    ("S004", STARTING),
    ("S005", STARTING),
    ("S006", STARTING),
    ("S007", "no file of recipes; a story at the doors shows it"),
    (
        "S008",
        "found while a server runs; a story at the doors shows it",
    ),
];

fn fixtures() -> Vec<PathBuf> {
    let folder = root().join("tests/lint");
    let entries = fs::read_dir(folder).expect("the fixtures are there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    paths.sort();
    paths
}

fn name_of(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The workspace that all fixtures stand in.
fn surroundings() -> BTreeMap<String, Found> {
    let folder = root().join("tests/lint/workspace");
    let mut files = BTreeMap::new();
    for path in files_below(&folder) {
        let below = path
            .strip_prefix(&folder)
            .expect("it is below")
            .to_string_lossy();
        let found = Found {
            bytes: Ok(fs::read(&path).expect("it can be read")),
            is_bundled: false,
            is_here: true,
        };
        files.insert(below.replace('\\', "/"), found);
    }
    files
}

/// What a leading comment says: `# file: lookup-tables/fixture.yaml`.
fn directive<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let comments = text.lines().take_while(|line| line.starts_with('#'));
    comments
        .filter_map(|line| {
            line.strip_prefix("# ")?
                .strip_prefix(name)?
                .strip_prefix(": ")
        })
        .next()
}

/// Puts a fixture into the workspace: its path there, and the library.
fn read(path: &Path) -> (String, Library) {
    let mut files = surroundings();
    let bytes = fs::read(path).map_err(|_| "it is not a file".to_owned());
    let text = bytes.as_ref().map_or(String::new(), |bytes| {
        String::from_utf8_lossy(bytes).into_owned()
    });
    let bytes = bytes.map(|mut bytes| {
        if let Some(size) = directive(&text, "padded to") {
            bytes.resize(size.parse().expect("it is a number"), b'#');
        }
        bytes
    });
    let file = directive(&text, "file")
        .unwrap_or("recipes/lint/fixture.yaml")
        .to_owned();
    let is_bundled = text.lines().any(|line| line == "# bundled");
    let is_here = !is_bundled;
    let found = Found {
        bytes,
        is_bundled,
        is_here,
    };
    files.insert(file.clone(), found);
    // The recipe that leads back to the fixture is of use to one fixture only.
    if !name_of(path).starts_with("R054") {
        files.remove("recipes/lint/back-to-fixture.yaml");
    }
    let mut library = Library::of(files);
    library.diagnostics.extend(suites(&library).1);
    (file, library)
}

#[test]
fn each_fixture_triggers_its_code_and_nothing_else() {
    let mut troubles = Vec::new();
    for path in fixtures() {
        let name = name_of(&path);
        let code = name.split('_').next().unwrap_or_default();
        let (file, library) = read(&path);
        let mut found: Vec<_> = library.diagnostics_of(&file).cloned().collect();
        let others: Vec<_> = library
            .diagnostics
            .iter()
            .filter(|found| *found.place.file != *file && !name.starts_with("R054"))
            .map(ToString::to_string)
            .collect();
        if !others.is_empty() {
            troubles.push(format!(
                "{name}: the workspace around it is not sound: {others:?}"
            ));
        }
        let codes: BTreeSet<&str> = found.iter().map(|found| found.code.0).collect();
        if codes != BTreeSet::from([code]) {
            troubles.push(format!("{name}: found {codes:?}"));
        }
        found.dedup();
        let printed = print(&found, &library.texts, Look::Plain);
        troubles.extend(differs(&path.with_extension("txt"), &printed));
        for found in &found {
            if found.help.is_none() {
                troubles.push(format!("{name}: `{}` has no help", found.message));
            }
        }
    }
    assert!(troubles.is_empty(), "{}", troubles.join("\n"));
}

#[test]
fn every_code_has_a_fixture_and_an_explanation() {
    let covered: BTreeSet<String> = fixtures()
        .iter()
        .map(|path| {
            name_of(path)
                .split('_')
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    let mut seen = BTreeSet::new();
    for explanation in explanations() {
        let code = explanation.code.0;
        assert!(seen.insert(code), "{code} is explained twice");
        assert!(
            !explanation.title.is_empty() && !explanation.text.is_empty(),
            "{code}"
        );
        let is_excepted = WITHOUT_FIXTURE
            .iter()
            .any(|(excepted, _)| *excepted == code);
        assert!(
            covered.contains(code) != is_excepted,
            "{code}: fixture or exception, not both"
        );
    }
    for (code, _) in WITHOUT_FIXTURE {
        assert!(seen.contains(code), "{code} is excused and does not exist");
    }
    for code in &covered {
        assert!(
            seen.contains(&**code),
            "{code} has a fixture and no explanation"
        );
    }
}

#[test]
fn golden_files_belong_to_fixtures() {
    let names: BTreeSet<String> = fixtures().iter().map(|path| name_of(path)).collect();
    for path in files_below(&root().join("tests/lint")) {
        if path.extension().is_some_and(|extension| extension == "txt") {
            assert!(
                names.contains(&name_of(&path)),
                "{} is left over",
                path.display()
            );
        }
    }
}

#[test]
fn the_files_of_the_repository_are_sound() {
    let library = Library::read(root()).expect("the repository is a workspace");
    let found: Vec<_> = library
        .diagnostics
        .iter()
        .filter(|found| found.severity != recipe_engine::diagnostic::Severity::Advice)
        .cloned()
        .collect();
    assert!(
        found.is_empty(),
        "{}",
        print(&found, &library.texts, Look::Plain)
    );
    assert!(
        library.recipes.len() >= 30,
        "{} recipes",
        library.recipes.len()
    );
}
