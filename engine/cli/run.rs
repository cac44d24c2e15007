//! `recipes run`: one run by hand.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::client::{Answer, Body, Client, Errand};
use super::preview::{self, Told};
use super::watch::watch;
use super::{Ended, say, show};
use crate::clock::parse_period;
use crate::data::Value;

/// Runs a recipe once, with input or a sample event
#[derive(Args, Debug)]
pub(super) struct Run {
    /// The recipe, with or without its project
    name: String,
    /// Its input as JSON: '{"user_id": 7}'
    #[arg(long, value_name = "JSON", conflicts_with = "event")]
    input: Option<String>,
    /// A file with a sample event: the JSON body of a delivery, `{ item }` of a poll, `{ covers }`
    /// or `{ scheduled_at }` of a schedule
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// Wait for the result, at most this long
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "5m")]
    wait: Option<String>,
    /// Show each step while it runs, until the job ends; Ctrl-C ends the watching, not the job
    #[arg(long, conflicts_with_all = ["wait", "preview", "json"])]
    watch: bool,
    /// Only show what would be sent and written: what reads is asked, nothing is changed
    #[arg(long, conflicts_with = "wait")]
    preview: bool,
    /// How long a preview may work; it is cut short then: 10m (2m if left out, at most 60m)
    #[arg(long = "for", value_name = "TIME", requires = "preview")]
    for_time: Option<String>,
    /// List every call and row of a preview, not only how many there are and the first of each kind
    #[arg(long, requires = "preview")]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Run {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let mut wish = self.wish()?;
        if self.preview {
            wish["preview"] = true.into();
        }
        if let Some(time) = &self.for_time {
            wish["for"] = time.as_str().into();
        }
        if let Some(wait) = &self.wait {
            parse_period(wait).map_err(anyhow::Error::msg)?;
        }
        let errand = if self.wait.is_some() || self.watch {
            Errand::Work
        } else {
            Errand::Ask
        };
        Client::run(workspace, errand, async |client| {
            let answer = self.ask(client, &wish).await?;
            match self.watch {
                true => watch_all(client, &answer.body).await,
                false => self.tell(&answer, client.is_served()),
            }
        })
        .await
    }

    fn wish(&self) -> anyhow::Result<Value> {
        if let Some(text) = &self.input {
            let input: Value = serde_json::from_str(text).context("`--input` is not JSON")?;
            return Ok(json!({ "input": input }));
        }
        let Some(path) = &self.event else {
            return Ok(json!({}));
        };
        let bytes =
            fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        let event: Value = serde_json::from_slice(&bytes)
            .with_context(|| format!("`{}` is not JSON", path.display()))?;
        // A whole delivery is taken as it is; anything else is its body.
        let is_delivery = event.as_object().is_some_and(|event| {
            event.contains_key("body")
                && event
                    .keys()
                    .all(|key| ["body", "headers", "query"].contains(&key.as_str()))
        });
        Ok(if is_delivery {
            json!({ "event": event })
        } else {
            json!({ "event": { "body": event } })
        })
    }

    async fn ask(&self, client: &Client, wish: &Value) -> anyhow::Result<Answer> {
        let name = client.recipe(&self.name).await?;
        let mut wish = wish.clone();
        if self.event.is_some() {
            // What the clock sets off has no body: the file is the event.
            let recipe = client.get(&format!("/api/recipes/{name}")).await?;
            if recipe["trigger"] == "schedule" || recipe["trigger"] == "poll" {
                wish["event"] = wish["event"]["body"].take();
            }
        }
        let wait = self.wait.as_ref().map_or(String::new(), |wait| {
            let wait: String = url::form_urlencoded::byte_serialize(wait.as_bytes()).collect();
            format!("?wait={wait}")
        });
        let path = format!("/api/recipes/{name}/run{wait}");
        client.send(Method::POST, &path, Body::Json(&wish)).await
    }

    fn tell(&self, answer: &Answer, is_served: bool) -> anyhow::Result<Ended> {
        let body = &answer.body;
        if self.preview && !self.json {
            return preview::tell(body, if self.all { Told::All } else { Told::Counted });
        }
        if self.json {
            show::json(body)?;
        }
        if self.preview {
            return Ok(Ended::Well);
        }
        if self.wait.is_none() || !body["jobs"].is_null() {
            if !self.json {
                for job in body["jobs"].as_array().into_iter().flatten() {
                    say(&format!("{}\n", show::cell(job)))?;
                }
                if !is_served {
                    say("it is in line; it runs when `recipes serve` runs, or now with --wait\n")?;
                }
            }
            return Ok(Ended::Well);
        }
        let status = show::cell(&body["status"]);
        if answer.status == StatusCode::ACCEPTED {
            bail!(
                "job {} is still {status}; look again with `recipes jobs`",
                show::cell(&body["id"])
            );
        }
        if !self.json {
            say(&format!("job {} {status}\n", show::cell(&body["id"])))?;
            if let Some(output) = body.get("output") {
                show::json(output)?;
            }
            if let Some(failure) = body.get("failure") {
                say(&format!(
                    "{}: {}\n",
                    show::cell(&failure["code"]),
                    show::cell(&failure["message"])
                ))?;
                let id = show::cell(&body["id"]);
                say(&format!(
                    "next: `recipes jobs {id}` shows each step and what to do\n"
                ))?;
            }
        }
        Ok(match status.as_str() {
            "succeeded" => Ended::Well,
            _ => Ended::WithProblems,
        })
    }
}

/// Watches the jobs of a run one after another; the first that does not end well says how it ended.
async fn watch_all(client: &Client, body: &Value) -> anyhow::Result<Ended> {
    let mut worst = Ended::Well;
    for job in body["jobs"].as_array().into_iter().flatten() {
        match watch(client, &show::cell(job)).await? {
            Ended::Interrupted => return Ok(Ended::Interrupted),
            Ended::WithProblems => worst = Ended::WithProblems,
            Ended::Well => {}
        }
    }
    Ok(worst)
}
