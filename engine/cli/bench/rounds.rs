//! W2: one job of many rounds.

use serde_json::json;

use super::delivery::Count;
use super::house::{Server, furnish};
use super::report::Report;
use super::{Bounds, process};
use crate::clock::Moment;
use crate::data::Value;

const GROUP: &str = "W2: one job, 10,000 rounds of a transform and a call";
const ROUNDS: u64 = 10_000;

/// Measures time, memory and commits.
pub(super) async fn measure(bounds: &Bounds, report: &mut Report) -> anyhow::Result<()> {
    let workspace = furnish(&bounds.folder, "W2", "http://127.0.0.1:9")?;
    let server = Server::start(&workspace).await?;
    let numbers: Vec<u64> = (0..ROUNDS).collect();
    let before = Count::read(&server).await?;
    let job = run(&server, "bench/many-rounds", json!({ "numbers": numbers })).await?;
    let came = Count::read(&server).await?.since(&before);
    let count = job["output"]["count"].as_u64();
    anyhow::ensure!(count == Some(ROUNDS), "the job did not end well: {job}");
    let seconds = seconds(&job)?;
    report.add(GROUP, "from start to end", seconds, "s");
    report.add(
        GROUP,
        "processor time",
        came.cpu_ms.map(|ms| ms / 1000.0),
        "s",
    );
    report.add(
        GROUP,
        "commits (checkpoints, not one a round)",
        came.commits,
        "",
    );
    report.add(GROUP, "fsyncs", came.syncs, "");
    report.add(GROUP, "peak memory", process::peak_mib(server.pid()), "MiB");
    Ok(())
}

/// Runs a recipe by hand and waits for its end.
pub(super) async fn run(server: &Server, recipe: &str, input: Value) -> anyhow::Result<Value> {
    let path = format!("/api/recipes/{recipe}/run?wait=5m");
    let wish = json!({ "input": input });
    server.client.post(&path, Some(&wish)).await
}

/// How long a job took from its first claim to its end.
pub(super) fn seconds(job: &Value) -> anyhow::Result<f64> {
    let moment = |name: &str| {
        let text = job[name].as_str().unwrap_or_default();
        Moment::parse(text).map_err(anyhow::Error::msg)
    };
    Ok(moment("ended_at")?
        .since(moment("started_at")?)
        .as_secs_f64())
}
