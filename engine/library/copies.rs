//! What copies get wrong, where recipes come from, and which are copies of one another.
//!
//! In: a library with its lock. Out: findings; origins; families of copies and what they write to.
//! Always true: a copy of a copy belongs to the family of the first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::compile::{ActionRef, Program, StepKind};
use crate::connector::Effect;
use crate::data::digest;
use crate::diagnostic::{Report, Span};
use crate::names::RecipeName;
use crate::origin::{FILE, Lock, codes, copies, is_older};
use crate::source::{Document, Key, Node};

use super::files::{Found, bundled_file};
use super::read::add;
use super::{Library, Shelf, kept};

/// Says what clones call, what the lock names that is not there, and which originals changed, in
/// place of what was said of that before.
pub(super) fn judge(library: &mut Library) {
    let codes = [
        codes::CALLS_THE_ORIGINAL,
        codes::COPY_IS_GONE,
        codes::NEWER_ORIGINAL,
        codes::NOT_RECORDED,
        codes::BASE_IS_GONE,
    ];
    library
        .diagnostics
        .retain(|found| !codes.contains(&found.code));
    library.unrecorded = kept::unrecorded(library);
    let mut all = Report::default();
    for report in kept::judge(library) {
        all.absorb(report);
    }
    for report in findings(library) {
        all.absorb(report);
    }
    add(library, all);
}

/// The paths that a lock names, as they stand in it.
pub(super) fn recorded(lock: &Document) -> Arc<[Key]> {
    let files = lock.root.get("files").and_then(Node::as_map);
    let paths = files.unwrap_or_default().iter();
    paths.map(|(path, _)| path.clone()).collect()
}

fn findings(library: &Library) -> Vec<Report> {
    let projects: BTreeSet<&str> = library.written.keys().map(RecipeName::project).collect();
    let cloned = projects.into_iter();
    let cloned = cloned.filter_map(|name| Some((name, library.lock.cloned_from(name)?)));
    let cloned: BTreeMap<&str, &str> = cloned.collect();
    let mut reports: Vec<Report> = library
        .written
        .iter()
        .filter_map(|(name, written)| {
            let original = cloned.get(name.project())?;
            let mut report = Report::of(&written.file);
            calls_of_the_original(library, name, original, &mut report);
            Some(report)
        })
        .collect();
    let mut report = Report::of(&Arc::from(FILE));
    gone(library, &library.recorded, &mut report);
    newer_originals(library, &library.recorded, &mut report);
    reports.push(report);
    reports
}

/// Says once for a project which of its copies are not there any more.
fn gone(library: &Library, files: &[Key], report: &mut Report) {
    let is_there = |path: &str| library.texts.contains_key(path);
    let missing = files.iter().filter(|path| !is_there(&path.text));
    let mut missing: BTreeMap<&str, Span> = missing.map(|path| (&*path.text, path.span)).collect();
    let projects: BTreeSet<&str> = missing.keys().filter_map(|path| project_of(path)).collect();
    for project in projects {
        let recorded = copies(&library.lock, project);
        let lost = recorded
            .keys()
            .filter_map(|path| missing.remove_entry(path.as_str()));
        let lost: Vec<(&str, Span)> = lost.collect();
        let inside = format!("recipes/{project}/");
        let is_left = library.paths.iter().any(|path| path.starts_with(&inside));
        let Some((_, span)) = lost.first() else {
            continue;
        };
        if is_left {
            let message = match &lost[..] {
                [(path, _)] => format!("there is no file {path}"),
                [(path, _), others @ ..] => {
                    format!(
                        "these files are not there any more: {path} and {} more of `{project}`",
                        others.len()
                    )
                }
                [] => continue,
            };
            report
                .advice(codes::COPY_IS_GONE, *span, message)
                .help("an upgrade takes it as removed by you");
            continue;
        }
        let message = format!("nothing is left of the copy `{project}`");
        report
            .advice(codes::COPY_IS_GONE, *span, message)
            .help(format!(
                "`recipes forget {project}` takes it out of recipes.lock; if it was not meant to go, \
                 bring recipes/{project} back, from your version control for instance"
            ));
    }
    for (path, span) in missing {
        report
            .advice(
                codes::COPY_IS_GONE,
                span,
                format!("there is no file {path}"),
            )
            .help("an upgrade takes it as removed by you");
    }
}

/// Says once for a project that originals of its files have changed.
fn newer_originals(library: &Library, files: &[Key], report: &mut Report) {
    let mut counts: BTreeMap<&str, (Span, usize)> = BTreeMap::new();
    for path in files {
        let Some(origin) = library.lock.files.get(&*path.text) else {
            continue;
        };
        let bundled = bundled_file(&origin.of).map(digest);
        let own = || {
            library
                .texts
                .get(&*origin.of)
                .map(|text| digest(text.as_bytes()))
        };
        let Some(project) = project_of(&path.text) else {
            continue;
        };
        let present = library
            .catalogue
            .projects
            .get(project_of(&origin.of).unwrap_or(project));
        if present.is_some_and(|present| is_older(&present.version, &origin.version)) {
            continue;
        }
        let is_there = library.texts.contains_key(&*path.text);
        let original = bundled.or_else(|| own().filter(|_| origin.of != *path.text));
        if is_there && original.is_some_and(|hash| hash != origin.hash) {
            counts.entry(project).or_insert((path.span, 0)).1 += 1;
        }
    }
    for (project, (span, count)) in counts {
        let message = format!("originals of {count} files of `{project}` are another version now");
        report
            .advice(codes::NEWER_ORIGINAL, span, message)
            .help(format!(
                "`recipes upgrade {project} --plan` shows what would change"
            ));
    }
}

