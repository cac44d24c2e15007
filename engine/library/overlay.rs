//! A connector of the workspace over the bundled one of the same name.
//!
//! In: a connector's file of the workspace. Out: the document to read, what of the bundled one it
//! stands in place of, and what that means for those who relied on it.
//! Always true: a finding stands in the workspace's file, at the change that brought it about; what
//! the file does not name is as it is bundled.

use std::fmt;
use std::sync::Arc;

use super::files;
use crate::connector::{self, Action, Connector, codes};
use crate::diagnostic::{Diagnostic, Report, Span, did_you_mean};
use crate::names::ConnectorName;
use crate::shape::{Field, Shape};
use crate::source::{self, Document, Key, Node, NodeKind};

/// Added to the lines of bundled nodes, so that a finding shows which of the two files it is about.
const BUNDLED: u32 = 1 << 24;

/// What a workspace changes about a bundled connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The workspace's file.
    pub file: Arc<str>,
    /// Whether nothing of the bundled connector is left.
    pub is_whole: bool,
    /// The actions that stand in place of bundled ones.
    pub replaced: Vec<String>,
    /// The bundled actions of which it says where their form is known from, and nothing else.
    pub confirmed: Vec<String>,
    /// The actions that the bundled connector does not have.
    pub added: Vec<String>,
    /// What else stands in place of the bundled, such as `budget`.
    pub keys: Vec<String>,
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole {
            return write!(f, "{} stands in place of the bundled connector", self.file);
        }
        let parts = [
            ("in place of bundled actions: ", &self.replaced),
            ("for the form of bundled actions: ", &self.confirmed),
            ("further actions: ", &self.added),
            ("in place of the bundled ", &self.keys),
        ];
        let parts = parts.iter().filter(|(_, names)| !names.is_empty());
        let parts: Vec<String> = parts
            .map(|(what, names)| format!("{what}{}", names.join(", ")))
            .collect();
        match parts.is_empty() {
            true => write!(f, "{} changes nothing of the bundled connector", self.file),
            false => write!(f, "{} stands {}", self.file, parts.join("; ")),
        }
    }
}

/// Reads a connector of the workspace, over the bundled one if there is one.
pub(super) fn read(name: &ConnectorName, own: Document) -> (Connector, Option<Override>, Report) {
    let mut report = Report::of(&own.file);
    let bundled = files::bundled_file(&own.file)
        .and_then(|bytes| source::parse(&own.file, bytes).0)
        .filter(|_| own.root.as_map().is_some());
    let Some(mut bundled) = bundled else {
        return (connector::read(name, &own, &mut report), None, report);
    };
    let before = connector::read(name, &bundled, &mut Report::of(&own.file));
    let change = Override::of(&own, &before);
    let after = match change.is_whole {
        true => connector::read(name, &own, &mut report),
        false => {
            mark(&mut bundled.root);
            let after = connector::read(name, &merged(&own, &bundled), &mut report);
            report.relocate(|found| place(found, &own, &bundled));
            after
        }
    };
    compare(&own, &change, &before, &after, &mut report);
    (after, Some(change), report)
}

impl Override {
    /// Without a title of its own, a file changes the bundled connector; with one, it is another.
    fn of(own: &Document, bundled: &Connector) -> Self {
        let keys = own.root.as_map().unwrap_or_default().iter();
        let keys = keys.map(|(key, _)| key.text.to_string());
        let named = |wanted: fn(&Node) -> bool| {
            let written = actions(&own.root).iter();
            let written = written.filter(move |(_, node)| wanted(node));
            written.map(|(key, _)| key.text.to_string())
        };
        let is_known = |name: &String| bundled.actions.contains_key(name);
        let (replaced, mut added): (Vec<_>, Vec<_>) =
            named(|node| !only_confirms(node)).partition(is_known);
        let (confirmed, unknown): (Vec<_>, Vec<_>) = named(only_confirms).partition(is_known);
        added.extend(unknown);
        Self {
            file: own.file.clone(),
            is_whole: own.root.get("title").is_some(),
            replaced,
            confirmed,
            added,
            keys: keys.filter(|key| key != "actions").collect(),
        }
    }
}

/// The actions as written.
fn actions(root: &Node) -> &[(Key, Node)] {
    let written = root.get("actions").and_then(Node::as_map);
    written.unwrap_or_default()
}

/// Whether an action says where its form is known from, and nothing else.
fn only_confirms(action: &Node) -> bool {
    let entries = action.as_map();
    entries.is_some_and(|entries| matches!(entries, [(key, _)] if &*key.text == "provenance"))
}

/// Marks a node and all inside as bundled.
fn mark(node: &mut Node) {
    node.span.line += BUNDLED;
    match &mut node.kind {
        NodeKind::Map(entries) => {
            for (key, value) in entries {
                key.span.line += BUNDLED;
                mark(value);
            }
        }
        NodeKind::List(elements) => elements.iter_mut().for_each(mark),
        _ => {}
    }
}

/// The bundled document with the workspace's entries over it.
fn merged(own: &Document, bundled: &Document) -> Document {
    let below = bundled.root.as_map().unwrap_or_default();
    let above = own.root.as_map().unwrap_or_default();
    let root = Node {
        kind: NodeKind::Map(over(below, above)),
        ..own.root.clone()
    };
    // The hash is made of the text, and both files decide what the connector does.
    let text = Arc::from(format!("{}\n{}", own.text, bundled.text));
    Document {
        file: own.file.clone(),
        text,
        root,
    }
}

