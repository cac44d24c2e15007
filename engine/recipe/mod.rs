//! Recipe and project files as written.
//!
//! In: documents. Out: [`RecipeFile`]s and [`ProjectFile`]s that were held against their grammar.
//! Always true: the grammar is data ([`RECIPE`], [`PROJECT`]); the reader and the
//! schemas for editors follow from it.

mod differences;
mod grammar;
mod parts;
mod project;
mod steps;

use std::sync::Arc;

pub use differences::differences;
pub use grammar::RECIPE;
pub use project::{PROJECT, ProjectFile, SAYS};
pub use steps::STEP;

use crate::data::digest;
use crate::diagnostic::Report;
use crate::form;
use crate::mask::point_out_secrets;
use crate::names::RecipeName;
use crate::source::{Document, Node};

/// A recipe as written.
#[derive(Clone, Debug)]
pub struct RecipeFile {
    /// Its identity, which is its path.
    pub name: RecipeName,
    /// Its text and tree.
    pub document: Document,
    /// The SHA-256 of its text.
    pub hash: String,
}

impl RecipeFile {
    /// Takes a document in as the recipe of this name; findings say where it leaves the grammar.
    pub fn read(name: RecipeName, document: Document) -> (Self, Report) {
        let mut report = Report::of(&document.file);
        form::check(&document.root, &RECIPE, &mut report);
        point_out_secrets(&document.root, &mut report);
        let hash = digest(document.text.as_bytes());
        let file = Self {
            name,
            document,
            hash,
        };
        (file, report)
    }

    /// The value under a key at the top.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.document.root.get(key)
    }

    /// The text under a key at the top.
    pub fn text(&self, key: &str) -> Option<Arc<str>> {
        self.get(key)?.as_text().cloned()
    }

    /// The kind of trigger and what is said of it, if exactly one is written.
    pub fn trigger(&self) -> Option<(&str, &Node)> {
        let entries = self.get("trigger")?.as_map()?;
        let known = |name: &str| grammar::TRIGGER.variants.iter().any(|v| v.key.name == name);
        let mut kinds = entries.iter().filter(|(key, _)| known(&key.text));
        let (key, node) = kinds.next()?;
        kinds.next().is_none().then_some((&*key.text, node))
    }
}
