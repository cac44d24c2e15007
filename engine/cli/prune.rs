//! `recipes prune`: removes old history and gives its room back.

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::anyhow;
use clap::Args;
use serde_json::json;

use super::client::{Client, Errand};
use super::{Ended, say, show};
use crate::clock::parse_period;
use crate::data::Value;
use crate::history::{parse_size, show_size};

/// Removes the history of old jobs, whether a server runs or not; a line of each job stays
///
/// Without --older-than and --to-size, what goes is what the settings and the recipes say: `history_age`,
/// `history_size`, `retention`. Jobs that have not ended, and what they need, always stay.
#[derive(Args, Debug)]
pub(super) struct Prune {
    /// What ended longer ago than this, such as 30d
    #[arg(long, value_name = "AGE")]
    older_than: Option<String>,
    /// The oldest, until the database has this size, such as 5GiB
    #[arg(long, value_name = "SIZE")]
    to_size: Option<String>,
    /// Only say what would go
    #[arg(long)]
    plan: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Prune {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        if let Some(age) = &self.older_than {
            parse_period(age).map_err(|why| anyhow!("--older-than: {why}"))?;
        }
        if let Some(size) = &self.to_size {
            parse_size(size).map_err(|why| anyhow!("--to-size: {why}"))?;
        }
        Client::run(workspace, Errand::Ask, async |client| {
            self.ask(client).await
        })
        .await
    }

    async fn ask(&self, client: &Client) -> anyhow::Result<Ended> {
        let wish = json!({
            "older_than": self.older_than, "to_size": self.to_size, "plan": self.plan,
        });
        let path = "/api/history/prune";
        if self.plan {
            let plan = client.post(path, Some(&wish)).await?;
            if self.json {
                show::json(&plan)?;
            } else {
                say(&format!(
                    "the history of {} jobs would go, about {}; the database has {}\n",
                    plan["jobs"],
                    size(&plan["bytes"]),
                    size(&plan["now"]["used_bytes"])
                ))?;
                if plan["unmended"].as_u64() > Some(0) {
                    say(&format!(
                        "{} of them failed and were not done again, which cannot be done without \
                         their history: see `recipes jobs --status failed`, and `recipes jobs \
                         rerun`\n",
                        plan["unmended"]
                    ))?;
                }
            }
            return Ok(Ended::Well);
        }
        let mut jobs = 0;
        let mut before = Value::Null;
        loop {
            let mut swept = client.post(path, Some(&wish)).await?;
            jobs += swept["jobs"].as_u64().unwrap_or(0);
            if before.is_null() {
                before = swept["before"].take();
            }
            let is_done = swept["is_done"].as_bool().unwrap_or(true);
            progress(jobs, &swept["now"], is_done)?;
            if is_done {
                let told = json!({ "jobs": jobs, "before": before, "now": swept["now"] });
                return self.tell(&told);
            }
        }
    }

    fn tell(&self, told: &Value) -> anyhow::Result<Ended> {
        if self.json {
            show::json(told)?;
            return Ok(Ended::Well);
        }
        say(&format!(
            "the history of {} jobs was removed; the file had {} and has {}\n",
            told["jobs"],
            size(&told["before"]["file_bytes"]),
            size(&told["now"]["file_bytes"])
        ))?;
        Ok(Ended::Well)
    }
}

/// Shows on a terminal how far it is.
fn progress(jobs: u64, now: &Value, is_done: bool) -> anyhow::Result<()> {
    let mut out = std::io::stderr();
    if !out.is_terminal() {
        return Ok(());
    }
    match is_done {
        true => write!(out, "\r\x1b[K")?,
        false => write!(
            out,
            "\r\x1b[K{jobs} jobs, the database has {}",
            size(&now["used_bytes"])
        )?,
    }
    out.flush()?;
    Ok(())
}

fn size(bytes: &Value) -> String {
    show_size(bytes.as_u64().unwrap_or(0))
}
