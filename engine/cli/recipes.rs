//! `recipes list`, `show`, `start`, `stop`: how recipes stand, and changing it.

use std::fmt::Write;
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::client::{Client, Errand};
use super::{Ended, say, show, timed};
use crate::data::Value;

/// Lists all recipes with their state
#[derive(Args, Debug)]
pub(super) struct List {
    /// Only the recipes of this project
    #[arg(long)]
    project: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Shows one recipe, and what an outside system needs to reach it
#[derive(Args, Debug)]
pub(super) struct Show {
    /// The recipe, with or without its project: process-credentials
    name: String,
    /// Print its text, as its file has it
    #[arg(long)]
    yaml: bool,
    /// Print the text of this earlier version, by its number in `recipes versions`
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Starts a recipe: from now on its trigger makes jobs
#[derive(Args, Debug)]
pub(super) struct Start {
    /// The recipe, with or without its project
    name: String,
    /// Start it although a copy of it that writes to the same place is started
    #[arg(long)]
    beside_copy: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Stops a recipe: no new jobs; those under way finish, those in line wait
#[derive(Args, Debug)]
pub(super) struct Stop {
    /// The recipe, with or without its project
    name: String,
    /// Cancel the jobs that have begun, instead of letting them finish
    #[arg(long)]
    cancel: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let mut answer = Client::run(workspace, Errand::Ask, async |client| {
            client.get("/api/recipes").await
        })
        .await?;
        if let (Some(project), Some(recipes)) = (&self.project, answer["recipes"].as_array_mut()) {
            let folder = format!("{project}/");
            recipes.retain(|recipe| show::cell(&recipe["name"]).starts_with(&folder));
            if recipes.is_empty() {
                anyhow::bail!("there is no project `{project}` with recipes");
            }
        }
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let recipes = answer["recipes"].as_array().cloned().unwrap_or_default();
        let rows = recipes
            .iter()
            .map(|recipe| {
                let problems = recipe["problems"].as_array().map_or(0, Vec::len);
                vec![
                    show::cell(&recipe["name"]),
                    show::cell(&recipe["status"]),
                    show::cell(&recipe["trigger"]),
                    show::cell(&recipe["activation"]),
                    origin(&recipe["origin"]),
                    if problems > 0 {
                        problems.to_string()
                    } else {
                        String::new()
                    },
                    show::cell(&recipe["title"]),
                ]
            })
            .collect();
        show::rows(
            &[
                "name",
                "status",
                "trigger",
                "activation",
                "origin",
                "problems",
                "title",
            ],
            rows,
        )?;
        Ok(Ended::Well)
    }
}

impl Show {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let recipe = Client::run(workspace, Errand::Ask, async |client| {
            self.ask(client).await
        })
        .await?;
        match self.version.is_some() || self.yaml {
            _ if self.json => show::json(&recipe)?,
            true => say(&show::cell(&recipe["source"]))?,
            false => say(&text(&recipe))?,
        }
        Ok(Ended::Well)
    }

