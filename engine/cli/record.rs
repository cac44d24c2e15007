//! `recipes jobs record`: a job as a test file.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::client::Client;
use super::{Ended, say, show};

/// Turns a job into a test file that passes, with stand-ins for secrets and personal values
#[derive(Args, Debug)]
pub(super) struct Record {
    /// The job; it must have ended
    id: String,
    /// The file to write, such as recipes/PROJECT/tests/NAME.test.yaml (printed if left out); one
    /// that is there is not written over
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

impl Record {
    pub(super) async fn run(&self, client: &Client) -> anyhow::Result<Ended> {
        let text = client
            .text(&format!("/api/jobs/{}/record", self.id))
            .await?;
        let Some(path) = &self.to else {
            say(&text)?;
            return Ok(Ended::Well);
        };
        let shown = path.display();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("`{shown}` cannot be made"))?;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let mut file = file.with_context(|| format!("`{shown}` cannot be made"))?;
        file.write_all(text.as_bytes())
            .with_context(|| format!("`{shown}` cannot be written"))?;
        show::aside(&format!(
            "wrote {shown}; look it through, then run it with `recipes test`"
        ));
        Ok(Ended::Well)
    }
}
