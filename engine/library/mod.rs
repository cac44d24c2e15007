//! The folders of a workspace as recipes, tables and connectors.
//!
//! In: a workspace folder. Out: a [`Library`]: everything in it, read and compiled, and all
//! findings about it.
//! Always true: one mistaken file keeps nothing else from being read; what is bundled stands
//! behind what the workspace has itself.

mod at_once;
mod change;
mod closure;
pub mod codes;
mod copies;
mod files;
mod good;
mod hindered;
mod kept;
mod open;
mod overlay;
mod originals;
mod pinned;
mod place;
mod read;
mod replace;
mod shelf;
mod stamp;
mod subject;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use change::{path_of, recipe_of};
pub use closure::Start;
pub use copies::Made;
pub use files::{Found, bundled, found_at};
pub use hindered::Broken;
pub use originals::{Originals, Unsound, originals};
pub use overlay::Override;
pub use pinned::NoVersion;
pub use place::{Beside, Misplaced};
pub use replace::{Change, Hindrance, Replaced, replace, resume};
pub use shelf::{Shelf, Shown};
pub use stamp::{Differences, Stamp};

use crate::compile::{Catalogue, Recipe};
use crate::connector::Connections;
use crate::data::digest;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::names::{ConnectorName, RecipeName, TableName};
use crate::origin::Lock;
use crate::recipe::RecipeFile;
use crate::source::{self, Document, Key, Node};

/// Everything that a workspace holds.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// Connectors, tables, projects and the signatures of recipes.
    pub catalogue: Catalogue,
    /// The recipes without errors.
    pub recipes: BTreeMap<RecipeName, Arc<Recipe>>,
    /// All recipes as written, mistaken ones included.
    pub written: BTreeMap<RecipeName, Written>,
    /// The tests of recipes, by path.
    pub tests: BTreeMap<String, Arc<Document>>,
    /// What the workspace changes about bundled connectors.
    pub overrides: BTreeMap<ConnectorName, Override>,
    /// Lookup tables of the workspace in place of bundled ones, with their files.
    pub own_tables: BTreeMap<TableName, Arc<str>>,
    /// The connectors, tables and projects that cannot be used as their files are.
    pub broken: Broken,
    /// Recipes without errors of their own that rely on one of those, with its file.
    pub hindered: BTreeMap<RecipeName, Arc<str>>,
    /// The recipes of which the workspace has a file itself that says what the bundled one says.
    pub alike: BTreeSet<RecipeName>,
    /// The connections that `connections.yaml` names.
    pub connections: Connections,
    /// What copied files were made of.
    pub lock: Lock,
    /// The texts that copies were made of; none if these files are of no folder.
    kept: Option<Arc<kept::Kept>>,
    /// The recipes that are made of one of these although nothing is recorded of them, with the
    /// file that it was the text of.
    unrecorded: BTreeMap<RecipeName, String>,
    /// The paths that the lock names, as they stand in it: whoever takes up a saved recipe has no
    /// need to read the lock again, however large it is.
    pub recorded: Arc<[Key]>,
    /// What was found about all files, in the order of files and places.
    pub diagnostics: Vec<Diagnostic>,
    /// The text of every file that could be read as text, by path, for printing findings.
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
    /// The paths of all files.
    pub paths: Vec<Arc<str>>,
}

/// Files that are read with other texts than those that they have: none where a file is read as if it
/// was not there.
pub type Held = BTreeMap<String, Option<Arc<str>>>;

/// A recipe as written. Its tree is not kept: a thousand of them would be most of what an idle
/// server holds, and is seldom asked for.
#[derive(Clone, Debug)]
pub struct Written {
    /// Its file, as a path below the workspace.
    pub file: Arc<str>,
    /// Its whole text.
    pub text: Arc<str>,
    /// The SHA-256 of its text.
    pub hash: String,
    /// Its title, if that could be read.
    pub title: Option<Arc<str>>,
    /// Whether it came with the program.
    pub is_bundled: bool,
}

