//! `recipes versions`, `diff`, `restore`: the versions of a recipe that were live.

use std::path::Path;

use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::client::{Body, Client, Errand};
use super::{Ended, say, show};
use crate::data::Value;

/// Lists the versions of a recipe that were live, newest first
#[derive(Args, Debug)]
pub(super) struct Versions {
    /// The recipe, with or without its project
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Says in words in what two versions of a recipe differ
#[derive(Args, Debug)]
pub(super) struct Diff {
    /// The recipe, with or without its project
    name: String,
    /// The earlier version, by its number (the one before the later one if left out)
    from: Option<u64>,
    /// The later version (the newest if left out)
    to: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Brings an earlier version of a recipe back: its text is saved again and live at once
#[derive(Args, Debug)]
pub(super) struct Restore {
    /// The recipe, with or without its project
    name: String,
    /// The number of the version, as `recipes versions` shows it
    version: u64,
    /// Save it even if recipes that call it break
    #[arg(long)]
    anyway: bool,
    /// Put it in the file's place even if that holds a text that never ran and is kept nowhere else
    #[arg(long)]
    overwrite: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Versions {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            self.ask(client).await
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let versions = answer["versions"].as_array().into_iter().flatten();
        let rows = versions.map(|version| {
            vec![
                show::cell(&version["number"]),
                show::time(&version["at"]),
                came_from(version),
                show::cell(&version["by"]),
                match version["is_live"].as_bool() {
                    Some(true) => "live".to_owned(),
                    _ => String::new(),
                },
            ]
        });
        show::rows(&["version", "since", "from", "by", ""], rows.collect())?;
        Ok(Ended::Well)
    }

    async fn ask(&self, client: &Client) -> anyhow::Result<Value> {
        let name = client.recipe(&self.name).await?;
        client.get(&format!("/api/recipes/{name}/versions")).await
    }
}

impl Diff {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            self.ask(client).await
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        say(&told(&answer))?;
        Ok(Ended::Well)
    }

    async fn ask(&self, client: &Client) -> anyhow::Result<Value> {
        let name = client.recipe(&self.name).await?;
        let given = [("from", self.from), ("to", self.to)];
        let given = given
            .iter()
            .filter_map(|(name, number)| Some(format!("{name}={}", (*number)?)));
        let given = given.collect::<Vec<_>>().join("&");
        client
            .get(&format!("/api/recipes/{name}/diff?{given}"))
            .await
    }
}

impl Restore {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            self.ask(client).await
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        say(&format!(
            "{} is as in version {} again, as version {}\n",
            show::cell(&answer["name"]),
            self.version,
            show::cell(&answer["version"])
        ))?;
        Ok(Ended::Well)
    }

    async fn ask(&self, client: &Client) -> anyhow::Result<Value> {
        let name = client.recipe(&self.name).await?;
        let path = format!("/api/recipes/{name}/restore?anyway={}", self.anyway);
        let wish = json!({ "version": self.version });
        let body = match self.overwrite {
            true => Body::JsonOverAny(&wish),
            false => Body::Json(&wish),
        };
        Ok(client.send(Method::POST, &path, body).await?.body)
    }
}

/// Where a version came from, in words.
fn came_from(version: &Value) -> String {
    match (version["from"].as_str(), version["restored"].as_u64()) {
        (Some("bundled"), _) => "the program".to_owned(),
        (Some("file"), _) => "its file".to_owned(),
        (Some("api"), _) => "the API".to_owned(),
        (_, Some(number)) => format!("version {number}"),
        _ => String::new(),
    }
}

/// In what two versions differ.
fn told(answer: &Value) -> String {
    let changes = answer["changes"].as_array().into_iter().flatten();
    let changes: String = changes
        .map(|change| format!("{}\n", show::cell(change)))
        .collect();
    let (from, to) = (show::cell(&answer["from"]), show::cell(&answer["to"]));
    match (changes.is_empty(), answer["is_same_text"].as_bool()) {
        (false, _) => {
            let name = show::cell(&answer["name"]);
            format!(
                "from version {from} to version {to}:\n{changes}\nthe whole text of before: recipes \
                 show {name} --version {from}\n"
            )
        }
        (true, Some(true)) if from == to => "there is one version only\n".to_owned(),
        (true, Some(true)) => "both versions are the same text\n".to_owned(),
        (true, _) => format!(
            "versions {from} and {to} do the same; they differ in comments or layout only\n"
        ),
    }
}
