//! `recipes test`: runs the tests beside the recipes.
//!
//! Always true: nothing leaves the machine; the exit code is 1 if anything did not hold.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;

use super::{Ended, library, look, say};
use crate::diagnostic::print;
use crate::library::Shelf;
use crate::trial::{Suite, run_case, suites};

/// Runs recipe tests offline: pretend vendors, pretend time
#[derive(Args, Debug)]
pub(super) struct Test {
    /// Only tests whose file, recipe or title contains one of these texts (all if left out)
    names: Vec<String>,
    /// Let the worker die after every commit in turn; the end must be the same
    #[arg(long)]
    crash: bool,
}

/// What came of the tests.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

impl Test {
    pub(super) fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let library = library(workspace)?;
        let (suites, findings) = suites(&library);
        if !findings.is_empty() {
            say(&print(&findings, &library.texts, look()))?;
            bail!("{} test files cannot be used", findings.len());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.context("no work can be done")?;
        let tally = runtime.block_on(self.play(&Shelf::new(library), &suites))?;
        say(&format!(
            "\n{} passed, {} failed\n",
            tally.passed, tally.failed
        ))?;
        Ok(if tally.failed == 0 {
            Ended::Well
        } else {
            Ended::WithProblems
        })
    }

    async fn play(&self, shelf: &Arc<Shelf>, suites: &[Suite]) -> anyhow::Result<Tally> {
        let mut tally = Tally::default();
        for suite in suites {
            let is_whole = self.names.is_empty() || self.means(&suite.file);
            for case in &suite.cases {
                if !is_whole && !self.means(suite.recipe.as_str()) && !self.means(&case.title) {
                    continue;
                }
                let first = run_case(shelf, &suite.recipe, case, None).await;
                let mut problems = first.problems;
                if self.crash && case.survives_crashes && problems.is_empty() {
                    for commits in 1..=first.commits {
                        let again = run_case(shelf, &suite.recipe, case, Some(commits)).await;
                        let after =
                            |problem| format!("after a crash at commit {commits}: {problem}");
                        problems.extend(again.problems.into_iter().map(after));
                    }
                }
                let name = format!("{}: {}", suite.recipe, case.title);
                if problems.is_empty() {
                    tally.passed += 1;
                    say(&format!("ok    {name}\n"))?;
                } else {
                    tally.failed += 1;
                    say(&format!("FAIL  {name}\n      at {}\n", case.place))?;
                    for problem in problems {
                        say(&format!("      {}\n", problem.replace('\n', "\n      ")))?;
                    }
                }
            }
        }
        if tally.passed + tally.failed == 0 {
            bail!("no test matches");
        }
        Ok(tally)
    }

    fn means(&self, text: &str) -> bool {
        self.names
            .iter()
            .any(|name| text.to_lowercase().contains(&name.to_lowercase()))
    }
}
