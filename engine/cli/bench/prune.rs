//! `--prune N`: the history of N jobs is removed while webhooks come in, each a job of five steps.
//!
//! The same load is answered twice: by a server that keeps everything, and by one that removes all
//! N. What differs is what pruning costs those who wait.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::Bounds;
use super::delivery::{PATH, RECIPE, body};
use super::house::{Server, furnish};
use super::load::{Sent, steady};
use super::report::{Report, part};
use crate::clock::{Clock, Moment};
use crate::names::RecipeName;
use crate::store::Store;

const GROUP: &str = "Pruning: a long history is removed while webhooks come in";

/// When the jobs of the history ended.
const LONG_AGO: Moment = Moment(1_600_000_000_000_000);

/// How many webhooks a second come in meanwhile: what a large company sends at its busiest.
const RATE: f64 = 100.0;

/// Pages of the list of jobs: of all, of those that failed, of one recipe.
const PAGES: [(&str, &str); 3] = [
    ("", "/api/jobs?limit=50"),
    (" that failed", "/api/jobs?limit=50&status=failed"),
    (
        " of a recipe",
        "/api/jobs?limit=50&recipe=bench/learner-finished",
    ),
];

/// How often each page is asked for.
const LOOKS: usize = 50;

/// Fills a workspace and measures.
pub(super) async fn measure(bounds: &Bounds, jobs: u64, report: &mut Report) -> anyhow::Result<()> {
    let workspace = furnish(&bounds.folder, "prune", "http://127.0.0.1:9")?;
    let database = workspace.join("data/recipes.db");
    std::fs::create_dir_all(workspace.join("data"))?;
    let begin = Instant::now();
    let store = Store::open(&database).await?;
    let recipe = RecipeName::new(RECIPE).map_err(anyhow::Error::msg)?;
    store.fill_history(&recipe, jobs, LONG_AGO).await?;
    store.close().await;
    let settings = workspace.join("settings.yaml");
    let count = u32::try_from(jobs).map_or(f64::MAX, f64::from);
    report.add(GROUP, "jobs in the history", count, "");
    report.add(
        GROUP,
        "time to make them up",
        begin.elapsed().as_secs_f64(),
        "s",
    );
    report.add(GROUP, "file before", mebibytes(&database)?, "MiB");

    std::fs::write(
        &settings,
        "history_age: unlimited\nhistory_size: unlimited\n",
    )?;
    let server = Server::start(&workspace).await?;
    server.start_recipe(RECIPE).await?;
    pages(&server, report).await?;
    let sent = steady(server.address(), PATH, RATE, bounds.window, body).await?;
    tell(report, "nothing is removed", &sent);
    drop(server);

    std::fs::write(&settings, "history_age: 30d\nhistory_size: unlimited\n")?;
    let server = Server::start(&workspace).await?;
    let begin = Instant::now();
    let mut sent = Vec::new();
    let mut went = None;
    // The load goes on until all room has been given back.
    loop {
        sent.extend(steady(server.address(), PATH, RATE, Duration::from_secs(5), body).await?);
        let gone = metric(&server, "recipes_history_pruned_jobs_total").await?;
        if gone >= count {
            let _ = went.get_or_insert_with(|| begin.elapsed());
        }
        let used = metric(&server, "recipes_database_used_bytes").await?;
        let file = metric(&server, "recipes_database_file_bytes").await?;
        if gone >= count && file <= used * 1.02 {
            break;
        }
    }
    let went = went.context("the history is gone")?.as_secs_f64();
    tell(report, "while it is removed", &sent);
    report.add(GROUP, "time until the history was gone", went, "s");
    report.add(GROUP, "jobs removed", count / went, "/s");
    report.add(
        GROUP,
        "time until all room was given back",
        begin.elapsed().as_secs_f64(),
        "s",
    );
    drop(server);
    let store = Store::open(&database).await?;
    store.close().await;
    Clock::rest(Duration::from_millis(10)).await;
    report.add(
        GROUP,
        "file after (a line of each job stays)",
        mebibytes(&database)?,
        "MiB",
    );
    Ok(())
}

fn tell(report: &mut Report, when: &str, sent: &[Sent]) {
    let ms = |sent: &Sent| sent.answered_after.as_secs_f64() * 1000.0;
    let mut answered: Vec<f64> = sent.iter().map(ms).collect();
    answered.sort_by(f64::total_cmp);
    for (name, place) in [("p50", 0.5), ("p99", 0.99), ("slowest", 1.0)] {
        let name = format!("{when}: request to answer, {name}");
        report.add(GROUP, name, part(&answered, place), "ms");
    }
}

/// Pages of a list of very many jobs.
async fn pages(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    for (what, path) in PAGES {
        let what = format!("a page of the list of jobs{what}, slowest of {LOOKS}");
        report.add(GROUP, what, slowest(server, path).await?, "ms");
    }
    Ok(())
}

/// The milliseconds that the slowest of several requests took; each goes on where the last ended.
async fn slowest(server: &Server, path: &str) -> anyhow::Result<f64> {
    let mut next = path.to_owned();
    let mut slowest = Duration::ZERO;
    for _ in 0..LOOKS {
        let begin = Instant::now();
        let page = server.client.get(&next).await?;
        slowest = slowest.max(begin.elapsed());
        next = page["next"].as_str().unwrap_or(path).to_owned();
    }
    Ok(slowest.as_secs_f64() * 1000.0)
}

async fn metric(server: &Server, name: &str) -> anyhow::Result<f64> {
    let text = server.client.text("/metrics").await?;
    let value = text.lines().find_map(|line| {
        line.strip_prefix(name)?
            .strip_prefix(' ')?
            .trim()
            .parse()
            .ok()
    });
    value.with_context(|| format!("the server does not count {name}"))
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn mebibytes(path: &std::path::Path) -> anyhow::Result<f64> {
    Ok(std::fs::metadata(path)?.len() as f64 / f64::from(1 << 20))
}
