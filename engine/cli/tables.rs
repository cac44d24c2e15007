//! `recipes tables`: lookup tables, their rows, and CSV files in and out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;

use super::client::{Body, Client, Errand};
use super::{Ended, history, say, show};
use crate::data::Value;
use crate::names::TableName;

/// Lists lookup tables, shows the rows of one, or moves rows as CSV
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Tables {
    /// The table
    name: Option<String>,
    /// Write all rows as CSV into this file (- for the standard output)
    #[arg(
        long,
        value_name = "FILE",
        requires = "name",
        conflicts_with = "import"
    )]
    export: Option<PathBuf>,
    /// Take rows in from this CSV file, all or nothing: a row of the same key takes over the columns
    /// that the file has, empty cells too; other columns stay, and so do secrets left empty
    #[arg(long, value_name = "FILE", requires = "name")]
    import: Option<PathBuf>,
    /// With --import: rows that the file does not have are removed
    #[arg(long, requires = "import")]
    replace: bool,
    /// Only rows with this value: --where column=value
    #[arg(long = "where", value_name = "COLUMN=VALUE", requires = "name")]
    filter: Vec<String>,
    /// Show personal columns; that you looked is noted in the audit
    #[arg(long, requires = "name")]
    reveal: bool,
    /// How many rows
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand, Debug)]
enum What {
    History(history::History),
    Delete(history::Delete),
}

impl Tables {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        match &self.what {
            Some(What::History(history)) => return history.run(workspace).await,
            Some(What::Delete(delete)) => return delete.run(workspace).await,
            None => {}
        }
        let Some(name) = &self.name else {
            return self.list(workspace).await;
        };
        let name = TableName::new(name).map_err(anyhow::Error::msg)?;
        Client::run(workspace, Errand::Ask, async |client| {
            match (&self.export, &self.import) {
                (Some(path), _) => self.export(client, &name, path).await,
                (None, Some(path)) => self.import(client, &name, path).await,
                (None, None) => self.rows(client, &name).await,
            }
        })
        .await
    }

    async fn list(&self, workspace: &Path) -> anyhow::Result<Ended> {
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            client.get("/api/lookup-tables").await
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let joined = |list: &Value, part: &dyn Fn(&Value) -> String| {
            let parts = list.as_array().into_iter().flatten().map(part);
            parts.collect::<Vec<_>>().join(", ")
        };
        let tables = answer["tables"].as_array().into_iter().flatten();
        let rows = tables
            .map(|table| {
                vec![
                    show::cell(&table["name"]),
                    show::cell(&table["title"]),
                    joined(&table["key"], &show::cell),
                    joined(&table["columns"], &|column| show::cell(&column["name"])),
                ]
            })
            .collect();
        show::rows(&["table", "title", "key", "columns"], rows)?;
        Ok(Ended::Well)
    }

    async fn rows(&self, client: &Client, name: &TableName) -> anyhow::Result<Ended> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        if self.reveal {
            query.append_pair("reveal", "personal");
        }
        for filter in &self.filter {
            let (column, value) = filter
                .split_once('=')
                .with_context(|| format!("`{filter}` is not of the form column=value"))?;
            query.append_pair(&format!("where.{column}"), value);
        }
        let path = format!("/api/lookup-tables/{name}/rows?{}", query.finish());
        let answer = client.get(&path).await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let columns: Vec<String> = answer["columns"]
            .as_array()
            .into_iter()
            .flatten()
            .map(show::cell)
            .collect();
        let rows = answer["rows"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|row| {
                columns
                    .iter()
                    .map(|column| show::cell(&row[column]))
                    .collect()
            })
            .collect();
        let heading: Vec<&str> = columns.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> = rows;
        let is_full = rows.len() == self.limit;
        show::rows(&heading, rows)?;
        if is_full {
            say(&format!(
                "these are the first {} rows; `--limit` shows more, `--export` writes all\n",
                self.limit
            ))?;
        }
        Ok(Ended::Well)
    }

    async fn export(
        &self,
        client: &Client,
        name: &TableName,
        path: &Path,
    ) -> anyhow::Result<Ended> {
        let reveal = if self.reveal { "?reveal=personal" } else { "" };
        let address = format!("/api/lookup-tables/{name}/rows{reveal}");
        let answer = client.send(Method::GET, &address, Body::AskForCsv).await?;
        if path == Path::new("-") {
            say(&answer.text)?;
            return Ok(Ended::Well);
        }
        fs::write(path, answer.text.as_bytes())
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
        let rows = csv::Reader::from_reader(answer.text.as_bytes())
            .into_byte_records()
            .count();
        say(&format!("{rows} rows written to {}\n", path.display()))?;
        let secret = secret_columns(&client.get("/api/lookup-tables").await?, name);
        if !secret.is_empty() {
            say(&format!(
                "secret columns are empty in it ({}): taken in again, an empty cell leaves the \
                 secret that is there\n",
                secret.join(", ")
            ))?;
        }
        Ok(Ended::Well)
    }

    async fn import(
        &self,
        client: &Client,
        name: &TableName,
        path: &Path,
    ) -> anyhow::Result<Ended> {
        let bytes =
            fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        let query = if self.replace { "?replace=true" } else { "" };
        let address = format!("/api/lookup-tables/{name}/rows{query}");
        let answer = client
            .send(Method::PUT, &address, Body::Csv(bytes))
            .await
            .with_context(|| format!("nothing of `{}` was taken in", path.display()))?;
        if self.json {
            show::json(&answer.body)?;
            return Ok(Ended::Well);
        }
        let count = |name: &str| show::cell(&answer.body[name]);
        let removed = match answer.body["removed"].as_u64() {
            Some(removed) => format!(", {removed} removed"),
            None => String::new(),
        };
        let kept = match answer.body["secrets_kept"].as_u64() {
            Some(1) => "; 1 secret value that the file does not hold stays".to_owned(),
            Some(kept) => format!("; {kept} secret values that the file does not hold stay"),
            None => String::new(),
        };
        say(&format!(
            "{}: {} rows added, {} changed, {} unchanged{removed}{kept}\n",
            name,
            count("added"),
            count("changed"),
            count("unchanged")
        ))?;
        Ok(Ended::Well)
    }
}

/// The columns of a table that no file ever holds.
fn secret_columns(tables: &Value, name: &TableName) -> Vec<String> {
    let tables = tables["tables"].as_array().into_iter().flatten();
    tables
        .filter(|table| table["name"] == name.as_str())
        .flat_map(|table| table["columns"].as_array().into_iter().flatten())
        .filter(|column| column["is_secret"] == true)
        .map(|column| show::cell(&column["name"]))
        .collect()
}
