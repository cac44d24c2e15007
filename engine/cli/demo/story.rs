//! Stories as written: which stand-ins, what a workspace holds, and what happens, scene by scene.
//!
//! In: a document. Out: a [`Story`], or findings.
//! Always true: a story that was read without errors names only stand-ins, recipes and kept
//! answers that it has; the grammar is explained to people in the README of the crate that holds
//! the stories.

use std::collections::BTreeSet;
use std::time::Duration;

use indexmap::IndexMap;

use super::fill::placeholders;
use super::grammar::STORY;
use crate::clock::parse_period;
use crate::data::{Object, Value};
use crate::diagnostic::{Report, Span, did_you_mean};
use crate::form::{self, codes};
use crate::names::RecipeName;
use crate::source::{Document, Node, NodeKind};

/// How long the jobs of a story may take unless it says otherwise.
const WITHIN: Duration = Duration::from_secs(60);

/// Names that every story has without making them.
const GIVEN: [&str; 3] = ["api", "workspace", "recipes"];

/// The name of the row in what a check shows.
pub(super) const ROW: &str = "row";

/// A story.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) world: Option<String>,
    pub(super) servers: Vec<String>,
    pub(super) connections: IndexMap<String, Object>,
    pub(super) tables: IndexMap<String, Vec<Value>>,
    pub(super) start: IndexMap<String, String>,
    pub(super) scenes: Vec<Scene>,
    pub(super) next: Vec<Next>,
}

/// Steps that belong together.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) title: String,
    pub(super) steps: Vec<Step>,
}

/// One thing that is said, done, awaited or checked.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Say(String),
    Send {
        server: String,
        path: String,
        body: Value,
        keep: Option<String>,
    },
    Await {
        recipe: String,
        jobs: usize,
        status: String,
        within: Duration,
    },
    Check(Check),
}

/// What must be in the state of a stand-in.
#[derive(Debug, PartialEq)]
pub(super) struct Check {
    pub(super) server: String,
    pub(super) rows: String,
    pub(super) wanted: Value,
    pub(super) count: usize,
    pub(super) means: String,
    pub(super) show: Option<String>,
}

/// Something to try.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) say: String,
    pub(super) run: String,
}

/// What there is to choose from.
pub(super) struct Known<'a> {
    pub(super) servers: &'a [&'a str],
    pub(super) worlds: &'a [&'a str],
}

impl Story {
    /// Reads a story.
    pub(super) fn read(document: &Document, known: &Known<'_>) -> (Self, Report) {
        let root = &document.root;
        let mut report = Report::of(&document.file);
        form::check(root, &STORY, &mut report);
        if report.has_errors() {
            return (Self::default(), report);
        }
        let mut reader = Reader {
            names: GIVEN.into_iter().map(str::to_owned).collect(),
            report,
        };
        let story = Self {
            title: text(root, "title"),
            description: optional(root, "description"),
            world: reader.one_of(root.get("world"), known.worlds, "world"),
            servers: elements(root, "servers")
                .iter()
                .filter_map(|node| reader.one_of(Some(node), known.servers, "stand-in"))
                .collect(),
            ..Self::default()
        };
        reader.names.extend(story.servers.iter().cloned());
        let story = Self {
            connections: reader.maps(root, "connections", Reader::connection),
            tables: reader.maps(root, "tables", |reader, node| {
                node.as_list()
                    .unwrap_or_default()
                    .iter()
                    .map(|row| reader.data(row))
                    .collect()
            }),
            start: reader.maps(root, "start", Reader::recipe),
            ..story
        };
        reader.names.extend(story.start.keys().cloned());
        let scenes = elements(root, "scenes")
            .iter()
            .map(|scene| reader.scene(scene, &story))
            .collect();
        let next = elements(root, "next")
            .iter()
            .map(|node| reader.next(node))
            .collect();
        (
            Self {
                scenes,
                next,
                ..story
            },
            reader.report,
        )
    }
}

/// Reads on after the shape has been found right.
struct Reader {
    /// The names that placeholders may begin with at this point.
    names: BTreeSet<String>,
    report: Report,
}

impl Reader {
    fn scene(&mut self, node: &Node, story: &Story) -> Scene {
        let steps = elements(node, "steps")
            .iter()
            .map(|step| self.step(step, story))
            .collect();
        Scene {
            title: text(node, "title"),
            steps,
        }
    }

