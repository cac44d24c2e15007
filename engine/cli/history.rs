//! `recipes tables history`, `delete`: one row of a lookup table.
//!
//! In: a row by its key, or by its number. Out: what it was, newest first; or that it is gone.

use std::path::Path;

use anyhow::bail;
use clap::Args;
use reqwest::Method;
use url::form_urlencoded::Serializer;

use super::client::{Body, Client, Errand};
use super::{Ended, say, show};
use crate::data::Value;
use crate::names::TableName;

/// Shows what a row was and who changed it, newest first, also of a row that was removed
#[derive(Args, Debug)]
pub(super) struct History {
    /// The table
    table: String,
    /// The values of its key, in the order of its columns; of a table without a key, the row's number
    #[arg(required = true)]
    key: Vec<String>,
    /// Show personal columns; that you looked is noted in the audit
    #[arg(long)]
    reveal: bool,
    /// How many versions
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Removes a row
#[derive(Args, Debug)]
pub(super) struct Delete {
    /// The table
    table: String,
    /// The row's number: `_number` of what `recipes tables TABLE --json` shows
    number: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl History {
    pub(super) async fn run(&self, workspace: &Path) -> anyhow::Result<Ended> {
        Client::run(workspace, Errand::Ask, async |client| {
            let table = table(client, &self.table).await?;
            let answer = client.get(&self.address(&table)?).await?;
            match self.json {
                true => show::json(&answer)?,
                false => tell(&table, &answer)?,
            }
            Ok(Ended::Well)
        })
        .await
    }

    /// Where the history of the row is asked for.
    fn address(&self, table: &Value) -> anyhow::Result<String> {
        let columns: Vec<String> = words(&table["key"]);
        let mut query = Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        if self.reveal {
            query.append_pair("reveal", "personal");
        }
        let name = &self.table;
        let place = match (columns.as_slice(), self.key.as_slice()) {
            ([], [number]) => format!("rows/{number}/history"),
            ([], _) => bail!("table `{name}` has no key; name a row by its number alone"),
            (columns, values) if columns.len() == values.len() => {
                for (column, value) in columns.iter().zip(values) {
                    query.append_pair(&format!("where.{column}"), value);
                }
                "history".to_owned()
            }
            (columns, _) => bail!(
                "the key of table `{name}` is {}: give a value for each of these columns",
                columns.join(", ")
            ),
        };
        Ok(format!(
            "/api/lookup-tables/{name}/{place}?{}",
            query.finish()
        ))
    }
}

impl Delete {
    pub(super) async fn run(&self, workspace: &Path) -> anyhow::Result<Ended> {
        let name = TableName::new(&self.table).map_err(anyhow::Error::msg)?;
        let address = format!("/api/lookup-tables/{name}/rows?number={}", self.number);
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            client.send(Method::DELETE, &address, Body::None).await
        })
        .await?;
        match self.json {
            true => show::json(&answer.body)?,
            false => say(&format!("{name}: row {} is removed\n", self.number))?,
        }
        Ok(Ended::Well)
    }
}

/// A table as it is declared.
async fn table(client: &Client, name: &str) -> anyhow::Result<Value> {
    let list = client.get("/api/lookup-tables").await?;
    let mut tables = list["tables"].as_array().into_iter().flatten();
    match tables.find(|table| table["name"] == name) {
        Some(table) => Ok(table.clone()),
        None => bail!("there is no lookup table `{name}`; `recipes tables` lists them"),
    }
}

fn tell(table: &Value, answer: &Value) -> anyhow::Result<()> {
    let columns = table["columns"].as_array().into_iter().flatten();
    let columns: Vec<String> = columns.map(|column| show::cell(&column["name"])).collect();
    let heading = ["version", "change", "at", "by"].into_iter();
    let heading: Vec<&str> = heading.chain(columns.iter().map(String::as_str)).collect();
    let versions = answer["versions"].as_array().into_iter().flatten();
    let rows = versions.map(|version| {
        let own = [
            show::cell(&version["version"]),
            show::cell(&version["change"]),
            show::time(&version["written_at"]),
            show::cell(&version["written_by"]),
        ];
        let row = columns
            .iter()
            .map(|column| show::cell(&version["row"][column]));
        own.into_iter().chain(row).collect()
    });
    show::rows(&heading, rows.collect())
}

fn words(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.map(show::cell).collect()
}
