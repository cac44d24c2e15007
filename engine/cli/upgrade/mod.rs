//! `recipes upgrade`: copies take up what became of their originals.
//!
//! In: a project, choices, edited files. Out: what changes, with both sides of every conflict.
//! Always true: nothing is written while a conflict is open; it ends with problems then.

mod folder;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use serde_json::json;

use self::folder::{edited, newer, to_edit};
use super::beside::beside;
use super::client::{Client, Errand};
use super::{Ended, say, show};
use crate::data::Value;
use crate::library::originals;

/// Brings a cloned project, or customised recipes, up to their originals' present version
#[derive(Args, Debug)]
pub(super) struct Upgrade {
    /// The project: a clone, or a bundled project of which recipes are customised
    project: String,
    /// Show what would change, and write nothing
    #[arg(long)]
    plan: bool,
    /// Take the newer original from this folder (a workspace, or a project's own folder), instead
    /// of what is bundled or in this workspace
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Where both sides changed the same, yours holds: everywhere, in FILE, or in a part of it
    #[arg(
        long, alias = "mine", value_name = "FILE[:PART]", num_args = 0..=1, require_equals = true,
        default_missing_value = ""
    )]
    ours: Vec<String>,
    /// Where both sides changed the same, the original's holds
    #[arg(
        long, value_name = "FILE[:PART]", num_args = 0..=1, require_equals = true,
        default_missing_value = ""
    )]
    theirs: Vec<String>,
    /// Write the files that change into this folder, to be edited by hand; in those with conflicts,
    /// both sides are marked
    #[arg(long, value_name = "DIR", conflicts_with_all = ["plan", "edited"])]
    to_edit: Option<PathBuf>,
    /// Take the files that were edited by hand from this folder
    #[arg(long, value_name = "DIR")]
    edited: Option<PathBuf>,
    /// Write it although tests of the project no longer hold
    #[arg(long)]
    untested: bool,
    /// Go back to an older version
    #[arg(long)]
    older: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Upgrade {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let mut wish = json!({
            "plan": true, "settle": self.choices(), "untested": self.untested, "older": self.older,
        });
        if let Some(folder) = &self.from {
            let lock = originals(workspace)?.lock;
            let of = lock.cloned_from(&self.project).unwrap_or(&self.project);
            wish["newer"] = json!(newer(folder, of)?);
        }
        Client::run(workspace, Errand::Ask, async |client| {
            self.upgrade(client, &mut wish).await
        })
        .await
    }

    async fn upgrade(&self, client: &Client, wish: &mut Value) -> anyhow::Result<Ended> {
        let project: String =
            url::form_urlencoded::byte_serialize(self.project.as_bytes()).collect();
        let path = format!("/api/projects/{project}/upgrade");
        if let Some(folder) = &self.edited {
            let (mut texts, state) = edited(folder)?;
            let now = client.post(&path, Some(wish)).await?;
            // What was left as it would be is no choice of anybody.
            for file in list(&now["files"]) {
                let path = show::cell(&file["file"]);
                if texts.get(&path).map(String::as_str) == file["text"].as_str() {
                    texts.remove(&path);
                }
            }
            wish["texts"] = json!(texts);
            if now["state"] != state {
                bail!(
                    "the copies or their originals are not those that {} was made of; make it anew \
                     with --to-edit{}",
                    folder.display(),
                    if self.from.is_some() {
                        ""
                    } else {
                        " (and give --from again, if you gave it)"
                    },
                );
            }
        }
        let plan = client.post(&path, Some(wish)).await?;
        if let Some(folder) = &self.to_edit {
            return to_edit(&self.named(), folder, &plan);
        }
        let is_open = plan["is_settled"] != true;
        // Whether the way back is meant comes before what would be in conflict on it.
        let leads_back = plan["is_older"] == true && !self.older;
        let is_open = is_open && !(leads_back && self.plan);
        if self.plan || is_current(&plan) || (is_open && !leads_back) {
            match self.json {
                true => show::json(&plan)?,
                false => say(&self.text(&plan))?,
            }
            let has_errors = !leads_back && !list(&plan["errors"]).is_empty();
            return Ok(match is_open || has_errors {
                true => Ended::WithProblems,
                false => Ended::Well,
            });
        }
        wish["plan"] = false.into();
        wish["state"] = plan["state"].clone();
        let done = client.post(&path, Some(wish)).await?;
        match self.json {
            true => show::json(&done)?,
            false => say(&self.text(&done))?,
        }
        Ok(Ended::Well)
    }

    /// The choices as the API takes them.
    fn choices(&self) -> Vec<Value> {
        let sides = [("mine", &self.ours), ("theirs", &self.theirs)];
        let all = sides.iter().flat_map(|(side, places)| {
            places.iter().map(move |place| match place.split_once(':') {
                _ if place.is_empty() => json!({ "take": side }),
                Some((file, part)) => json!({ "take": side, "file": file, "part": part }),
                None => json!({ "take": side, "file": place }),
            })
        });
        all.collect()
    }

    /// The project as the command names it, with the folder that the newer version is in and all
    /// that was chosen so far.
    fn named(&self) -> String {
        let mut named = self.project.clone();
        let folders = [("--from", &self.from), ("--edited", &self.edited)];
        for (option, folder) in folders {
            if let Some(folder) = folder {
                let folder = show::argument(&folder.display().to_string());
                let _ = write!(named, " {option} {folder}");
            }
        }
        for (option, places) in [("--ours", &self.ours), ("--theirs", &self.theirs)] {
            for place in places {
                let _ = match place.is_empty() {
                    true => write!(named, " {option}"),
                    false => write!(named, " {option}={}", show::argument(place)),
                };
            }
        }
        for (option, is_given) in [("--older", self.older), ("--untested", self.untested)] {
            if is_given {
                let _ = write!(named, " {option}");
            }
        }
        named
    }

    /// What to do where the copy is newer than what it would be upgraded to.
    fn nothing_newer(&self, plan: &Value, named: &str) -> String {
        let (subject, from, to) = (subject(plan), versions(plan), show::cell(&plan["to"]));
        let (there, elsewhere) = match &self.from {
            Some(folder) => (format!("in {}", folder.display()), String::new()),
            None => (
                "the program or this workspace has".to_owned(),
                format!(
                    "to take up what is in a folder: recipes upgrade {} --from DIR\n",
                    self.project
                ),
            ),
        };
        format!(
            "{subject}, of version {from}; what {there} is {to}, which is older: there is nothing to \
             take up\n{elsewhere}to go back to {to}: recipes upgrade {named} --older --plan\n"
        )
    }

    /// A remark where nothing tells the taken version from the one before.
    fn no_newer_number(&self, plan: &Value) -> &'static str {
        let is_same = list(&plan["from"]).contains(&plan["to"]);
        match self.from.is_some() && is_same {
            true => {
                "beware: both are of the same version, so `recipes check` cannot know which is the \
                 newer one; raise `version` in the project.yaml of that folder with each change\n"
            }
            false => "",
        }
    }

    /// What changes, what is to be settled, and what to do now.
    fn text(&self, plan: &Value) -> String {
        let named = self.named();
        if plan["is_older"] == true && !self.older {
            return self.nothing_newer(plan, &named);
        }
        let mut shown = text(plan);
        if plan["is_written"] == true {
            return shown + &written(plan) + self.no_newer_number(plan);
        }
        let open = open(plan);
        if !open.is_empty() {
            let all = |option: &str| {
                let chosen = open.iter().map(|place| format!(" {option}={place}"));
                chosen.collect::<String>()
            };
            let (ours, theirs) = (all("--ours"), all("--theirs"));
            let _ = write!(
                shown,
                "\nnothing was written. Say what holds where both changed the same, all in one command:\n\
                 \n  recipes upgrade {named}{ours}\
                 \n  recipes upgrade {named}{theirs}\
                 \n  recipes upgrade {named} --ours\
                 \n\nor merge by hand, in files with both sides:\n\
                 \n  recipes upgrade {named} --to-edit merge\n"
            );
        } else if self.plan && !is_current(plan) && list(&plan["errors"]).is_empty() {
            let _ = writeln!(
                shown,
                "\nnothing was written; without --plan (recipes upgrade {named}), it is tested and \
                 written"
            );
        }
        shown
    }
}