    fn step(&mut self, node: &Node, story: &Story) -> Step {
        if let Some(server) = node.get("send") {
            let server = self.server(server, story);
            let body = node.get("body").map_or(Value::Null, |body| self.data(body));
            let keep = optional(node, "keep");
            self.names.extend(keep.clone());
            return Step::Send {
                server,
                path: text(node, "post"),
                body,
                keep,
            };
        }
        if let Some(recipe) = node.get("await") {
            let started: Vec<&str> = story.start.keys().map(String::as_str).collect();
            return Step::Await {
                recipe: self
                    .one_of(Some(recipe), &started, "started recipe")
                    .unwrap_or_default(),
                jobs: whole(node, "jobs"),
                status: optional(node, "status").unwrap_or_else(|| "succeeded".to_owned()),
                within: optional(node, "within")
                    .and_then(|text| parse_period(&text).ok())
                    .unwrap_or(WITHIN),
            };
        }
        if let Some(server) = node.get("check") {
            let mut check = Check {
                server: self.server(server, story),
                rows: text(node, "rows"),
                wanted: node
                    .get("where")
                    .map_or(Value::Null, |wanted| self.data(wanted)),
                count: whole(node, "count"),
                means: self.text(node, "means"),
                show: None,
            };
            let is_new = self.names.insert(ROW.to_owned());
            check.show = node.get("show").map(|_| self.text(node, "show"));
            if is_new {
                self.names.remove(ROW);
            }
            return Step::Check(check);
        }
        Step::Say(self.text(node, "say"))
    }

    fn next(&mut self, node: &Node) -> Next {
        Next {
            say: self.text(node, "say"),
            run: self.text(node, "run"),
        }
    }

    /// A mapping whose values are read by `read`.
    fn maps<T>(
        &mut self,
        root: &Node,
        key: &str,
        read: impl Fn(&mut Self, &Node) -> T,
    ) -> IndexMap<String, T> {
        let entries = root.get(key).and_then(Node::as_map).unwrap_or_default();
        entries
            .iter()
            .map(|(key, node)| (key.text.to_string(), read(self, node)))
            .collect()
    }

    fn connection(&mut self, node: &Node) -> Object {
        match self.data(node) {
            Value::Object(fields) => fields,
            _ => Object::new(),
        }
    }

    fn recipe(&mut self, node: &Node) -> String {
        let written = node.as_text().map(ToString::to_string).unwrap_or_default();
        if RecipeName::new(&written).is_err() {
            self.report
                .error(
                    codes::BAD_NAME,
                    node.span,
                    format!("`{written}` is no name of a recipe"),
                )
                .help("write project/name, as `recipes list` shows it");
        }
        written
    }

    fn server(&mut self, node: &Node, story: &Story) -> String {
        let servers: Vec<&str> = story.servers.iter().map(String::as_str).collect();
        self.one_of(Some(node), &servers, "stand-in of this story")
            .unwrap_or_default()
    }

    /// The text of a node, if it is one of those that are known.
    fn one_of(&mut self, node: Option<&Node>, known: &[&str], what: &str) -> Option<String> {
        let node = node?;
        let text = node.as_text()?;
        if known.contains(&&**text) {
            return Some(text.to_string());
        }
        let help = match did_you_mean(text, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known are: {}", known.join(", ")),
        };
        self.report
            .error(
                codes::UNKNOWN_WORD,
                node.span,
                format!("`{text}` is no {what}"),
            )
            .help(help);
        None
    }

    fn text(&mut self, node: &Node, key: &str) -> String {
        if let Some(node) = node.get(key) {
            self.placeholders(node);
        }
        text(node, key)
    }

    /// Data whose placeholders have been looked at.
    fn data(&mut self, node: &Node) -> Value {
        self.placeholders(node);
        node.to_value()
    }

    /// Reports placeholders that name what is not there yet.
    fn placeholders(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Text(text) => {
                for (offset, path) in placeholders(text) {
                    let root = path.split('.').next().unwrap_or(path);
                    if !self.names.contains(root) {
                        self.unknown_name(root, node.part(offset, path.len()));
                    }
                }
            }
            NodeKind::List(elements) => elements.iter().for_each(|node| self.placeholders(node)),
            NodeKind::Map(entries) => entries.iter().for_each(|(_, node)| self.placeholders(node)),
            _ => {}
        }
    }

    fn unknown_name(&mut self, name: &str, span: Span) {
        let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let help = match did_you_mean(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known at this point are: {}", known.join(", ")),
        };
        self.report
            .error(
                codes::UNKNOWN_WORD,
                span,
                format!("nothing is called `{name}` here"),
            )
            .help(help);
    }
}

fn elements<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).and_then(Node::as_list).unwrap_or_default()
}

fn text(node: &Node, key: &str) -> String {
    optional(node, key).unwrap_or_default()
}

fn optional(node: &Node, key: &str) -> Option<String> {
    node.get(key)
        .and_then(Node::as_text)
        .map(ToString::to_string)
}

fn whole(node: &Node, key: &str) -> usize {
    match node.get(key).map(|node| &node.kind) {
        Some(NodeKind::Integer(number)) => usize::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}
