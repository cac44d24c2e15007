//! The tests of a project before its files change.
//!
//! In: the files as they are and as they shall be. Out: what does not hold any more.
//! Always true: a test that failed before is no reason against the change.

use std::sync::Arc;

use crate::library::{Library, Shelf};

use super::run::{CaseResult, run_case};
use super::suite::{Suite, suites};

/// What the tests of a project showed.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many hold.
    pub passed: usize,
    /// Those that do not hold, and held before or were not there.
    pub broken: Vec<Broken>,
    /// The names of those that did not hold before either.
    pub failed_before: Vec<String>,
}

/// A test that does not hold any more.
#[derive(Debug)]
pub struct Broken {
    /// The recipe and what is tested.
    pub name: String,
    /// Where it stands and what did not hold.
    pub result: CaseResult,
}

/// Runs a project's tests on its files as they shall be; what fails, also on those of now.
pub async fn run_change(before: Library, after: Library, project: &str) -> Findings {
    let (old, _) = suites(&before);
    let (new, _) = suites(&after);
    let (before, after) = (Shelf::new(before), Shelf::new(after));
    let inside = format!("recipes/{project}/");
    let mut findings = Findings::default();
    for suite in new.iter().filter(|suite| suite.file.starts_with(&inside)) {
        for case in &suite.cases {
            let result = run_case(&after, &suite.recipe, case, None).await;
            let name = format!("{}: \"{}\"", suite.recipe, case.title);
            if result.problems.is_empty() {
                findings.passed += 1;
            } else if failed_before(&before, &old, suite, &case.title).await {
                findings.failed_before.push(name);
            } else {
                findings.broken.push(Broken { name, result });
            }
        }
    }
    findings
}

async fn failed_before(shelf: &Arc<Shelf>, suites: &[Suite], suite: &Suite, title: &str) -> bool {
    let mut old = suites.iter().filter(|old| old.file == suite.file);
    let case = old.find_map(|old| old.cases.iter().find(|case| case.title == title));
    match case {
        Some(case) => {
            let result = run_case(shelf, &suite.recipe, case, None).await;
            !result.problems.is_empty()
        }
        None => false,
    }
}
