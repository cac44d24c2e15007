//! The recipes that jobs are made of, as they are now.
//!
//! In: a [`Library`] each time the workspace changes; pinned sources of older versions. Out:
//! [`Program`]s by recipe and by hash.
//! Always true: a file that breaks keeps its last good version running until it is mended; a
//! version that a job pinned can be had as long as the store keeps its sources.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use crate::compile::{Program, Project, Recipe, Retention, Trigger, program};
use crate::connector::{Connection, Connections, Connector};
use crate::diagnostic::{Diagnostic, Severity};
use crate::names::{ConnectionName, ConnectorName, RecipeName, TableName};
use crate::source::Node;
use crate::table::{SettingsDeclared, Table};

use super::Library;
use super::version::ROOT;

/// The recipes as they are now, shared by all who run or show them.
#[derive(Default)]
pub struct Shelf {
    held: RwLock<Held>,
    known: Mutex<Known>,
}

/// What the last reading of the workspace gave.
#[derive(Default)]
pub(super) struct Held {
    pub(super) library: Arc<Library>,
    /// The good version of each recipe: the present one, or the last one before it broke.
    pub(super) recipes: BTreeMap<RecipeName, Arc<Recipe>>,
    pub(super) programs: BTreeMap<RecipeName, Arc<Program>>,
}

/// What is remembered beyond one reading.
#[derive(Default)]
pub(super) struct Known {
    pub(super) programs: HashMap<String, Arc<Program>>,
    /// The text of each version of a recipe, by its hash.
    texts: HashMap<String, Arc<str>>,
    pub(super) saved: HashSet<String>,
    /// Why the last reading of the workspace was not put in place.
    refusal: Option<String>,
}

/// A recipe as it is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its name.
    pub name: RecipeName,
    /// Its title; its name if that could not be read.
    pub title: String,
    /// What runs, with all that it calls; `None` if it never was without errors.
    pub program: Option<Arc<Program>>,
    /// Whether it came with the program.
    pub is_bundled: bool,
    /// What is wrong in its file.
    pub problems: Vec<Diagnostic>,
}

impl Shelf {
    /// A shelf with what was read of a workspace.
    pub fn new(library: Library) -> Arc<Self> {
        let shelf = Self::default();
        shelf.replace(library);
        Arc::new(shelf)
    }

    /// Puts a new reading in place. What broke stays as it was; that whose file is gone goes.
    /// Answers the recipes of which another version runs now.
    pub fn replace(&self, mut library: Library) -> Vec<RecipeName> {
        self.keep_good(&mut library);
        let (recipes_before, programs_before) = {
            let held = self.read();
            (held.recipes.clone(), held.programs.clone())
        };
        let mut recipes = BTreeMap::new();
        let mut renewed = Vec::new();
        for name in library.written.keys() {
            let before = recipes_before.get(name);
            let Some(good) = library.recipes.get(name).or(before) else {
                continue;
            };
            if before.is_none_or(|before| before.hash != good.hash) {
                renewed.push(name.clone());
            }
            recipes.insert(name.clone(), good.clone());
        }
        let programs: BTreeMap<RecipeName, Arc<Program>> = recipes
            .keys()
            .filter_map(|name| {
                let before = programs_before.get(name);
                // Of thousands of recipes, a saved file changes few programs.
                let same = before.filter(|program| is_made_of(program, &recipes));
                let program = match same {
                    Some(program) => program.clone(),
                    None => Arc::new(program(name, &recipes).ok()?),
                };
                Some((name.clone(), program))
            })
            .collect();
        {
            let mut known = self.known();
            for name in &renewed {
                if let Some(written) = library.written.get(name) {
                    let text = written.text.clone();
                    known.texts.insert(written.hash.clone(), text);
                }
            }
            for program in programs.values() {
                known.programs.insert(program.hash.clone(), program.clone());
            }
        }
        *self.write() = Held {
            library: Arc::new(library),
            recipes,
            programs,
        };
        renewed
    }

