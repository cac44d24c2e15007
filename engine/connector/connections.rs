//! `connections.yaml`: whose account is used with which connector.
//!
//! In: the file's tree and the connectors. Out: [`Connections`], with findings.
//! Always true: a secret is a reference to the environment, to a file or to what an admin had sealed
//! in the database, and is read only when a request is built; what is missing is named by
//! connection, field and variable.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::Connector;
use super::codes;
use super::field_source::{FieldSource, missing_help, read_field};
use super::read::{entries, text_of, unknown_key};
use crate::diagnostic::{Report, Span, did_you_mean};
use crate::names::{ConnectionName, ConnectorName};
use crate::source::{Node, NodeKind};

/// All connections of a workspace.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    /// By name, in the order of the file.
    pub all: IndexMap<ConnectionName, Connection>,
    /// Those whose connector is not known, each with what is wrong.
    pub lost: IndexMap<ConnectionName, String>,
    /// Whether the file as a whole could not be read, so that nobody knows which there are.
    pub is_unread: bool,
}

/// An admin's account at a vendor.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its name.
    pub name: ConnectionName,
    /// The connector it is for.
    pub connector: ConnectorName,
    /// Where its fields come from.
    pub fields: IndexMap<String, FieldSource>,
    /// Whether it may reach addresses of the machine and of private networks.
    pub allow_private: bool,
    /// What is wrong with what the file says of it: as long as anything is, it is not used.
    pub mistakes: Vec<String>,
}

/// Keys of a connection that are not fields of its connector.
const OWN_KEYS: [&str; 2] = ["connector", "allow_private"];

impl Connections {
    /// Reads `connections.yaml`.
    pub fn read(
        root: &Node,
        connectors: &BTreeMap<ConnectorName, Arc<Connector>>,
        report: &mut Report,
    ) -> Self {
        let (mut all, mut lost) = (IndexMap::new(), IndexMap::new());
        let told_before = report.errors().count();
        let mut of_one = 0;
        for (key, node) in entries(root, "the file", codes::CONNECTIONS_SHAPE, report) {
            if &*key.text != "connections" {
                unknown_key(key, &["connections"], codes::CONNECTIONS_SHAPE, report);
                continue;
            }
            for (key, node) in entries(node, "`connections`", codes::CONNECTIONS_SHAPE, report) {
                match ConnectionName::new(&key.text) {
                    Ok(name) => {
                        let mut found = Report::of(&report.file());
                        let read = Connection::read(&name, node, key.span, connectors, &mut found);
                        let mistakes = found.errors().map(|found| found.message.clone());
                        let mistakes: Vec<String> = mistakes.collect();
                        of_one += mistakes.len();
                        report.absorb(found);
                        match read {
                            Some(read) => {
                                all.insert(name, Connection { mistakes, ..read });
                            }
                            None => {
                                lost.insert(name, mistakes.join("; "));
                            }
                        }
                    }
                    Err(why) => {
                        let (message, help) = why.split_once(": ").unwrap_or((&why, "rename it"));
                        report
                            .error(codes::CONNECTION_NAME, key.span, message)
                            .help(help);
                    }
                }
            }
        }
        Self {
            all,
            lost,
            // An error beside those of single connections may have cost any of them.
            is_unread: report.errors().count() > told_before + of_one,
        }
    }

    /// Brings back what is broken now and was good before: all, if the file cannot be read as a
    /// whole; else those connections that have mistakes.
    pub fn keep_good(&mut self, before: &Self) {
        if self.is_unread {
            self.all.clone_from(&before.all);
            self.lost.clone_from(&before.lost);
            return;
        }
        let was_good = |name: &ConnectionName| {
            let was = before.get(name);
            was.filter(|was| was.mistakes.is_empty()).cloned()
        };
        for (name, connection) in &mut self.all {
            if !connection.mistakes.is_empty()
                && let Some(was) = was_good(name)
            {
                *connection = was;
            }
        }
        let names: Vec<_> = self.lost.keys().cloned().collect();
        for (name, was) in names
            .iter()
            .filter_map(|name| Some((name, was_good(name)?)))
        {
            self.lost.shift_remove(name);
            self.all.insert(name.clone(), was);
        }
    }

    /// The connection of this name.
    pub fn get(&self, name: &ConnectionName) -> Option<&Connection> {
        self.all.get(name)
    }
}

impl Connection {
    fn read(
        name: &ConnectionName,
        node: &Node,
        span: Span,
        connectors: &BTreeMap<ConnectorName, Arc<Connector>>,
        report: &mut Report,
    ) -> Option<Self> {
        let connector = find_connector(name, node, span, connectors, report)?;
        let mut connection = Self {
            name: name.clone(),
            connector: connector.name.clone(),
            fields: IndexMap::new(),
            allow_private: false,
            mistakes: Vec::new(),
        };
        for (key, node) in entries(node, "a connection", codes::CONNECTIONS_SHAPE, report) {
            match (&*key.text, connector.connection.get(&*key.text)) {
                ("connector", _) => {}
                ("allow_private", _) => connection.allow_private = read_allow(node, report),
                (field, Some(declared)) => {
                    let source = read_field(name, field, declared, node, report);
                    connection
                        .fields
                        .extend(source.map(|s| (field.to_owned(), s)));
                }
                (_, None) => {
                    let declared = connector.connection.keys().map(String::as_str);
                    let known: Vec<&str> = declared.chain(OWN_KEYS).collect();
                    unknown_key(key, &known, codes::CONNECTION_FIELD, report);
                }
            }
        }
        for (field, declared) in &connector.connection {
            if !declared.may_be_left_out() && node.get(field).is_none() {
                let title = &connector.name;
                report
                    .error(
                        codes::MISSING_CONNECTION_FIELD,
                        span,
                        format!("connection `{name}` has no `{field}`, which `{title}` needs"),
                    )
                    .help(missing_help(field, declared));
            }
        }
        Some(connection)
    }
}

/// The connector that a connection is for: the one it names, or the one it is named after.
fn find_connector<'a>(
    name: &ConnectionName,
    node: &Node,
    span: Span,
    connectors: &'a BTreeMap<ConnectorName, Arc<Connector>>,
    report: &mut Report,
) -> Option<&'a Arc<Connector>> {
    let (written, span) = match node.get("connector") {
        Some(node) => {
            let text = text_of(node, "`connector`", codes::CONNECTIONS_SHAPE, report)?;
            (text, node.span)
        }
        None => (Arc::from(name.as_str()), span),
    };
    let found = connectors.get(&*written);
    if found.is_none() {
        let known = || connectors.keys().map(ConnectorName::as_str);
        let help = match did_you_mean(&written, known()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known are: {}", known().collect::<Vec<_>>().join(", ")),
        };
        let message = if node.get("connector").is_some() {
            format!("connection `{name}` is for connector `{written}`, which does not exist")
        } else {
            format!("connection `{name}` does not say by `connector:` which connector it is for")
        };
        report
            .error(codes::UNKNOWN_CONNECTOR, span, message)
            .help(help);
    }
    found
}

fn read_allow(node: &Node, report: &mut Report) -> bool {
    match node.kind {
        NodeKind::Bool(fact) => fact,
        _ => {
            let message = format!(
                "`allow_private` must be true or false, not {}",
                node.kind_name()
            );
            report
                .error(codes::CONNECTION_FIELD, node.span, message)
                .help("write `allow_private: true`, or leave it out");
            false
        }
    }
}
