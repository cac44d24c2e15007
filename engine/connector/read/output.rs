//! The `output` of an action: shapes, and where they come from.

use indexmap::IndexMap;

use super::super::codes;
use super::super::output::{Mapping, OutputField, Source};
use super::super::roots::Shapes;
use super::fields::{entries, known, name, text_of, value};
use crate::diagnostic::Report;
use crate::shape::{Field, Shape};
use crate::source::{Node, NodeKind};

/// The keys that stand beside a type and say where the value comes from.
const OWN_KEYS: [&str; 3] = ["from", "map", "if_unfit"];

/// Reads a mapping of output fields.
pub(super) fn read(
    node: &Node,
    roots: &Shapes,
    report: &mut Report,
) -> (Mapping, IndexMap<String, Field>) {
    let mut mapping = Mapping::default();
    let mut shapes = IndexMap::new();
    for (key, node) in entries(node, "`output`", codes::WRONG_KIND, report) {
        if !name(key, "an output", report) {
            continue;
        }
        let (source, field) = read_field(node, roots, report);
        mapping.fields.push(OutputField {
            name: key.text.to_string(),
            optional: field.optional,
            source,
        });
        shapes.insert(key.text.to_string(), field);
    }
    (mapping, shapes)
}

fn read_field(node: &Node, roots: &Shapes, report: &mut Report) -> (Source, Field) {
    if let (Some(list), Some(each)) = (node.get("list"), node.get("each")) {
        known(
            node,
            "a list of objects",
            &["list", "each", "description"],
            report,
        );
        let list = value(list, roots, report);
        let (each, fields) = read(each, &roots.with("item", Shape::Any), report);
        let shape = Shape::List(Box::new(Shape::Fields(fields)));
        return (Source::List { list, each }, described(node, shape));
    }
    if let (Some(object), Some(fields)) = (node.get("object"), node.get("fields")) {
        known(
            node,
            "an object",
            &["object", "fields", "description"],
            report,
        );
        let object = value(object, roots, report);
        let (fields, shapes) = read(fields, &roots.with("item", Shape::Any), report);
        let field = described(node, Shape::Fields(shapes));
        return (Source::Object { object, fields }, field);
    }
    let is_long = node.get("type").is_some() || node.get("enum").is_some();
    if !is_long {
        let field = Field::parse(node, report);
        return (plain(&field), field);
    }
    let field = Field::parse(&without_own_keys(node), report);
    let source = Source::Value {
        from: node.get("from").map(|node| value(node, roots, report)),
        map: node
            .get("map")
            .map(|node| read_map(node, report))
            .unwrap_or_default(),
        drop_unfit: reads_drop(node, &field, report),
        shape: field.shape.clone(),
    };
    (source, field)
}

fn plain(field: &Field) -> Source {
    Source::Value {
        from: None,
        map: IndexMap::new(),
        drop_unfit: false,
        shape: field.shape.clone(),
    }
}

fn described(node: &Node, shape: Shape) -> Field {
    Field {
        description: node
            .get("description")
            .and_then(Node::as_text)
            .map(|text| text.to_string()),
        ..Field::required(shape)
    }
}

/// The long form as the types know it.
fn without_own_keys(node: &Node) -> Node {
    let entries = node.as_map().unwrap_or_default();
    let kept = entries
        .iter()
        .filter(|(key, _)| !OWN_KEYS.contains(&&*key.text))
        .cloned()
        .collect();
    Node {
        kind: NodeKind::Map(kept),
        ..node.clone()
    }
}

fn read_map(node: &Node, report: &mut Report) -> IndexMap<String, crate::data::Value> {
    entries(node, "`map`", codes::OUTPUT, report)
        .iter()
        .map(|(key, node)| (key.text.to_string(), node.to_value()))
        .collect()
}

fn reads_drop(node: &Node, field: &Field, report: &mut Report) -> bool {
    let Some(node) = node.get("if_unfit") else {
        return false;
    };
    let written = text_of(node, "`if_unfit`", codes::OUTPUT, report);
    if written.as_deref() != Some("drop") {
        report
            .error(codes::OUTPUT, node.span, "`if_unfit` knows only `drop`")
            .help("leave it out to fail when a value does not fit");
        return false;
    }
    if !field.optional {
        report
            .error(
                codes::OUTPUT,
                node.span,
                "a required output cannot be dropped",
            )
            .help("make the type optional with `?`");
    }
    true
}
