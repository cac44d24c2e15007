//! From files to a library: connectors and tables first, then projects, then recipes.
//!
//! In: paths and bytes. Out: a [`Library`].
//! Always true: every file is parsed once and every finding is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::at_once::at_once;
use super::closure::check_sign_in;
use super::files::{Found, bundled_file, is_page};
use super::open::{Opened, open};
use super::subject::{Subject, start, subject};
use super::{Library, Written, copies, hindered, overlay};
use crate::compile::{Project, Recipe, Signature, check_doctor, check_wiring, compile, program};
use crate::connector::{self, Connections, builtin};
use crate::diagnostic::{Report, Severity};
use crate::names::{ConnectorName, RecipeName, TableName};
use crate::origin::Lock;
use crate::recipe::{ProjectFile, RecipeFile};
use crate::source::{self, Document, NodeKind};
use crate::table::Table;

/// Reads all files; of tables that were filled before, the first rows are of no matter.
pub(super) fn read(files: BTreeMap<String, Found>, filled: &BTreeSet<TableName>) -> Library {
    let mut reading = Reading {
        filled: filled.clone(),
        ..Reading::default()
    };
    let mut parsed = Vec::new();
    let (pages, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|(path, _)| is_page(path));
    let mut keep = |(path, found): (String, Found)| reading.page(Arc::from(path), &found);
    pages.into_iter().for_each(&mut keep);
    reading.library.alike = copies::alike(&files);
    let opened = at_once(files, |(path, found)| {
        let path: Arc<str> = Arc::from(path);
        let opened = open(&path, &found);
        (path, found, opened)
    });
    for (path, found, opened) in opened {
        reading.library.paths.push(path.clone());
        let document = reading.keep(&path, opened);
        let subject = reading.about(&path, |report| subject(&path, report));
        match (document, subject) {
            (Some(document), Some(subject)) => parsed.push((subject, document, found.is_bundled)),
            (None, Some(Subject::Recipe(name))) => {
                reading.unreadable(name, &path, found.is_bundled);
            }
            (None, Some(subject)) if !found.is_bundled => reading.useless(subject, &path),
            _ => {}
        }
    }
    reading.built_in();
    for (subject, document, is_bundled) in parsed {
        reading.take_in(subject, document, is_bundled);
    }
    reading.finish()
}

/// A library on the way.
#[derive(Default)]
struct Reading {
    library: Library,
    found: Report,
    projects: Vec<(ProjectFile, Arc<str>)>,
    recipes: BTreeMap<RecipeName, (RecipeFile, bool)>,
    connections: Option<Document>,
    filled: BTreeSet<TableName>,
}

impl Reading {
    /// Gathers the findings about one file.
    fn about<T>(&mut self, file: &Arc<str>, look: impl FnOnce(&mut Report) -> T) -> T {
        let mut report = Report::of(file);
        let seen = look(&mut report);
        self.found.absorb(report);
        seen
    }

    fn keep(&mut self, path: &Arc<str>, opened: Opened) -> Option<Document> {
        let texts = &mut self.library.texts;
        texts.extend(opened.text.map(|text| (path.clone(), text)));
        self.found.absorb(opened.report);
        opened.document
    }

    /// What tells people of a project is kept as text alone.
    fn page(&mut self, path: Arc<str>, found: &Found) {
        let text = found.bytes.as_deref().unwrap_or_default();
        let text = Arc::from(String::from_utf8_lossy(text));
        self.library.texts.insert(path, text);
    }

    /// A recipe whose file is no YAML is there all the same: it is listed as broken, and its last
    /// good version runs on.
    fn unreadable(&mut self, name: RecipeName, path: &Arc<str>, is_bundled: bool) {
        let signatures = &mut self.library.catalogue.signatures;
        signatures.insert(name.clone(), Arc::new(Signature::unknown()));
        let text = self.library.texts.get(path).cloned().unwrap_or_default();
        let written = Written::unreadable(path, text, is_bundled);
        self.library.written.insert(name, written);
    }

    /// A file that is no YAML says nothing of what it is about.
    fn useless(&mut self, subject: Subject, path: &Arc<str>) {
        let library = &mut self.library;
        match subject {
            Subject::Connector(name) => self.broken(name, path),
            Subject::Table(name) => self.broken_table(name, path),
            Subject::Project(name) => {
                let projects = &mut library.catalogue.projects;
                projects.insert(name.clone(), Arc::new(Project::unwired(&name)));
                library.broken.projects.insert(name, path.clone());
            }
            Subject::Connections => library.connections.is_unread = true,
            Subject::Recipe(_) | Subject::Test | Subject::Lock => {}
        }
    }

    /// A connector of the workspace that cannot be used: recipes are read as if the bundled one, if
    /// there is one, stood there.
    fn broken(&mut self, name: ConnectorName, path: &Arc<str>) {
        if let Some(bundled) = hindered::bundled(&name, path) {
            let connectors = &mut self.library.catalogue.connectors;
            connectors.insert(name.clone(), Arc::new(bundled));
        }
        self.library.broken.connectors.insert(name, path.clone());
    }