/// The places where both sides changed the same, as the command takes them.
fn open(plan: &Value) -> Vec<String> {
    let files = list(&plan["files"]).iter();
    let places = files.flat_map(|file| {
        let path = show::cell(&file["file"]);
        let short = path.rsplit('/').next().unwrap_or(&path).to_owned();
        list(&file["conflicts"]).iter().map(move |conflict| {
            show::argument(&format!("{short}:{}", show::cell(&conflict["part"])))
        })
    });
    places.collect()
}

fn is_current(plan: &Value) -> bool {
    list(&plan["files"]).is_empty()
}

/// What changes, and both sides of what is to be settled.
fn text(plan: &Value) -> String {
    let to = show::cell(&plan["to"]);
    let subject = subject(plan);
    if is_current(plan) {
        return format!("{subject}; nothing has changed there ({to}) that is not here already\n");
    }
    let mut text = format!("{subject}: {} -> {to}\n\n", versions(plan));
    let mut conflicts = String::new();
    for file in list(&plan["files"]) {
        let path = show::cell(&file["file"]);
        let _ = write!(text, "  {:<9} {path}", show::cell(&file["outcome"]));
        let parts = list(&file["conflicts"]).iter();
        let parts: Vec<String> = parts.map(part).collect();
        if !parts.is_empty() {
            let _ = write!(text, ": {}", parts.join(", "));
        }
        text.push('\n');
        for conflict in list(&file["conflicts"]) {
            conflicts.push_str(&beside(&path, conflict));
        }
    }
    if plan["is_older"] == true {
        text.push_str("\nbeware: that version is older than the one that this copy is of\n");
    }
    text.push_str(&conflicts);
    let without_base = list(&plan["without_base"]).len();
    if without_base > 0 {
        let _ = write!(
            text,
            "\nbeware: recipes/.base does not have what {without_base} of these files were made of, so \
             nobody can tell who changed what in them: what differs is asked for as a whole. Put \
             recipes/.base back, from your version control for instance\n"
        );
    }
    for error in list(&plan["errors"]) {
        let place = show::cell(&error["place"]);
        let _ = write!(
            text,
            "\nafterwards {place}: {}\n",
            show::cell(&error["message"])
        );
    }
    text
}

