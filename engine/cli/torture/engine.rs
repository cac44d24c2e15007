//! The real server, as a process of its own that is killed without a word.
//!
//! Always true: a server that was started here ends with the value that stands for it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};

use crate::clock::Moment;

/// How much faster than the wall the clocks run, so that waits of seconds are short.
pub(super) const TIME_SCALE: f64 = 20.0;

/// How a server is started.
pub(super) struct Start<'a> {
    pub(super) workspace: &'a Path,
    pub(super) token: &'a str,
    /// Since when its clock has run faster than the wall.
    pub(super) since: Moment,
    /// The most bytes that a file may grow to.
    pub(super) file_bytes_max: Option<u64>,
}

/// A running server.
pub(super) struct Engine {
    child: Child,
    /// Where it answers.
    pub(super) url: String,
}

impl Engine {
    /// Starts a server and waits until it listens.
    pub(super) fn start(start: &Start<'_>) -> anyhow::Result<Self> {
        let log = log(start.workspace)?;
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let mut command = match start.file_bytes_max {
            None => Command::new(program),
            Some(bytes) => limited(&program, bytes),
        };
        let mut child = command
            .args(["serve", "--address", "127.0.0.1:0", "--workspace"])
            .arg(start.workspace)
            .env("RECIPES_ADMIN_TOKEN", start.token)
            .env("RECIPES_TIME_SCALE", TIME_SCALE.to_string())
            .env("RECIPES_TIME_SINCE", start.since.to_string())
            .env("RUST_LOG", "warn")
            .env_remove("RECIPES_HALT")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log))
            .spawn()
            .context("the server cannot be started")?;
        let out = child.stdout.take().context("its output is piped")?;
        let mut lines = BufReader::new(out).lines();
        while let Some(Ok(line)) = lines.next() {
            if let Some(rest) = line.strip_prefix("listening at ") {
                let url = rest.split(';').next().unwrap_or_default().to_owned();
                // It may say more, and ends if nobody reads on.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Self { child, url });
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        bail!("the server ended before it listened; see {LOG} in the folder of the run");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // On Unix this is SIGKILL: the server gets no chance to tidy up.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file that servers log into, beside the workspace.
const LOG: &str = "engine.log";

fn log(workspace: &Path) -> anyhow::Result<File> {
    let path = workspace.with_file_name(LOG);
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    opened.with_context(|| format!("`{}` cannot be written", path.display()))
}

/// The program under a limit on the size of files: to write beyond it is an error, as on a full disk.
fn limited(program: &Path, bytes: u64) -> Command {
    // The shell counts in blocks of 512 bytes.
    let blocks = bytes.div_ceil(512).to_string();
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"trap "" XFSZ; ulimit -f "$0"; exec "$@""#])
        .arg(blocks)
        .arg(program);
    command
}
