//! `recipes doctor`: what is wrong with a project, and what it will do.
//!
//! In: a project's name. Out: findings in sections, each with what to do about it.
//! Always true: it ends with problems if something is wrong, and only then.

use std::fmt::Write;
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::client::{Client, Errand};
use super::{Ended, say, show};
use crate::data::Value;

/// Says what is missing or wrong in a project, what its settings will do, and what to start
#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// The project: a folder below recipes/
    project: String,
    /// Ask no vendor: leave the project's own checks out
    #[arg(long)]
    offline: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let project: String =
            url::form_urlencoded::byte_serialize(self.project.as_bytes()).collect();
        let path = format!("/api/projects/{project}/doctor?offline={}", self.offline);
        let examination = Client::run(workspace, Errand::Ask, async |client| {
            self.ask(client, &path).await
        })
        .await?;
        if self.json {
            show::json(&examination)?;
        } else {
            say(&text(&examination))?;
        }
        Ok(match examination["is_well"] == true {
            true => Ended::Well,
            false => Ended::WithProblems,
        })
    }

    /// What the engine finds, and whether a server runs, which it cannot know itself.
    async fn ask(&self, client: &Client, path: &str) -> anyhow::Result<Value> {
        let mut examination = client.get(path).await?;
        if client.is_served() {
            return Ok(examination);
        }
        let folder = format!("{}/", self.project);
        let recipes = client.get("/api/recipes").await?;
        let is_started = list(&recipes["recipes"]).iter().any(|recipe| {
            recipe["status"] == "started" && show::cell(&recipe["name"]).starts_with(&folder)
        });
        let level = if is_started { "error" } else { "warning" };
        let finding = json!({
            "level": level,
            "text": "no server runs on this workspace: nothing sets recipes off, webhooks find nobody, \
                     and jobs in line wait",
            "help": "`recipes serve`; have your system start it and keep it running",
        });
        let sections = examination["sections"].as_array_mut();
        let mut sections = sections.into_iter().flatten();
        if let Some(section) = sections.find(|section| section["topic"] == "recipes")
            && let Some(findings) = section["findings"].as_array_mut()
        {
            let worse = |known: &Value| level == "warning" && known["level"] == "error";
            let at = findings.iter().take_while(|known| worse(known)).count();
            findings.insert(at, finding);
        }
        if is_started {
            examination["is_well"] = false.into();
        }
        Ok(examination)
    }
}

fn text(examination: &Value) -> String {
    let word = |name: &str| show::cell(&examination[name]);
    let mut text = format!(
        "{} ({} {})\n",
        word("title"),
        word("project"),
        word("version")
    );
    let (mut errors, mut warnings) = (0, 0);
    for section in list(&examination["sections"]) {
        let _ = writeln!(text, "\n{}", show::cell(&section["title"]));
        for finding in list(&section["findings"]) {
            let level = show::cell(&finding["level"]);
            errors += usize::from(level == "error");
            warnings += usize::from(level == "warning");
            let mark = match &*level {
                "error" => "WRONG  ",
                "warning" => "beware ",
                _ => "-      ",
            };
            let _ = writeln!(text, "  {mark}{}", line(&finding["text"]));
            if let Some(help) = finding.get("help") {
                let _ = writeln!(text, "         to do: {}", line(help));
            }
        }
        if let Some(remark) = section.get("remark") {
            let _ = writeln!(text, "  {}", line(remark));
        }
    }
    let warnings = match warnings {
        0 => String::new(),
        1 => ", one to beware of".to_owned(),
        count => format!(", {count} to beware of"),
    };
    let _ = match errors {
        0 => writeln!(text, "\nnothing is wrong{warnings}"),
        1 => writeln!(text, "\none thing is wrong{warnings}"),
        count => writeln!(text, "\n{count} things are wrong{warnings}"),
    };
    text
}

/// Text on one line.
fn line(value: &Value) -> String {
    show::cell(value).replace(|c: char| c.is_control(), " ")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
