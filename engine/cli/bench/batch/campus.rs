//! An academy with its vendors, and the real server that works for it.
//!
//! Always true: the vendors run in this process and the engine in one of its own; a run is the
//! newest job, followed until it ends.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use recipe_sandbox::{Academy, BATCH_RECIPE, Sandbox, SandboxConfig, Size};
use reqwest::Method;
use serde_json::json;

use super::super::super::client::{Body, http};
use super::super::house::Server;
use super::super::process;
use super::TIME_SCALE;
use crate::clock::{Clock, Moment};
use crate::data::Value;

/// The academy is made up from this.
const SEED: u64 = 7;

/// How often a job under way is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How many looks a job gets before something must be wrong: an hour's worth.
const LOOKS_MAX: u32 = 7_200;

/// An academy under way.
pub(super) struct Campus {
    pub(super) academy: Academy,
    pub(super) server: Server,
    sandbox: Sandbox,
    workspace: PathBuf,
    since: Moment,
    http: reqwest::Client,
}

/// What one run took.
pub(super) struct Run {
    /// Real seconds.
    pub(super) seconds: f64,
    /// Processor seconds of the engine.
    pub(super) cpu: Option<f64>,
    /// The most memory that the engine had in use until then, before anybody looked closer.
    pub(super) peak_mib: Option<f64>,
    /// How many calls of each kind each vendor got.
    pub(super) calls: Vec<(String, String, u64)>,
    /// How many of them may have changed something.
    pub(super) writes: u64,
    /// The job as the list shows it.
    pub(super) job: Value,
}

impl Campus {
    /// Makes the academy up, starts its vendors and a server, and sets the integration up.
    pub(super) async fn open(folder: &Path, name: &str, size: Size) -> anyhow::Result<Self> {
        let academy = Academy::of(size, SEED);
        let since = Clock::real(1.0).now();
        let config = SandboxConfig {
            world: academy.world()?,
            scale: f64::from(TIME_SCALE),
            ..SandboxConfig::default()
        };
        let sandbox = recipe_sandbox::start(config).await?;
        let workspace = folder.join(name);
        std::fs::create_dir_all(&workspace)?;
        let [first, second] = urls(&sandbox);
        let connections = Academy::connections(&first, &second);
        std::fs::write(workspace.join("connections.yaml"), connections)?;
        let server = serve(&workspace, since).await?;
        for (table, rows) in academy.tables() {
            let path = format!("/api/lookup-tables/{table}/rows");
            let rows = json!({ "rows": rows });
            let put = server.client.send(Method::PUT, &path, Body::Json(&rows));
            put.await
                .with_context(|| format!("`{table}` cannot be filled"))?;
        }
        Ok(Self {
            academy,
            server,
            sandbox,
            workspace,
            since,
            http: http()?,
        })
    }

    /// Runs the batch to its end.
    pub(super) async fn run(&self) -> anyhow::Result<Run> {
        self.begin().await?;
        self.follow().await
    }

    /// Runs the batch until so many credentials more are there; its name.
    pub(super) async fn run_until(&self, more: usize) -> anyhow::Result<String> {
        let wanted = self.credentials().await?.len() + more;
        let id = self.begin().await?;
        let mut looks = 0;
        while self.credentials().await?.len() < wanted {
            looks += 1;
            ensure!(looks < LOOKS_MAX, "the credentials do not come");
            Clock::rest(LOOK).await;
        }
        Ok(id)
    }

    /// Stops a run as a person does; the seconds until it has ended.
    pub(super) async fn stop(&self, id: &str) -> anyhow::Result<f64> {
        let began = Instant::now();
        let path = format!("/api/jobs/{id}/cancel");
        self.server.client.post(&path, Some(&json!({}))).await?;
        let job = self.ended().await?;
        ensure!(job["status"] == "stopped", "the run was not stopped: {job}");
        Ok(began.elapsed().as_secs_f64())
    }

    /// Kills the server and starts another on its workspace.
    pub(super) async fn kill_and_restart(&mut self) -> anyhow::Result<()> {
        self.server.kill();
        self.server = serve(&self.workspace, self.since).await?;
        Ok(())
    }

    /// Follows the newest run to its end.
    pub(super) async fn follow(&self) -> anyhow::Result<Run> {
        let before = self.calls().await?;
        let cpu_before = process::cpu(self.server.pid());
        let began = Instant::now();
        let job = self.ended().await?;
        ensure!(
            job["status"] == "succeeded",
            "the run did not end well: {job}"
        );
        let cpu = process::cpu(self.server.pid()).zip(cpu_before);
        let calls = since(&before, self.calls().await?);
        let writes = calls.iter().filter(|(_, kind, _)| is_write(kind));
        Ok(Run {
            seconds: began.elapsed().as_secs_f64(),
            cpu: cpu.map(|(now, then)| (now - then).as_secs_f64()),
            peak_mib: process::peak_mib(self.server.pid()),
            writes: writes.map(|(.., count)| count).sum(),
            calls,
            job,
        })
    }

