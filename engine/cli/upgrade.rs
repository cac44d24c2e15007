//! `recipes upgrade`: copies take up what became of their originals.
//!
//! In: a project, choices, edited files. Out: what changes, with both sides of every conflict.
//! Always true: nothing is written while a conflict is open; it ends with problems then.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use super::beside::beside;
use super::client::{Client, Errand};
use super::{Ended, say, show};
use crate::data::Value;
use crate::library::originals;

/// Where the edited files say to which plan they belong.
const STATE: &str = "state";

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
    /// Write the files with conflicts into this folder, both sides marked, to be merged by hand
    #[arg(long, value_name = "DIR", conflicts_with_all = ["plan", "edited"])]
    to_edit: Option<PathBuf>,
    /// Take the files that were merged by hand from this folder
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
            let (texts, state) = edited(folder)?;
            wish["texts"] = json!(texts);
            let now = client.post(&path, Some(&without_texts(wish))).await?;
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
        if self.plan || is_current(&plan) || (is_open && !leads_back) {
            match self.json {
                true => show::json(&plan)?,
                false => say(&self.text(&plan))?,
            }
            let has_errors = !list(&plan["errors"]).is_empty();
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

    /// The project as the command names it, with the folder that the newer version is in.
    fn named(&self) -> String {
        match &self.from {
            Some(folder) => format!("{} --from {}", self.project, folder.display()),
            None => self.project.clone(),
        }
    }

    /// What changes, what is to be settled, and what to do now.
    fn text(&self, plan: &Value) -> String {
        let mut shown = text(plan);
        if plan["is_written"] == true {
            return shown + &written(plan);
        }
        let named = self.named();
        let conflict = list(&plan["files"])
            .iter()
            .find_map(|file| Some((file, list(&file["conflicts"]).first()?)));
        if let Some((file, conflict)) = conflict {
            let path = show::cell(&file["file"]);
            let short = path.rsplit('/').next().unwrap_or(&path);
            let place = format!("{short}:{}", show::cell(&conflict["part"]));
            let place = match place.contains(' ') {
                true => format!("\"{place}\""),
                false => place,
            };
            let _ = write!(
                shown,
                "\nnothing was written. Say what holds where both changed the same, all in one command:\n\
                 \n  recipes upgrade {named} --ours={place}\
                 \n  recipes upgrade {named} --theirs={place}\
                 \n  recipes upgrade {named} --ours\
                 \n\nor merge by hand, in files with both sides:\n\
                 \n  recipes upgrade {named} --to-edit merge\n"
            );
        } else if self.plan && !is_current(plan) && list(&plan["errors"]).is_empty() {
            let older = if plan["is_older"] == true {
                " --older"
            } else {
                ""
            };
            let _ = writeln!(
                shown,
                "\nnothing was written; without --plan (recipes upgrade {named}{older}), it is \
                 tested and written"
            );
        }
        shown
    }
}

fn without_texts(wish: &Value) -> Value {
    let mut wish = wish.clone();
    wish["texts"] = json!({});
    wish
}

/// The files of a newer project, by path below a workspace.
fn newer(folder: &Path, of: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let (project, tables) = match folder.join("project.yaml").is_file() {
        true => (folder.to_owned(), None),
        false => (
            folder.join("recipes").join(of),
            Some(folder.join("lookup-tables")),
        ),
    };
    if !project.join("project.yaml").is_file() {
        bail!(
            "{} is neither a project's folder nor a workspace with recipes/{of}: there is no \
             project.yaml",
            folder.display()
        );
    }
    take_in(&project, &format!("recipes/{of}"), &mut files)?;
    let tests = project.join("tests");
    if tests.is_dir() {
        take_in(&tests, &format!("recipes/{of}/tests"), &mut files)?;
    }
    if let Some(tables) = tables.filter(|tables| tables.is_dir()) {
        take_in(&tables, "lookup-tables", &mut files)?;
    }
    Ok(files)
}

fn take_in(folder: &Path, path: &str, files: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be read", folder.display());
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".yaml") || name == "README.md" {
            let text = fs::read_to_string(entry.path());
            let text =
                text.with_context(|| format!("{} cannot be read", entry.path().display()))?;
            files.insert(format!("{path}/{name}"), text);
        }
    }
    Ok(())
}

/// Writes the files with conflicts for an editor.
fn to_edit(named: &str, folder: &Path, plan: &Value) -> anyhow::Result<Ended> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; choose another folder", folder.display());
    }
    let mut told = String::new();
    for file in list(&plan["files"]) {
        let path = show::cell(&file["file"]);
        if let Some(text) = file["marked"].as_str() {
            let place = folder.join(&path);
            let cannot = || format!("{} cannot be written", place.display());
            fs::create_dir_all(place.parent().unwrap_or(folder)).with_context(cannot)?;
            fs::write(&place, text).with_context(cannot)?;
            let _ = writeln!(told, "written   {}", place.display());
        } else if file["outcome"] == "conflict" {
            let _ = writeln!(
                told,
                "{path} is no longer there on one side: settle it with --ours={path} or \
                 --theirs={path}"
            );
        }
    }
    if told.is_empty() {
        say("there is no conflict to merge by hand\n")?;
        return Ok(Ended::Well);
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join(STATE), show::cell(&plan["state"]))?;
    let _ = writeln!(
        told,
        "\nIn each of them, your lines stand between <<<<<<< and |||||||, those of before between \
         ||||||| and =======,\nthe original's present ones between ======= and >>>>>>>. Leave what \
         shall be, take the marks out, then\n  recipes upgrade {named} --edited {}",
        folder.display()
    );
    say(&told)?;
    Ok(Ended::Well)
}

/// The files that were merged by hand, by path, and the plan that they belong to.
fn edited(folder: &Path) -> anyhow::Result<(BTreeMap<String, String>, Value)> {
    let state = fs::read_to_string(folder.join(STATE));
    let state = state.with_context(|| {
        format!(
            "{} was not made by `recipes upgrade --to-edit`",
            folder.display()
        )
    })?;
    let mut files = BTreeMap::new();
    for below in ["recipes", "lookup-tables"] {
        gather(&folder.join(below), below, &mut files)?;
    }
    Ok((files, state.trim().into()))
}

fn gather(folder: &Path, path: &str, files: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    take_in(folder, path, files)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &format!("{path}/{name}"), files)?;
        }
    }
    Ok(())
}

fn is_current(plan: &Value) -> bool {
    list(&plan["files"]).is_empty()
}

/// What changes, and both sides of what is to be settled.
fn text(plan: &Value) -> String {
    let word = |name: &str| show::cell(&plan[name]);
    let (project, of, to) = (word("project"), word("of"), word("to"));
    let from: Vec<String> = list(&plan["from"]).iter().map(show::cell).collect();
    let subject = match project == of {
        true => format!("recipes of {project} are customised"),
        false => format!("{project} is a copy of {of}"),
    };
    if is_current(plan) {
        return format!("{subject}; nothing has changed there ({to}) that is not here already\n");
    }
    let mut text = format!("{subject}: {} -> {to}\n\n", from.join(", "));
    let mut conflicts = String::new();
    for file in list(&plan["files"]) {
        let path = show::cell(&file["file"]);
        let _ = write!(text, "  {:<9} {path}", show::cell(&file["outcome"]));
        let parts = list(&file["conflicts"]).iter();
        let parts: Vec<String> = parts.map(|one| show::cell(&one["part"])).collect();
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
