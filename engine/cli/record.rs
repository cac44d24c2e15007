//! `recipes jobs record`: a job becomes a test.
//!
//! In: a job that ended. Out: a test file that holds, or the test on the screen.
//! Always true: a file that is there is not written over.

use std::fs::{File, create_dir_all};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use super::client::Client;
use super::{Ended, say, show};

/// Turns a job into a test that holds, with stand-ins for secrets and what is about people
#[derive(Args, Debug)]
pub(super) struct Record {
    /// The job
    id: String,
    /// The file to write, such as recipes/PROJECT/tests/NAME.test.yaml; without it, the test is
    /// printed
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Record {
    pub(super) async fn run(&self, client: &Client) -> anyhow::Result<Ended> {
        if let Some(to) = self.to.as_ref().filter(|to| to.exists()) {
            bail!("`{}` is there already; name another file", to.display());
        }
        let id = client.job(&self.id).await?;
        let answer = client.get(&format!("/api/jobs/{id}/record")).await?;
        let test = answer["test"].as_str().unwrap_or_default();
        if let Some(to) = &self.to {
            let written = create(to).and_then(|mut file| file.write_all(test.as_bytes()));
            written.with_context(|| format!("`{}` cannot be written", to.display()))?;
        }
        match (&self.to, self.json) {
            (_, true) => {
                let file = self.to.as_ref().map(|to| to.display().to_string());
                show::json(&json!({ "recipe": answer["recipe"], "file": file, "test": test }))?;
            }
            (None, false) => say(test)?,
            (Some(to), false) => {
                let name = to.file_name().unwrap_or_default().to_string_lossy();
                say(&format!(
                    "wrote {}; look at it, then run it with `recipes test {name}`\n",
                    to.display()
                ))?;
                if !name.ends_with(".test.yaml") {
                    show::aside("tests are found in recipes/PROJECT/tests/NAME.test.yaml alone");
                }
            }
        }
        Ok(Ended::Well)
    }
}

/// Makes a new file, and the folder that it stands in.
fn create(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        create_dir_all(folder)?;
    }
    File::create_new(path)
}
