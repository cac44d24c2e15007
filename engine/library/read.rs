//! From files to a library: connectors and tables first, then projects, then recipes.
//!
//! In: paths and bytes. Out: a [`Library`].
//! Always true: every file is parsed once and every finding is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::{CONNECTIONS, Found};
use super::{Library, Written};
use crate::compile::{Catalogue, Project, Signature, check_wiring, codes, compile};
use crate::connector::{self, Connections, builtin};
use crate::diagnostic::{Report, Span};
use crate::names::{ConnectorName, RecipeName, TableName, is_file_name};
use crate::recipe::{ProjectFile, RecipeFile};
use crate::source::{self, Document, codes as source_codes};
use crate::table::Table;

/// What a path says about a file.
enum Subject {
    Connections,
    Connector(ConnectorName),
    Table(TableName),
    Project(String),
    Recipe(RecipeName),
    Test,
}

/// Reads all files.
pub(super) fn read(files: BTreeMap<String, Found>) -> Library {
    let mut library = Library::default();
    let mut all = Report::default();
    let mut parsed = Vec::new();
    for (path, found) in files {
        let path: Arc<str> = Arc::from(path);
        library.paths.push(path.clone());
        let (document, report) = open(&path, &found, &mut library);
        all.absorb(report);
        let mut report = Report::of(&path);
        let subject = subject(&path, &mut report);
        all.absorb(report);
        if let (Some(document), Some(subject)) = (document, subject) {
            parsed.push((subject, document, found.is_bundled));
        }
    }
    let mut catalogue = Catalogue::default();
    read_built_in(&mut catalogue, &mut all);
    let mut projects = Vec::new();
    let mut connections = None;
    for (subject, document, is_bundled) in parsed {
        match subject {
            Subject::Connections => connections = Some(document),
            Subject::Connector(name) => {
                let mut report = Report::of(&document.file);
                let read = connector::read(&name, &document, &mut report);
                if is_bundled {
                    report_any(&read, &document, &mut report);
                }
                all.absorb(report);
                catalogue.connectors.insert(name, Arc::new(read));
            }
            Subject::Table(name) => {
                let (table, report) = Table::read(name.clone(), &document);
                all.absorb(report);
                catalogue.tables.insert(name, Arc::new(table));
            }
            Subject::Project(name) => {
                let (file, report) = ProjectFile::read(&name, &document);
                all.absorb(report);
                catalogue
                    .projects
                    .insert(name, Arc::new(Project::of(&file)));
                projects.push((file, document.file));
            }
            Subject::Recipe(name) => {
                let (file, report) = RecipeFile::read(name.clone(), document);
                all.absorb(report);
                catalogue
                    .signatures
                    .insert(name.clone(), Signature::of(&file));
                library.written.insert(name, Written { file, is_bundled });
            }
            Subject::Test => {
                library.tests.insert(document.file.to_string(), document);
            }
        }
    }
    for (file, path) in projects {
        let mut report = Report::of(&path);
        check_wiring(&file, &catalogue, &mut report);
        all.absorb(report);
    }
    if let Some(document) = connections {
        let mut report = Report::of(&document.file);
        library.connections = Connections::read(&document.root, &catalogue.connectors, &mut report);
        all.absorb(report);
    }
    for (name, written) in &library.written {
        let (recipe, report) = compile(&written.file, &catalogue);
        all.absorb(report);
        library
            .recipes
            .extend(recipe.map(|recipe| (name.clone(), Arc::new(recipe))));
    }
    library.catalogue = catalogue;
    library.diagnostics = all.into_diagnostics();
    let broken = |written: &Written| {
        let path = &written.file.document.file;
        let mut found = library
            .diagnostics
            .iter()
            .filter(|found| found.place.file == *path);
        found.any(|found| found.severity == crate::diagnostic::Severity::Error)
    };
    // A recipe that leaves its grammar is not run, even if what is left of it compiles.
    library
        .recipes
        .retain(|name, _| !library.written.get(name).is_some_and(broken));
    library
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

fn open(path: &Arc<str>, found: &Found, library: &mut Library) -> (Option<Document>, Report) {
    match &found.bytes {
        Ok(bytes) => {
            if bytes.len() <= source::FILE_BYTES_MAX {
                let text = Arc::from(String::from_utf8_lossy(bytes));
                library.texts.insert(path.clone(), text);
            }
            source::parse(path, bytes)
        }
        Err(why) => {
            let mut report = Report::of(path);
            report
                .error(
                    source_codes::UNREADABLE,
                    start(),
                    format!("cannot be read: {why}"),
                )
                .help("check that it is a file, and who may read it");
            (None, report)
        }
    }
}

fn read_built_in(catalogue: &mut Catalogue, all: &mut Report) {
    for (name, text) in builtin::ALL {
        let file: Arc<str> = Arc::from(format!("built-in/{name}.yaml"));
        let (document, report) = source::parse(&file, text.as_bytes());
        all.absorb(report);
        if let (Some(document), Ok(name)) = (document, ConnectorName::new(name)) {
            let mut report = Report::of(&file);
            let read = connector::read(&name, &document, &mut report);
            all.absorb(report);
            catalogue.connectors.insert(name, Arc::new(read));
        }
    }
}

/// What a file is, by its path; a path that says nothing is reported.
fn subject(path: &str, report: &mut Report) -> Option<Subject> {
    if path == CONNECTIONS {
        return Some(Subject::Connections);
    }
    let parts: Vec<&str> = path.split('/').collect();
    let file = parts.last().copied().unwrap_or_default();
    let Some(name) = file.strip_suffix(".yaml") else {
        let better = format!("{}.yaml", file.trim_end_matches(".yml"));
        bad_name(file, &format!("rename it to `{better}`"), report);
        return None;
    };
    match parts[..] {
        ["connectors", _] => named(ConnectorName::new(name), file, report).map(Subject::Connector),
        ["lookup-tables", _] => named(TableName::new(name), file, report).map(Subject::Table),
        ["recipes", project, _] if !is_file_name(project) => {
            bad_name(project, &better_name(project), report);
            None
        }
        ["recipes", project, "project.yaml"] => Some(Subject::Project(project.to_owned())),
        ["recipes", project, _] => {
            named(RecipeName::of(project, name), file, report).map(Subject::Recipe)
        }
        ["recipes", _, "tests", _] if name.ends_with(".test") => Some(Subject::Test),
        ["recipes", _, "tests", _] => {
            bad_name(
                file,
                &format!("tests are called `{name}.test.yaml`"),
                report,
            );
            None
        }
        _ => {
            bad_name(
                file,
                "files stand in recipes/<project>/, recipes/<project>/tests/, connectors/ and \
                 lookup-tables/",
                report,
            );
            None
        }
    }
}

fn named<T>(name: Result<T, String>, file: &str, report: &mut Report) -> Option<T> {
    match name {
        Ok(name) => Some(name),
        Err(_) => {
            bad_name(file, &better_name(file.trim_end_matches(".yaml")), report);
            None
        }
    }
}

fn better_name(name: &str) -> String {
    let slug = crate::names::slug(name);
    if slug.is_empty() {
        return "use lower-case letters, digits and single hyphens".to_owned();
    }
    format!("use lower-case letters, digits and single hyphens: `{slug}`")
}

fn bad_name(name: &str, help: &str, report: &mut Report) {
    report
        .error(
            codes::BAD_FILE_NAME,
            start(),
            format!("`{name}` cannot be the name of a file here"),
        )
        .help(help);
}

fn start() -> Span {
    Span {
        start: 0,
        len: 0,
        line: 1,
        column: 1,
    }
}