    /// A table of the workspace that cannot be used, likewise.
    fn broken_table(&mut self, name: TableName, path: &Arc<str>) {
        if let Some(bundled) = hindered::bundled_table(&name, path) {
            let tables = &mut self.library.catalogue.tables;
            tables.insert(name.clone(), Arc::new(bundled));
        }
        self.library.broken.tables.insert(name, path.clone());
    }

    fn built_in(&mut self) {
        for (name, text) in builtin::ALL {
            let file: Arc<str> = Arc::from(format!("built-in/{name}.yaml"));
            let (document, report) = source::parse(&file, text.as_bytes());
            self.found.absorb(report);
            if let (Some(document), Ok(name)) = (document, ConnectorName::new(name)) {
                self.connector(name, &document);
            }
        }
    }

    fn connector(&mut self, name: ConnectorName, document: &Document) {
        let read = self.about(&document.file, |report| {
            connector::read(&name, document, report)
        });
        self.library
            .catalogue
            .connectors
            .insert(name, Arc::new(read));
    }

    fn take_in(&mut self, subject: Subject, document: Document, is_bundled: bool) {
        let file = document.file.clone();
        match subject {
            Subject::Connections => self.connections = Some(document),
            Subject::Lock => {
                let (lock, report) = Lock::read(&document);
                self.library.lock = lock;
                self.found.absorb(report);
                self.library.recorded = copies::recorded(&document);
            }
            Subject::Connector(name) => {
                if !is_bundled {
                    let (read, change, report) = overlay::read(&name, document);
                    let is_broken = report.has_errors();
                    self.found.absorb(report);
                    let changes = change.map(|change| (name.clone(), change));
                    self.library.overrides.extend(changes);
                    let connectors = &mut self.library.catalogue.connectors;
                    connectors.insert(name.clone(), Arc::new(read));
                    if is_broken {
                        self.broken(name, &file);
                    }
                    return;
                }
                self.connector(name.clone(), &document);
                let connector = self.library.catalogue.connectors[&name].clone();
                self.about(&file, |report| report_any(&connector, &document, report));
            }
            Subject::Table(name) => {
                let (mut table, report) = Table::read(name.clone(), &document);
                let is_filled = self.filled.contains(&name);
                let is_broken =
                    report.has_errors() && !(is_filled && is_sound_without_rows(&name, &document));
                if report.has_errors() && !is_broken {
                    table.first_rows.clear();
                }
                self.found.absorb(report);
                let tables = &mut self.library.catalogue.tables;
                tables.insert(name.clone(), Arc::new(table));
                if !is_bundled && bundled_file(&file).is_some() {
                    let own = &mut self.library.own_tables;
                    own.insert(name.clone(), file.clone());
                }
                if is_broken {
                    self.broken_table(name, &file);
                }
            }
            Subject::Project(name) => {
                let (project, report) = ProjectFile::read(&name, &document);
                if report.has_errors() {
                    let broken = &mut self.library.broken.projects;
                    broken.insert(name.clone(), file.clone());
                }
                self.found.absorb(report);
                let projects = &mut self.library.catalogue.projects;
                projects.insert(name, Arc::new(Project::of(&project)));
                self.projects.push((project, file));
            }
            Subject::Recipe(name) => {
                let (file, report) = RecipeFile::read(name.clone(), document);
                self.found.absorb(report);
                let signatures = &mut self.library.catalogue.signatures;
                signatures.insert(name.clone(), Arc::new(Signature::of(&file)));
                self.recipes.insert(name, (file, is_bundled));
            }
            Subject::Test => {
                let tests = &mut self.library.tests;
                tests.insert(file.to_string(), Arc::new(document));
            }
        }
    }

    /// Looks at what can only be judged once everything is known.
    fn finish(mut self) -> Library {
        let projects = std::mem::take(&mut self.projects);
        for (project, file) in &projects {
            let mut report = Report::of(file);
            check_wiring(project, &self.library.catalogue, &mut report);
            if report.has_errors() {
                let broken = &mut self.library.broken.projects;
                broken.insert(project.name.clone(), file.clone());
            }
            self.found.absorb(report);
        }
        let mut library = self.library;
        if let Some(document) = self.connections {
            let mut report = Report::of(&document.file);
            let connectors = &library.catalogue.connectors;
            library.connections = Connections::read(&document.root, connectors, &mut report);
            self.found.absorb(report);
        }
        let compiled = at_once(
            self.recipes.into_iter().collect(),
            |(name, (file, bundled))| {
                let compiled = compile_in(&library, &file, bundled);
                (name, Written::of(file, bundled), compiled)
            },
        );
        for (name, written, compiled) in compiled {
            self.found
                .absorb(keep_compiled(&mut library, name, written, compiled));
        }
        settle(&mut library, self.found);
        let mut doctors = Report::default();
        for (project, file) in &projects {
            // A doctor may wait for a connector to be mended, like others.
            if library.hindered.is_empty() {
                doctors.absorb(judge_doctor(&library.recipes, project, file));
            }
        }
        add(&mut library, doctors);
        take_out_broken(&mut library);
        copies::judge(&mut library);
        library
    }
}

