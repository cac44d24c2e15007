//! `recipes serve`: the server.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::anyhow;
use clap::Args;
use tracing_subscriber::EnvFilter;

use super::lines::{Lines, log_faults};
use super::{Ended, say};
use crate::server::Engine;
use crate::settings::{self, LogFormat, Settings};

/// What the environment may say.
const VARIABLES: &str = "\
Variables of the environment:
  RECIPES_ADDRESS      where to listen
  RECIPES_PUBLIC_URL   where the outside reaches the server, through your proxy
  RECIPES_LOG          how log lines look: text or json
  RECIPES_ADMIN_TOKEN  the admin's token, instead of the one that the first start makes
  RECIPES_KEY_FILE     where the key stands that secrets in the database are sealed with
  RECIPES_ALLOW_PRIVATE_HOSTS
                       targets in private networks that connections may reach, with commas
  RECIPES_TIME_SCALE   how much faster time passes, for rehearsals
  RUST_LOG             which log lines are written: warn, info, debug ...";

/// Runs the server: takes webhooks in and runs jobs until it is stopped with Ctrl-C
#[derive(Args, Debug)]
#[command(after_help = VARIABLES)]
pub(super) struct Serve {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", help = format!("Where to listen [default: {}]", settings::ADDRESS))]
    address: Option<String>,
    /// How log lines look: text or json
    #[arg(long, value_name = "FORMAT")]
    log: Option<String>,
}

impl Serve {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let arguments = settings::Arguments {
            workspace: Some(workspace.to_owned()),
            address: self.address,
            log: self.log,
        };
        let settings = Settings::read(arguments).map_err(|why| anyhow!(why))?;
        log(settings.log);
        let engine = Engine::open(settings).await?;
        for found in engine.shelf().errors() {
            tracing::warn!("{}: {}", found.place, found.message);
        }
        // From here on a signal ends the server in order.
        let stopped = stop_signal()?;
        let listening = engine.serve().await?;
        if let Some(token) = &listening.new_admin_token {
            say(&format!(
                "admin token (shown this once; keep it safe): {}\n",
                token.reveal()
            ))?;
        }
        say(&format!(
            "listening at {}; stop with Ctrl-C\n",
            listening.url
        ))?;
        stopped.await;
        engine.begin_to_stop();
        say("stopping: jobs under way are given back\n")?;
        engine.shutdown().await;
        Ok(Ended::Well)
    }
}

/// Sends log lines to standard error, masked; `RUST_LOG` says how many.
pub(super) fn log(format: LogFormat) {
    let wanted = settings::environment("RUST_LOG").unwrap_or_else(|| "info,sqlx=warn".to_owned());
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(Lines);
    // A second logger in one process, as in tests, is no trouble.
    let begun = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    if begun.is_ok() {
        log_faults();
    }
}

/// Listens for Ctrl-C and SIGTERM from now on; the answer returns at the first.
pub(super) fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
