//! What a file of a workspace is.
//!
//! In: its path. Out: what it says, or a finding about its name.

use crate::compile::codes;
use crate::diagnostic::{Report, Span};
use crate::names::{ConnectorName, RecipeName, TableName, is_file_name};
use crate::origin;

use super::files::CONNECTIONS;

/// What a path says about a file.
pub(super) enum Subject {
    Connections,
    Lock,
    Connector(ConnectorName),
    Table(TableName),
    Project(String),
    Recipe(RecipeName),
    Test,
}

/// What a file is, by its path; a path that says nothing is reported.
pub(super) fn subject(path: &str, report: &mut Report) -> Option<Subject> {
    if path == CONNECTIONS {
        return Some(Subject::Connections);
    }
    if path == origin::FILE {
        return Some(Subject::Lock);
    }
    let parts: Vec<&str> = path.split('/').collect();
    let file = parts.last().copied().unwrap_or_default();
    let Some(name) = file.strip_suffix(".yaml") else {
        let stem = file.trim_end_matches(".yml");
        let (stem, test) = match stem.strip_suffix(".test") {
            Some(stem) => (stem, ".test"),
            None => (stem, ""),
        };
        let help = match crate::names::slug(stem) {
            slug if slug.is_empty() => "files of a workspace end in `.yaml`".to_owned(),
            slug => format!("rename it to `{slug}{test}.yaml`"),
        };
        bad_name(file, &help, report);
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

/// Where a file begins.
pub(super) fn start() -> Span {
    Span {
        start: 0,
        len: 0,
        line: 1,
        column: 1,
    }
}