    /// What was last read of the workspace.
    pub fn library(&self) -> Arc<Library> {
        self.read().library.clone()
    }

    /// The present version of a recipe with all that it calls.
    pub fn program(&self, recipe: &RecipeName) -> Option<Arc<Program>> {
        self.read().programs.get(recipe).cloned()
    }

    /// A version by its hash, if it is in memory.
    pub fn program_of_hash(&self, hash: &str) -> Option<Arc<Program>> {
        self.known().programs.get(hash).cloned()
    }

    /// Whether a version's sources are not known to be in the store.
    pub fn is_unsaved(&self, hash: &str) -> bool {
        !self.known().saved.contains(hash)
    }

    /// Remembers that a version's sources are in the store.
    pub fn mark_saved(&self, hash: &str) {
        self.known().saved.insert(hash.to_owned());
    }

    /// Forgets that the sources of these versions are in the store.
    pub fn forget_saved(&self, hashes: &[String]) {
        let mut known = self.known();
        for hash in hashes {
            known.saved.remove(hash);
        }
    }

    /// The hashes of the present versions.
    pub fn present_programs(&self) -> HashSet<String> {
        let held = self.read();
        held.programs
            .values()
            .map(|program| program.hash.clone())
            .collect()
    }

    /// How long the recipes want the history of their jobs kept, of those that say so.
    pub fn retentions(&self) -> BTreeMap<RecipeName, Retention> {
        let held = self.read();
        held.recipes
            .iter()
            .filter(|(_, recipe)| recipe.retention != Retention::default())
            .map(|(name, recipe)| (name.clone(), recipe.retention.clone()))
            .collect()
    }

    /// The sources of a version by recipe, for the store.
    pub fn sources(&self, program: &Program) -> BTreeMap<String, String> {
        let known = self.known();
        let mut sources: BTreeMap<String, String> = program
            .recipes
            .iter()
            .filter_map(|(name, recipe)| {
                Some((name.to_string(), known.texts.get(&recipe.hash)?.to_string()))
            })
            .collect();
        sources.insert(ROOT.to_owned(), program.root.to_string());
        sources
    }

    /// The settings that the projects of a version declare.
    pub fn settings_of(&self, program: &Program) -> SettingsDeclared {
        let held = self.read();
        let projects = &held.library.catalogue.projects;
        program
            .recipes
            .keys()
            .filter_map(|name| projects.get(name.project()))
            .map(|project| (project.name.clone(), project.settings.clone()))
            .collect()
    }

    /// The recipes that the clock sets off.
    pub fn set_off_by_the_clock(&self) -> Vec<Arc<Program>> {
        let held = self.read();
        let by_clock = held.programs.values().filter(|program| {
            matches!(
                program.root().trigger,
                Trigger::Schedule(_) | Trigger::Poll(_)
            )
        });
        by_clock.cloned().collect()
    }

    /// Every recipe that has a file.
    pub fn all(&self) -> Vec<Shown> {
        let held = self.read();
        held.library
            .written
            .keys()
            .filter_map(|name| held.shown(name))
            .collect()
    }

    /// One recipe, if it has a file.
    pub fn one(&self, name: &RecipeName) -> Option<Shown> {
        self.read().shown(name)
    }

    /// A recipe's tree as written.
    pub fn tree(&self, name: &RecipeName) -> Option<Node> {
        self.read().library.written.get(name)?.tree()
    }

    /// Whether there is a file of this name, good or bad.
    pub fn has_file(&self, name: &RecipeName) -> bool {
        self.read().library.written.contains_key(name)
    }

    /// A connector as it is now.
    pub fn connector(&self, name: &ConnectorName) -> Option<Arc<Connector>> {
        self.read().library.catalogue.connectors.get(name).cloned()
    }

    /// A connection and the connector it is for.
    pub fn connection(&self, name: &ConnectionName) -> Option<(Connection, Arc<Connector>)> {
        let held = self.read();
        let connection = held.library.connections.get(name)?.clone();
        let connector = held
            .library
            .catalogue
            .connectors
            .get(&connection.connector)?
            .clone();
        Some((connection, connector))
    }

