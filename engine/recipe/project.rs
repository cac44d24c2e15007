//! Project files: title, version, and how a project's names are wired.
//!
//! In: `recipes/<project>/project.yaml`. Out: a [`ProjectFile`].
//! Always true: a name that is not wired plays itself.

use indexmap::IndexMap;

use crate::diagnostic::{Report, Span};
use crate::form::{self, Form, Key, Kind, Naming};
use crate::mask::point_out_secrets;
use crate::shape::Field;
use crate::source::{Document, Node, NodeKind};

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
            "The settings keys that the recipes read, by integration, with their types; `says` beside \
             a type tells in words what the value means.",
        ),
        Key::new(
            "doctor",
            Kind::Text,
            "The recipe that `recipes doctor` asks for this project's own checks.",
        ),
    ],
    variants: &[],
};

/// What the values of a setting mean.
pub static SAYS: Form = Form {
    name: "says",
    doc: "What the values of a setting mean, in words. Each text may use `{{value}}` and \
          `{{settings.<integration>.<KEY>}}`.",
    keys: &[
        Key::new(
            "values",
            Kind::Map(Naming::Free, &Kind::Value),
            "A text for each of these values.",
        ),
        Key::new("any", Kind::Value, "The text for any other value."),
        Key::new("absent", Kind::Value, "The text for no value."),
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
    /// What is said of their values, by integration and key.
    pub says: IndexMap<String, IndexMap<String, Node>>,
    /// The recipe with the project's own checks, with the place of its name.
    pub doctor: Option<(String, Span)>,
}

impl ProjectFile {
    /// Takes a document in as the project of this folder.
    pub fn read(name: &str, document: &Document) -> (Self, Report) {
        let mut report = Report::of(&document.file);
        let root = &document.root;
        form::check(root, &PROJECT, &mut report);
        point_out_secrets(root, &mut report);
        let text = |key: &str| root.get(key).and_then(Node::as_text);
        let file = Self {
            name: name.to_owned(),
            title: text("title").map_or_else(|| name.to_owned(), |text| text.to_string()),
            description: text("description").map_or_else(String::new, |text| text.to_string()),
            version: text("version").map_or_else(String::new, |text| text.to_string()),
            connections: names(root.get("connections"), Part::Left),
            tables: names(root.get("tables"), Part::Right),
            settings: settings(root.get("settings"), &mut report),
            says: says(root.get("settings"), &mut report),
            doctor: root
                .get("doctor")
                .and_then(|node| Some((node.as_text()?.to_string(), node.span))),
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
    each_key(node, |node| Some(Field::parse(&type_of(node), report)))
}

fn says(node: Option<&Node>, report: &mut Report) -> IndexMap<String, IndexMap<String, Node>> {
    each_key(node, |node| {
        let says = node.get(SAYS.name)?;
        form::check(says, &SAYS, report);
        Some(says.clone())
    })
}

/// What is read of each key of each integration.
fn each_key<T>(
    node: Option<&Node>,
    mut read: impl FnMut(&Node) -> Option<T>,
) -> IndexMap<String, IndexMap<String, T>> {
    let integrations = node.and_then(Node::as_map).unwrap_or_default();
    integrations
        .iter()
        .map(|(integration, keys)| {
            let keys = keys.as_map().unwrap_or_default();
            let of_keys = keys
                .iter()
                .filter_map(|(key, node)| Some((key.text.to_string(), read(node)?)))
                .collect();
            (integration.text.to_string(), of_keys)
        })
        .collect()
}

/// A setting's type, without what is said of its values.
fn type_of(node: &Node) -> Node {
    let Some(entries) = node.as_map() else {
        return node.clone();
    };
    let details = entries.iter().filter(|(key, _)| &*key.text != SAYS.name);
    Node {
        kind: NodeKind::Map(details.cloned().collect()),
        ..node.clone()
    }
}
