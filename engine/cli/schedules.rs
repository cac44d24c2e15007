//! `recipes schedules`: what the clock sets off, and when it does so next.

use std::path::Path;

use clap::Args;

use super::client::{Client, Errand};
use super::{Ended, say, show};
use crate::data::Value;

/// How many of the next times stand in a line.
const TIMES_SHOWN: usize = 3;

/// Lists what the clock sets off, with when it does so next
#[derive(Args, Debug)]
pub(super) struct Schedules {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Schedules {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            client.get("/api/schedules").await
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let schedules = answer["schedules"].as_array().into_iter().flatten();
        let rows: Vec<Vec<String>> = schedules.map(row).collect();
        if rows.is_empty() {
            say("no recipe has a schedule or polls\n")?;
            return Ok(Ended::Well);
        }
        show::rows(&["recipe", "kind", "status", "next"], rows)?;
        Ok(Ended::Well)
    }
}

fn row(schedule: &Value) -> Vec<String> {
    let next = schedule["next"].as_array().into_iter().flatten();
    let next = next.take(TIMES_SHOWN).map(|next| match &next["local"] {
        Value::Null => show::time(&next["at"]),
        local => show::cell(local),
    });
    let next = next.collect::<Vec<_>>().join(", ");
    let (status, next) = match schedule["is_started"] == true {
        true => ("started", next),
        false if next.is_empty() => ("stopped", next),
        false => ("stopped", format!("if started: {next}")),
    };
    let (recipe, kind) = (
        show::cell(&schedule["recipe"]),
        show::cell(&schedule["kind"]),
    );
    vec![recipe, kind, status.to_owned(), next]
}
