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

/// The keys of a recipe under which data stands: what is called like a step there is none.
pub const ARGUMENTS: [&str; 5] = ["with", "set", "trigger", "return", "data"];

/// The values that steps have under this key, such as the recipes that they `call`.
pub fn targets<'a>(root: &'a Node, key: &str) -> Vec<&'a Node> {
    let mut found = Vec::new();
    find_targets(root, key, &mut found);
    found
}

fn find_targets<'a>(node: &'a Node, key: &str, found: &mut Vec<&'a Node>) {
    for element in node.as_list().unwrap_or_default() {
        find_targets(element, key, found);
    }
    for (name, node) in node.as_map().unwrap_or_default() {
        match node.as_text() {
            _ if ARGUMENTS.contains(&&*name.text) => {}
            Some(_) if &*name.text == key => found.push(node),
            _ => find_targets(node, key, found),
        }
    }
}

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
