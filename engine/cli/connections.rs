//! `recipes connections`: which accounts there are, what they lack, and whether they work.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::client::Client;
use super::{Ended, library, say, show};
use crate::clock::Clock;
use crate::data::{Object, Value};
use crate::doctor::advice;
use crate::names::ConnectionName;
use crate::outbound::{Accounts, Forgetful, Outbound, Probe};
use crate::settings::{Settings, WorkspaceReferences};
use crate::store::Vault;
use crate::workspace::connections_hash;

/// What is said of a vendor that answers.
const ANSWERED: &str = "works: the vendor answers, signed in";

/// Lists the connections of the workspace and what each one lacks
#[derive(Args, Debug)]
pub(super) struct Connections {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand, Debug)]
enum What {
    Check(Check),
}

/// Asks vendors whether connections work, with a call that changes nothing; a mail server is greeted
/// and signed in at, and no mail is sent
#[derive(Args, Debug)]
struct Check {
    /// The connection (all of them if left out)
    name: Option<String>,
}

impl Connections {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let library = library(workspace)?;
        let accounts = Accounts {
            connectors: library.catalogue.connectors.clone(),
            connections: library.connections.clone(),
        };
        let told = if self.json { Told::Json } else { Told::Rows };
        // A server has an environment of its own, and its calls are what counts.
        let client = Client::of_server(workspace).await?;
        match (self.what, &client) {
            (Some(What::Check(check)), Some(client)) => check.over(client, &accounts, told).await,
            (Some(What::Check(check)), None) => check.run(workspace, accounts, told).await,
            (None, client) => {
                let ended = match client {
                    Some(client) => list_over(client, told).await?,
                    None => list(&references(workspace).await?, &accounts, told)?,
                };
                if told == Told::Rows {
                    let changes = library.overrides.values();
                    let changes: String = changes.map(|change| format!("{change}\n")).collect();
                    say(&changes)?;
                }
                Ok(ended)
            }
        }
    }
}

/// The connections as the server knows them.
async fn list_over(client: &Client, told: Told) -> anyhow::Result<Ended> {
    let answer = client.get("/api/connections").await?;
    let mut ended = Ended::Well;
    let mut rows = Vec::new();
    for connection in answer["connections"].as_array().into_iter().flatten() {
        let lacks = connection["lacks"].as_array().into_iter().flatten();
        let lacks: Vec<String> = lacks.map(show::cell).collect();
        let state = match lacks.is_empty() {
            true => show::cell(&connection["state"]),
            false => {
                ended = Ended::WithProblems;
                lacks.join("; ")
            }
        };
        let [name, connector] = ["name", "connector"].map(|part| show::cell(&connection[part]));
        rows.push(vec![name, connector, state]);
    }
    told.of_connections(rows)?;
    Ok(ended)
}

/// What the connections refer to, read beside a server if one runs.
async fn references(workspace: &Path) -> anyhow::Result<WorkspaceReferences> {
    let settings = Settings {
        key_file: Settings::key_file(workspace).map_err(anyhow::Error::msg)?,
        ..Settings::private(workspace)
    };
    let file = connections_hash(workspace);
    let vault = Vault::read(&settings.database(), &settings.key_path(), &file).await?;
    Ok(WorkspaceReferences::of(workspace).with(vault))
}

/// How connections are told of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Rows,
    Json,
}

impl Told {
    /// Prints which connections there are.
    fn of_connections(self, rows: Vec<Vec<String>>) -> anyhow::Result<()> {
        if rows.is_empty() && self == Self::Rows {
            return say("connections.yaml names no connection\n");
        }
        self.say(&["connection", "connector", "state"], rows)
    }

    /// Prints rows below their heading, or as a list of objects.
    fn say(self, heading: &[&str], rows: Vec<Vec<String>>) -> anyhow::Result<()> {
        if self == Self::Rows {
            return show::rows(heading, rows);
        }
        let object = |row: Vec<String>| -> Object {
            let names = heading.iter().map(|name| (*name).to_owned());
            names.zip(row.into_iter().map(Value::from)).collect()
        };
        let list: Vec<Value> = rows.into_iter().map(|row| object(row).into()).collect();
        show::json(&serde_json::json!({ "connections": list }))
    }
}

