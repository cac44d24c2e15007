//! W1: webhooks, each a durable job of five steps.
//!
//! At saturation as many jobs are sent as are finished; at half of that rate each job's way from
//! request to recorded end is timed.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::house::{Server, furnish};
use super::load::{Crowd, Sent, steady};
use super::report::{Report, part};
use super::{Bounds, process};
use crate::clock::{Clock, Moment};

const GROUP: &str = "W1: webhooks, each a durable job of five steps";
pub(super) const RECIPE: &str = "bench/learner-finished";
pub(super) const PATH: &str = "/webhooks/bench/learner-finished";

/// How many accepted jobs may be unfinished before the senders are held back.
const OPEN_MAX: u64 = 1_000;
/// How long the load runs before anything is counted.
const WARM_UP: Duration = Duration::from_secs(2);

/// What the server has counted at a moment.
#[derive(Clone, Copy)]
pub(super) struct Count {
    at: Instant,
    /// Jobs that ended.
    pub(super) ended: f64,
    /// Transactions that were committed.
    pub(super) commits: f64,
    /// Of these, those that waited for the disk.
    pub(super) syncs: f64,
    /// Processor seconds.
    pub(super) cpu: Option<Duration>,
}

impl Count {
    /// Reads the server's own counters.
    pub(super) async fn read(server: &Server) -> anyhow::Result<Self> {
        let text = server.client.text("/metrics").await?;
        let value = |name: &str| {
            let mut lines = text.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|number| number.trim().parse().ok())
                .unwrap_or_default()
        };
        Ok(Self {
            at: Instant::now(),
            ended: value("recipes_jobs_ended_total"),
            commits: value("recipes_commits_total"),
            syncs: value("recipes_synced_commits_total"),
            cpu: process::cpu(server.pid()),
        })
    }

    /// What came since an earlier count.
    pub(super) fn since(&self, earlier: &Self) -> Difference {
        let cpu = self.cpu.zip(earlier.cpu);
        Difference {
            seconds: (self.at - earlier.at).as_secs_f64(),
            ended: self.ended - earlier.ended,
            commits: self.commits - earlier.commits,
            syncs: self.syncs - earlier.syncs,
            cpu_ms: cpu.map(|(now, then)| (now - then).as_secs_f64() * 1000.0),
        }
    }
}

/// What came between two counts.
pub(super) struct Difference {
    pub(super) seconds: f64,
    pub(super) ended: f64,
    pub(super) commits: f64,
    pub(super) syncs: f64,
    pub(super) cpu_ms: Option<f64>,
}

/// The body of the n-th webhook.
pub(super) fn body(number: u64) -> String {
    let learner = number % 20_000;
    let scores = [number % 101, number % 53 + 40, 75];
    let courses = scores.map(|score| json!({ "title": "Safety at work", "score": score }));
    json!({ "learner_id": learner, "name": format!("Learner {learner}"), "courses": courses })
        .to_string()
}

/// Measures rate, cost and delay.
pub(super) async fn measure(bounds: &Bounds, report: &mut Report) -> anyhow::Result<()> {
    let workspace = furnish(&bounds.folder, "W1", "http://127.0.0.1:9")?;
    let server = Server::start(&workspace).await?;
    server.start_recipe(RECIPE).await?;
    alone(&server, report).await?;
    let rate = saturate(bounds, &server, report).await?;
    drain(&server).await?;
    at_half(bounds, &server, rate / 2.0, report).await?;
    reads(bounds, &server, rate / 2.0, report).await
}

/// One job at a time, each when the one before has ended.
async fn alone(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    const JOBS: u32 = 200;
    let mut sender = super::load::Sender::connect(server.address(), PATH).await?;
    let mut before = Count::read(server).await?;
    // The first job saves its recipe's sources, once for all that follow.
    for number in 0..=JOBS {
        let ended = Count::read(server).await?.ended;
        sender.post(&body(u64::from(number))).await?;
        while Count::read(server).await?.ended <= ended {
            Clock::rest(Duration::from_millis(1)).await;
        }
        if number == 0 {
            before = Count::read(server).await?;
        }
    }
    let came = Count::read(server).await?.since(&before);
    let jobs = f64::from(JOBS);
    report.add(
        GROUP,
        "one at a time: commits a job",
        came.commits / jobs,
        "",
    );
    report.add(GROUP, "one at a time: fsyncs a job", came.syncs / jobs, "");
    Ok(())
}

async fn saturate(bounds: &Bounds, server: &Server, report: &mut Report) -> anyhow::Result<f64> {
    let crowd = Crowd::start(server.address(), PATH, bounds.senders, body).await?;
    let first = Count::read(server).await?;
    let mut before = None;
    let end = first.at + WARM_UP + bounds.window;
    let came = loop {
        Clock::rest(Duration::from_millis(25)).await;
        let now = Count::read(server).await?;
        let open = crowd
            .answered()
            .saturating_sub(whole(now.ended - first.ended));
        crowd.hold_while(|| open > OPEN_MAX);
        if before.is_none() && now.at >= first.at + WARM_UP {
            before = Some(now);
        }
        if let Some(before) = before.filter(|_| now.at >= end) {
            break now.since(&before);
        }
    };
    crowd.stop().await?;
    let rate = came.ended / came.seconds;
    report.add(GROUP, "jobs finished at saturation", rate, "/s");
    report.of(bounds.limits.requests, "bare HTTP");
    report.add(GROUP, "the same, beside grouped rows", rate, "/s");
    report.of(bounds.limits.grouped_rows(), "grouped rows");
    let cpu = came.cpu_ms.map(|ms| ms / came.ended);
    report.add(GROUP, "processor time a job", cpu, "ms");
    report.add(GROUP, "commits a job", came.commits / came.ended, "");
    report.add(GROUP, "fsyncs a job", came.syncs / came.ended, "");
    report.add(GROUP, "peak memory", process::peak_mib(server.pid()), "MiB");
    Ok(rate)
}