    /// All connectors and connections as they are now.
    pub fn accounts(&self) -> (BTreeMap<ConnectorName, Arc<Connector>>, Connections) {
        let held = self.read();
        (
            held.library.catalogue.connectors.clone(),
            held.library.connections.clone(),
        )
    }

    /// All lookup tables as they are declared now.
    pub fn tables(&self) -> BTreeMap<TableName, Arc<Table>> {
        self.read().library.catalogue.tables.clone()
    }

    /// The table that plays a table's name in a project.
    pub fn table_named(&self, project: &str, name: &str) -> Result<TableName, String> {
        let held = self.read();
        let project = held.library.catalogue.projects.get(project);
        match project.and_then(|project| project.tables.get(name)) {
            Some(table) => Ok(table.clone()),
            None => TableName::new(name),
        }
    }

    /// The settings that all projects declare.
    pub fn settings(&self) -> SettingsDeclared {
        let held = self.read();
        let projects = held.library.catalogue.projects.values();
        projects
            .map(|project| (project.name.clone(), project.settings.clone()))
            .collect()
    }

    /// A project, if it has a file.
    pub fn project(&self, name: &str) -> Option<Arc<Project>> {
        self.read().library.catalogue.projects.get(name).cloned()
    }

    /// The names of all projects that have a file.
    pub fn projects(&self) -> Vec<String> {
        let held = self.read();
        held.library.catalogue.projects.keys().cloned().collect()
    }

    /// What was found about all files, advice left out.
    pub fn findings(&self) -> Vec<Diagnostic> {
        let held = self.read();
        let found = held.library.diagnostics.iter();
        found
            .filter(|found| found.severity != Severity::Advice)
            .cloned()
            .collect()
    }

    /// The files of broken connectors that recipes wait for.
    pub fn hindrances(&self) -> BTreeMap<RecipeName, Arc<str>> {
        self.read().library.hindered.clone()
    }

    /// Remembers why changed files of the workspace were not taken up.
    pub fn note_refusal(&self, why: &str) {
        self.known().refusal = Some(why.to_owned());
    }

    /// Remembers that the files are taken up as they are.
    pub fn forget_refusal(&self) {
        self.known().refusal = None;
    }

    /// Why the last change of the workspace's files was not taken up, if it was not.
    pub fn refusal(&self) -> Option<String> {
        self.known().refusal.clone()
    }

    /// What was found about all files, errors only.
    pub fn errors(&self) -> Vec<Diagnostic> {
        let held = self.read();
        let found = held.library.diagnostics.iter();
        found
            .filter(|found| found.severity == Severity::Error)
            .cloned()
            .collect()
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers texts of recipes by their hashes.
    pub(super) fn keep_texts(&self, texts: impl Iterator<Item = (String, Arc<str>)>) {
        self.known().texts.extend(texts);
    }

    /// Takes versions of recipes for the last good ones.
    pub(super) fn hold(&self, good: BTreeMap<RecipeName, Arc<Recipe>>) {
        self.write().recipes.extend(good);
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn shown(&self, name: &RecipeName) -> Option<Shown> {
        let written = self.library.written.get(name)?;
        let title = &written.title;
        Some(Shown {
            name: name.clone(),
            title: title
                .as_ref()
                .map_or_else(|| name.to_string(), |title| title.to_string()),
            program: self.programs.get(name).cloned(),
            is_bundled: written.is_bundled,
            problems: self
                .library
                .diagnostics_of(&written.file)
                .cloned()
                .collect(),
        })
    }
}

/// Whether a program is made of exactly these recipes.
fn is_made_of(program: &Program, recipes: &BTreeMap<RecipeName, Arc<Recipe>>) -> bool {
    program.recipes.iter().all(|(name, part)| {
        let now = recipes.get(name);
        now.is_some_and(|now| Arc::ptr_eq(now, part))
    })
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shelf({} recipes)", self.read().recipes.len())
    }
}
