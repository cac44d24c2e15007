//! `recipes check`: every problem of every file.
//!
//! Always true: nothing is started, sent or written.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::explain::explanations;
use super::{Ended, library, look, say};
use crate::diagnostic::{Diagnostic, Report, Severity, Span, did_you_mean, print};
use crate::library::{Library, codes};
use crate::settings::{Arguments, FILE, Mistakes, Settings};
use crate::trial::suites;

/// Checks recipes, projects, lookup tables and connectors, and prints every problem with its place
#[derive(Args, Debug)]
pub(super) struct Check {
    /// Only these files or folders (all of the workspace if left out)
    paths: Vec<PathBuf>,
    /// How the problems are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print JSON; the same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Leave out advice; show warnings and errors only
    #[arg(long)]
    no_advice: bool,
    /// Explain a code, such as R020, and check nothing
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: a list of objects
    Json,
}

impl Check {
    pub(super) fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        if let Some(code) = &self.explain {
            return explain(code);
        }
        let library = library(workspace)?;
        let wanted = wanted(&library, workspace, &self.paths)?;
        let found: Vec<Diagnostic> = library
            .diagnostics
            .iter()
            .chain(&suites(&library).1)
            .filter(|found| self.paths.is_empty() || wanted.contains(&*found.place.file))
            .filter(|found| !self.no_advice || found.severity != Severity::Advice)
            .cloned()
            .chain(
                settings(workspace)
                    .into_iter()
                    .filter(|_| self.paths.is_empty()),
            )
            .collect();
        let has_errors = found.iter().any(|found| found.severity == Severity::Error);
        let format = match self.json {
            true => Format::Json,
            false => self.format,
        };
        match format {
            Format::Text => {
                say(&print(&found, &library.texts, look()))?;
                say(&overrides(&library, &wanted))?;
                say(&summary(&found, wanted.len()))?;
            }
            Format::Json => say(&format!("{}\n", serde_json::to_string_pretty(&found)?))?,
        }
        Ok(if has_errors {
            Ended::WithProblems
        } else {
            Ended::Well
        })
    }
}

/// Which of the files change bundled connectors, and how.
fn overrides(library: &Library, wanted: &BTreeSet<&str>) -> String {
    let changes = library.overrides.values();
    let changes = changes.filter(|change| wanted.contains(&*change.file));
    changes.map(|change| format!("{change}\n")).collect()
}

/// What keeps a server from starting on the workspace.
fn settings(workspace: &Path) -> Vec<Diagnostic> {
    let wanted = Arguments {
        workspace: Some(workspace.to_owned()),
        ..Arguments::default()
    };
    let Err(Mistakes(wrong)) = Settings::read(wanted) else {
        return Vec::new();
    };
    let mut report = Report::of(&Arc::from(FILE));
    for wrong in wrong {
        let first = Span {
            line: 1,
            column: 1,
            ..Span::default()
        };
        let span = wrong.span.unwrap_or(first);
        report
            .error(codes::SERVER_SETTINGS, span, wrong.message)
            .help("mend it; until then no server starts here");
    }
    report.into_diagnostics()
}

/// The files that are asked about, by their paths in the workspace.
fn wanted<'a>(
    library: &'a Library,
    workspace: &Path,
    paths: &[PathBuf],
) -> anyhow::Result<BTreeSet<&'a str>> {
    let all = library.paths.iter().map(|path| &**path);
    if paths.is_empty() {
        return Ok(all.collect());
    }
    let mut wanted = BTreeSet::new();
    for path in paths {
        let below = relative(path, workspace);
        let of_path = |below: &str| -> Vec<&str> {
            let folder = format!("{below}/");
            all.clone()
                .filter(|file| below.is_empty() || *file == below || file.starts_with(&folder))
                .collect()
        };
        let mut found = of_path(&below);
        if found.is_empty() {
            // A project or a recipe by its name, as other commands take it.
            let named = format!("recipes/{}", below.trim_end_matches('/'));
            found = of_path(&named);
            found.extend(of_path(&format!("{named}.yaml")));
        }
        if found.is_empty() {
            bail!(
                "`{}` is no project, recipe or file of the workspace `{}`; files stand in its \
                 folders recipes, connectors and lookup-tables",
                path.display(),
                workspace.display()
            );
        }
        wanted.extend(found);
    }
    Ok(wanted)
}

/// A path as seen from the workspace, with slashes.
fn relative(path: &Path, workspace: &Path) -> String {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (path_whole, workspace) = (whole(path), whole(workspace));
    let below = path_whole.strip_prefix(&workspace).unwrap_or(path);
    let parts: Vec<String> = below
        .components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts.join("/")
}

fn summary(found: &[Diagnostic], file_count: usize) -> String {
    let count = |severity| {
        found
            .iter()
            .filter(|found| found.severity == severity)
            .count()
    };
    let errors = count(Severity::Error);
    let warnings = count(Severity::Warning);
    let advice = count(Severity::Advice);
    let files = of(file_count, "file");
    let mut more = Vec::new();
    if warnings > 0 {
        more.push(of(warnings, "warning"));
    }
    match advice {
        0 => {}
        1 => more.push("one piece of advice".to_owned()),
        _ => more.push(format!("{advice} pieces of advice")),
    }
    let more = if more.is_empty() {
        String::new()
    } else {
        format!(", {}", more.join(", "))
    };
    match errors {
        0 => format!("{files} checked: no errors{more}\n"),
        _ => format!("{files} checked: {}{more}\n", of(errors, "error")),
    }
}

fn of(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

fn explain(code: &str) -> anyhow::Result<Ended> {
    let all = explanations();
    let wanted = code.to_uppercase();
    match all.iter().find(|explanation| explanation.code.0 == wanted) {
        Some(found) => {
            say(&format!(
                "{}: {}\n\n{}\n",
                found.code.0, found.title, found.text
            ))?;
            Ok(Ended::Well)
        }
        None => {
            let known = all.iter().map(|explanation| explanation.code.0);
            let help = did_you_mean(&wanted, known)
                .map_or(String::new(), |meant| format!("; did you mean {meant}?"));
            bail!("there is no code `{code}`{help}")
        }
    }
}
