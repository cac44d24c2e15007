//! A workspace for the bench, and the real server on it as a process of its own.
//!
//! Always true: a server that was started here ends with the value that stands for it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};

use super::super::client::{Client, Errand};

/// The files of the bench's workspace.
const FILES: [(&str, &str); 9] = [
    (
        "recipes/bench/project.yaml",
        include_str!("workspace/recipes/bench/project.yaml"),
    ),
    ("recipes/bench/learner-finished.yaml", LEARNER_FINISHED),
    (
        "recipes/bench/rate-scores.yaml",
        include_str!("workspace/recipes/bench/rate-scores.yaml"),
    ),
    (
        "recipes/bench/many-rounds.yaml",
        include_str!("workspace/recipes/bench/many-rounds.yaml"),
    ),
    (
        "recipes/bench/send-records-once.yaml",
        include_str!("workspace/recipes/bench/send-records-once.yaml"),
    ),
    (
        "recipes/bench/send-records-repeatable.yaml",
        include_str!("workspace/recipes/bench/send-records-repeatable.yaml"),
    ),
    (
        "lookup-tables/bench-learners.yaml",
        include_str!("workspace/lookup-tables/bench-learners.yaml"),
    ),
    (
        "connectors/records.yaml",
        include_str!("workspace/connectors/records.yaml"),
    ),
    (
        "connections.yaml",
        include_str!("workspace/connections.yaml"),
    ),
];

/// The recipe that webhooks start.
pub(super) const LEARNER_FINISHED: &str =
    include_str!("workspace/recipes/bench/learner-finished.yaml");

/// Makes a workspace in a new folder. `records` is where the vendor of records answers.
pub(super) fn furnish(folder: &Path, name: &str, records: &str) -> anyhow::Result<PathBuf> {
    let workspace = folder.join(name);
    for (path, text) in FILES {
        let path = workspace.join(path);
        let parent = path.parent().context("every file stands in a folder")?;
        fs::create_dir_all(parent)?;
        fs::write(&path, text.replace("{{records}}", records))
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    Ok(workspace)
}

/// A server under way, as a process of its own.
pub(super) struct Server {
    child: Child,
    /// Where it answers, such as `http://127.0.0.1:8700`.
    pub(super) url: String,
    /// The API, signed in.
    pub(super) client: Client,
}

impl Server {
    /// Starts the server of a workspace and waits until it listens.
    pub(super) async fn start(workspace: &Path) -> anyhow::Result<Self> {
        Self::start_in(workspace, &[]).await
    }

    /// The same, with these in its environment.
    pub(super) async fn start_in(
        workspace: &Path,
        environment: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let workspace_text = workspace.to_string_lossy().into_owned();
        let arguments = ["serve", "-w", &workspace_text, "--address", "127.0.0.1:0"];
        let (child, line) = spawn_in(&arguments, environment, "listening at ")?;
        let url = line.split(';').next().unwrap_or_default().to_owned();
        let client = Client::connect(workspace, Errand::Ask).await?;
        if !client.is_served() {
            bail!("the server of the bench did not come up");
        }
        Ok(Self { child, url, client })
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Host and port, for connections of our own.
    pub(super) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Ends it as a loss of power does.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts a recipe, so that its trigger counts.
    pub(super) async fn start_recipe(&self, name: &str) -> anyhow::Result<()> {
        let path = format!("/api/recipes/{name}/start");
        self.client.post(&path, None).await?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs this same program until it prints a line with this beginning; what follows it there.
pub(super) fn spawn(arguments: &[&str], beginning: &str) -> anyhow::Result<(Child, String)> {
    spawn_in(arguments, &[], beginning)
}

fn spawn_in(
    arguments: &[&str],
    environment: &[(&str, String)],
    beginning: &str,
) -> anyhow::Result<(Child, String)> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    let mut child = Command::new(program)
        .args(arguments)
        .env("RUST_LOG", "warn")
        .env_remove("RECIPES_TIME_SCALE")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("the server of the bench cannot be started")?;
    let out = child.stdout.take().context("its output is piped")?;
    let mut lines = BufReader::new(out).lines();
    while let Some(line) = lines.next() {
        if let Some(rest) = line?.strip_prefix(beginning) {
            let rest = rest.to_owned();
            // It may say more, and ends if nobody reads on.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok((child, rest));
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    bail!(
        "`recipes {}` ended before it was ready",
        arguments.join(" ")
    );
}
