//! Where a field of a connection comes from: the file, or what it refers to.
//!
//! In: a field's node. Out: [`FieldSource`].
//! Always true: a secret that stands in the file itself is pointed out.

use crate::data::{Secret, Value};
use crate::diagnostic::Report;
use crate::names::{ConnectionName, SecretName};
use crate::shape::{Field, convert};
use crate::source::Node;

use super::codes;
use super::read::{text_of, unknown_key};

/// Where a connection's field comes from.
#[derive(Clone, PartialEq)]
pub enum FieldSource {
    /// It stands in the file.
    Plain(Value),
    /// A variable of the environment.
    Environment(String),
    /// A file's text, without white space at its ends.
    File(String),
    /// What an admin had sealed in the database.
    Sealed(SecretName),
}

/// How references are followed; the rooms that may read files and the environment give one.
pub trait References: Send + Sync {
    /// The variable's text, if it is set.
    fn environment(&self, name: &str) -> Option<String>;
    /// The file's text; the error says why it cannot be read.
    fn file(&self, path: &str) -> Result<String, String>;
    /// The secret that an admin had sealed under this name, if there is one.
    fn sealed(&self, _name: &SecretName) -> Option<Secret> {
        None
    }
}

impl std::fmt::Debug for FieldSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain(***)"),
            Self::Environment(variable) => write!(f, "Environment({variable})"),
            Self::File(path) => write!(f, "File({path})"),
            Self::Sealed(name) => write!(f, "Sealed({name})"),
        }
    }
}

/// What to write for a field that is missing.
pub(super) fn missing_help(field: &str, declared: &Field) -> String {
    let label = declared
        .label
        .as_deref()
        .or(declared.description.as_deref());
    let what = label.map_or(String::new(), |label| format!(" ({label})"));
    if declared.secret {
        let variable = field.to_uppercase();
        return format!(
            "write `{field}: {{ env: {variable} }}`, `{{ file: ... }}` or `{{ secret: ... }}`{what}"
        );
    }
    format!("write `{field}: ...`{what}")
}

/// Reads a field.
pub(super) fn read_field(
    connection: &ConnectionName,
    name: &str,
    declared: &Field,
    node: &Node,
    report: &mut Report,
) -> Option<FieldSource> {
    if let Some(map) = node.as_map() {
        return read_reference(name, map, node, report);
    }
    let value = node.to_value();
    if declared.secret {
        report
            .warning(
                codes::SECRET_IN_FILE,
                node.span,
                format!("the secret `{name}` of connection `{connection}` stands in the file"),
            )
            .help(format!(
                "write `{name}: {{ secret: {connection}.{name} }}` and give it with `recipes secrets \
                 set {connection}.{name}`, or write `{{ env: {} }}` or `{{ file: ... }}`",
                name.to_uppercase()
            ));
    }
    if let Err(why) = convert(&declared.shape, value.clone()) {
        let message = format!("`{name}` of connection `{connection}`: {why}");
        report
            .error(codes::CONNECTION_FIELD, node.span, message)
            .help("look into the connector's file for what it takes");
        return None;
    }
    Some(FieldSource::Plain(value))
}

fn read_reference(
    name: &str,
    map: &[(crate::source::Key, Node)],
    node: &Node,
    report: &mut Report,
) -> Option<FieldSource> {
    let [(key, target)] = map else {
        report
            .error(
                codes::CONNECTION_FIELD,
                node.span,
                format!(
                    "`{name}` must be a value, `{{ env: NAME }}`, `{{ file: path }}` or `{{ secret: \
                     connection.field }}`"
                ),
            )
            .help("write exactly one of `env`, `file` and `secret`");
        return None;
    };
    let written = text_of(
        target,
        &format!("`{}`", key.text),
        codes::CONNECTION_FIELD,
        report,
    )?;
    match &*key.text {
        "env" => Some(FieldSource::Environment(written.to_string())),
        "file" => Some(FieldSource::File(written.to_string())),
        "secret" => match SecretName::new(&written) {
            Ok(name) => Some(FieldSource::Sealed(name)),
            Err(why) => {
                let (message, help) = why.split_once(": ").unwrap_or((&why, "rename it"));
                report
                    .error(codes::CONNECTION_FIELD, target.span, message)
                    .help(help);
                None
            }
        },
        _ => {
            let known = ["env", "file", "secret"];
            unknown_key(key, &known, codes::CONNECTION_FIELD, report);
            None
        }
    }
}
