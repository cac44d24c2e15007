//! `recipes jobs`: what ran and what runs, step by step; and deciding what only a person can.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

use super::client::{Body, Client, Errand};
use super::{Ended, mend, say, show};
use crate::clock::Moment;
use crate::data::Value;

/// The most failed elements of a loop that are listed; the API has more.
const FAILURES_MAX: usize = 10;

/// Lists jobs, newest first, or shows one step by step
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Jobs {
    /// The job to show
    id: Option<String>,
    /// Only jobs in this state: queued, running, waiting, needs_decision, succeeded, failed ...
    #[arg(long)]
    status: Option<String>,
    /// Only jobs of this recipe
    #[arg(long)]
    recipe: Option<String>,
    /// How many
    #[arg(long, default_value_t = 25)]
    limit: usize,
    /// Show what each step was given and gave
    #[arg(long, short)]
    verbose: bool,
    /// Show personal values, of one job; that you looked is noted in the audit
    #[arg(long, requires = "id")]
    reveal: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand, Debug)]
enum What {
    Decide(Decide),
    Cancel(mend::Cancel),
    Release(mend::Release),
}

/// Says what became of a call whose end is unknown, so that its job can go on
#[derive(Args, Debug)]
struct Decide {
    /// The job
    id: String,
    /// It happened, and gave this (JSON; leave it out if the action gives nothing)
    #[arg(long, value_name = "OUTPUT", num_args = 0..=1, default_missing_value = "{}")]
    #[arg(group = "choice")]
    happened: Option<String>,
    /// It did not happen: do it again
    #[arg(long, group = "choice")]
    again: bool,
    /// Give up: the step fails
    #[arg(long, group = "choice")]
    fail: bool,
    /// The place that asks, if several do
    #[arg(long)]
    key: Option<String>,
}

impl Jobs {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let client = Client::connect(workspace, Errand::Ask).await?;
        let told = match (&self.what, &self.id) {
            (Some(What::Decide(decide)), _) => decide.run(&client).await,
            (Some(What::Cancel(cancel)), _) => cancel.run(&client).await,
            (Some(What::Release(release)), _) => release.run(&client).await,
            (None, Some(id)) => self.one(&client, id).await,
            (None, None) => self.list(&client).await,
        };
        client.close().await;
        told
    }

    async fn list(&self, client: &Client) -> anyhow::Result<Ended> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        if let Some(status) = &self.status {
            query.append_pair("status", status);
        }
        if let Some(recipe) = &self.recipe {
            query.append_pair("recipe", &client.recipe(recipe).await?);
        }
        let answer = client.get(&format!("/api/jobs?{}", query.finish())).await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let jobs = answer["jobs"].as_array().cloned().unwrap_or_default();
        let rows = jobs
            .iter()
            .map(|job| {
                vec![
                    show::cell(&job["id"]),
                    show::cell(&job["status"]),
                    show::cell(&job["recipe"]),
                    show::time(&job["created_at"]),
                    took(&job["started_at"], &job["ended_at"]),
                    why(job),
                ]
            })
            .collect();
        show::rows(
            &["job", "status", "recipe", "queued at", "took", "why"],
            rows,
        )?;
        Ok(Ended::Well)
    }

    async fn one(&self, client: &Client, id: &str) -> anyhow::Result<Ended> {
        let reveal = if self.reveal { "?reveal=personal" } else { "" };
        let job = client.get(&format!("/api/jobs/{id}{reveal}")).await?;
        if self.json {
            show::json(&job)?;
            return Ok(Ended::Well);
        }
        say(&self.text(&job))?;
        Ok(Ended::Well)
    }

    fn text(&self, job: &Value) -> String {
        let mut text = format!(
            "{} {} {}\n",
            show::cell(&job["id"]),
            show::cell(&job["recipe"]),
            show::cell(&job["status"])
        );
        let _ = writeln!(
            text,
            "queued {} by {}, took {}",
            show::time(&job["created_at"]),
            show::cell(&job["started_by"]),
            took(&job["started_at"], &job["ended_at"])
        );
        if let Some(cancel) = job.get("cancel") {
            let _ = writeln!(
                text,
                "cancelled {} by {}",
                show::time(&cancel["at"]),
                show::cell(&cancel["by"])
            );
        }
        if let Some(failure) = job.get("failure") {
            let _ = writeln!(
                text,
                "{}: {} {}",
                show::cell(&failure["code"]),
                show::cell(&failure["message"]),
                show::cell(&failure["place"])
            );
        }
        if let Some(why) = job.get("steps_missing_because") {
            let _ = writeln!(text, "no steps are shown: {}", show::cell(why));
        }
        text.push('\n');
        for step in job["steps"].as_array().into_iter().flatten() {
            self.step(step, 0, &mut text);
        }
        for open in job["decisions"].as_array().into_iter().flatten() {
            let _ = writeln!(
                text,
                "\nneeds a decision: {} at {}: {}\n  decide with: recipes jobs decide {} --key '{}' \
                 --happened OUTPUT | --again | --fail",
                show::cell(&open["action"]),
                show::cell(&open["key"]),
                show::cell(&open["failure"]["message"]),
                show::cell(&job["id"]),
                show::cell(&open["key"])
            );
        }
        text
    }

    fn step(&self, step: &Value, depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        let sign = match step["state"].as_str() {
            Some("succeeded") => "ok ",
            Some("failed") => "!! ",
            Some("skipped") => "-- ",
            _ => ".. ",
        };
        let name = if step["title"].is_string() {
            &step["title"]
        } else {
            &step["id"]
        };
        let _ = write!(text, "{sign}{indent}{}", show::cell(name));
        if step["kind"].is_string() {
            let _ = write!(text, "  [{}]", show::cell(&step["kind"]));
        }
        let took = took(&step["began_at"], &step["ended_at"]);
        if !took.is_empty() && took != "0s" {
            let _ = write!(text, "  {took}");
        }
        text.push('\n');
        if let Some(failure) = step.get("failure") {
            let _ = writeln!(
                text,
                "   {indent}  {}: {}",
                show::cell(&failure["code"]),
                show::cell(&failure["message"])
            );
        }
        for (name, what) in [
            ("next_try_at", "tried again"),
            ("waits_until", "waits until"),
        ] {
            if let Some(at) = step.get(name) {
                let _ = writeln!(text, "   {indent}  {what} {}", show::time(at));
            }
        }
        if let Some(folded) = step.get("folded") {
            tell_folded(step, folded, &indent, text);
        }
        for name in ["input", "output"].iter().filter(|_| self.verbose) {
            if let Some(value) = step.get(*name) {
                let _ = writeln!(text, "   {indent}  {name}: {}", show::short(value, 200));
            }
        }
        for inner in step["steps"].as_array().into_iter().flatten() {
            self.step(inner, depth + 1, text);
        }
    }
}

