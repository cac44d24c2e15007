//! `recipes bench`: how fast the engine is on this machine, beside what the machine can do at all.
//!
//! In: which workloads. Out: figures, each with its ratio to a limit of the same run.
//! Always true: the engine is the real server, a process of its own with a workspace of its own
//! that is removed afterwards; nothing of the user's workspace is read or changed.

mod batch;
mod cold;
mod crash;
mod delivery;
mod house;
mod load;
mod long;
mod many;
mod process;
mod prune;
mod raw;
mod records;
mod report;
mod rounds;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};

use self::raw::Limits;
use self::report::Report;
use super::{Ended, say};

/// Measures how fast this machine runs recipes, beside what its disk and network can do at all.
///
/// W1: webhooks, each a job of five steps. W2: one job of 10,000 rounds. W3: one job that sends
/// 10,000 records on. W4: the start of a server with 1,000 recipes. W5: big jobs whose server is
/// killed in the middle. W6: one job over 300,000 elements, also killed. W7: a bundled batch
/// synchronisation of 2,000 courses and 50,000 enrolments, on a faster clock and within the vendors'
/// budgets; it takes half an hour and runs only if it is named. W8: a workspace of 10,000 recipe
/// files. The engine works in a folder of its
/// own below the workspace, so that the same disk is measured; it is removed afterwards. Anything
/// else that runs on the machine makes the figures worse.
#[derive(Args, Debug)]
pub(super) struct Bench {
    /// Which workloads to run; all but W7 if none is named
    #[arg(value_enum, value_name = "WORKLOAD", ignore_case = true)]
    workloads: Vec<Workload>,
    /// How long each rate is measured
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many senders of webhooks there are at saturation
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    senders: u16,
    /// Instead: remove the history of so many made-up jobs while webhooks come in
    #[arg(long, value_name = "JOBS", conflicts_with = "workloads")]
    #[arg(value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    prune: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Leave the folder of the bench in place, to look into its database
    #[arg(long)]
    keep: bool,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// Webhooks, each a job of five steps: rate, cost and delay.
    #[value(name = "W1")]
    Deliveries,
    /// One job of 10,000 rounds, each with a transform and a call.
    #[value(name = "W2")]
    Rounds,
    /// One job that reads 100 pages and sends each of their 10,000 records on.
    #[value(name = "W3")]
    Records,
    /// The start of a server with 1,000 recipes, and what it takes when idle.
    #[value(name = "W4")]
    Cold,
    /// A server killed in the middle of a big job, and started again.
    #[value(name = "W5")]
    Crash,
    /// One job over 300,000 elements, also killed in its middle; minutes.
    #[value(name = "W6")]
    Long,
    /// A bundled batch synchronisation at scale, within the vendors' budgets; half an hour.
    #[value(name = "W7")]
    Batch,
    /// A workspace of 10,000 recipe files: checked, started with, saved into and edited.
    #[value(name = "W8")]
    Many,
}

/// What every workload needs to know.
struct Bounds {
    folder: PathBuf,
    window: Duration,
    senders: u16,
    limits: Limits,
}

impl Bench {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let folder = workspace.join(format!(".bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("`{}` cannot be made", folder.display()))?;
        let mut report = Report::default();
        let measured = self.measure(&folder, &mut report).await;
        if self.keep {
            say(&format!("left in place: {}\n", folder.display()))?;
        } else {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("`{}` cannot be removed", folder.display()))?;
        }
        // What was measured before something failed is shown all the same.
        if self.json {
            super::show::json(&report.to_json())?;
        } else {
            say(&report.to_text())?;
        }
        measured.map(|()| Ended::Well)
    }

    async fn measure(&self, folder: &Path, report: &mut Report) -> anyhow::Result<()> {
        let window = Duration::from_secs(self.seconds);
        self.tell("measuring what the machine can do at all")?;
        let limits = raw::measure(folder, window.min(raw::WINDOW_MAX), self.senders).await?;
        limits.report(report);
        let bounds = Bounds {
            folder: folder.to_owned(),
            window,
            senders: self.senders,
            limits,
        };
        if let Some(jobs) = self.prune {
            self.tell("pruning: a long history is made up, then removed under load")?;
            return prune::measure(&bounds, jobs, report).await;
        }
        for workload in Workload::value_variants() {
            let is_wanted = match self.workloads.is_empty() {
                true => *workload != Workload::Batch,
                false => self.workloads.contains(workload),
            };
            if !is_wanted {
                continue;
            }
            self.tell(workload.describe())?;
            match workload {
                Workload::Deliveries => delivery::measure(&bounds, report).await?,
                Workload::Rounds => rounds::measure(&bounds, report).await?,
                Workload::Records => records::measure(&bounds, report).await?,
                Workload::Cold => cold::measure(&bounds, report).await?,
                Workload::Crash => crash::measure(&bounds, report).await?,
                Workload::Long => long::measure(&bounds, report).await?,
                Workload::Batch => batch::measure(&bounds, report).await?,
                Workload::Many => many::measure(&bounds, report).await?,
            }
        }
        Ok(())
    }

    /// Says what is being done, unless a program reads along.
    fn tell(&self, what: &str) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        say(&format!("{what} ...\n"))
    }
}

impl Workload {
    fn describe(self) -> &'static str {
        match self {
            Self::Deliveries => "W1: webhooks, each a job of five steps",
            Self::Rounds => "W2: one job of 10,000 rounds",
            Self::Records => "W3: one job that sends 10,000 records on",
            Self::Cold => "W4: a server with 1,000 recipes",
            Self::Crash => "W5: killed in the middle, started again",
            Self::Long => "W6: one job over 300,000 elements, also killed in its middle",
            Self::Batch => "W7: a batch synchronisation of 50,000 enrolments, on a faster clock",
            Self::Many => "W8: a workspace of 10,000 recipe files",
        }
    }
}
