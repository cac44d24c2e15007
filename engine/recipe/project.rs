//! Project files: title, version, and how a project's names are wired.
//!
//! In: `recipes/<project>/project.yaml`. Out: a [`ProjectFile`].
//! Always true: a name that is not wired plays itself.

use indexmap::IndexMap;

use crate::diagnostic::{Report, Span};
use crate::form::{self, Form, Key, Kind, Naming};
use crate::shape::Field;
use crate::source::{Document, Node};

/// A project file.
pub static PROJECT: Form = Form {
    name: "project",
    doc: "A project: a folder of recipes that belong together.",
    keys: &[
        Key::required("title", Kind::Text, "The title that people know it by."),
        Key::new("description", Kind::Text, "What it is for."),
        Key::required("version", Kind::Text, "Its version, such as 1.0.0."),
        Key::new(
            "connections",
            Kind::Map(Naming::Name, &Kind::Name),
            "Which connection plays which connector; left out: the one of that name.",
        ),
        Key::new(
            "tables",
            Kind::Map(Naming::Name, &Kind::Name),
            "Which table plays which table name; left out: the one of that name.",
        ),
        Key::new(
            "settings",
            Kind::Map(Naming::Free, &Kind::Map(Naming::Free, &Kind::Type)),
            "The settings keys that the recipes read, by integration, with their types.",
        ),
    ],
    variants: &[],
};

/// A project as written.
#[derive(Clone, Debug)]
pub struct ProjectFile {
    /// The folder's name.
    pub name: String,
    /// Its title, for people.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Its version.
    pub version: String,
    /// Which connection plays which connector, with the place of the connector's name.
    pub connections: IndexMap<String, (String, Span)>,
    /// Which table plays which table name, with the place of the playing table.
    pub tables: IndexMap<String, (String, Span)>,
    /// The settings keys it declares, by integration as written.
    pub settings: IndexMap<String, IndexMap<String, Field>>,
}

impl ProjectFile {
    /// Takes a document in as the project of this folder.
    pub fn read(name: &str, document: &Document) -> (Self, Report) {
        let mut report = Report::of(&document.file);
        let root = &document.root;
        form::check(root, &PROJECT, &mut report);
        let text = |key: &str| root.get(key).and_then(Node::as_text);
        let file = Self {
            name: name.to_owned(),
            title: text("title").map_or_else(|| name.to_owned(), |text| text.to_string()),
            description: text("description").map_or_else(String::new, |text| text.to_string()),
            version: text("version").map_or_else(String::new, |text| text.to_string()),
            connections: names(root.get("connections"), Part::Left),
            tables: names(root.get("tables"), Part::Right),
            settings: settings(root.get("settings"), &mut report),
        };
        (file, report)
    }
}

/// Which side of `left: right` a place is taken from.
#[derive(Clone, Copy)]
enum Part {
    Left,
    Right,
}

fn names(node: Option<&Node>, part: Part) -> IndexMap<String, (String, Span)> {
    let entries = node.and_then(Node::as_map).unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, node)| {
            let span = match part {
                Part::Left => key.span,
                Part::Right => node.span,
            };
            Some((key.text.to_string(), (node.as_text()?.to_string(), span)))
        })
        .collect()
}

fn settings(node: Option<&Node>, report: &mut Report) -> IndexMap<String, IndexMap<String, Field>> {
    let integrations = node.and_then(Node::as_map).unwrap_or_default();
    integrations
        .iter()
        .map(|(integration, keys)| {
            let keys = keys.as_map().unwrap_or_default();
            let fields = keys
                .iter()
                .map(|(key, node)| (key.text.to_string(), Field::parse(node, report)))
                .collect();
            (integration.text.to_string(), fields)
        })
        .collect()
}