impl Decide {
    async fn run(&self, client: &Client) -> anyhow::Result<Ended> {
        let mut wish = match (&self.happened, self.again, self.fail) {
            (Some(output), ..) => {
                let output: Value =
                    serde_json::from_str(output).context("the output is not JSON")?;
                json!({ "choice": "happened", "output": output })
            }
            (None, true, _) => json!({ "choice": "again" }),
            (None, _, true) => json!({ "choice": "fail" }),
            _ => anyhow::bail!("say what became of it: --happened OUTPUT, --again or --fail"),
        };
        if let Some(key) = &self.key {
            wish["key"] = json!(key);
        }
        let path = format!("/api/jobs/{}/decide", self.id);
        client.send(Method::POST, &path, Body::Json(&wish)).await?;
        say(&format!("decided; job {} goes on\n", self.id))?;
        Ok(Ended::Well)
    }
}

/// Says what became of the iterations of a loop that are not shown one by one.
fn tell_folded(step: &Value, folded: &Value, indent: &str, text: &mut String) {
    let _ = writeln!(
        text,
        "   {indent}  {} iterations are not shown one by one: {} succeeded, {} failed",
        show::cell(&folded["iterations"]),
        show::cell(&folded["succeeded"]),
        show::cell(&folded["failed"])
    );
    let ended = &step["output"]["errors"];
    let errors = if ended.is_array() {
        ended
    } else {
        &step["errors"]
    };
    for error in errors.as_array().into_iter().flatten().take(FAILURES_MAX) {
        let _ = writeln!(
            text,
            "   {indent}  element {}: {}: {}",
            show::cell(&error["index"]),
            show::cell(&error["error"]["code"]),
            show::cell(&error["error"]["message"])
        );
    }
}

/// Why a job failed, or that its history is gone.
fn why(job: &Value) -> String {
    let removed = job["history_removed"].is_object();
    let failure = &job["failure"];
    match (failure.is_object(), removed) {
        (true, true) => format!("{} (history removed)", show::cell(&failure["code"])),
        (false, true) => "history removed".into(),
        _ => show::cell(&failure["message"]),
    }
}

/// The time between two moments, as people say it.
fn took(from: &Value, to: &Value) -> String {
    let moment = |value: &Value| value.as_str().and_then(|text| Moment::parse(text).ok());
    let (Some(from), Some(to)) = (moment(from), moment(to)) else {
        return String::new();
    };
    let took = to.since(from);
    match took.as_millis() {
        0 => "0s".into(),
        ms if ms < 1_000 => format!("{ms}ms"),
        ms if ms < 60_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        ms => format!("{}m {}s", ms / 60_000, ms % 60_000 / 1_000),
    }
}
