//! W8: a workspace of 10,000 recipe files: to be checked, started with, saved into and edited.
//!
//! Always true: what is timed ends when jobs would be made of the new version, not when it was
//! written.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use reqwest::header::{ETAG, IF_MATCH};
use serde_json::json;

use super::super::client::http;
use super::house::{LEARNER_FINISHED, Server, furnish};
use super::report::Report;
use super::{Bounds, process};
use crate::clock::Clock;
use crate::server::Whereabouts;

const GROUP: &str = "W8: a workspace of 10,000 recipe files";
const RECIPES: usize = 10_000;

/// How many saves and edits are timed; the slowest counts.
const CHANGES: usize = 5;

/// How often it is looked whether an edited file has become what runs.
const LOOK: Duration = Duration::from_millis(10);

/// How many looks an edit gets: a minute's worth.
const LOOKS_MAX: usize = 6_000;

/// Measures a check of all files, the start of a server, a save over the API and an edited file.
pub(super) async fn measure(bounds: &Bounds, report: &mut Report) -> anyhow::Result<()> {
    let workspace = furnish(&bounds.folder, "W8", "http://127.0.0.1:9")?;
    for number in 0..RECIPES {
        fs::write(workspace.join(file(number)), LEARNER_FINISHED)?;
    }
    report.add(
        GROUP,
        "`recipes check` of all files",
        check(&workspace)?,
        "s",
    );
    // The first start makes the database.
    drop(Server::start(&workspace).await?);
    let begin = Instant::now();
    let server = Server::start(&workspace).await?;
    ready(&server).await?;
    let seconds = begin.elapsed().as_secs_f64();
    report.add(GROUP, "`recipes serve` until it is ready", seconds, "s");
    let resident = process::resident_mib(server.pid());
    report.add(GROUP, "memory then", resident, "MiB");
    let saved = slowest_save(&server, &workspace).await?;
    report.add(GROUP, "a save over the API is live within", saved, "ms");
    let edited = slowest_edit(&server, &workspace).await?;
    report.add(GROUP, "an edited file is live within", edited, "s");
    let peak = process::peak_mib(server.pid());
    report.add(GROUP, "memory at most", peak, "MiB");
    Ok(())
}

fn file(number: usize) -> String {
    format!("recipes/bench/webhook-{number}.yaml")
}

/// The seconds that a check of the whole workspace takes, as a command of its own.
fn check(workspace: &Path) -> anyhow::Result<f64> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    let begin = Instant::now();
    let ended = Command::new(program)
        .args(["check", "-w"])
        .arg(workspace)
        .stdout(Stdio::null())
        .status()?;
    ensure!(ended.success(), "the check found something");
    Ok(begin.elapsed().as_secs_f64())
}

async fn ready(server: &Server) -> anyhow::Result<()> {
    server.client.text("/readyz").await?;
    Ok(())
}

/// The text of the n-th change of a recipe.
fn changed(number: usize) -> String {
    let title = format!("title: Learner finished, change {number}");
    LEARNER_FINISHED.replacen("title: Learner finished", &title, 1)
}

/// The milliseconds that the slowest of several saves took, answer included.
async fn slowest_save(server: &Server, workspace: &Path) -> anyhow::Result<f64> {
    let here = Whereabouts::read(workspace).context("the server left no word")?;
    let http = http()?;
    let mut slowest = Duration::ZERO;
    for number in 0..CHANGES {
        let url = format!("{}/api/recipes/bench/webhook-{number}", server.url);
        let read = http.get(&url).bearer_auth(&here.token).send().await?;
        let tag = read.headers().get(ETAG).context("a recipe has an ETag")?;
        let wish = json!({ "source": changed(number) });
        let save = http.put(&url).bearer_auth(&here.token);
        let save = save.header(IF_MATCH, tag).json(&wish);
        let begin = Instant::now();
        save.send().await?.error_for_status()?;
        slowest = slowest.max(begin.elapsed());
        ensure!(
            title(server, number).await? == format!("Learner finished, change {number}"),
            "the save is not live"
        );
    }
    Ok(slowest.as_secs_f64() * 1000.0)
}

/// The seconds that the slowest of several edited files took to become what runs.
async fn slowest_edit(server: &Server, workspace: &Path) -> anyhow::Result<f64> {
    let mut slowest = Duration::ZERO;
    for number in CHANGES..2 * CHANGES {
        let begin = Instant::now();
        fs::write(workspace.join(file(number)), changed(number))?;
        let mut looks = 0;
        while title(server, number).await? != format!("Learner finished, change {number}") {
            looks += 1;
            ensure!(looks < LOOKS_MAX, "the edited file is not taken up");
            Clock::rest(LOOK).await;
        }
        slowest = slowest.max(begin.elapsed());
    }
    Ok(slowest.as_secs_f64())
}

async fn title(server: &Server, number: usize) -> anyhow::Result<String> {
    let path = format!("/api/recipes/bench/webhook-{number}");
    let shown = server.client.get(&path).await?;
    Ok(shown["title"].as_str().unwrap_or_default().to_owned())
}
