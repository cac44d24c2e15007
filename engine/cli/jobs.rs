//! `recipes jobs`: what ran and what runs, step by step; and deciding what only a person can.

use std::path::Path;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;

use super::client::{Client, Errand};
use super::job::{Told, status};
use super::when::took;
use super::{Ended, mend, record, say, show};
use crate::data::Value;

/// How many pages are looked through for jobs that are not hidden.
const PAGES_MAX: usize = 20;

/// How many jobs the server gives at a time.
const PAGE_MAX: usize = 500;

/// Lists jobs, newest first, or shows one step by step
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Jobs {
    /// The job to show: its id, or as much of its beginning as no other job has
    id: Option<String>,
    /// Only jobs in these states, with commas between them: queued, running, waiting,
    /// needs_decision, succeeded, succeeded_with_errors, failed, stopped, quarantined
    #[arg(long)]
    status: Option<String>,
    /// Only jobs of this recipe
    #[arg(long)]
    recipe: Option<String>,
    /// Only jobs that hold this value: an e-mail address, an id
    #[arg(long, value_name = "VALUE", conflicts_with_all = ["id", "reveal"])]
    about: Option<String>,
    /// How many
    #[arg(long, default_value_t = 25)]
    limit: usize,
    /// With --status: also jobs that were done again and then succeeded
    #[arg(long, requires = "status")]
    all: bool,
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
    Rerun(mend::Rerun),
    Record(record::Record),
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
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Jobs {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let errand = match &self.what {
            Some(What::Rerun(rerun)) => rerun.errand(),
            _ => Errand::Ask,
        };
        Client::run(workspace, errand, async |client| {
            match (&self.what, &self.id) {
                (Some(What::Decide(decide)), _) => decide.run(client).await,
                (Some(What::Cancel(cancel)), _) => cancel.run(client).await,
                (Some(What::Release(release)), _) => release.run(client).await,
                (Some(What::Rerun(rerun)), _) => rerun.run(client).await,
                (Some(What::Record(record)), _) => record.run(client).await,
                (None, Some(id)) => self.one(client, id).await,
                (None, None) => match &self.about {
                    Some(value) => self.search(client, value).await,
                    None => self.list(client).await,
                },
            }
        })
        .await
    }

    /// The jobs that hold a value, as far back as there are jobs.
    async fn search(&self, client: &Client, value: &str) -> anyhow::Result<Ended> {
        let mut wish = json!({ "value": value });
        if let Some(status) = &self.status {
            wish["status"] = json!(status);
        }
        if let Some(recipe) = &self.recipe {
            wish["recipe"] = json!(client.recipe(recipe).await?);
        }
        let mut jobs: Vec<Value> = Vec::new();
        let mut looked_at = 0;
        while jobs.len() < self.limit {
            wish["limit"] = json!((self.limit - jobs.len()).min(PAGE_MAX));
            let answer = client.post("/api/jobs/search", Some(&wish)).await?;
            jobs.extend(answer["jobs"].as_array().cloned().unwrap_or_default());
            looked_at += answer["looked_at"].as_u64().unwrap_or(0);
            match answer.get("before") {
                Some(before) => wish["before"] = before.clone(),
                None => break,
            }
        }
        if self.json {
            show::json(&json!({ "jobs": jobs, "looked_at": looked_at }))?;
            return Ok(Ended::Well);
        }
        table(&jobs)?;
        show::aside(&format!("looked at {looked_at} jobs"));
        Ok(Ended::Well)
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
        let path = format!("/api/jobs?{}", query.finish());
        let (answer, hidden) = self.pages(client, path).await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let jobs = answer["jobs"].as_array().cloned().unwrap_or_default();
        table(&jobs)?;
        if hidden > 0 {
            show::aside(&format!(
                "{hidden} more were done again and succeeded then; --all lists them, too"
            ));
        }
        if self.status.as_deref() == Some("failed") {
            self.tell_partly_failed(client).await?;
        }
        Ok(Ended::Well)
    }

    /// Who looks for failed jobs wants to know of those, too, that went on without what failed.
    async fn tell_partly_failed(&self, client: &Client) -> anyhow::Result<()> {
        let path = "/api/jobs?status=succeeded_with_errors&limit=500";
        let answer = client.get(path).await?;
        let jobs = answer["jobs"].as_array().into_iter().flatten();
        let count = jobs.filter(|job| !job["done_again"].is_object()).count();
        if count > 0 {
            show::aside(&format!(
                "of {count} more, parts failed and the recipe went on: `recipes jobs --status \
                 succeeded_with_errors` lists them"
            ));
        }
        Ok(())
    }

    /// The first page, filled up from the next ones with what is not hidden; and how many are. Who
    /// asks for failed jobs looks for what there is to do: one whose rerun succeeded is done.
    async fn pages(&self, client: &Client, path: String) -> anyhow::Result<(Value, usize)> {
        let mut answer = client.get(&path).await?;
        if self.all || self.status.is_none() {
            return Ok((answer, 0));
        }
        let (mut shown, mut hidden, mut is_cut) = (Vec::new(), 0, false);
        for _ in 0..PAGES_MAX {
            for job in answer["jobs"].as_array_mut().into_iter().flatten() {
                let is_done = show::cell(&job["done_again"]["status"]).starts_with("succeeded");
                match is_done {
                    true => hidden += 1,
                    false if shown.len() < self.limit => shown.push(job.take()),
                    false => is_cut = true,
                }
            }
            match answer["next"].as_str() {
                Some(next) if shown.len() < self.limit => answer = client.get(next).await?,
                _ => break,
            }
        }
        if is_cut && let Some(last) = shown.last() {
            answer["next"] = format!("{path}&before={}", show::cell(&last["id"])).into();
        }
        answer["jobs"] = shown.into();
        Ok((answer, hidden))
    }

    async fn one(&self, client: &Client, id: &str) -> anyhow::Result<Ended> {
        let id = client.job(id).await?;
        let reveal = if self.reveal { "?reveal=personal" } else { "" };
        let job = client.get(&format!("/api/jobs/{id}{reveal}")).await?;
        if self.json {
            show::json(&job)?;
            return Ok(Ended::Well);
        }
        let told = match self.verbose {
            true => Told::WithValues,
            false => Told::Plainly,
        };
        say(&told.text(&job))?;
        Ok(Ended::Well)
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
        let id = client.job(&self.id).await?;
        let path = format!("/api/jobs/{id}/decide");
        let answer = client.post(&path, Some(&wish)).await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        say(&format!("decided; job {id} goes on\n"))?;
        Ok(Ended::Well)
    }
}

/// Jobs, a line each.
fn table(jobs: &[Value]) -> anyhow::Result<()> {
    let rows = jobs
        .iter()
        .map(|job| {
            vec![
                show::cell(&job["id"]),
                status(job),
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
    )
}

/// Why a job failed and what its rerun came to, what it waits for, or that its history is gone.
fn why(job: &Value) -> String {
    let again = &job["done_again"];
    match again.is_object() {
        true => {
            let done = ["job", "status"].map(|name| show::cell(&again[name]));
            let done = format!("done again: {}", done.join(" "));
            let why = [why_itself(job), done].into_iter();
            why.filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("; ")
        }
        false => why_itself(job),
    }
}

fn why_itself(job: &Value) -> String {
    let removed = job["history_removed"].is_object();
    let failure = &job["failure"];
    match (failure.is_object(), removed) {
        (true, true) => format!("{} (history removed)", show::cell(&failure["code"])),
        (false, true) => "history removed".into(),
        (false, false) if job["waits_for"].is_string() => {
            format!("waits for {}", show::cell(&job["waits_for"]))
        }
        _ if job["status"] == "succeeded_with_errors" => "parts of it failed".into(),
        _ => show::cell(&failure["message"]),
    }
}
