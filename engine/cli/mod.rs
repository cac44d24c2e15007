//! The command line.
//!
//! In: arguments. Out: text for a person or a program, and an exit code.
//! Always true: exit code 0 means all is well, 1 that problems were found, 2 that the command
//! could not be understood, 3 that the workspace or server could not be opened; an error is one
//! clear line.

mod audit;
mod bench;
mod beside;
mod check;
mod client;
mod completion;
mod connections;
mod copies;
mod demo;
mod doctor;
mod events;
mod explain;
mod graph;
mod history;
mod init;
mod job;
mod jobs;
mod lines;
mod mend;
mod recipes;
mod record;
mod prune;
mod reference;
mod preview;
mod run;
mod sandbox;
mod schedules;
mod schema;
mod secrets;
mod test;
mod serve;
mod show;
mod tables;
mod timed;
mod tokens;
mod torture;
mod upgrade;
mod versions;
mod watch;
mod when;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
pub use explain::{Explanation, explanations};

use crate::diagnostic::Look;
use crate::library::Library;
use crate::server::Trouble;

/// Runs recipes: YAML files that keep a learning platform in step with its neighbours.
#[derive(Parser, Debug)]
#[command(
    name = "recipes",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 all is well, 1 problems were found, 2 the command was not understood, \
                  3 the workspace or the server could not be opened, 130 Ctrl-C ended the command."
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
    Demo(demo::Demo),
    Init(init::Init),
    Clone(copies::Clone),
    Customise(copies::Customise),
    Upgrade(upgrade::Upgrade),
    Forget(copies::Forget),
    Check(check::Check),
    Serve(serve::Serve),
    List(recipes::List),
    Show(recipes::Show),
    Start(recipes::Start),
    Stop(recipes::Stop),
    Versions(versions::Versions),
    Diff(versions::Diff),
    Restore(versions::Restore),
    Schedules(schedules::Schedules),
    Run(run::Run),
    Jobs(jobs::Jobs),
    Events(events::Events),
    Audit(audit::Audit),
    Prune(prune::Prune),
    Tables(tables::Tables),
    Connections(connections::Connections),
    Secrets(secrets::Secrets),
    Tokens(tokens::Tokens),
    Sandbox(sandbox::Sandbox),
    Graph(graph::Graph),
    Doctor(doctor::Doctor),
    Test(test::Test),
    Schema(schema::Schema),
    Completion(completion::Completion),
    Bench(bench::Bench),
    Torture(torture::Torture),
}

/// How a command ended, when nothing went wrong with the command itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All is well.
    Well,
    /// It worked, and found problems.
    WithProblems,
    /// It was ended by Ctrl-C before it was done.
    Interrupted,
}

impl Arguments {
    fn run(self) -> anyhow::Result<Ended> {
        let workspace = &self.workspace;
        match self.verb {
            Verb::Demo(demo) => block_on(demo.run()),
            Verb::Init(init) => init.run(workspace),
            Verb::Clone(clone) => block_on(clone.run(workspace)),
            Verb::Customise(customise) => block_on(customise.run(workspace)),
            Verb::Upgrade(upgrade) => block_on(upgrade.run(workspace)),
            Verb::Forget(forget) => block_on(forget.run(workspace)),
            Verb::Check(check) => check.run(workspace),
            Verb::Schema(schema) => schema.run(),
            Verb::Completion(completion) => completion.run(),
            Verb::Graph(graph) => graph.run(workspace),
            Verb::Test(test) => test.run(workspace),
            Verb::Bench(bench) => block_on(bench.run(workspace)),
            Verb::Torture(torture) => block_on(torture.run(workspace)),
            Verb::Serve(serve) => block_on(serve.run(workspace)),
            Verb::Sandbox(sandbox) => block_on(sandbox.run(workspace)),
            Verb::List(list) => block_on(list.run(workspace)),
            Verb::Show(show) => block_on(show.run(workspace)),
            Verb::Start(start) => block_on(start.run(workspace)),
            Verb::Stop(stop) => block_on(stop.run(workspace)),
            Verb::Versions(versions) => block_on(versions.run(workspace)),
            Verb::Diff(diff) => block_on(diff.run(workspace)),
            Verb::Restore(restore) => block_on(restore.run(workspace)),
            Verb::Schedules(schedules) => block_on(schedules.run(workspace)),
            Verb::Run(run) => block_on(run.run(workspace)),
            Verb::Jobs(jobs) => block_on(jobs.run(workspace)),
            Verb::Events(events) => block_on(events.run(workspace)),
            Verb::Doctor(doctor) => block_on(doctor.run(workspace)),
            Verb::Audit(audit) => block_on(audit.run(workspace)),
            Verb::Prune(prune) => block_on(prune.run(workspace)),
            Verb::Tables(tables) => block_on(tables.run(workspace)),
            Verb::Connections(connections) => block_on(connections.run(workspace)),
            Verb::Secrets(secrets) => block_on(secrets.run(workspace)),
            Verb::Tokens(tokens) => block_on(tokens.run(workspace)),
        }
    }
}

/// How long threads that nobody waits for may go on when the program ends.
const LAST_GRACE: Duration = Duration::from_secs(10);

/// Runs a command that waits for the network or the database.
fn block_on(command: impl Future<Output = anyhow::Result<Ended>>) -> anyhow::Result<Ended> {
    // An error means that the process has a provider already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the program cannot start its threads")?;
    let ended = runtime.block_on(command);
    // Whoever stops the program does not wait for what nobody waits for any more.
    runtime.shutdown_timeout(LAST_GRACE);
    ended
}

/// The exit code of an error: 3 if the server could not start, else 1.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<Trouble>() {
        Some(_) => ExitCode::from(3),
        None => ExitCode::from(1),
    }
}

/// Reads the arguments, does what they say, and tells how it ended.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.run() {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::WithProblems) => ExitCode::from(1),
        // What shells say of a program that Ctrl-C ended.
        Ok(Ended::Interrupted) => ExitCode::from(130),
        Err(error) => {
            // A reader that went away, such as `head`, is no trouble of ours.
            if is_broken_pipe(&error) {
                return ExitCode::SUCCESS;
            }
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            exit_code(&error)
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

#[cfg(test)]
mod tests;
