//! `recipes jobs cancel`, `release`, `rerun`: what to do about a job that does not go as it should.

use std::fmt::Write;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use super::client::{Client, Errand};
use super::{Ended, say, show, watch};
use crate::clock::parse_period;
use crate::data::{Object, Value};
use crate::trigger::rerun::Changed;

/// Ends a job early: calls under way finish and are recorded, `finally` runs, nothing new starts
#[derive(Args, Debug)]
pub(super) struct Cancel {
    /// The job
    id: String,
    /// Cancel the jobs that it started, too
    #[arg(long)]
    children: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Lets a quarantined job go on where it was
#[derive(Args, Debug)]
pub(super) struct Release {
    /// The job
    id: String,
    /// Let it go on although it was done again, so that what is left of it is done twice
    #[arg(long)]
    though_done_again: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Release {
    pub(super) async fn run(&self, client: &Client) -> anyhow::Result<Ended> {
        let id = client.job(&self.id).await?;
        let path = format!("/api/jobs/{id}/release");
        let wish = json!({ "though_done_again": self.though_done_again });
        let answer = client.post(&path, Some(&wish)).await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        say(&format!("job {id} is released\n"))?;
        if !client.is_served() {
            say("it goes on when `recipes serve` runs\n")?;
        }
        Ok(Ended::Well)
    }
}

impl Cancel {
    pub(super) async fn run(&self, client: &Client) -> anyhow::Result<Ended> {
        let id = client.job(&self.id).await?;
        let path = format!("/api/jobs/{id}/cancel");
        let wish = json!({ "children": self.children });
        let answer = client.post(&path, Some(&wish)).await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        for job in answer["cancelled"].as_array().into_iter().flatten() {
            say(&format!("job {} is cancelled\n", show::cell(job)))?;
        }
        if !client.is_served() {
            say("it ends when `recipes serve` runs\n")?;
        }
        Ok(Ended::Well)
    }
}

/// Does a job again that ended: a new job, from where it failed, from a step or from the start
#[derive(Args, Debug)]
pub(super) struct Rerun {
    /// The job
    #[arg(required_unless_present = "all_failed", conflicts_with = "all_failed")]
    id: Option<String>,
    /// From where on: `failed`, `start`, or the id of a step
    #[arg(long, value_name = "PLACE", default_value = "failed")]
    from: String,
    /// On which version of the recipe, with the settings of when: `ran` or `current`; to be said if
    /// anything has changed since, else what ran
    #[arg(long)]
    version: Option<String>,
    /// What an earlier step is to give instead of what it gave
    #[arg(long, value_name = "STEP=JSON", conflicts_with = "all_failed")]
    set: Vec<String>,
    /// Only the elements of the loop that failed
    #[arg(long)]
    failed_elements: bool,
    /// Make calls again of which nobody knows whether they happened
    #[arg(long)]
    again_if_unknown: bool,
    /// Do it although it was done again before
    #[arg(long, conflicts_with = "all_failed")]
    though_done_again: bool,
    /// All failed jobs that were not done again yet
    #[arg(long)]
    all_failed: bool,
    /// Really all failed jobs, of every recipe and time
    #[arg(long, requires = "all_failed")]
    yes: bool,
    /// Of all failed jobs, only those of this recipe
    #[arg(long, requires = "all_failed")]
    recipe: Option<String>,
    /// Of all failed jobs, only those queued since: 2026-03-01T00:00:00Z
    #[arg(long, value_name = "TIME", requires = "all_failed")]
    since: Option<String>,
    /// Of all failed jobs, only those queued before
    #[arg(long, value_name = "TIME", requires = "all_failed")]
    until: Option<String>,
    /// How many begin each minute
    #[arg(long, value_name = "COUNT", requires = "all_failed")]
    per_minute: Option<u32>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    plan: bool,
    /// Wait for the result, at most this long
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "5m")]
    #[arg(conflicts_with_all = ["plan", "all_failed", "json"])]
    wait: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Rerun {
    /// What it needs done if no server runs.
    pub(super) fn errand(&self) -> Errand {
        match self.wait {
            Some(_) => Errand::Work,
            None => Errand::Ask,
        }
    }

    pub(super) async fn run(&self, client: &Client) -> anyhow::Result<Ended> {
        if let Some(wait) = &self.wait {
            parse_period(wait).map_err(anyhow::Error::msg)?;
        }
        let (path, wish) = match &self.id {
            Some(id) => {
                let id = client.job(id).await?;
                (format!("/api/jobs/{id}/rerun"), self.wish()?)
            }
            None => (
                "/api/jobs/rerun".to_owned(),
                self.wish_of_many(client).await?,
            ),
        };
        let answer = client.post(&path, Some(&wish)).await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let mut text = String::new();
        match answer["reruns"].as_array() {
            None => self.tell(&answer, &mut text),
            Some(reruns) => {
                reruns.iter().for_each(|rerun| self.tell(rerun, &mut text));
                for passed in answer["passed_over"].as_array().into_iter().flatten() {
                    let (job, why) = (show::cell(&passed["job"]), show::cell(&passed["why"]));
                    let _ = writeln!(text, "job {job} is passed over: {why}");
                }
                if reruns.is_empty() {
                    text.push_str("no job is done again\n");
                }
            }
        }
        let does_something = answer["reruns"]
            .as_array()
            .is_none_or(|all| !all.is_empty());
        if does_something && !self.plan && !client.is_served() && self.wait.is_none() {
            text.push_str("it runs when `recipes serve` runs, or now with --wait\n");
        }
        say(&text)?;
        match &self.wait {
            Some(wait) => waited(client, &show::cell(&answer["job"]), wait).await,
            None => Ok(Ended::Well),
        }
    }

    fn wish(&self) -> anyhow::Result<Value> {
        let mut outputs = Object::new();
        for set in &self.set {
            let Some((step, output)) = set.split_once('=') else {
                bail!("`--set {set}` is not STEP=JSON");
            };
            let output: Value = serde_json::from_str(output)
                .with_context(|| format!("what `{step}` is to give is not JSON"))?;
            outputs.insert(step.to_owned(), output);
        }
        let mut wish = json!({ "from": self.from, "plan": self.plan });
        if let Some(version) = &self.version {
            wish["version"] = version.as_str().into();
        }
        if !outputs.is_empty() {
            wish["outputs"] = Value::Object(outputs);
        }
        if self.failed_elements {
            wish["elements"] = "failed".into();
        }
        if self.again_if_unknown {
            wish["unknown"] = "again".into();
        }
        if self.though_done_again {
            wish["though_done_again"] = true.into();
        }
        Ok(wish)
    }

    async fn wish_of_many(&self, client: &Client) -> anyhow::Result<Value> {
        let mut wish = self.wish()?;
        if let Some(recipe) = &self.recipe {
            wish["recipe"] = client.recipe(recipe).await?.into();
        }
        let times = [("since", &self.since), ("until", &self.until)];
        for (name, time) in times {
            if let Some(time) = time {
                wish[name] = time.as_str().into();
            }
        }
        if self.yes {
            wish["all"] = true.into();
        }
        if let Some(count) = self.per_minute {
            wish["per_minute"] = count.into();
        }
        Ok(wish)
    }

    fn tell(&self, rerun: &Value, text: &mut String) {
        let places: Vec<String> = rerun["from"]
            .as_array()
            .into_iter()
            .flatten()
            .map(show::cell)
            .collect();
        let begin = match self.plan {
            true => "would do".to_owned(),
            false => format!("job {} does", show::cell(&rerun["job"])),
        };
        let _ = write!(
            text,
            "{begin} job {} again from {}",
            show::cell(&rerun["origin"]),
            places.join(", ")
        );
        if let Some(count) = rerun["elements"].as_u64() {
            let _ = write!(text, " with the {count} elements that failed");
        }
        let keeps = rerun["keeps_count"].as_u64().unwrap_or(0);
        if keeps > 0 {
            let are = if keeps == 1 {
                "result is"
            } else {
                "results are"
            };
            let _ = write!(text, ", {keeps} {are} kept");
        }
        let changed = changed(
            &rerun["recipe_has_changed"],
            &rerun["settings_that_changed"],
        );
        let is_open = self.version.is_none() && changed.is_some();
        text.push_str(match &*show::cell(&rerun["version"]) {
            "current" => ", with the recipe and settings of now",
            _ if is_open => ", once you say with which recipe and settings",
            _ => ", with the recipe and settings of then",
        });
        if rerun["not_before"].is_string() {
            let _ = write!(text, ", not before {}", show::time(&rerun["not_before"]));
        }
        text.push('\n');
        if let Some(changed) = changed.as_ref().filter(|_| is_open) {
            let _ = writeln!(
                text,
                "  note: {changed} since: `--version current` makes that count, `--version ran` does \
                 it as it was then; without one of them, nothing is done"
            );
        } else if let (Some(changed), "ran") = (changed, &*show::cell(&rerun["version"])) {
            let _ = writeln!(
                text,
                "  note: {changed} since, which does not count for this rerun; with `--version \
                 current` it does"
            );
        }
        let tables = joined(&rerun["rows_kept_of"]);
        if !tables.is_empty() {
            let _ = writeln!(
                text,
                "  note: rows that it read of {tables} count as they were then; `--from start`, or \
                 `--from STEP` with the step that reads them, reads them anew"
            );
        }
        if self.plan {
            for kept in rerun["keeps"].as_array().into_iter().flatten() {
                let _ = writeln!(text, "  keeps {}", show::cell(kept));
            }
        }
    }
}

/// The result of a job that was queued, within a time.
async fn waited(client: &Client, id: &str, time: &str) -> anyhow::Result<Ended> {
    let time: String = url::form_urlencoded::byte_serialize(time.as_bytes()).collect();
    let job = client.get(&format!("/api/jobs/{id}?wait={time}")).await?;
    match &*show::cell(&job["status"]) {
        status @ ("queued" | "running" | "waiting") => {
            bail!("job {id} is still {status}; `recipes jobs {id}` shows how far it is")
        }
        status => watch::ended(&job, status),
    }
}

/// What has changed since a job began, in words.
pub(super) fn changed(recipe: &Value, settings: &Value) -> Option<String> {
    let settings = settings.as_array().into_iter().flatten();
    let changed = Changed {
        recipe: recipe == true,
        settings: settings.map(show::cell).collect(),
    };
    changed.in_words()
}

/// The texts of a list, with commas between.
fn joined(list: &Value) -> String {
    let texts = list.as_array().into_iter().flatten().map(show::cell);
    texts.collect::<Vec<_>>().join(", ")
}