/// A part that is in conflict; of one without a name of its own, where it stands and how it begins.
pub(super) fn part(conflict: &Value) -> String {
    let part = show::cell(&conflict["part"]);
    match conflict["line"].is_null() {
        true => part,
        false => format!(
            "{part} (line {} of yours: \"{}\")",
            show::cell(&conflict["line"]),
            show::cell(&conflict["begins"])
        ),
    }
}

/// What is upgraded, and what it was made of.
fn subject(plan: &Value) -> String {
    let (project, of) = (show::cell(&plan["project"]), show::cell(&plan["of"]));
    match project == of {
        true => format!("recipes of {project} are customised"),
        false => format!("{project} is a copy of {of}"),
    }
}

/// The versions that the copies are of.
fn versions(plan: &Value) -> String {
    let from: Vec<String> = list(&plan["from"]).iter().map(show::cell).collect();
    from.join(", ")
}

/// What was written, and what the tests said.
fn written(done: &Value) -> String {
    let tests = &done["tests"];
    let passed = show::cell(&tests["passed"]);
    let mut text = format!("\nwritten and in place; {passed} tests hold\n");
    for (kind, why) in [
        ("broken", "no longer holds"),
        ("failed_before", "does not hold, and did not before"),
    ] {
        for name in list(&tests[kind]) {
            let _ = writeln!(text, "beware: {} {why}", show::cell(name));
        }
    }
    text
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