impl Written {
    fn of(file: RecipeFile, is_bundled: bool) -> Self {
        Self {
            title: file.text("title"),
            file: file.document.file,
            text: file.document.text,
            hash: file.hash,
            is_bundled,
        }
    }

    fn unreadable(file: &Arc<str>, text: Arc<str>, is_bundled: bool) -> Self {
        Self {
            file: file.clone(),
            hash: digest(text.as_bytes()),
            text,
            title: None,
            is_bundled,
        }
    }

    /// Its tree, read again.
    pub fn tree(&self) -> Option<Node> {
        let (document, _) = source::parse(&self.file, self.text.as_bytes());
        document.map(|document| document.root)
    }
}

impl Library {
    /// Reads a workspace; fails only if its folder cannot be listed.
    pub fn read(workspace: &Path) -> io::Result<Self> {
        let library = files::find(workspace).map(Self::of)?;
        Ok(library.beside_kept(workspace))
    }

    /// Reads a workspace whose rows of these tables stand in a database already: a mistake in the
    /// first rows that their files give is told, and keeps nothing from being used.
    pub fn read_with(
        workspace: &Path,
        filled: &BTreeSet<TableName>,
        held: &Held,
    ) -> io::Result<Self> {
        let mut own = files::find_own(workspace)?;
        stand_in(
            &mut own,
            held.iter().map(|(path, text)| (path, text.as_deref())),
        );
        Ok(read::read(files::over_bundled(own), filled).beside_kept(workspace))
    }

    /// Reads a workspace as if a change of its files were done.
    pub fn as_if(workspace: &Path, change: &Change, held: &Held) -> io::Result<Self> {
        let mut own = files::find_own(workspace)?;
        stand_in(
            &mut own,
            held.iter().map(|(path, text)| (path, text.as_deref())),
        );
        let changed = change.files.iter();
        stand_in(
            &mut own,
            changed.map(|(path, (_, after))| (path, after.as_deref())),
        );
        Ok(Self::of(files::over_bundled(own)).beside_kept(workspace))
    }

    /// The library, with what is found about copies by the texts that they were made of.
    fn beside_kept(mut self, workspace: &Path) -> Self {
        self.kept = Some(Arc::new(kept::read(workspace)));
        copies::judge(&mut self);
        self
    }

    /// What is bundled with the program, and nothing else.
    pub fn bundled() -> Self {
        Self::of(files::bundled())
    }

    /// Reads files that were found before, by path below the workspace.
    pub fn of(files: BTreeMap<String, Found>) -> Self {
        read::read(files, &BTreeSet::new())
    }

    /// Whether anything found keeps a file from being used.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|found| found.severity == Severity::Error)
    }

    /// The errors that were not there before.
    pub fn errors_beyond<'a>(&'a self, before: &'a Self) -> Vec<&'a Diagnostic> {
        fn errors(library: &Library) -> impl Iterator<Item = &Diagnostic> {
            let found = library.diagnostics.iter();
            found.filter(|found| found.severity == Severity::Error)
        }
        fn key(found: &Diagnostic) -> (&str, Code, &str) {
            (&found.place.file, found.code, &found.message)
        }
        let mut known = BTreeMap::new();
        for found in errors(before) {
            *known.entry(key(found)).or_insert(0_usize) += 1;
        }
        let is_new = |found: &&'a Diagnostic| match known.get_mut(&key(found)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        };
        errors(self).filter(is_new).collect()
    }

    /// What was found about one file.
    pub fn diagnostics_of<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Diagnostic> {
        // They are in the order of files and places.
        let found = &self.diagnostics;
        let start = found.partition_point(|found| &*found.place.file < path);
        let of_file = found[start..].iter();
        of_file.take_while(move |found| &*found.place.file == path)
    }
}

/// Puts texts in the place of files.
fn stand_in<'a>(
    own: &mut BTreeMap<String, Found>,
    texts: impl Iterator<Item = (&'a String, Option<&'a str>)>,
) {
    for (path, text) in texts {
        match text {
            Some(text) => own.insert(path.clone(), files::file_of(text)),
            None => own.remove(path),
        };
    }
}

#[cfg(test)]
mod tests;
