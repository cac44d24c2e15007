//! `recipes clone` and `recipes customise`: bundled recipes become files of one's own.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::client::{Client, Errand};
use super::{Ended, say, show};
use crate::data::Value;

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
}

/// Puts a file of your own in a bundled recipe's place, for all recipes that call it
#[derive(Args, Debug)]
pub(super) struct Customise {
    /// The recipe, with or without its project
    name: String,
}

impl Clone {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let client = Client::connect(workspace, Errand::Ask).await?;
        let wish = json!({ "as": self.name, "own_tables": self.own_tables });
        let path = format!("/api/projects/{}/clone", self.project);
        let answer = client.post(&path, Some(&wish)).await;
        client.close().await;
        let text = format!(
            "{}\n{name} is a copy of {}; its recipes call one another, and nothing in it is started.\n\
             Next: change it, then\n  recipes check\n  recipes test {name}\n",
            written(&answer?),
            self.project,
            name = self.name,
        );
        say(&text)?;
        Ok(Ended::Well)
    }
}

impl Customise {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let client = Client::connect(workspace, Errand::Ask).await?;
        let answer = self.ask(&client).await;
        client.close().await;
        let text = format!(
            "{}\nIt stands in the place of the bundled one now. To go back, remove it, and its entry in \
             recipes.lock.\n",
            written(&answer?)
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

fn written(answer: &Value) -> String {
    let files = answer["files"].as_array().into_iter().flatten();
    files
        .map(|file| format!("written   {}\n", show::cell(file)))
        .collect()
}
