//! The stage of a story: a workspace, the stand-ins, and an engine that runs on them.
//!
//! In: a story. Out: all of it running, set up over the HTTP API as an administrator would do it.
//! Always true: the workspace is an ordinary one; secrets stand in files of their own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use recipe_sandbox::{Sandbox, SandboxConfig, World};
use reqwest::Method;
use serde_json::json;

use super::super::client::{Body, Client, Errand};
use super::super::init::GIT_IGNORE;
use super::fill::fill;
use super::story::Story;
use super::teller::Teller;
use crate::data::{Object, Value};
use crate::server::{Engine, Listening};
use crate::settings::Settings;

/// The folders of a workspace.
const FOLDERS: [&str; 4] = ["recipes", "connectors", "lookup-tables", SECRETS];

/// The folder that holds the secrets of connections.
const SECRETS: &str = "secrets";

/// The folder of a workspace, which goes when it was made for the occasion.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    is_temporary: bool,
}

/// Everything that a story needs, running.
pub(super) struct Stage {
    engine: Engine,
    sandbox: Sandbox,
    /// Where the engine answers.
    pub(super) listening: Listening,
    /// The way to the engine's API.
    pub(super) client: Client,
}

impl Folder {
    /// The folder that was named, which must be new or empty, or a new one for the occasion.
    pub(super) fn make(named: Option<PathBuf>) -> anyhow::Result<Self> {
        let is_temporary = named.is_none();
        let path = named.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("recipes-demo-{}", uuid::Uuid::now_v7()))
        });
        let cannot = || format!("the folder `{}` cannot be made", path.display());
        if path.exists() {
            let mut entries = fs::read_dir(&path)
                .with_context(|| format!("`{}` is no folder that can be used", path.display()))?;
            if entries.next().is_some() {
                bail!(
                    "`{}` is not empty, and a story begins with nothing; name a new folder",
                    path.display()
                );
            }
        }
        for folder in FOLDERS {
            fs::create_dir_all(path.join(folder)).with_context(cannot)?;
        }
        let (name, text) = GIT_IGNORE;
        fs::write(path.join(name), text).with_context(cannot)?;
        let path = path.canonicalize().with_context(cannot)?;
        Ok(Self { path, is_temporary })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it if it was made for the occasion; says what became of it.
    pub(super) fn close(self) -> String {
        let path = self.path.display();
        if self.is_temporary && fs::remove_dir_all(&self.path).is_ok() {
            return format!("the temporary workspace {path} is removed");
        }
        format!("the workspace stays at {path}")
    }
}

impl Stage {
    /// Sets everything up; what is known afterwards is added to `known`.
    pub(super) async fn set(
        story: &Story,
        folder: &Path,
        known: &mut Object,
        teller: &Teller,
    ) -> anyhow::Result<Self> {
        let sandbox = sandbox(story).await?;
        for (name, url) in sandbox.addresses() {
            if story.servers.iter().any(|server| server == name) {
                known.insert(name.to_owned(), json!({ "url": url }));
                teller.ready("stand-in", &format!("{name} at {url}"))?;
            }
        }
        known.insert("workspace".to_owned(), json!(folder.display().to_string()));
        connections(story, folder, known)?;
        teller.ready("workspace", &folder.display().to_string())?;
        let engine = Engine::open(Settings::private(folder)).await?;
        let listening = engine.serve().await?;
        teller.ready("engine", &format!("listening at {}", listening.url))?;
        let token = listening
            .new_admin_token
            .as_ref()
            .unwrap_or(&listening.local_token);
        known.insert(
            "api".to_owned(),
            json!({ "url": listening.url, "token": token.reveal() }),
        );
        let client = Client::connect(folder, Errand::Ask).await?;
        let stage = Self {
            engine,
            sandbox,
            listening,
            client,
        };
        match stage.dress(story, known, teller).await {
            Ok(()) => Ok(stage),
            Err(error) => {
                stage.strike().await;
                Err(error)
            }
        }
    }

    /// The token that an administrator uses.
    pub(super) fn token(&self) -> &str {
        let listening = &self.listening;
        listening
            .new_admin_token
            .as_ref()
            .unwrap_or(&listening.local_token)
            .reveal()
    }

    /// Stops everything in order: jobs under way are given back.
    pub(super) async fn strike(self) {
        self.client.close().await;
        self.engine.shutdown().await;
        self.sandbox.stop().await;
    }

    /// Fills the tables and starts the recipes.
    async fn dress(
        &self,
        story: &Story,
        known: &mut Object,
        teller: &Teller,
    ) -> anyhow::Result<()> {
        for (table, rows) in &story.tables {
            let rows: Vec<Value> = rows
                .iter()
                .map(|row| fill(row, known).map_err(anyhow::Error::msg))
                .collect::<Result<_, _>>()?;
            let count = rows.len();
            let path = format!("/api/lookup-tables/{table}/rows");
            self.client
                .send(Method::PUT, &path, Body::Json(&json!({ "rows": rows })))
                .await
                .with_context(|| format!("the lookup table `{table}` cannot be filled"))?;
            teller.ready("table", &format!("{table}, {count} rows"))?;
        }
        for (name, recipe) in &story.start {
            let path = format!("/api/recipes/{recipe}");
            self.client
                .send(Method::POST, &format!("{path}/start"), Body::None)
                .await
                .with_context(|| format!("the recipe `{recipe}` cannot be started"))?;
            let shown = self.client.get(&path).await?;
            let title = shown["title"].as_str().unwrap_or(recipe);
            teller.ready("started", title)?;
            known.insert(name.clone(), shown);
        }
        Ok(())
    }
}

async fn sandbox(story: &Story) -> anyhow::Result<Sandbox> {
    let name = story.world.as_deref().unwrap_or(recipe_sandbox::WORLDS[0]);
    let world = World::named(name).ok_or_else(|| anyhow!("there is no world `{name}`"))?;
    let config = SandboxConfig {
        world,
        ..SandboxConfig::default()
    };
    recipe_sandbox::start(config)
        .await
        .context("the stand-ins cannot be started")
}

/// Writes `connections.yaml`, and each secret into a file that only its owner may read.
fn connections(story: &Story, folder: &Path, known: &Object) -> anyhow::Result<()> {
    let mut text = String::from("connections:\n");
    for (name, fields) in &story.connections {
        text.push_str(&format!("  {name}:\n"));
        for (field, value) in fields {
            let value = fill(value, known).map_err(anyhow::Error::msg)?;
            let written = match secret_of(&value) {
                Some(secret) => {
                    let file = format!("{SECRETS}/{name}-{field}");
                    write_private(&folder.join(&file), secret)?;
                    format!("{{ file: {file} }}")
                }
                // JSON is YAML, and leaves nothing to be guessed.
                None => value.to_string(),
            };
            text.push_str(&format!("    {field}: {written}\n"));
        }
    }
    write_private(&folder.join("connections.yaml"), &text)
}

/// The text of `{ secret: text }`.
pub(super) fn secret_of(value: &Value) -> Option<&str> {
    value.get("secret")?.as_str()
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let write = |mut file: fs::File| std::io::Write::write_all(&mut file, text.as_bytes());
    options
        .open(path)
        .and_then(write)
        .with_context(|| format!("`{}` cannot be written", path.display()))
}
