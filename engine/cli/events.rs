//! `recipes events`: what webhooks brought, and having it taken in once more.

use std::fmt::Write;
use std::path::Path;

use clap::{Args, Subcommand};

use super::client::{Client, Errand};
use super::{Ended, say, show};
use crate::data::Value;

/// Lists stored webhook deliveries, shows one, or replays one
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Events {
    #[command(flatten)]
    list: List,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand, Debug)]
enum What {
    List(List),
    Show(One),
    Replay(Replay),
}

/// Lists stored deliveries, newest first
#[derive(Args, Debug)]
struct List {
    /// Only deliveries for this recipe
    #[arg(long)]
    recipe: Option<String>,
    /// Only deliveries from this time on, such as 2026-03-01T10:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only deliveries before this time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only deliveries older than this one: the last of the page before
    #[arg(long, value_name = "ID")]
    before: Option<String>,
    /// How many
    #[arg(long, default_value_t = 25)]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Shows what a delivery brought and which jobs were made of it
#[derive(Args, Debug)]
struct One {
    /// The delivery
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Makes new jobs of a delivery, even if its dedupe key is known; they run, started or not
#[derive(Args, Debug)]
struct Replay {
    /// The delivery
    id: String,
    /// Wait until the jobs have ended
    #[arg(long)]
    wait: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Events {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let errand = match &self.what {
            Some(What::Replay(replay)) if replay.wait => Errand::Work,
            _ => Errand::Ask,
        };
        Client::run(workspace, errand, async |client| match &self.what {
            None => self.list.run(client).await,
            Some(What::List(list)) => list.run(client).await,
            Some(What::Show(one)) => one.run(client).await,
            Some(What::Replay(replay)) => replay.run(client).await,
        })
        .await
    }
}

impl List {
    async fn run(&self, client: &Client) -> anyhow::Result<Ended> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        if let Some(recipe) = &self.recipe {
            query.append_pair("recipe", &client.recipe(recipe).await?);
        }
        let bounds = [
            ("from", &self.from),
            ("to", &self.to),
            ("before", &self.before),
        ];
        for (name, value) in bounds {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        let answer = client
            .get(&format!("/api/events?{}", query.finish()))
            .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let rows = answer["events"].as_array().into_iter().flatten();
        let rows = rows.map(|event| {
            vec![
                show::cell(&event["id"]),
                show::time(&event["received_at"]),
                show::cell(&event["recipe"]),
                show::cell(&event["bytes"]),
                show::cell(&event["job_count"]),
            ]
        });
        show::rows(
            &["event", "received at", "recipe", "bytes", "jobs"],
            rows.collect(),
        )?;
        say(&unkept(&answer["not_kept"]))?;
        Ok(Ended::Well)
    }
}

impl One {
    async fn run(&self, client: &Client) -> anyhow::Result<Ended> {
        let event = client.get(&path(&self.id, "")).await?;
        if self.json {
            show::json(&event)?;
            return Ok(Ended::Well);
        }
        let mut text = format!(
            "event {} for {}\nreceived {}, {} bytes\n",
            show::cell(&event["id"]),
            show::cell(&event["recipe"]),
            show::time(&event["received_at"]),
            show::cell(&event["bytes"])
        );
        jobs(&event["jobs"], "job ", &mut text);
        for replay in event["replays"].as_array().into_iter().flatten() {
            let at = show::time(&replay["at"]);
            let _ = writeln!(text, "replayed {at} by {}", show::cell(&replay["by"]));
            jobs(&replay["jobs"], "  job ", &mut text);
        }
        if let Some(why) = event.get("body_missing_because") {
            let _ = writeln!(text, "its body is not shown: {}", show::cell(why));
        }
        say(&text)?;
        for part in ["headers", "query", "body"] {
            let value = &event[part];
            let is_empty = value.as_object().is_some_and(serde_json::Map::is_empty);
            if !value.is_null() && !is_empty {
                say(&format!("\n{part}:\n"))?;
                show::json(value)?;
            }
        }
        Ok(Ended::Well)
    }
}

impl Replay {
    async fn run(&self, client: &Client) -> anyhow::Result<Ended> {
        let answer = client.post(&path(&self.id, "/replay"), None).await?;
        let made = answer["jobs"].as_array().cloned().unwrap_or_default();
        if self.json {
            show::json(&answer)?;
        }
        if !self.json {
            say(&told(&self.id, &answer))?;
        }
        let mut ended = Ended::Well;
        for job in &made {
            let id = show::cell(job);
            let status = match self.wait {
                true => settled(client, &id).await?,
                false => String::new(),
            };
            if self.wait && status != "succeeded" {
                ended = Ended::WithProblems;
            }
            if !self.json {
                say(format!("{id} {status}").trim_end())?;
                say("\n")?;
            }
        }
        if !self.wait && !self.json && !client.is_served() {
            say("it is in line; it runs when `recipes serve` runs, or now with --wait\n")?;
        }
        Ok(ended)
    }
}

/// What a replay made, and that it runs although its recipe is stopped.
fn told(event: &str, answer: &Value) -> String {
    let recipe = show::cell(&answer["recipe"]);
    let made = match answer["jobs"].as_array().map_or(0, Vec::len) {
        0 => format!("event {event} makes no job of {recipe}\n"),
        1 => format!("event {event} is replayed: a new job of {recipe}\n"),
        count => format!("event {event} is replayed: {count} new jobs of {recipe}\n"),
    };
    match answer["is_started"] == false {
        true => format!(
            "{made}{recipe} is stopped; what is replayed runs all the same, new deliveries wait for \
             `recipes start {recipe}`\n"
        ),
        false => made,
    }
}

/// Where a job stands once it ended or needs a person.
async fn settled(client: &Client, id: &str) -> anyhow::Result<String> {
    loop {
        let job = client.get(&format!("/api/jobs/{id}?wait=5m")).await?;
        let status = show::cell(&job["status"]);
        if !job["ended_at"].is_null() || status == "needs_decision" {
            return Ok(status);
        }
    }
}

fn path(id: &str, rest: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/api/events/{id}{rest}")
}

fn jobs(list: &Value, before: &str, text: &mut String) {
    for job in list.as_array().into_iter().flatten() {
        let _ = writeln!(text, "{before}{}", show::cell(job));
    }
}

/// What became of deliveries that are not in the list.
fn unkept(list: &Value) -> String {
    let mut text = String::new();
    for unkept in list.as_array().into_iter().flatten() {
        let what = match unkept["fate"].as_str() {
            Some("dropped") => "dropped while it was stopped",
            Some("rejected") => "refused while it was stopped",
            _ => "repeated what was known",
        };
        let _ = writeln!(
            text,
            "{}: {} deliveries {what}, the last {}",
            show::cell(&unkept["recipe"]),
            show::cell(&unkept["count"]),
            show::time(&unkept["last_at"])
        );
    }
    text
}
