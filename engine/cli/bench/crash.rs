//! W5: the server killed in the middle of one big job, and what came of it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Bounds;
use super::house::{Server, furnish};
use super::records::{RECORDS, Vendor};
use super::report::Report;
use crate::clock::Clock;
use crate::data::Value;

const GROUP: &str = "W5: killed (SIGKILL) in the middle, started again";

/// So many rounds that the kill falls between the first checkpoint and the end.
const ROUNDS: u64 = 300_000;

/// The rounds are killed so long after their start, which is after the first checkpoint.
const ROUNDS_KILLED_AFTER: Duration = Duration::from_millis(1_200);

/// How often is looked whether a job is where it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The longest wait for a job to come somewhere.
const PATIENCE: Duration = Duration::from_secs(120);

/// Kills the server once in each big job, and compares what arrived with what should have.
pub(super) async fn measure(bounds: &Bounds, report: &mut Report) -> anyhow::Result<()> {
    rounds(bounds, report).await?;
    for kind in ["repeatable", "once"] {
        records(bounds, report, kind).await?;
    }
    Ok(())
}

async fn rounds(bounds: &Bounds, report: &mut Report) -> anyhow::Result<()> {
    let workspace = furnish(&bounds.folder, "W5-rounds", "http://127.0.0.1:9")?;
    let server = Server::start(&workspace).await?;
    let numbers: Vec<u64> = (0..ROUNDS).collect();
    let id = begin(&server, "bench/many-rounds", json!({ "numbers": numbers })).await?;
    until(async || Ok(status(&server, &id).await? == "running")).await?;
    Clock::rest(ROUNDS_KILLED_AFTER).await;
    let was = status(&server, &id).await?;
    let (server, began) = restart(server, workspace).await?;
    until(async || Ok(status(&server, &id).await? != "queued")).await?;
    report.add(
        GROUP,
        "300,000 rounds: resumed within",
        began.elapsed().as_secs_f64(),
        "s",
    );
    let job = server
        .client
        .get(&format!("/api/jobs/{id}?wait=2m"))
        .await?;
    report.add(
        GROUP,
        "300,000 rounds: ended within",
        began.elapsed().as_secs_f64(),
        "s",
    );
    let count = job["output"]["count"].as_u64().unwrap_or_default();
    anyhow::ensure!(
        was == "running",
        "the rounds were over before the kill: {was}"
    );
    report.add(GROUP, "300,000 rounds: lost", difference(ROUNDS, count), "");
    Ok(())
}

async fn records(bounds: &Bounds, report: &mut Report, kind: &str) -> anyhow::Result<()> {
    let vendor = Vendor::open()?;
    let workspace = furnish(&bounds.folder, &format!("W5-{kind}"), &vendor.url)?;
    let server = Server::start(&workspace).await?;
    let id = begin(&server, &format!("bench/send-records-{kind}"), json!({})).await?;
    until(async || Ok(vendor.received().await? > RECORDS / 3)).await?;
    let (server, began) = restart(server, workspace).await?;
    let before = vendor.received().await?;
    until(async || {
        let settled = ["succeeded", "needs_decision"];
        Ok(vendor.received().await? > before
            || settled.contains(&status(&server, &id).await?.as_str()))
    })
    .await?;
    let name = |what: &str| format!("10,000 POSTs, {kind}: {what}");
    report.add(
        GROUP,
        name("resumed within"),
        began.elapsed().as_secs_f64(),
        "s",
    );
    until(async || {
        let status = status(&server, &id).await?;
        Ok(["succeeded", "failed", "needs_decision"].contains(&status.as_str()))
    })
    .await?;
    report.add(
        GROUP,
        name("ended within"),
        began.elapsed().as_secs_f64(),
        "s",
    );
    let job = server.client.get(&format!("/api/jobs/{id}")).await?;
    let asked = job["decisions"].as_array().map_or(0, Vec::len);
    let sink = vendor.sink().await?;
    let number = |name: &str| sink[name].as_u64().unwrap_or_default();
    let missing = RECORDS.saturating_sub(number("distinct_ids"));
    // Sixteen calls in doubt are all that the loop has under way: the rest waits behind them.
    let (held_up, lost) = match asked {
        0 => (0, missing),
        _ => (missing, 0),
    };
    report.add(GROUP, name("lost"), difference(lost, 0), "");
    report.add(
        GROUP,
        name("held up until a person decides"),
        difference(held_up, 0),
        "",
    );
    report.add(
        GROUP,
        name("doubled"),
        difference(number("ids_more_than_once"), 0),
        "",
    );
    report.add(
        GROUP,
        name("put before a person"),
        difference(asked as u64, 0),
        "",
    );
    Ok(())
}

/// Kills the server and starts another one on its workspace; from when on it is waited for.
async fn restart(server: Server, workspace: PathBuf) -> anyhow::Result<(Server, Instant)> {
    // The value that stands for a server kills it, without a word before.
    drop(server);
    let began = Instant::now();
    Ok((Server::start(&workspace).await?, began))
}

async fn begin(server: &Server, recipe: &str, input: Value) -> anyhow::Result<String> {
    let wish = json!({ "input": input });
    let path = format!("/api/recipes/{recipe}/run");
    let taken = server.client.post(&path, Some(&wish)).await?;
    let id = taken["jobs"][0].as_str().unwrap_or_default();
    Ok(id.to_owned())
}

/// Where a job stands, from the list, which reads no journal.
async fn status(server: &Server, id: &str) -> anyhow::Result<String> {
    let list = server.client.get("/api/jobs?limit=5").await?;
    let jobs = list["jobs"].as_array().map_or(&[][..], Vec::as_slice);
    let job = jobs.iter().find(|job| job["id"] == id);
    let status = job.and_then(|job| job["status"].as_str());
    Ok(status.unwrap_or_default().to_owned())
}

async fn until(is_there: impl AsyncFn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_there().await? {
        anyhow::ensure!(began.elapsed() < PATIENCE, "the job does not go on");
        Clock::rest(LOOK_EVERY).await;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn difference(one: u64, other: u64) -> f64 {
    one.abs_diff(other) as f64
}
