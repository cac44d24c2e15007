//! `recipes schedules`: what the clock sets off, when it does so next, and what became of each time.

use std::path::Path;

use clap::Args;

use super::client::{Client, Errand};
use super::{Ended, say, show};
use crate::data::Value;

/// How many of the next times stand in a line.
const TIMES_SHOWN: usize = 3;

/// Lists what the clock sets off, with when it does so next, or what became of one schedule's times
#[derive(Args, Debug)]
pub(super) struct Schedules {
    /// The recipe whose times are listed, newest first, with the job of each or why it has none
    name: Option<String>,
    /// How many of them
    #[arg(long, requires = "name", default_value_t = 25)]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Schedules {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            self.ask(client).await
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        if let Some(fires) = answer["fires"].as_array() {
            show::rows(
                &["at", "outcome", "job", "why"],
                fires.iter().map(fire).collect(),
            )?;
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

    async fn ask(&self, client: &Client) -> anyhow::Result<Value> {
        let Some(name) = &self.name else {
            return client.get("/api/schedules").await;
        };
        let name = client.recipe(name).await?;
        let path = format!("/api/recipes/{name}/fires?limit={}", self.limit);
        client.get(&path).await
    }
}

/// A time that a schedule named, and what became of it; of several in a row, the first, too.
fn fire(fire: &Value) -> Vec<String> {
    let at = match &fire["first"] {
        Value::Null => show::time(&fire["at"]),
        first => format!("{} to {}", show::time(first), show::time(&fire["at"])),
    };
    let [outcome, job, why] = ["outcome", "job", "reason"].map(|name| show::cell(&fire[name]));
    vec![at, outcome, job, why]
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
