//! `recipes jobs cancel`, `release`: what to do about a job that does not go as it should.

use clap::Args;
use serde_json::json;

use super::client::Client;
use super::{Ended, say, show};

/// Ends a job early: calls under way finish and are recorded, `finally` runs, nothing new starts
#[derive(Args, Debug)]
pub(super) struct Cancel {
    /// The job
    id: String,
    /// Cancel the jobs that it started, too
    #[arg(long)]
    children: bool,
}

/// Lets a quarantined job go on where it was
#[derive(Args, Debug)]
pub(super) struct Release {
    /// The job
    id: String,
}

impl Release {
    pub(super) async fn run(&self, client: &Client) -> anyhow::Result<Ended> {
        let path = format!("/api/jobs/{}/release", self.id);
        client.post(&path, None).await?;
        say(&format!("job {} is released\n", self.id))?;
        if !client.is_served() {
            say("it goes on when `recipes serve` runs\n")?;
        }
        Ok(Ended::Well)
    }
}

impl Cancel {
    pub(super) async fn run(&self, client: &Client) -> anyhow::Result<Ended> {
        let path = format!("/api/jobs/{}/cancel", self.id);
        let wish = json!({ "children": self.children });
        let answer = client.post(&path, Some(&wish)).await?;
        for job in answer["cancelled"].as_array().into_iter().flatten() {
            say(&format!("job {} is cancelled\n", show::cell(job)))?;
        }
        if !client.is_served() {
            say("it ends when `recipes serve` runs\n")?;
        }
        Ok(Ended::Well)
    }
}
