//! What the machine can do at all: its disk, its database, its network.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::load::Crowd;
use super::report::{Report, part};
use crate::clock::Clock;
use crate::server::Bare;
use crate::store::CommitLimits;

/// Longer says no more about a raw limit.
pub(super) const WINDOW_MAX: Duration = Duration::from_secs(3);

/// How many writes are synced to find the median.
const SYNCS: usize = 300;

/// What the machine can do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    sync_ms: f64,
    sync_p99_ms: f64,
    commits: CommitLimits,
    /// Requests a second that a server answers which does nothing else.
    pub(super) requests: f64,
}

/// Measures all limits, one after another.
pub(super) async fn measure(
    folder: &Path,
    window: Duration,
    senders: u16,
) -> anyhow::Result<Limits> {
    let mut syncs = syncs(&folder.join("sync"))?;
    syncs.sort_by(f64::total_cmp);
    let commits = crate::store::commit_limits(&folder.join("limits.db"), window).await?;
    Ok(Limits {
        sync_ms: part(&syncs, 0.5).unwrap_or_default(),
        sync_p99_ms: part(&syncs, 0.99).unwrap_or_default(),
        commits,
        requests: requests(window, senders).await?,
    })
}

impl Limits {
    /// Rows a second that the database takes in commits of many.
    pub(super) fn grouped_rows(&self) -> f64 {
        self.commits.grouped_rows_per_second
    }

    pub(super) fn report(&self, report: &mut Report) {
        let group = "the machine";
        report.add(group, "cores", cores(), "");
        report.add(group, "fsync of 4 KiB, median", self.sync_ms, "ms");
        report.add(group, "fsync of 4 KiB, p99", self.sync_p99_ms, "ms");
        let single = self.commits.single_rows_per_second;
        report.add(group, "commits of one row, full sync", single, "/s");
        let grouped = self.commits.grouped_rows_per_second;
        report.add(group, "rows in commits of 500, full sync", grouped, "/s");
        report.add(group, "bare HTTP requests", self.requests, "/s");
    }
}

fn cores() -> Option<f64> {
    let cores = std::thread::available_parallelism().ok()?;
    u32::try_from(cores.get()).ok().map(f64::from)
}

/// How long each of some synced writes took, in milliseconds.
fn syncs(path: &Path) -> anyhow::Result<Vec<f64>> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let mut file = file.with_context(|| format!("`{}` cannot be made", path.display()))?;
    let block = [7_u8; 4096];
    let mut took = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let begin = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        took.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(took)
}

/// How many requests a second a server answers that does nothing else.
async fn requests(window: Duration, senders: u16) -> anyhow::Result<f64> {
    let bare = Bare::start().await?;
    let address = bare.address().to_string();
    let crowd = Crowd::start(&address, "/", senders, super::delivery::body).await?;
    Clock::rest(Duration::from_millis(300)).await;
    let (begin, before) = (Instant::now(), crowd.answered());
    Clock::rest(window).await;
    let count = u32::try_from(crowd.answered() - before)?;
    let rate = f64::from(count) / begin.elapsed().as_secs_f64();
    crowd.stop().await?;
    Ok(rate)
}