/// Waits until every job has ended.
async fn drain(server: &Server) -> anyhow::Result<()> {
    let mut last = Count::read(server).await?.ended;
    loop {
        Clock::rest(Duration::from_millis(500)).await;
        let now = Count::read(server).await?.ended;
        if whole(now) == whole(last) {
            return Ok(());
        }
        last = now;
    }
}

async fn at_half(
    bounds: &Bounds,
    server: &Server,
    rate: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let from = Clock::real(1.0).now();
    let before = Count::read(server).await?;
    let sent = steady(server.address(), PATH, rate, bounds.window, body).await?;
    drain(server).await?;
    let came = Count::read(server).await?.since(&before);
    let mut answered: Vec<f64> = sent.iter().map(|sent| ms(sent.answered_after)).collect();
    answered.sort_by(f64::total_cmp);
    let ends = ends(server, from).await?;
    let mut ended: Vec<f64> = sent.iter().filter_map(|sent| way(sent, &ends)).collect();
    anyhow::ensure!(ended.len() == sent.len(), "not every job has ended");
    ended.sort_by(f64::total_cmp);
    report.add(GROUP, "half load", rate, "/s");
    report.add(
        GROUP,
        "half load: request to answer, p50",
        part(&answered, 0.5),
        "ms",
    );
    report.add(
        GROUP,
        "half load: request to answer, p99",
        part(&answered, 0.99),
        "ms",
    );
    report.add(
        GROUP,
        "half load: request to end, p50",
        part(&ended, 0.5),
        "ms",
    );
    report.add(
        GROUP,
        "half load: request to end, p99",
        part(&ended, 0.99),
        "ms",
    );
    let cpu = came.cpu_ms.map(|ms| ms / came.ended);
    report.add(GROUP, "half load: processor time a job", cpu, "ms");
    report.add(
        GROUP,
        "half load: fsyncs a job",
        came.syncs / came.ended,
        "",
    );
    Ok(())
}

/// What people ask for while webhooks come in: lists and one recipe, four at a time.
async fn reads(
    bounds: &Bounds,
    server: &Server,
    rate: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    const PATHS: [&str; 4] = [
        "/api/jobs?limit=50",
        "/api/jobs?limit=50&status=failed",
        "/api/recipes",
        "/api/recipes/bench/learner-finished",
    ];
    let end = Instant::now() + bounds.window;
    let asked = PATHS.map(|path| async move {
        let mut took = Vec::new();
        while Instant::now() < end {
            let begin = Instant::now();
            server.client.get(path).await?;
            took.push(ms(begin.elapsed()));
            Clock::rest(Duration::from_millis(20)).await;
        }
        anyhow::Ok(took)
    });
    let load = steady(server.address(), PATH, rate, bounds.window, body);
    let (_, took) = tokio::try_join!(load, futures_util::future::try_join_all(asked))?;
    drain(server).await?;
    let mut took = took.concat();
    took.sort_by(f64::total_cmp);
    for (name, place) in [("p50", 0.5), ("p99", 0.99)] {
        let name = format!("half load: what people ask for is answered, {name}");
        report.add(GROUP, name, part(&took, place), "ms");
    }
    Ok(())
}

/// When each job since a moment ended, by its id.
async fn ends(server: &Server, from: Moment) -> anyhow::Result<HashMap<String, Moment>> {
    let mut ends = HashMap::new();
    let mut next = Some(format!("/api/jobs?recipe={RECIPE}&from={from}&limit=500"));
    while let Some(path) = next {
        let page = server.client.get(&path).await?;
        for job in page["jobs"].as_array().into_iter().flatten() {
            if let (Some(id), Some(at)) = (job["id"].as_str(), job["ended_at"].as_str()) {
                let at = Moment::parse(at).map_err(anyhow::Error::msg)?;
                ends.insert(id.to_owned(), at);
            }
        }
        next = page["next"].as_str().map(str::to_owned);
    }
    Ok(ends)
}

/// How long one job took from its request to its end, in milliseconds.
fn way(sent: &Sent, ends: &HashMap<String, Moment>) -> Option<f64> {
    let answer: crate::data::Value = serde_json::from_slice(&sent.answer).ok()?;
    let ended_at = ends.get(answer["accepted"][0].as_str()?)?;
    Some(ms(ended_at.since(sent.at)))
}

fn ms(length: Duration) -> f64 {
    length.as_secs_f64() * 1000.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count, which is never below zero"
)]
fn whole(count: f64) -> u64 {
    count.round() as u64
}