/// Entries with others over them; below `actions`, one by one.
fn over(below: &[(Key, Node)], above: &[(Key, Node)]) -> Vec<(Key, Node)> {
    let mut merged = below.to_vec();
    for (key, node) in above {
        let known = merged.iter_mut().find(|(known, _)| known.text == key.text);
        match (known, node.as_map()) {
            (Some((_, known)), Some(own)) if &*key.text == "actions" => {
                let actions = over(known.as_map().unwrap_or_default(), own);
                known.kind = NodeKind::Map(actions);
            }
            // An action that was tried, and is as it is bundled.
            (Some((_, known)), Some(own)) if known.as_map().is_some() && only_confirms(node) => {
                let confirmed = over(known.as_map().unwrap_or_default(), own);
                known.kind = NodeKind::Map(confirmed);
            }
            (Some(entry), _) => *entry = (key.clone(), node.clone()),
            (None, _) => merged.push((key.clone(), node.clone())),
        }
    }
    merged
}

/// Moves a finding about a bundled part to the change in the workspace's file that it comes from.
fn place(found: &mut Diagnostic, own: &Document, bundled: &Document) {
    found
        .related
        .retain(|related| related.place.span.line < BUNDLED);
    if found.place.span.line < BUNDLED {
        return;
    }
    let line = found.place.span.line;
    let before = actions(&bundled.root).iter().rev();
    let action = before.clone().find(|(key, _)| key.span.line <= line);
    let asked = action.and_then(|(_, node)| node.get("verify")?.get("action")?.as_text().cloned());
    let key_of = |name: &str| {
        actions(&own.root)
            .iter()
            .find(|(key, _)| &*key.text == name)
    };
    let cause = asked.as_deref().and_then(key_of);
    let first = own.root.as_map().and_then(<[_]>::first);
    found.place.span = cause.or(first).map_or(own.root.span, |(key, _)| key.span);
    if let Some((key, _)) = action {
        let name = &key.text;
        found.message = format!(
            "the bundled action `{name}` does not fit any more: {}",
            found.message
        );
        found.help = Some(format!(
            "give what `{name}` relies on, or write `{name}` anew here as well"
        ));
    }
}

/// Says what those who use the bundled actions will miss.
fn compare(
    own: &Document,
    change: &Override,
    before: &Connector,
    after: &Connector,
    report: &mut Report,
) {
    for (key, _) in actions(&own.root) {
        let name = &*key.text;
        match (before.actions.get(name), after.actions.get(name)) {
            (Some(before), Some(after)) => {
                let losses = losses(before, after);
                if !losses.is_empty() {
                    let message = format!("`{name}` {}", losses.join("; it "));
                    warn(report, key.span, message).help(
                        "recipes that rely on it are refused; keep input and output as the bundled \
                         action has them, or change those recipes as well",
                    );
                }
            }
            (None, Some(_)) if !change.is_whole => {
                let bundled = before.actions.keys().map(String::as_str);
                if let Some(meant) = did_you_mean(name, bundled) {
                    let message = format!(
                        "the bundled connector has no action `{name}`, so nothing is changed"
                    );
                    warn(report, key.span, message).help(format!("did you mean `{meant}`?"));
                }
            }
            _ => {}
        }
    }
}

fn warn(report: &mut Report, span: Span, message: String) -> &mut Diagnostic {
    report.warning(codes::OVERRIDE, span, message)
}

/// In what an action differs for those who call it.
fn losses(before: &Action, after: &Action) -> Vec<String> {
    if before.is_listing != after.is_listing {
        return vec![match before.is_listing {
            true => "is no listing any more".to_owned(),
            false => "is a listing, and the bundled one is not".to_owned(),
        }];
    }
    let mut found = Vec::new();
    for (name, field) in fields(&before.input) {
        match field_of(&after.input, name) {
            None => found.push(format!("does not take `{name}` any more")),
            Some(now) if now.shape != field.shape => {
                found.push(format!(
                    "takes `{name}` as {}, not {}",
                    now.shape, field.shape
                ));
            }
            Some(now) if field.may_be_left_out() && !now.may_be_left_out() => {
                found.push(format!("cannot do without `{name}` any more"));
            }
            Some(_) => {}
        }
    }
    for (name, field) in fields(&after.input) {
        if field_of(&before.input, name).is_none() && !field.may_be_left_out() {
            found.push(format!("needs `{name}`, which nobody gives"));
        }
    }
    for (name, field) in fields(before.element()) {
        match field_of(after.element(), name) {
            None => found.push(format!("does not give `{name}` any more")),
            Some(now) if now.shape != field.shape => {
                found.push(format!(
                    "gives `{name}` as {}, not {}",
                    now.shape, field.shape
                ));
            }
            Some(now) if now.may_be_left_out() && !field.may_be_left_out() => {
                found.push(format!("does not always give `{name}` any more"));
            }
            Some(_) => {}
        }
    }
    found
}

fn fields(shape: &Shape) -> impl Iterator<Item = (&String, &Field)> {
    let fields = match shape {
        Shape::Fields(fields) => Some(fields),
        _ => None,
    };
    fields.into_iter().flatten()
}

fn field_of<'a>(shape: &'a Shape, name: &str) -> Option<&'a Field> {
    match shape {
        Shape::Fields(fields) => fields.get(name),
        _ => None,
    }
}
