//! `recipes test`: runs the tests beside the recipes.
//!
//! In: the tests of a workspace. Out: what held, and what did not: expected and found, line by line
//! or side by side.
//! Always true: nothing leaves the machine; the exit code is 1 if anything did not hold; files are
//! changed only with `--update`, and in them only what is expected.

mod junit;
mod tell;
mod update;

use std::collections::BTreeSet;
use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;

use tell::Layout;

use super::{Ended, library, look, say, show};
use crate::diagnostic::{Look, print};
use crate::library::{Library, Shelf};
use crate::trial::{Case, CaseResult, Suite, run_case, suites};

/// Runs recipe tests offline: pretend vendors, pretend time
#[derive(Args, Debug)]
pub(super) struct Test {
    /// Only tests of these projects, or whose file, recipe or title contains one of these texts
    /// (all if left out)
    names: Vec<String>,
    /// Let the worker die after every commit in turn; the end must be the same
    #[arg(long)]
    crash: bool,
    /// Write what was found into the test files, in place of what was expected; look at it with
    /// `git diff` before you keep it
    #[arg(long, conflicts_with = "crash")]
    update: bool,
    /// Write a report for build servers (JUnit XML) to this file, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A test that was run.
struct Ran {
    /// The file it stands in.
    file: Arc<str>,
    /// Its number in the file.
    number: usize,
    recipe: String,
    result: CaseResult,
    took: Duration,
    /// Whether its expectations were written anew.
    is_updated: bool,
}

impl Ran {
    fn has_passed(&self) -> bool {
        self.result.problems.is_empty() || self.is_updated
    }
}

impl Test {
    pub(super) fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let library = library(workspace)?;
        let (suites, findings) = suites(&library);
        if !findings.is_empty() {
            say(&print(&findings, &library.texts, look()))?;
            let files: BTreeSet<&str> = findings.iter().map(|found| &*found.place.file).collect();
            match files.len() {
                1 => bail!("one test file cannot be used"),
                count => bail!("{count} test files cannot be used"),
            }
        }
        let shelf = Shelf::new(library.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.context("no work can be done")?;
        let mut ran = runtime.block_on(self.play(&shelf, &suites))?;
        if ran.is_empty() {
            bail!("no test matches");
        }
        if self.update {
            self.update(workspace, &library, &mut ran)?;
        }
        if let Some(file) = &self.junit {
            let written = std::fs::write(file, junit::report(&ran));
            written.with_context(|| format!("`{}` cannot be written", file.display()))?;
        }
        let failed = ran.iter().filter(|ran| !ran.has_passed()).count();
        if self.json {
            show::json(&tell::as_json(&ran))?;
        } else {
            let updated = ran.iter().filter(|ran| ran.is_updated).count();
            let updated = match updated {
                0 => String::new(),
                count => format!(", {count} of them updated"),
            };
            let passed = ran.len() - failed;
            say(&format!("\n{passed} passed{updated}, {failed} failed\n"))?;
            say(&tell::customised(&library, &ran))?;
        }
        Ok(match failed {
            0 => Ended::Well,
            _ => Ended::WithProblems,
        })
    }

    async fn play(&self, shelf: &Arc<Shelf>, suites: &[Suite]) -> anyhow::Result<Vec<Ran>> {
        let mut all = Vec::new();
        let projects: BTreeSet<&str> = suites.iter().map(|suite| project(&suite.file)).collect();
        for suite in suites {
            for (number, case) in suite.cases.iter().enumerate() {
                if !self.means(suite, case, &projects) {
                    continue;
                }
                let began = Instant::now();
                let result = self.play_one(shelf, suite, case).await;
                let ran = Ran {
                    file: suite.file.clone(),
                    number,
                    recipe: suite.recipe.to_string(),
                    result,
                    took: began.elapsed(),
                    is_updated: false,
                };
                if !self.json {
                    say(&tell::in_words(&ran, layout()))?;
                }
                all.push(ran);
            }
        }
        Ok(all)
    }

    async fn play_one(&self, shelf: &Arc<Shelf>, suite: &Suite, case: &Case) -> CaseResult {
        let mut first = run_case(shelf, &suite.recipe, case, None).await;
        if self.crash && case.survives_crashes && first.problems.is_empty() {
            for commits in 1..=first.commits {
                let again = run_case(shelf, &suite.recipe, case, Some(commits)).await;
                let after = |problem| format!("after a crash at commit {commits}: {problem}");
                first.problems.extend(again.problems.into_iter().map(after));
            }
        }
        first
    }

    fn update(&self, workspace: &Path, library: &Library, ran: &mut [Ran]) -> anyhow::Result<()> {
        for told in update::all(workspace, library, ran)? {
            show::aside(&told);
        }
        Ok(())
    }

    /// Whether a test is asked for. The name of a project means that one alone, whatever others
    /// have it in their names.
    fn means(&self, suite: &Suite, case: &Case, projects: &BTreeSet<&str>) -> bool {
        let texts = [&*suite.file, suite.recipe.as_str(), &*case.title];
        let is_meant = |name: &String| match name.strip_suffix('/').unwrap_or(name) {
            named if projects.contains(named) => project(&suite.file) == named,
            _ => texts
                .iter()
                .any(|text| text.to_lowercase().contains(&name.to_lowercase())),
        };
        self.names.is_empty() || self.names.iter().any(is_meant)
    }
}

/// Expected and found beside one another, if it is a terminal that has room for that.
fn layout() -> Layout {
    let terminal = stdout().is_terminal().then(show::width).flatten();
    Layout::of(terminal, look())
}

/// The project in whose folder a test file stands.
fn project(file: &str) -> &str {
    file.split('/').nth(1).unwrap_or_default()
}

/// The lines that are expected in red and what was found in green, on a terminal.
fn painted(look: Look, colour: &str, text: &str) -> String {
    match look {
        Look::Colourful => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
        Look::Plain => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
