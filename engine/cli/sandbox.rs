//! `recipes sandbox`: the vendors' stand-ins, without an engine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use recipe_sandbox::{CONNECTIONS, SandboxConfig, World};

use super::serve::{log, stop_signal};
use super::{Ended, say, show};
use crate::settings::LogFormat;
use crate::source;

/// Runs stand-ins for the vendors on this machine, to try recipes without touching real accounts
#[derive(Args, Debug)]
pub(super) struct Sandbox {
    /// The port of the first stand-in; the others follow (0 takes free ones)
    #[arg(long, default_value_t = 8710)]
    port: u16,
    /// How many times faster than the wall their clock runs; 0 stands still
    #[arg(
        long,
        value_name = "TIMES",
        env = "RECIPES_TIME_SCALE",
        default_value_t = 1.0
    )]
    scale: f64,
    /// What the vendors know at first: a YAML file (a small academy if left out)
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Print the small academy's file, to copy and change
    #[arg(long)]
    print_world: bool,
    /// Write the connections that lead here into the workspace: connections.yaml, and what they sign
    /// in with into files below secrets/
    #[arg(long)]
    connect: bool,
}

impl Sandbox {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        if self.print_world {
            say(World::training_text())?;
            return Ok(Ended::Well);
        }
        log(LogFormat::Text);
        let world = match &self.world {
            None => World::training(),
            Some(path) => {
                let text = fs::read_to_string(path)
                    .with_context(|| format!("`{}` cannot be read", path.display()))?;
                World::parse(&text).map_err(|error| anyhow!("`{}`: {error}", path.display()))?
            }
        };
        let scale = self.scale;
        ensure!(
            scale >= 0.0 && scale.is_finite(),
            "`--scale {scale}`: a clock runs forward; write 1 for real time, 60 for a minute a second"
        );
        let known = world.clone();
        let config = SandboxConfig {
            world,
            scale,
            ..SandboxConfig::default()
        };
        let stopped = stop_signal()?;
        let sandbox = recipe_sandbox::start(config.at_ports_from(self.port)).await?;
        tell(&sandbox, &known)?;
        if self.connect {
            connect(workspace, &known.workspace_files(&sandbox))?;
        }
        say("each tells what it saw at /_control/; stop with Ctrl-C\n")?;
        stopped.await;
        sandbox.stop().await;
        Ok(Ended::Well)
    }
}

/// Says where the stand-ins are and who may sign in.
fn tell(sandbox: &recipe_sandbox::Sandbox, world: &World) -> anyhow::Result<()> {
    let mut rows: Vec<Vec<String>> = sandbox
        .addresses()
        .into_iter()
        .map(|(name, url)| vec![name.to_owned(), url.to_owned()])
        .collect();
    for (name, port) in [
        ("mail, SMTP and STARTTLS", sandbox.smtp_port),
        ("mail, SMTP over TLS", sandbox.smtps_port),
    ] {
        rows.push(vec![name.to_owned(), format!("127.0.0.1:{port}")]);
    }
    show::rows(&["stand-in", "address"], rows)?;
    say("\n")?;
    let rows = world
        .sign_ins()
        .into_iter()
        .map(|(name, fields)| vec![name.to_owned(), fields]);
    show::rows(&["stand-in", "who may sign in"], rows.collect())?;
    say("\n")?;
    say("to mail over TLS, trust this certificate (`ca` of the connection):\n")?;
    say(&sandbox.mail_certificate)
}

/// Writes the connections into a workspace; those of a person are not written over.
fn connect(workspace: &Path, files: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let path = workspace.join(CONNECTIONS);
    let there = fs::read(&path).unwrap_or_default();
    let (document, _) = source::parse(&CONNECTIONS.into(), &there);
    let named = document
        .as_ref()
        .and_then(|document| document.root.get("connections"));
    let is_empty = named.is_none_or(|named| named.as_map().is_none_or(<[_]>::is_empty));
    let is_ours = String::from_utf8_lossy(&there).contains("{ file: secrets/sandbox-");
    ensure!(
        is_empty || is_ours,
        "`{}` names connections already; name another workspace with --workspace, or move that file \
         out of the way",
        path.display()
    );
    for (name, text) in files {
        let path = workspace.join(name);
        let cannot = || format!("`{}` cannot be written", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(cannot)?;
        }
        fs::write(&path, text).with_context(cannot)?;
    }
    say(&format!(
        "{} leads here now; `recipes connections check NAME` asks each\n",
        path.display()
    ))
}
