//! Versions of recipes that jobs in flight run, compiled again from their kept sources.
//!
//! In: sources as the store keeps them. Out: [`Program`]s, or why a version does not fit what is
//! there now.
//! Always true: the recipes of a version are those that it began with; connectors, tables and
//! projects are those of now.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Shelf;
use crate::compile::{Catalogue, Program, Signature, compile, program};
use crate::diagnostic::{Diagnostic, Severity};
use crate::names::{RecipeName, TableName};
use crate::recipe::RecipeFile;
use crate::source;
use crate::table::Table;

/// Under this name the sources of a program tell which recipe is its root.
pub(super) const ROOT: &str = "root";

type Tables = BTreeMap<TableName, Arc<Table>>;

impl Shelf {
    /// Compiles a version again from its kept sources; the error says what does not fit any more.
    pub fn revive(
        &self,
        hash: &str,
        sources: &BTreeMap<String, String>,
    ) -> Result<Arc<Program>, String> {
        let program = Arc::new(Program {
            hash: hash.to_owned(),
            ..self.compile_sources(sources, &self.tables())?
        });
        let mut known = self.known();
        known.saved.insert(hash.to_owned());
        known.programs.insert(hash.to_owned(), program.clone());
        Ok(program)
    }

    /// What in a version would not work any more if the lookup tables were these; `None` if it fits
    /// them, or does not fit the present ones either.
    pub fn hindered_by(
        &self,
        tables: &Tables,
        sources: &BTreeMap<String, String>,
    ) -> Option<String> {
        let why = self.compile_sources(sources, tables).err()?;
        let fits_now = self.compile_sources(sources, &self.tables()).is_ok();
        fits_now.then_some(why)
    }

    /// The recipes whose files have errors and of which no good version is known here.
    pub fn without_good(&self) -> Vec<RecipeName> {
        let held = self.read();
        let names = held.library.written.keys();
        let bad = names.filter(|name| !held.recipes.contains_key(*name));
        bad.filter(|name| !held.library.hindered.contains_key(*name))
            .cloned()
            .collect()
    }

    /// Lets recipes whose files have errors run on the last texts of theirs that were good, as far
    /// as these still go together with everything else.
    pub fn bring_back(&self, texts: &BTreeMap<RecipeName, String>) {
        let library = self.library();
        let mut catalogue = library.catalogue.clone();
        let mut files = Vec::new();
        for (name, text) in texts {
            let path = Arc::from(format!("recipes/{name}.yaml"));
            let (document, _) = source::parse(&path, text.as_bytes());
            let Some(document) = document else { continue };
            let file = RecipeFile::read(name.clone(), document).0;
            let signature = Arc::new(Signature::of(&file));
            catalogue.signatures.insert(name.clone(), signature);
            files.push(file);
        }
        let mut good = BTreeMap::new();
        for file in &files {
            let project = catalogue.projects.get(file.name.project());
            let is_sound = project.is_none_or(|project| project.is_sound);
            if let (true, Some(recipe)) = (is_sound, compile(file, &catalogue).0)
                && library.broken.hindrance(&recipe).is_none()
            {
                good.insert(file.name.clone(), Arc::new(recipe));
            }
        }
        if good.is_empty() {
            return;
        }
        self.keep_texts(good.iter().filter_map(|(name, recipe)| {
            Some((recipe.hash.clone(), Arc::from(texts.get(name)?.as_str())))
        }));
        self.hold(good);
        self.replace((*library).clone());
    }

    fn compile_sources(
        &self,
        sources: &BTreeMap<String, String>,
        tables: &Tables,
    ) -> Result<Program, String> {
        let root = sources
            .get(ROOT)
            .ok_or("its sources do not say where it begins")?;
        let root = RecipeName::new(root)?;
        let mut files = Vec::new();
        for (name, text) in sources.iter().filter(|(name, _)| *name != ROOT) {
            let name = RecipeName::new(name)?;
            let path = Arc::from(format!("recipes/{name}.yaml"));
            let (document, report) = source::parse(&path, text.as_bytes());
            let document = document.ok_or_else(|| first_error(report.into_diagnostics()))?;
            files.push(RecipeFile::read(name, document).0);
        }
        let catalogue = self.catalogue_with(&files, tables);
        for file in &files {
            let project = catalogue.projects.get(file.name.project());
            if project.is_some_and(|project| !project.is_sound) {
                let project = file.name.project();
                return Err(format!(
                    "recipes/{project}/project.yaml has errors; mend it (`recipes check`)"
                ));
            }
        }
        let mut recipes = BTreeMap::new();
        for file in &files {
            let (recipe, report) = compile(file, &catalogue);
            let recipe = recipe.ok_or_else(|| first_error(report.into_diagnostics()))?;
            recipes.insert(file.name.clone(), Arc::new(recipe));
        }
        program(&root, &recipes).map_err(|missing| {
            let missing: Vec<&str> = missing.iter().map(RecipeName::as_str).collect();
            format!("these recipes are missing: {}", missing.join(", "))
        })
    }

    /// The present catalogue, with these tables and versions of the recipes.
    fn catalogue_with(&self, files: &[RecipeFile], tables: &Tables) -> Catalogue {
        let held = self.read();
        let now = &held.library.catalogue;
        Catalogue {
            connectors: now.connectors.clone(),
            tables: tables.clone(),
            projects: now.projects.clone(),
            signatures: files
                .iter()
                .map(|file| (file.name.clone(), Arc::new(Signature::of(file))))
                .collect(),
        }
    }
}

fn first_error(found: Vec<Diagnostic>) -> String {
    let error = found
        .into_iter()
        .find(|found| found.severity == Severity::Error);
    error.map_or_else(
        || "it cannot be read".to_owned(),
        |error| format!("{}: {}", error.place, error.message),
    )
}
