//! `recipes clone`, `recipes customise`, `recipes forget`: bundled recipes become files of one's own,
//! and what is recorded of them goes with them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::client::{Client, Errand};
use super::{Ended, say, show};
use crate::data::Value;

/// So many files are listed one by one.
const FEW: usize = 10;

/// Copies a whole project, with its tests, into files of your own
#[derive(Args, Debug)]
pub(super) struct Clone {
    /// The project: a folder of recipes, as `recipes list` names them
    project: String,
    /// The name of the copy
    name: String,
    /// Give the copy lookup tables of its own, instead of those of the original
    #[arg(long)]
    own_tables: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Puts a file of your own in a bundled recipe's place, for all recipes that call it
#[derive(Args, Debug)]
pub(super) struct Customise {
    /// The recipe, with or without its project
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Forgets a copied project whose folder was removed
#[derive(Args, Debug)]
pub(super) struct Forget {
    /// The project: a clone that is there no more
    project: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Forget {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let project: String =
            url::form_urlencoded::byte_serialize(self.project.as_bytes()).collect();
        let path = format!("/api/projects/{project}/forget");
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            client.post(&path, None).await
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let mut text = format!(
            "recipes.lock records nothing of {} any more\n",
            self.project
        );
        for file in answer["left"].as_array().into_iter().flatten() {
            let file = show::cell(file);
            let _ = writeln!(text, "its table {file} is still there, with its rows");
        }
        say(&text)?;
        Ok(Ended::Well)
    }
}

impl Clone {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let wish = json!({ "as": self.name, "own_tables": self.own_tables });
        let path = format!("/api/projects/{}/clone", self.project);
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            client.post(&path, Some(&wish)).await
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let text = format!(
            "{}\n{name} is a copy of {}; its recipes call one another, and nothing in it is started.\n\
             Next: change it, then\n  recipes check\n  recipes test {name}\n",
            written(&answer),
            self.project,
            name = self.name,
        );
        say(&text)?;
        Ok(Ended::Well)
    }
}

impl Customise {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            self.ask(client).await
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let text = format!(
            "{}\nIt stands in the place of the bundled one now, for all recipes that call it. To go \
             back, remove the file.\n",
            written(&answer)
        );
        say(&text)?;
        Ok(Ended::Well)
    }

    async fn ask(&self, client: &Client) -> anyhow::Result<Value> {
        let name = client.recipe(&self.name).await?;
        client
            .post(&format!("/api/recipes/{name}/customise"), None)
            .await
    }
}

/// The folders in which files were written, or the files if they are few.
fn written(answer: &Value) -> String {
    let files: Vec<String> = answer["files"]
        .as_array()
        .into_iter()
        .flatten()
        .map(show::cell)
        .collect();
    if files.len() <= FEW {
        return files
            .iter()
            .map(|file| format!("written   {file}\n"))
            .collect();
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &files {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        *counts.entry(folder).or_default() += 1;
    }
    let counts = counts.iter();
    counts
        .map(|(folder, count)| format!("written   {folder}/  {count} files\n"))
        .collect()
}
