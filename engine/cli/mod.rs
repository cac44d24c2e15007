//! The command line.
//!
//! In: arguments. Out: text for a person or a program, and an exit code.
//! Always true: exit code 0 means all is well, 1 that problems were found, 2 that the command
//! could not be understood; an error is one clear line.

mod check;
mod graph;
mod schema;
mod test;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::diagnostic::Look;
use crate::library::Library;

/// Runs recipes: YAML files that keep a learning platform in step with its neighbours.
#[derive(Parser, Debug)]
#[command(
    name = "recipes",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 all is well, 1 problems were found, 2 the command was not understood."
)]
struct Arguments {
    /// The folder with recipes, connectors, lookup-tables and connections.yaml
    #[arg(long, short, global = true, value_name = "DIR", default_value = ".")]
    #[arg(env = "RECIPES_WORKSPACE")]
    workspace: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Check(check::Check),
    Schema(schema::Schema),
    Graph(graph::Graph),
    Test(test::Test),
}

/// How a command ended, when nothing went wrong with the command itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All is well.
    Well,
    /// It worked, and found problems.
    WithProblems,
}

/// Reads the arguments, does what they say, and tells how it ended.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let workspace = &arguments.workspace;
    let ended = match arguments.verb {
        Verb::Check(check) => check.run(workspace),
        Verb::Schema(schema) => schema.run(),
        Verb::Graph(graph) => graph.run(workspace),
        Verb::Test(test) => test.run(workspace),
    };
    match ended {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::WithProblems) => ExitCode::from(1),
        Err(error) => {
            // A reader that went away, such as `head`, is no trouble of ours.
            if is_broken_pipe(&error) {
                return ExitCode::SUCCESS;
            }
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// Reads the workspace.
pub(crate) fn library(workspace: &Path) -> anyhow::Result<Library> {
    Library::read(workspace).context("the workspace cannot be read")
}

/// Writes to the standard output.
pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// How findings are shown: with colours on a terminal, plain when piped or told so.
pub(crate) fn look() -> Look {
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stdout().is_terminal() && !is_plain {
        Look::Colourful
    } else {
        Look::Plain
    }
}
