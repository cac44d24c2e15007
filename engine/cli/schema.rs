//! `recipes schema`: JSON Schemas of all kinds of files, for editors, and the reference for people.
//!
//! Always true: both are made of the grammars that the reader uses.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::reference::pages;
use super::{Ended, say};
use crate::connector::CONNECTOR;
use crate::data::Value;
use crate::form::schema;
use crate::recipe::{PROJECT, RECIPE};
use crate::table::TABLE;
use crate::trial::TEST;

/// Prints the JSON Schema of a kind of file, so that editors can help while it is written
#[derive(Args, Debug)]
pub(super) struct Schema {
    /// The kind of file (all of them if left out)
    kind: Option<Subject>,
    /// Write all schemas and the pages of the reference into this folder instead of printing
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "schemas")]
    write: Option<PathBuf>,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// recipes/<project>/<name>.yaml
    Recipe,
    /// recipes/<project>/project.yaml
    Project,
    /// lookup-tables/<name>.yaml
    LookupTable,
    /// recipes/<project>/tests/<name>.test.yaml
    RecipeTest,
    /// connectors/<name>.yaml
    Connector,
}

/// Every schema with its file name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("recipe.schema.json", schema(&RECIPE, "Recipe")),
        ("project.schema.json", schema(&PROJECT, "Project")),
        ("lookup-table.schema.json", schema(&TABLE, "Lookup table")),
        ("recipe-test.schema.json", schema(&TEST, "Recipe test")),
        ("connector.schema.json", schema(&CONNECTOR, "Connector")),
    ]
}

impl Schema {
    pub(super) fn run(self) -> anyhow::Result<Ended> {
        if let Some(folder) = &self.write {
            return write_all(folder);
        }
        let wanted = self.kind.map(|kind| match kind {
            Subject::Recipe => "recipe.schema.json",
            Subject::Project => "project.schema.json",
            Subject::LookupTable => "lookup-table.schema.json",
            Subject::RecipeTest => "recipe-test.schema.json",
            Subject::Connector => "connector.schema.json",
        });
        for (name, schema) in schemas() {
            if wanted.is_none_or(|wanted| wanted == name) {
                say(&text(&schema)?)?;
            }
        }
        Ok(Ended::Well)
    }
}

/// Writes every schema and every page of the reference into a folder.
fn write_all(folder: &Path) -> anyhow::Result<Ended> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    let mut files = pages()?;
    for (name, schema) in schemas() {
        files.push((name, text(&schema)?));
    }
    for (name, text) in &files {
        let path = folder.join(name);
        std::fs::write(&path, text)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    say(&format!(
        "{} files written to {}\n",
        files.len(),
        folder.display()
    ))?;
    Ok(Ended::Well)
}

/// A schema as it stands in its file.
fn text(schema: &Value) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(schema)?))
}
