//! W6: one job over 300,000 elements, unbroken and killed in its middle.

use std::time::Duration;

use anyhow::Context;
use serde_json::json;

use super::super::client::http;
use super::house::{Server, furnish};
use super::records::Vendor;
use super::report::Report;
use super::rounds::seconds;
use super::{Bounds, process};
use crate::clock::Clock;
use crate::data::Value;

const GROUP: &str = "W6: one job, 300,000 elements";
const ELEMENTS: u64 = 300_000;
/// A listing has a thousand pages at most.
const PAGES: u64 = 600;

/// How often a job under way is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How many looks a job gets before something must be wrong: half an hour's worth.
const LOOKS_MAX: u32 = 18_000;

/// Measures time, memory and journal of rounds without calls, and of records that are sent on.
pub(super) async fn measure(bounds: &Bounds, report: &mut Report) -> anyhow::Result<()> {
    let took = rounds(bounds, report, None).await?;
    rounds(bounds, report, Some(Duration::from_secs_f64(took / 2.0))).await?;
    records(bounds, report).await
}

/// Rounds of a transform and a call; killed after so long, if at all. How long the job took.
async fn rounds(
    bounds: &Bounds,
    report: &mut Report,
    killed_after: Option<Duration>,
) -> anyhow::Result<f64> {
    let name = match killed_after {
        None => "rounds",
        Some(_) => "rounds, killed in the middle",
    };
    let workspace = furnish(&bounds.folder, name, "http://127.0.0.1:9")?;
    let mut server = Server::start(&workspace).await?;
    let numbers: Vec<u64> = (0..ELEMENTS).collect();
    let wish = json!({ "input": { "numbers": numbers } });
    let path = "/api/recipes/bench/many-rounds/run";
    server.client.post(path, Some(&wish)).await?;
    let mut peak = None;
    if let Some(pause) = killed_after {
        Clock::rest(pause).await;
        peak = process::peak_mib(server.pid());
        drop(server);
        server = Server::start(&workspace).await?;
    }
    let job = ended(&server).await?;
    let seconds = seconds(&job)?;
    report.add(GROUP, format!("{name}: from start to end"), seconds, "s");
    tell(&server, &job, name, peak, report).await?;
    Ok(seconds)
}

/// Records of 600 pages, one repeatable POST each; killed when half of them were sent.
async fn records(bounds: &Bounds, report: &mut Report) -> anyhow::Result<()> {
    let name = "records, killed in the middle";
    let vendor = Vendor::open()?;
    let http = http()?;
    let quirks = format!("{}/_control/quirks", vendor.url);
    let wish = json!({ "pages": PAGES, "records_per_page": ELEMENTS / PAGES });
    http.post(quirks)
        .json(&wish)
        .send()
        .await?
        .error_for_status()?;
    let workspace = furnish(&bounds.folder, name, &vendor.url)?;
    let mut server = Server::start(&workspace).await?;
    let path = "/api/recipes/bench/send-records-repeatable/run";
    server
        .client
        .post(path, Some(&json!({ "input": {} })))
        .await?;
    let mut looks = 0;
    while vendor.sink().await?["received"].as_u64() < Some(ELEMENTS / 2) {
        looks += 1;
        anyhow::ensure!(looks < LOOKS_MAX, "the records do not come");
        Clock::rest(LOOK).await;
    }
    let peak = process::peak_mib(server.pid());
    drop(server);
    server = Server::start(&workspace).await?;
    let job = ended(&server).await?;
    report.add(
        GROUP,
        format!("{name}: from start to end"),
        seconds(&job)?,
        "s",
    );
    let sink = vendor.sink().await?;
    let count = |name: &str| sink[name].as_u64().unwrap_or_default();
    for (what, number) in [
        ("lost", ELEMENTS.saturating_sub(count("distinct_ids"))),
        ("doubled", count("ids_more_than_once")),
        ("asked for twice with the same key", count("key_repeats")),
        ("most in flight", count("in_flight_max")),
    ] {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        report.add(GROUP, format!("{name}: {what}"), f64::from(number), "");
    }
    tell(&server, &job, name, peak, report).await
}

/// The newest job, once it has ended well.
async fn ended(server: &Server) -> anyhow::Result<Value> {
    for _ in 0..LOOKS_MAX {
        let list = server.client.get("/api/jobs?limit=1").await?;
        let job = &list["jobs"][0];
        match job["status"].as_str() {
            Some("queued" | "running" | "waiting") => Clock::rest(LOOK).await,
            Some("succeeded") => return Ok(job.clone()),
            _ => anyhow::bail!("the job did not end well: {job}"),
        }
    }
    anyhow::bail!("the job does not end")
}

/// Memory before anybody looks at the job, then what its journal holds.
async fn tell(
    server: &Server,
    job: &Value,
    name: &str,
    peak_before: Option<f64>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let peak = process::peak_mib(server.pid());
    if peak_before.is_some() {
        let first = format!("{name}: peak memory before the kill");
        report.add(GROUP, first, peak_before, "MiB");
    }
    report.add(GROUP, format!("{name}: peak memory"), peak, "MiB");
    let id = job["id"].as_str().context("a job has a name")?;
    let job = server.client.get(&format!("/api/jobs/{id}")).await?;
    let bytes = job["journal_bytes"].as_u64().unwrap_or_default();
    let kib = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1024.0;
    // What the job was given counts too: 300,000 numbers, compressed.
    report.add(
        GROUP,
        format!("{name}: journal, with the input"),
        kib,
        "KiB",
    );
    Ok(())
}
