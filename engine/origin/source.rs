//! The files that copies are made of and merged with.
//!
//! In: the files of a workspace, the bundled ones, `recipes.lock`, the kept texts. Out: what a
//! copy's original is now, and what it was when the copy was made.
//! Always true: a customised file's original is the bundled one, never itself.

use std::collections::BTreeMap;

use super::lock::{Lock, Origin};
use crate::data::digest;

/// Files by path, with what is recorded of them.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The text of every file that the workspace has itself.
    pub own: &'a BTreeMap<String, String>,
    /// The text of every bundled file.
    pub bundled: &'a BTreeMap<String, String>,
    /// What is recorded so far.
    pub lock: &'a Lock,
    /// The texts that copies were made of, by hash.
    pub bases: &'a BTreeMap<String, String>,
}

impl<'a> Source<'a> {
    /// What counts under a path: the workspace's own file, or the bundled one.
    pub(super) fn text(&self, path: &str) -> Option<&'a String> {
        self.own.get(path).or_else(|| self.bundled.get(path))
    }

    /// All paths that there are, with their texts.
    pub(super) fn texts(&self) -> BTreeMap<&'a String, &'a String> {
        self.bundled.iter().chain(self.own).collect()
    }

    /// The text of an original as it is now: the bundled one, or that of the workspace.
    pub(super) fn original(&self, path: &str) -> Option<&'a String> {
        if self.is_customised(path) {
            return self.bundled.get(path);
        }
        self.bundled.get(path).or_else(|| self.own.get(path))
    }

    /// Whether a file stands in the place of a bundled one that it was made of.
    fn is_customised(&self, path: &str) -> bool {
        let recorded = self.lock.files.get(path);
        recorded.is_some_and(|origin| origin.of == path)
    }

    /// What a copy of a file is made of, with its text: the original as it is now, or, of a
    /// customised file, what that was made of.
    pub(super) fn origin_of(&self, path: &str) -> Option<(Origin, &'a String)> {
        if let Some(recorded) = self.lock.files.get(path).filter(|at| at.of == path)
            && let (Some(base), Some(_)) = (self.bases.get(&recorded.hash), self.own.get(path))
        {
            return Some((recorded.clone(), base));
        }
        let text = self.original(path).or_else(|| self.own.get(path))?;
        let origin = Origin {
            of: path.to_owned(),
            version: self.version(project_of(path)),
            hash: digest(text.as_bytes()),
        };
        Some((origin, text))
    }

    /// The version that a project's file states; empty if it states none.
    pub(super) fn version(&self, project: &str) -> String {
        let path = format!("recipes/{project}/project.yaml");
        let text = self.original(&path).map_or("", String::as_str);
        let (document, _) = crate::source::parse(&path.into(), text.as_bytes());
        let stated = document
            .and_then(|document| Some(document.root.get("version")?.as_text()?.to_string()));
        stated.unwrap_or_default()
    }
}

/// The project that a path lies in; of a lookup table none.
pub(super) fn project_of(path: &str) -> &str {
    let inside = path.strip_prefix("recipes/").unwrap_or_default();
    inside.split_once('/').map_or("", |(project, _)| project)
}
