//! Copies that are there no more.
//!
//! In: the files of a workspace, what is recorded of them. Out: the record without a project.
//! Always true: nothing is forgotten of a project that has a file left.

use super::clone::{Refused, refused};
use super::lock::Lock;
use super::source::Source;
use super::upgrade::copies;

/// What is recorded once a project that was removed is forgotten, with its lookup tables that are
/// still there.
pub fn forget(source: &Source<'_>, project: &str) -> Result<(Lock, Vec<String>), Refused> {
    let inside = format!("recipes/{project}/");
    let recorded = copies(source.lock, project);
    if recorded.is_empty() {
        let message =
            format!("recipes.lock records nothing of `{project}`: there is nothing to forget");
        return Err(refused("not_found", message));
    }
    if let Some(path) = source.own.keys().find(|path| path.starts_with(&inside)) {
        let message = format!(
            "`{project}` is still there ({path}): remove the folder recipes/{project} first, and it is \
             forgotten for good"
        );
        return Err(refused("is_there", message));
    }
    let mut lock = source.lock.clone();
    let mut left = Vec::new();
    for path in recorded.keys() {
        lock.files.remove(*path);
        if source.own.contains_key(*path) {
            left.push((*path).clone());
        }
    }
    Ok((lock, left))
}