    /// The credentials that there are.
    pub(super) async fn credentials(&self) -> anyhow::Result<Vec<Value>> {
        let [_, issuer] = urls(&self.sandbox);
        let state = self.control(&issuer, "state/credentials").await?;
        Ok(state["items"].as_array().cloned().unwrap_or_default())
    }

    /// What a vendor says of its budgets: how full the fullest windows were, how much was refused.
    pub(super) async fn budgets(&self) -> anyhow::Result<Vec<(String, Value)>> {
        let mut told = Vec::new();
        for (name, url) in self.vendors() {
            told.push((name, self.control(&url, "violations").await?));
        }
        Ok(told)
    }

    /// How much the workspace takes on the disk, in bytes.
    pub(super) fn bytes_on_disk(&self) -> anyhow::Result<u64> {
        let mut folders = vec![self.workspace.clone()];
        let mut bytes = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                match entry.file_type()?.is_dir() {
                    true => folders.push(entry.path()),
                    false => bytes += entry.metadata()?.len(),
                }
            }
        }
        Ok(bytes)
    }

    pub(super) async fn close(self) {
        drop(self.server);
        self.sandbox.stop().await;
    }

    async fn begin(&self) -> anyhow::Result<String> {
        let path = format!("/api/recipes/{BATCH_RECIPE}/run");
        let taken = self.server.client.post(&path, Some(&json!({}))).await?;
        let id = taken["jobs"][0].as_str();
        Ok(id.context("a job was made")?.to_owned())
    }

    /// The newest job, once it has ended; the list reads no journal.
    async fn ended(&self) -> anyhow::Result<Value> {
        for _ in 0..LOOKS_MAX {
            let list = self.server.client.get("/api/jobs?limit=1").await?;
            let job = &list["jobs"][0];
            match job["status"].as_str() {
                Some("queued" | "running" | "waiting") => Clock::rest(LOOK).await,
                _ => return Ok(job.clone()),
            }
        }
        anyhow::bail!("the run does not end")
    }

    /// How many calls of each kind the vendors got so far.
    async fn calls(&self) -> anyhow::Result<Vec<(String, String, u64)>> {
        let mut calls = Vec::new();
        for (name, told) in self.budgets().await? {
            let kinds = told["load"]["kinds"].as_object();
            for (kind, count) in kinds.into_iter().flatten() {
                let count = count.as_u64().unwrap_or_default();
                calls.push((name.clone(), kind.clone(), count));
            }
        }
        Ok(calls)
    }

    fn vendors(&self) -> Vec<(String, String)> {
        let addresses = self.sandbox.addresses().into_iter();
        let named = addresses.map(|(name, url)| (name.to_owned(), url.to_owned()));
        named.take(2).collect()
    }

    async fn control(&self, url: &str, path: &str) -> anyhow::Result<Value> {
        let answer = self.http.get(format!("{url}/_control/{path}")).send();
        let answer = answer.await?.error_for_status()?;
        Ok(serde_json::from_str(&answer.text().await?)?)
    }
}

/// Where the two vendors of the academy answer.
fn urls(sandbox: &Sandbox) -> [String; 2] {
    let addresses = sandbox.addresses();
    [0, 1].map(|place| {
        let found = addresses.get(place).map(|(_, url)| (*url).to_owned());
        found.unwrap_or_default()
    })
}

async fn serve(workspace: &Path, since: Moment) -> anyhow::Result<Server> {
    let environment = [
        ("RECIPES_TIME_SCALE", TIME_SCALE.to_string()),
        ("RECIPES_TIME_SINCE", since.to_string()),
    ];
    Server::start_in(workspace, &environment).await
}

/// What came on top of an earlier count.
fn since(
    before: &[(String, String, u64)],
    now: Vec<(String, String, u64)>,
) -> Vec<(String, String, u64)> {
    let of = |vendor: &str, kind: &str| {
        let known = before.iter().find(|(v, k, _)| v == vendor && k == kind);
        known.map_or(0, |(.., count)| *count)
    };
    let more = now.into_iter().map(|(vendor, kind, count)| {
        let count = count - of(&vendor, &kind);
        (vendor, kind, count)
    });
    more.filter(|(.., count)| *count > 0).collect()
}

/// Whether a call may change something: neither a read, a search, nor a sign-in.
fn is_write(kind: &str) -> bool {
    !kind.starts_with("GET ") && !kind.ends_with("/search") && !kind.ends_with("/token")
}
