//! Every recipe test of the repository, by the same code that `recipes test` runs, and again with
//! the worker dying after every commit in turn.

use std::path::Path;
use std::sync::Arc;

use recipe_engine::library::{Library, Shelf};
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