    async fn ask(&self, client: &Client) -> anyhow::Result<Value> {
        let name = client.recipe(&self.name).await?;
        let path = format!("/api/recipes/{name}");
        match self.version {
            Some(number) => client.get(&format!("{path}/versions/{number}")).await,
            None => client.get(&path).await,
        }
    }
}

impl Start {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let wish = json!({ "beside_copy": self.beside_copy });
        let (answer, is_served) = Client::run(workspace, Errand::Ask, async |client| {
            let answer = change(client, &self.name, "start", &wish).await?;
            Ok((answer, client.is_served()))
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let mut text = format!("{} is started\n", show::cell(&answer["name"]));
        for warning in answer["warnings"].as_array().into_iter().flatten() {
            let _ = writeln!(
                text,
                "warning: {}: {}",
                show::cell(&warning["place"]),
                show::cell(&warning["message"])
            );
        }
        text.push_str(&deliveries(&answer));
        if !is_served {
            text.push_str("no server runs on this workspace; `recipes serve` starts one\n");
        }
        say(&text)?;
        Ok(Ended::Well)
    }
}

impl Stop {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let wish = json!({ "cancel": self.cancel });
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            change(client, &self.name, "stop", &wish).await
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let mut text = format!("{} is stopped\n", show::cell(&answer["name"]));
        if let Some(cancelled) = answer["cancelled"].as_array() {
            let _ = writeln!(text, "{} jobs under way are cancelled", cancelled.len());
        }
        say(&text)?;
        Ok(Ended::Well)
    }
}

/// Where deliveries go, and whom to tell of it.
fn deliveries(answer: &Value) -> String {
    let address = show::cell(&answer["webhook"]["address"]);
    if address.is_empty() {
        return String::new();
    }
    let mut text = format!("deliveries go to POST {address}\n");
    for before in answer["delivered_elsewhere"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let word = |name: &str| show::cell(&before[name]);
        let _ = writeln!(
            text,
            "beware: so far they went to {} (POST {}, the last {}): enter the new address at the \
             sender, or they go on to go there",
            word("recipe"),
            word("address"),
            show::time(&before["last_at"])
        );
    }
    text
}

async fn change(client: &Client, name: &str, verb: &str, wish: &Value) -> anyhow::Result<Value> {
    let name = client.recipe(name).await?;
    let path = format!("/api/recipes/{name}/{verb}");
    client.post(&path, Some(wish)).await
}

/// Where a recipe comes from, in a word or two; what is bundled goes without saying.
fn origin(origin: &Value) -> String {
    match origin["kind"].as_str() {
        Some("own") => "own".to_owned(),
        Some("customised") if origin["is_as_the_original"] == true => {
            "customised (as the original)".to_owned()
        }
        Some("customised") => "customised".to_owned(),
        Some("copy") => {
            let of = show::cell(&origin["of"]);
            format!("copy of {}", of.split('/').next().unwrap_or(&of))
        }
        _ => String::new(),
    }
}

/// The file that is run, and what it was made of.
fn file(recipe: &Value) -> String {
    let (path, origin) = (show::cell(&recipe["file"]), &recipe["origin"]);
    let version = match origin["version"].as_str() {
        Some(version) if !version.is_empty() => format!(", made of version {version}"),
        _ => String::new(),
    };
    match origin["kind"].as_str() {
        Some("bundled") => format!("{path}, bundled with the program"),
        Some("customised") => {
            let alike = match origin["is_as_the_original"] == true {
                true => ", and says the same so far",
                false => "",
            };
            format!(
                "{path} of this workspace, customised: it stands in place of the bundled \
                 one{version}{alike}"
            )
        }
        Some("copy") => {
            let of = show::cell(&origin["of"]);
            format!("{path} of this workspace, a copy of {of}{version}")
        }
        _ => format!("{path} of this workspace"),
    }
}

/// A recipe in words.
fn text(recipe: &Value) -> String {
    let mut text = format!(
        "{}\n{}\n",
        show::cell(&recipe["title"]),
        show::cell(&recipe["name"])
    );
    let description = show::cell(&recipe["description"]);
    if !description.is_empty() {
        let _ = writeln!(text, "\n{description}");
    }
    text.push('\n');
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            let name = match name {
                "" => String::new(),
                name => format!("{name}:"),
            };
            let _ = writeln!(text, "{name:<12}{value}");
        }
    };
    line("status", show::cell(&recipe["status"]));
    line("runs on", show::cell(&recipe["runs_on"]));
    line("file", file(recipe));
    line("trigger", show::cell(&recipe["trigger"]));
    line("activation", show::cell(&recipe["activation"]));
    let webhook = &recipe["webhook"];
    if webhook.is_object() {
        line(
            "address",
            format!("POST {}", show::cell(&webhook["address"])),
        );
        let sign_in = &webhook["sign_in"];
        line("sign-in", sign_in_in_words(sign_in));
        line("events", joined(&webhook["events"]));
        line("not kept", unkept(&webhook["not_kept"]));
        line("refused", refused(&webhook["refused"]));
    }
    for (name, value) in timed::lines(recipe) {
        line(name, value);
    }
    line("takes", fields(&recipe["input"]));
    line("gives", fields(&recipe["output"]));
    line("calls", joined(&recipe["calls"]));
    for problem in recipe["problems"].as_array().into_iter().flatten() {
        let _ = writeln!(
            text,
            "{}[{}] {}: {}",
            show::cell(&problem["severity"]),
            show::cell(&problem["code"]),
            show::cell(&problem["place"]),
            show::cell(&problem["message"])
        );
    }
    text
}

fn sign_in_in_words(sign_in: &Value) -> String {
    let connection = show::cell(&sign_in["connection"]);
    let fields = sign_in["fields"].as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| format!("{name} `{}`", show::cell(value)));
    let fields = match fields.collect::<Vec<_>>() {
        none if none.is_empty() => String::new(),
        some => format!(" ({})", some.join(", ")),
    };
    match sign_in["kind"].as_str() {
        Some("basic") => format!("user name and password of connection `{connection}`{fields}"),
        Some("token") => format!("token of connection `{connection}`{fields}"),
        Some("hmac") => format!("signature with the secret of connection `{connection}`{fields}"),
        _ => "none".to_owned(),
    }
}

/// How many deliveries left nothing, and why.
fn unkept(list: &Value) -> String {
    let words = list.as_array().into_iter().flatten().map(|unkept| {
        let (count, fate) = (show::cell(&unkept["count"]), show::cell(&unkept["fate"]));
        format!(
            "{count} {fate}, the last {}",
            show::time(&unkept["last_at"])
        )
    });
    words.collect::<Vec<_>>().join("; ")
}

/// How many deliveries came without a sign-in that is right, and what was wrong with the last.
fn refused(refused: &Value) -> String {
    if refused.is_null() {
        return String::new();
    }
    let (count, why) = (
        show::cell(&refused["count"]),
        show::cell(&refused["last_why"]),
    );
    let at = show::time(&refused["last_at"]);
    format!("{count} since the server started, the last {at}: {why}")
}

fn joined(list: &Value) -> String {
    let words: Vec<String> = list
        .as_array()
        .into_iter()
        .flatten()
        .map(show::cell)
        .collect();
    words.join(", ")
}

/// The fields of a JSON Schema, those that may be left out in brackets.
fn fields(schema: &Value) -> String {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let fields: Vec<String> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| match required.contains(&name.as_str()) {
            true => name.clone(),
            false => format!("[{name}]"),
        })
        .collect();
    fields.join(", ")
}
