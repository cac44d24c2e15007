//! A library in which some recipes changed, without reading all the others again.
//!
//! In: a library, and recipes' files that were saved. Out: the library as a new reading of all files
//! would give it, or none where the change reaches further than recipes.
//! Always true: only what may come out otherwise is compiled again; a workspace of thousands of
//! files takes a saved one up at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::files::Found;
use super::read::{add, judge_doctor, settle, take_compiled};
use super::{Library, Written, copies};
use crate::compile::{Signature, check_wiring};
use crate::diagnostic::Report;
use crate::names::RecipeName;
use crate::recipe::{ProjectFile, RecipeFile};
use crate::source;

/// A recipe's file that was saved, as it is now.
type Saved = (RecipeName, Vec<u8>, bool);

impl Library {
    /// The library with these files saved, by path below the workspace; `None` if one of them is no
    /// recipe's or cannot be read, so that all has to be read again.
    pub fn with_saved(&self, files: BTreeMap<String, Found>) -> Option<Self> {
        // What recipes are held against then is not at hand.
        if !self.broken.is_empty() {
            return None;
        }
        let mut after = self.clone();
        for (path, found) in &files {
            let name = recipe_of(path)?;
            match found.is_bundled && found.is_here {
                true => after.alike.insert(name),
                false => after.alike.remove(&name),
            };
        }
        let files: Vec<Saved> = files
            .into_iter()
            .map(|(path, found)| Some((recipe_of(&path)?, found.bytes.ok()?, found.is_bundled)))
            .collect::<Option<_>>()?;
        let mut report = Report::default();
        let mut parsed = BTreeMap::new();
        for (name, bytes, is_bundled) in files {
            let file = after.open_again(&name, &bytes, is_bundled, &mut report);
            parsed.insert(name, (file, is_bundled));
        }
        for name in self.touched_by(&after, parsed.keys()) {
            let Some(written) = after.written.get(&name).cloned() else {
                continue;
            };
            let bytes = written.text.as_bytes();
            let file = after.open_again(&name, bytes, written.is_bundled, &mut report);
            parsed.insert(name, (file, written.is_bundled));
        }
        for (name, (file, is_bundled)) in parsed {
            after.recipes.remove(&name);
            if let Some(file) = file {
                report.absorb(take_compiled(&mut after, name, file, is_bundled));
            }
        }
        settle(&mut after, report);
        after.judge_doctors();
        copies::judge(&mut after);
        Some(after)
    }

    /// Reads one recipe's file in place of what was read of it before; `None` if it is no YAML.
    fn open_again(
        &mut self,
        name: &RecipeName,
        bytes: &[u8],
        is_bundled: bool,
        report: &mut Report,
    ) -> Option<RecipeFile> {
        let path: Arc<str> = Arc::from(path_of(name));
        self.diagnostics.retain(|found| found.place.file != path);
        if let Err(at) = self.paths.binary_search(&path) {
            self.paths.insert(at, path.clone());
        }
        let (document, found) = source::parse(&path, bytes);
        report.absorb(found);
        let Some(document) = document else {
            let text: Arc<str> = match bytes.len() <= source::FILE_BYTES_MAX {
                true => Arc::from(String::from_utf8_lossy(bytes)),
                false => Arc::from(""),
            };
            self.texts.insert(path.clone(), text.clone());
            let signature = Arc::new(Signature::unknown());
            self.catalogue.signatures.insert(name.clone(), signature);
            let written = Written::unreadable(&path, text, is_bundled);
            self.written.insert(name.clone(), written);
            return None;
        };
        self.texts.insert(path, document.text.clone());
        let (file, found) = RecipeFile::read(name.clone(), document);
        report.absorb(found);
        let signature = Arc::new(Signature::of(&file));
        self.catalogue.signatures.insert(name.clone(), signature);
        Some(file)
    }

    /// The recipes that may compile otherwise once these are as they are in `after`: those that name
    /// one of them, and those that lead to one whose calls are others now.
    fn touched_by<'a>(
        &self,
        after: &Self,
        saved: impl Iterator<Item = &'a RecipeName> + Clone,
    ) -> BTreeSet<RecipeName> {
        let (before, now) = (&self.catalogue.signatures, &after.catalogue.signatures);
        let mut touched = BTreeSet::new();
        let mut led_to = Vec::new();
        for name in saved.clone() {
            let is_like = match (before.get(name), now.get(name)) {
                (Some(before), Some(now)) => before.is_like(now),
                _ => false,
            };
            if !is_like {
                let names_it = after.written.iter();
                let names_it = names_it.filter(|(_, written)| written.text.contains(name.name()));
                touched.extend(names_it.map(|(name, _)| name.clone()));
                led_to.push(name.clone());
            }
        }
        let mut callers: BTreeMap<&RecipeName, Vec<&RecipeName>> = BTreeMap::new();
        if !led_to.is_empty() {
            for (caller, signature) in now {
                for (callee, _) in &signature.calls {
                    callers.entry(callee).or_default().push(caller);
                }
            }
        }
        let mut seen = BTreeSet::new();
        while let Some(name) = led_to.pop() {
            for caller in callers.get(&name).into_iter().flatten() {
                if seen.insert((*caller).clone()) {
                    led_to.push((*caller).clone());
                }
            }
        }
        touched.append(&mut seen);
        for name in saved {
            touched.remove(name);
        }
        touched
    }

    /// Looks at all projects that have a doctor again: what it calls may have changed.
    fn judge_doctors(&mut self) {
        let mut report = Report::default();
        let projects = self.catalogue.projects.values();
        let doctors = projects.filter(|project| project.doctor.is_some());
        let paths: Vec<(String, Arc<str>)> = doctors
            .map(|project| (project.name.clone(), Arc::from(project_path(&project.name))))
            .collect();
        for (name, path) in paths {
            let Some(text) = self.texts.get(&path).cloned() else {
                continue;
            };
            let (document, found) = source::parse(&path, text.as_bytes());
            let Some(document) = document else { continue };
            self.diagnostics.retain(|found| found.place.file != path);
            report.absorb(found);
            let (project, found) = ProjectFile::read(&name, &document);
            report.absorb(found);
            let mut wiring = Report::of(&path);
            check_wiring(&project, &self.catalogue, &mut wiring);
            report.absorb(wiring);
            report.absorb(judge_doctor(&self.recipes, &project, &path));
        }
        add(self, report);
    }
}

/// The recipe that a path is the file of.
pub fn recipe_of(path: &str) -> Option<RecipeName> {
    let (project, file) = path.strip_prefix("recipes/")?.split_once('/')?;
    let name = file
        .strip_suffix(".yaml")
        .filter(|name| *name != "project")?;
    RecipeName::of(project, name).ok()
}

/// The file of a recipe, below the workspace.
pub fn path_of(name: &RecipeName) -> String {
    format!("recipes/{name}.yaml")
}

fn project_path(name: &str) -> String {
    format!("recipes/{name}/project.yaml")
}
