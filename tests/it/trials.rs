//! Every recipe test of the repository, by the same code that `recipes test` runs, and again with
//! the worker dying after every commit in turn.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use recipe_engine::library::{Found, Library, Shelf, bundled};
use recipe_engine::origin::{Lock, Source, Tables, clone_project};
use recipe_engine::trial::{run_case, suites};

/// The recipes of the course and learning-plan paths, each of which has tests of its own.
const TESTED: [&str; 10] = [
    "integration-master-flow-check",
    "event-dispatcher-docebo-to-accredible",
    "create-update-credentials-in-accredible",
    "assign-accredible-credential-for-course-additional-field-element",
    "assign-accredible-credentials-for-learning-plans",
    "retrieve-learning-plan-from-course",
    "filter-learning-plans-retrieved-from-course",
    "assign-accredible-credentials-to-users",
    "retrieve-accredible-groups-ids-for-user-completed-lps",
    "filter-unassigned-credentials",
];

/// Runs all tests of a workspace, and each again for every commit at which its worker may die.
fn check(workspace: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(workspace);
    let library = Library::read(&root).unwrap();
    let (suites, findings) = suites(&library);
    assert_eq!(findings, []);
    let shelf: Arc<Shelf> = Shelf::new(library);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut crashes = 0;
    let mut problems = Vec::new();
    for suite in &suites {
        for case in &suite.cases {
            let name = format!("{}: {}", suite.recipe, case.title);
            let whole = runtime.block_on(run_case(&shelf, &suite.recipe, case, None));
            problems.extend(
                whole
                    .problems
                    .iter()
                    .map(|problem| format!("{name}: {problem}")),
            );
            if !case.survives_crashes {
                continue;
            }
            for commit in 1..=whole.commits {
                crashes += 1;
                let run = run_case(&shelf, &suite.recipe, case, Some(commit));
                let crashed = runtime.block_on(run);
                let told = |problem| format!("{name}, dead at commit {commit}: {problem}");
                problems.extend(crashed.problems.iter().map(told));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    crashes
}

#[test]
fn every_feature_of_the_language_does_what_its_test_says_through_every_crash() {
    assert!(check("tests/recipes") >= 20);
}

#[test]
fn the_bundled_recipes_do_what_their_tests_say_through_every_crash() {
    assert!(check(".") >= 50);
}

#[test]
fn every_recipe_of_the_running_paths_has_a_test() {
    let library = Library::bundled();
    let (suites, _) = suites(&library);
    for name in TESTED {
        let has_test = suites.iter().any(|suite| suite.recipe.name() == name);
        assert!(has_test, "{name} has no test");
    }
}

#[test]
fn the_tests_of_the_bundle_hold_in_a_clone_with_tables_of_its_own() {
    let texts: BTreeMap<String, String> = bundled()
        .into_iter()
        .map(|(path, found)| (path, String::from_utf8(found.bytes.unwrap()).unwrap()))
        .collect();
    let (nothing, lock) = (BTreeMap::new(), Lock::default());
    let source = Source {
        own: &nothing,
        bundled: &texts,
        lock: &lock,
        bases: &nothing,
    };
    let copy = clone_project(&source, "accredible", "acme", Tables::Own).unwrap();
    let page = &copy.files["recipes/acme/README.md"];
    for command in [
        "recipes start acme/event-dispatcher-docebo-to-accredible",
        "recipes tables acme-ledger",
        "recipes doctor acme",
        "--recipe acme/event-dispatcher-docebo-to-accredible",
    ] {
        assert!(page.contains(command), "{command}");
    }
    let own = copy
        .files
        .into_iter()
        .filter(|(path, _)| path.ends_with(".yaml"));
    let mut files = bundled();
    files.extend(own.map(|(path, text)| {
        let found = Found {
            bytes: Ok(text.into_bytes()),
            is_bundled: false,
            is_here: true,
        };
        (path, found)
    }));
    let library = Library::of(files);
    assert!(!library.has_errors());
    let (suites, findings) = suites(&library);
    assert_eq!(findings, []);
    let shelf = Shelf::new(library);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut ran = 0;
    for suite in suites
        .iter()
        .filter(|suite| suite.recipe.project() == "acme")
    {
        for case in &suite.cases {
            let result = runtime.block_on(run_case(&shelf, &suite.recipe, case, None));
            assert!(
                result.problems.is_empty(),
                "{}: {:?}",
                case.title,
                result.problems
            );
            ran += 1;
        }
    }
    assert!(ran >= 100, "{ran}");
}
