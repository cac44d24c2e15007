//! `recipes demo`: a story played on stand-ins of the vendors, from an empty folder to the end.
//!
//! In: the name of a story. Out: the story told as it happens, and an engine that stays up.
//! Always true: no vendor is known here, the story is data; a story that does not end as it must
//! ends the program with an error; Ctrl-C ends it in order at any point.

mod fill;
mod grammar;
mod play;
mod stage;
mod story;
mod teller;
mod tree;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use recipe_sandbox::{SERVERS, STORIES, WORLDS};
use serde_json::json;

use super::{Ended, look, say, serve};
use crate::data::Object;
use crate::diagnostic::{did_you_mean, print};
use crate::settings::{LogFormat, environment};
use crate::source::{Document, parse};

use play::Player;
use stage::{Folder, Stage, secret_of};
use story::{Known, Story};
use teller::Teller;

/// Shows everything at work: stand-ins of the vendors, real recipes, a story from start to end
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// End with the story instead of staying up
    #[arg(long)]
    once: bool,
    /// A new or empty folder for the workspace, which is kept (a temporary one if left out)
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Another story: one that comes with the program, or a file
    #[arg(long, value_name = "STORY")]
    story: Option<String>,
}

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let document = document(self.story.as_deref())?;
        let (story, report) = Story::read(
            &document,
            &Known {
                servers: &SERVERS,
                worlds: &WORLDS,
            },
        );
        let has_errors = report.has_errors();
        let texts = [(document.file.clone(), document.text.clone())].into();
        say(&print(&report.into_diagnostics(), &texts, look()))?;
        if has_errors {
            return Ok(Ended::WithProblems);
        }
        // The story is told on the standard output; log lines only if they are asked for.
        if environment("RUST_LOG").is_some() {
            serve::log(LogFormat::Text);
        }
        let mut stopped = Box::pin(serve::stop_signal()?);
        let folder = Folder::make(self.folder.clone())?;
        let teller = Teller::new(look(), secrets(&story));
        let mut stage = None;
        let told = tokio::select! {
            told = self.tell(&story, &folder, &teller, &mut stage) => Some(told),
            () = &mut stopped => None,
        };
        let ended = match told {
            None => {
                say("\nstopping in the middle of the story; jobs under way are given back\n")?;
                Ok(Ended::Interrupted)
            }
            Some(Ok(())) if !self.once => {
                stopped.await;
                say("\nstopping\n")?;
                Ok(Ended::Well)
            }
            Some(told) => told.map(|()| Ended::Well),
        };
        if let Some(stage) = stage {
            stage.strike().await;
        }
        say(&format!("{}\n", folder.close()))?;
        ended
    }

    /// Sets the stage, plays the story, and says what may be tried next.
    async fn tell(
        &self,
        story: &Story,
        folder: &Folder,
        teller: &Teller,
        stage: &mut Option<Stage>,
    ) -> anyhow::Result<()> {
        teller.title(&story.title, story.description.as_deref())?;
        let mut known = Object::new();
        known.insert("recipes".to_owned(), json!(own_command()));
        let stage = stage.insert(Stage::set(story, folder.path(), &mut known, teller).await?);
        let mut player = Player::new(story, stage, teller, known)?;
        player
            .play()
            .await
            .context("the story did not end as it must")?;
        if self.once {
            return teller.close("The story ended as it must.");
        }
        teller.close("The story ended as it must. Everything stays up until Ctrl-C.")?;
        say("\n")?;
        teller.ready("API", &stage.listening.url)?;
        teller.ready("token", stage.token())?;
        player.tell_next()
    }
}

/// Finds and parses a story.
fn document(wanted: Option<&str>) -> anyhow::Result<Document> {
    let bundled = match wanted {
        None => STORIES.first(),
        Some(name) => STORIES.iter().find(|story| story.name == name),
    };
    let (file, bytes) = match (bundled, wanted) {
        (Some(story), _) => (
            format!("{}.yaml", story.name),
            story.text.as_bytes().to_vec(),
        ),
        (None, Some(path)) if PathBuf::from(path).is_file() => {
            let bytes = std::fs::read(path).with_context(|| format!("`{path}` cannot be read"))?;
            (path.to_owned(), bytes)
        }
        (None, wanted) => {
            let wanted = wanted.unwrap_or_default();
            let known: Vec<&str> = STORIES.iter().map(|story| story.name).collect();
            let help = match did_you_mean(wanted, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are: {}; or name a file", known.join(", ")),
            };
            bail!("there is no story `{wanted}`; {help}");
        }
    };
    let file: Arc<str> = Arc::from(file);
    let (document, report) = parse(&file, &bytes);
    document.ok_or_else(|| {
        let text: Arc<str> = Arc::from(String::from_utf8_lossy(&bytes));
        let found = print(&report.into_diagnostics(), &[(file, text)].into(), look());
        anyhow!("the story cannot be read\n{found}")
    })
}

/// The texts that stand in the story as secrets.
fn secrets(story: &Story) -> Vec<String> {
    let fields = story
        .connections
        .values()
        .flat_map(|fields| fields.values());
    fields.filter_map(secret_of).map(str::to_owned).collect()
}

/// How this program was called, for commands to try.
fn own_command() -> String {
    std::env::args_os().next().map_or_else(
        || "recipes".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

#[cfg(test)]
mod tests;