/// The project that a file lies in.
pub(super) fn project_of(path: &str) -> Option<&str> {
    let (project, _) = path.strip_prefix("recipes/")?.split_once('/')?;
    Some(project)
}

fn calls_of_the_original(
    library: &Library,
    name: &RecipeName,
    original: &str,
    report: &mut Report,
) {
    let Some(signature) = library.catalogue.signatures.get(name) else {
        return;
    };
    for (callee, span) in signature.calls.iter().chain(&signature.starts) {
        let own = RecipeName::of(name.project(), callee.name()).ok();
        let has_own = own.is_some_and(|own| library.written.contains_key(&own));
        if callee.project() == original && has_own {
            let message = format!(
                "this calls `{callee}`, the original, and not the copy in `{}`",
                name.project()
            );
            report
                .warning(codes::CALLS_THE_ORIGINAL, *span, message)
                .help(format!("write `{}` to call the copy", callee.name()));
        }
    }
}

/// The file that the file of a recipe was made of in the end, or itself.
fn root_of<'a>(library: &'a Library, name: &RecipeName, path: &'a str) -> &'a str {
    let guessed = library.unrecorded.get(name);
    // What stands in the place of a bundled file is made of that, whatever it is like.
    let guessed = guessed.filter(|_| bundled_file(path).is_none());
    root(&library.lock, guessed.map_or(path, String::as_str))
}

/// The file that a file was made of in the end, as it is recorded, or itself.
fn root<'a>(lock: &'a Lock, path: &'a str) -> &'a str {
    let mut at = path;
    // A lock that was edited by hand may lead in a circle.
    for _ in 0..lock.files.len() {
        match lock.files.get(at) {
            Some(origin) if origin.of != at => at = &origin.of,
            _ => break,
        }
    }
    at
}

/// The recipes of which the workspace has a file itself that says what the bundled one says.
pub(super) fn alike(files: &[(String, Found)]) -> BTreeSet<RecipeName> {
    let alike = files
        .iter()
        .filter(|(_, found)| found.is_bundled && found.is_here);
    alike
        .filter_map(|(path, _)| {
            let name = path.strip_prefix("recipes/")?.strip_suffix(".yaml")?;
            RecipeName::new(name).ok()
        })
        .collect()
}

/// Where the file of a recipe comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// It came with the program.
    Bundled,
    /// It was written here.
    Here,
    /// It stands in the place of the bundled one, which was of this version when it was copied; of
    /// none if nothing is recorded of that.
    Customised(Option<String>),
    /// It stands in the place of the bundled one, of this version, and says the same so far.
    Alike(String),
    /// It is a copy of another recipe, of this version.
    Copy(RecipeName, String),
}

impl Library {
    /// Where the file of a recipe comes from.
    pub fn made(&self, name: &RecipeName) -> Option<Made> {
        let written = self.written.get(name)?;
        let recorded = self.lock.files.get(&*written.file);
        if written.is_bundled {
            let customised = recorded.filter(|_| self.alike.contains(name));
            return Some(customised.map_or(Made::Bundled, |of| Made::Alike(of.version.clone())));
        }
        let stands_in = bundled_file(&written.file).is_some();
        let Some(origin) = recorded else {
            return Some(match stands_in {
                true => Made::Customised(None),
                false => Made::Here,
            });
        };
        let of = origin.of.strip_prefix("recipes/");
        let of = of.and_then(|path| RecipeName::new(path.strip_suffix(".yaml")?).ok());
        Some(match of {
            Some(of) if of != *name => Made::Copy(of, origin.version.clone()),
            _ => Made::Customised(Some(origin.version.clone())),
        })
    }
}

impl Shelf {
    /// The recipes that are copies of the same one, with the places that both write to:
    /// connections and tables.
    pub fn copies(&self, name: &RecipeName) -> Vec<(RecipeName, Vec<String>)> {
        let held = self.read();
        let library = &held.library;
        let path = |name: &RecipeName| {
            library
                .written
                .get(name)
                .map(|written| written.file.clone())
        };
        let (Some(own), Some(program)) = (path(name), held.programs.get(name)) else {
            return Vec::new();
        };
        let family = root_of(library, name, &own);
        let written = writes(program);
        library
            .written
            .iter()
            .filter(|(other, written)| {
                *other != name && root_of(library, other, &written.file) == family
            })
            .filter_map(|(other, _)| {
                let program = held.programs.get(other)?;
                let shared: Vec<String> = writes(program).intersection(&written).cloned().collect();
                (!shared.is_empty()).then(|| (other.clone(), shared))
            })
            .collect()
    }
}

/// The connections and tables that a program writes to, in an admin's words.
fn writes(program: &Program) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for recipe in program.recipes.values() {
        recipe.for_each_step(&mut |step| {
            if let Some(ActionRef {
                connection, effect, ..
            }) = step.kind.action()
                && *effect != Effect::Read
            {
                places.insert(format!("the connection `{connection}`"));
            }
            if let StepKind::Table { table, operation } = &step.kind
                && !operation.is_read()
            {
                places.insert(format!("the table `{table}`"));
            }
        });
    }
    places
}