fn list(
    references: &WorkspaceReferences,
    accounts: &Accounts,
    told: Told,
) -> anyhow::Result<Ended> {
    let mut ended = Ended::Well;
    let mut rows = Vec::new();
    for (name, connection) in &accounts.connections.all {
        let state = match accounts.connectors.get(&connection.connector) {
            None => format!("there is no connector `{}`", connection.connector),
            Some(connector) => match connection.resolve(connector, references) {
                Ok(_) => "complete".to_owned(),
                Err(troubles) => {
                    ended = Ended::WithProblems;
                    let words: Vec<String> = troubles
                        .into_iter()
                        .map(|trouble| trouble.message)
                        .collect();
                    words.join("; ")
                }
            },
        };
        rows.push(vec![
            name.to_string(),
            connection.connector.to_string(),
            state,
        ]);
    }
    for (name, why) in &accounts.connections.lost {
        ended = Ended::WithProblems;
        rows.push(vec![name.to_string(), String::new(), why.clone()]);
    }
    told.of_connections(rows)?;
    Ok(ended)
}

impl Check {
    /// Has the server ask.
    async fn over(self, client: &Client, accounts: &Accounts, told: Told) -> anyhow::Result<Ended> {
        let names = match self.name {
            Some(name) => vec![ConnectionName::new(&name).map_err(anyhow::Error::msg)?],
            None => accounts.connections.all.keys().cloned().collect(),
        };
        let mut ended = Ended::Well;
        let mut rows = Vec::new();
        let mut advised = String::new();
        for name in names {
            let path = format!("/api/connections/{name}/check");
            let found = client.post(&path, None).await?;
            let failure = &found["failure"];
            let result = match (failure.is_object(), found["remark"].as_str()) {
                (true, _) => {
                    ended = Ended::WithProblems;
                    let [code, message] =
                        ["code", "message"].map(|part| show::cell(&failure[part]));
                    let help = advice(&code, Some(name.as_str()));
                    advised.extend(help.map(|help| format!("{name}: to do: {help}\n")));
                    format!("{code}: {message}")
                }
                (false, Some(remark)) => remark.to_owned(),
                (false, None) => ANSWERED.to_owned(),
            };
            rows.push(vec![name.to_string(), result]);
        }
        told.say(&["connection", "result"], rows)?;
        if told == Told::Rows {
            say(&advised)?;
        }
        Ok(ended)
    }

    async fn run(self, workspace: &Path, accounts: Accounts, told: Told) -> anyhow::Result<Ended> {
        let names: Vec<ConnectionName> = match &self.name {
            Some(name) => vec![ConnectionName::new(name).map_err(anyhow::Error::msg)?],
            None => accounts.connections.all.keys().cloned().collect(),
        };
        let scale = crate::settings::environment("RECIPES_TIME_SCALE");
        let scale = scale
            .and_then(|text| f64::from_str(&text).ok())
            .unwrap_or(1.0);
        let references = Arc::new(references(workspace).await?);
        let ledger = Arc::new(Forgetful::default());
        let outbound = Outbound::open(accounts, references, ledger, Clock::real(scale))
            .await
            .map_err(|failure| anyhow::Error::msg(failure.message))?
            .allowing(Settings::private_hosts(workspace).map_err(anyhow::Error::msg)?);
        let mut ended = Ended::Well;
        let mut rows = Vec::new();
        let mut advised = String::new();
        for name in names {
            let result = match outbound.probe(&name).await {
                Probe::Answered(_) => ANSWERED.to_owned(),
                Probe::Greeted(checked) => checked,
                Probe::Complete => "complete; it has nothing to ask the vendor with".to_owned(),
                Probe::Failed(failure) => {
                    ended = Ended::WithProblems;
                    let help = advice(&failure.code, Some(name.as_str()));
                    advised.extend(help.map(|help| format!("{name}: to do: {help}\n")));
                    format!("{}: {}", failure.code, failure.message)
                }
            };
            rows.push(vec![name.to_string(), result]);
        }
        told.say(&["connection", "result"], rows)?;
        if told == Told::Rows {
            say(&advised)?;
        }
        Ok(ended)
    }
}
