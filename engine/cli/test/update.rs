//! Writes what was found into test files, in place of what was expected.
//!
//! In: tests that were run. Out: their files, and what could not be updated, in words.
//! Always true: only files of the workspace are written, each whole or not at all, and none that
//! somebody changed while its tests ran.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::Ran;
use crate::data::Value;
use crate::library::{Beside, Library};
use crate::trial::{NotRewritten, updated};

/// Updates all tests that failed; says of which it could not.
pub(super) fn all(
    workspace: &Path,
    library: &Library,
    ran: &mut [Ran],
) -> anyhow::Result<Vec<String>> {
    let mut told = Vec::new();
    let mut wanted: BTreeMap<Arc<str>, Vec<(usize, Value)>> = BTreeMap::new();
    for ran in ran.iter().filter(|ran| !ran.result.problems.is_empty()) {
        match &ran.result.renewed {
            Some(renewed) => {
                let of_file = wanted.entry(ran.file.clone()).or_default();
                of_file.push((ran.number, renewed.clone()));
            }
            None => told.push(format!(
                "not updated: {}: {} (this must be mended first: {})",
                ran.recipe,
                ran.result.title,
                ran.result.troubles.join("; ")
            )),
        }
    }
    for (file, expected) in wanted {
        match write(workspace, library, &file, &expected)? {
            Ok(()) => {
                let of_file = ran.iter_mut().filter(|ran| ran.file == file);
                for ran in of_file.filter(|ran| ran.result.renewed.is_some()) {
                    ran.is_updated = true;
                }
                told.push(match expected.len() {
                    1 => format!("updated {file} (1 test)"),
                    count => format!("updated {file} ({count} tests)"),
                });
            }
            Err(NotRewritten(why)) => told.push(format!("not updated: {why}")),
        }
    }
    Ok(told)
}

pub(super) fn write(
    workspace: &Path,
    library: &Library,
    file: &Arc<str>,
    expected: &[(usize, Value)],
) -> anyhow::Result<Result<(), NotRewritten>> {
    let path = workspace.join(&**file);
    if !path.is_file() {
        let why = format!("`{file}` came with the program and is not changed");
        return Ok(Err(NotRewritten(why)));
    }
    let Some(document) = library.tests.get(&**file) else {
        return Ok(Err(NotRewritten(format!("`{file}` is gone"))));
    };
    let text = match updated(document, expected) {
        Ok(text) => text,
        Err(why) => return Ok(Err(why)),
    };
    let beside = match Beside::write(workspace, file, &text) {
        Ok(beside) => beside,
        Err(why) => return Ok(Err(NotRewritten(why.to_string()))),
    };
    let is_as_read = std::fs::read(&path).is_ok_and(|now| now == document.text.as_bytes());
    if !is_as_read {
        beside.take_away();
        let why = format!("`{file}` was changed while its tests ran; run them again");
        return Ok(Err(NotRewritten(why)));
    }
    let placed = beside.put_in_place();
    placed.inspect_err(|_| beside.take_away())?;
    Ok(Ok(()))
}