/// Whether only a table's first rows have errors.
fn is_sound_without_rows(name: &TableName, document: &Document) -> bool {
    let mut document = document.clone();
    if let NodeKind::Map(entries) = &mut document.root.kind {
        entries.retain(|(key, _)| &*key.text != "rows");
    }
    !Table::read(name.clone(), &document).1.has_errors()
}

/// Takes out what recipes were held against although its file is broken.
fn take_out_broken(library: &mut Library) {
    let catalogue = &mut library.catalogue;
    for name in library.broken.connectors.keys() {
        catalogue.connectors.remove(name);
    }
    for name in library.broken.tables.keys() {
        catalogue.tables.remove(name);
    }
    for name in library.broken.projects.keys() {
        if let Some(project) = catalogue.projects.get_mut(name) {
            Arc::make_mut(project).is_sound = false;
        }
    }
}

/// What came of compiling a recipe.
type Compiled = (Option<Recipe>, Report);

/// Compiles a recipe as a part of a library.
pub(super) fn take_compiled(
    library: &mut Library,
    name: RecipeName,
    file: RecipeFile,
    is_bundled: bool,
) -> Report {
    let compiled = compile_in(library, &file, is_bundled);
    keep_compiled(library, name, Written::of(file, is_bundled), compiled)
}

fn compile_in(library: &Library, file: &RecipeFile, is_bundled: bool) -> Compiled {
    let (recipe, mut report) = compile(file, &library.catalogue);
    // Without the file nobody can tell whether the connection is there.
    if let Some(recipe) = recipe.as_ref().filter(|_| !library.connections.is_unread) {
        let auth = file.trigger().and_then(|(_, node)| node.get("auth"));
        let span = auth.map(|auth| auth.span);
        check_sign_in(recipe, span, &library.connections, &mut report);
    }
    if is_bundled && report.has_errors() {
        hindered::name_causes(&mut report, &file.document.text, library);
    }
    (recipe, report)
}

fn keep_compiled(
    library: &mut Library,
    name: RecipeName,
    written: Written,
    (recipe, report): Compiled,
) -> Report {
    if let Some(recipe) = recipe {
        match library.broken.hindrance(&recipe) {
            Some(file) => drop(library.hindered.insert(name.clone(), file)),
            None => drop(library.recipes.insert(name.clone(), Arc::new(recipe))),
        }
    }
    library.written.insert(name, written);
    report
}

/// Holds what a project says of its doctor against the recipes.
pub(super) fn judge_doctor(
    recipes: &BTreeMap<RecipeName, Arc<Recipe>>,
    project: &ProjectFile,
    file: &Arc<str>,
) -> Report {
    let mut report = Report::of(file);
    let doctor = project.doctor.as_ref();
    let doctor = doctor.and_then(|(name, _)| RecipeName::of(&project.name, name).ok());
    let program = doctor.and_then(|name| program(&name, recipes).ok());
    check_doctor(project, program.as_ref(), &mut report);
    report
}

/// Adds findings in the order of files and places.
pub(super) fn add(library: &mut Library, report: Report) {
    let found = &mut library.diagnostics;
    found.extend(report.into_diagnostics());
    found.sort_by(|a, b| (&a.place, a.code).cmp(&(&b.place, b.code)));
}

/// Adds findings, and takes out what they make unusable: a recipe that leaves its grammar is not
/// run, even if what is left of it compiles.
pub(super) fn settle(library: &mut Library, report: Report) {
    add(library, report);
    let found = library.diagnostics.iter();
    let errors = found.filter(|found| found.severity == Severity::Error);
    let broken: BTreeSet<Arc<str>> = errors.map(|found| found.place.file.clone()).collect();
    let written = &library.written;
    library.recipes.retain(|name, _| {
        let written = written.get(name);
        !written.is_some_and(|written| broken.contains(&written.file))
    });
}

/// A shipped connector declares what it takes and gives.
fn report_any(connector: &connector::Connector, document: &Document, report: &mut Report) {
    let actions = document.root.get("actions").and_then(|node| node.as_map());
    for place in connector::check_shipped(connector) {
        let action = place
            .split('.')
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        let key = actions.unwrap_or_default().iter().map(|(key, _)| key);
        let key = key.into_iter().find(|key| Some(&*key.text) == action);
        report
            .error(
                connector::codes::ANY_IN_SHIPPED,
                key.map_or(start(), |key| key.span),
                format!("`{place}` is `any`"),
            )
            .help("declare what it holds; only a connector of one's own may leave it open");
    }
}
