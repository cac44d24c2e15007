//! The folders that an upgrade reads and writes: a newer original, files to be merged by hand.
//!
//! In: a folder. Out: texts by their paths below a workspace, and the other way round.
//! Always true: nothing of the workspace is written here.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use super::super::{Ended, say, show};
use super::list;
use crate::data::Value;

/// Where the edited files say to which plan they belong.
const STATE: &str = "state";

/// The files of a newer project, by path below a workspace.
pub(super) fn newer(folder: &Path, of: &str) -> anyhow::Result<BTreeMap<String, String>> {
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

/// Writes the files of a plan for an editor: those with conflicts with both sides marked, the others
/// as they would be.
pub(super) fn to_edit(named: &str, folder: &Path, plan: &Value) -> anyhow::Result<Ended> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; choose another folder", folder.display());
    }
    let (mut told, mut has_marks) = (String::new(), false);
    for file in list(&plan["files"]) {
        let path = show::cell(&file["file"]);
        let marked = file["marked"].as_str();
        if let Some(text) = marked.or(file["text"].as_str()) {
            let place = folder.join(&path);
            let cannot = || format!("{} cannot be written", place.display());
            fs::create_dir_all(place.parent().unwrap_or(folder)).with_context(cannot)?;
            fs::write(&place, text).with_context(cannot)?;
            has_marks |= marked.is_some();
            let outcome = show::cell(&file["outcome"]);
            let _ = writeln!(told, "{outcome:<9} {}", place.display());
        } else if file["outcome"] == "conflict" {
            let _ = writeln!(
                told,
                "{path} is no longer there on one side: settle it with --ours={path} or \
                 --theirs={path}"
            );
        }
    }
    if told.is_empty() {
        say("no file changes but those that go, so there is nothing to edit\n")?;
        return Ok(Ended::Well);
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join(STATE), show::cell(&plan["state"]))?;
    if has_marks {
        told.push_str(
            "\nIn those with a conflict, your lines stand between <<<<<<< and |||||||, those of before \
             between ||||||| and\n=======, the original's present ones between ======= and >>>>>>>. \
             Leave what shall be, and take the marks out.\n",
        );
    }
    let _ = writeln!(
        told,
        "\nThe others are as they would be; change what you like, then\n  recipes upgrade {named} \
         --edited {}",
        show::argument(&folder.display().to_string())
    );
    say(&told)?;
    Ok(Ended::Well)
}

/// The files that were edited by hand, by path, and the plan that they belong to.
pub(super) fn edited(folder: &Path) -> anyhow::Result<(BTreeMap<String, String>, Value)> {
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
