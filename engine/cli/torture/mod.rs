//! `recipes torture`: whether the engine keeps its word on this machine and this disk.
//!
//! In: for how long, and a seed. Out: what was done to the engine, and what the outside world holds
//! afterwards beside what it must hold.
//! Always true: the engine is the real server, a process of its own with a workspace of its own;
//! nothing of the user's workspace is read or changed; what must be there is written down by those who
//! caused it, never asked of the engine.

mod api;
mod compare;
mod drain;
mod engine;
mod load;
mod plan;
mod post;
mod report;
mod run;
mod vendor;
mod workspace;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::serve::stop_signal;
use super::{Ended, say, show};

/// Kills the engine again and again while it works, and sees whether anything is lost or doubled.
///
/// A mixed load of webhooks, runs by hand, loops, waits, queues by key, rows and mails works against a
/// stand-in of this machine that breaks off, answers late or wrongly, or is overloaded. Meanwhile the
/// engine is killed at random moments, its clock jumps, and its disk is full for a while. At the end,
/// everything is compared. The engine works in a folder of its own below the workspace, so that the
/// same disk is tried.
#[derive(Args, Debug)]
pub(super) struct Torture {
    /// For how many minutes
    #[arg(long, default_value_t = 5.0)]
    minutes: f64,
    /// What is done when follows from this number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many events a second are sent
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=50))]
    rate: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Leave the folder in place even if all is well
    #[arg(long)]
    keep: bool,
}

impl Torture {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let folder = workspace.join(format!(".torture-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("`{}` cannot be made", folder.display()))?;
        let folder = folder.canonicalize()?;
        let wanted = run::Wanted {
            lasts: Duration::try_from_secs_f64(self.minutes * 60.0)
                .context("`--minutes` is no length of time")?,
            seed: self.seed,
            rate: self.rate,
            is_quiet: self.json,
        };
        let stopped = stop_signal()?;
        let report = tokio::select! {
            report = run::torture(&folder, &wanted) => report?,
            // The server ends with the run.
            () = stopped => {
                std::fs::remove_dir_all(&folder)?;
                return Ok(Ended::Interrupted);
            }
        };
        if self.json {
            show::json(&report.to_json())?;
        } else {
            say(&report.to_text())?;
        }
        let is_well = report.troubles.is_empty();
        if is_well && !self.keep {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("`{}` cannot be removed", folder.display()))?;
        } else if !self.json {
            say(&format!("left in place: {}\n", folder.display()))?;
        }
        Ok(if is_well {
            Ended::Well
        } else {
            Ended::WithProblems
        })
    }
}
