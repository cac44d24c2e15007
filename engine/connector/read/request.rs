//! The `request` of an action.

use super::super::codes;
use super::super::grammar::REQUEST;
use super::super::request::{Body, HttpRequest, More, Path, PathPart, Request, Tree};
use super::super::roots::Shapes;
use super::fields::{known, list, required, text_of, text_value, value, values};
use crate::data::Value;
use crate::diagnostic::Report;
use crate::expression::Expression;
use crate::source::{Node, NodeKind};

/// The methods, as they are written.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// The bodies, as they are written.
const BODIES: [&str; 5] = ["body", "form", "csv", "graphql", "raw"];

/// Reads a request.
pub(super) fn read(
    node: &Node,
    roots: &Shapes,
    may_send_mail: bool,
    report: &mut Report,
) -> Request {
    if may_send_mail && node.get("mail").is_some() {
        return Request::Mail;
    }
    known(node, "`request`", &REQUEST.names(), report);
    let (method, path) = read_method(node, roots, report);
    let (query, more_query) = fields_or_object(node, "query", roots, report);
    let (headers, more_headers) = fields_or_object(node, "headers", roots, report);
    Request::Http(Box::new(HttpRequest {
        method,
        path,
        query,
        headers,
        more: More {
            query: more_query,
            headers: more_headers,
        },
        body: read_body(node, roots, report),
    }))
}

/// The method and the path: `get: /path`, or `method` and `path` apart.
fn read_method(node: &Node, roots: &Shapes, report: &mut Report) -> (Expression, Path) {
    let written: Vec<&str> = METHODS
        .into_iter()
        .filter(|method| node.get(method).is_some())
        .collect();
    match (written.as_slice(), node.get("method")) {
        ([method], None) => {
            let path = node.get(method).map(|node| read_path(node, roots, report));
            let method = Expression::literal(method.to_uppercase().into());
            (method, path.unwrap_or(Path::Template(Vec::new())))
        }
        ([], Some(method)) => {
            let path = required(node, "path", "`request`", report)
                .map(|node| read_path(node, roots, report));
            let method = text_value(method, roots, report);
            (method, path.unwrap_or(Path::Template(Vec::new())))
        }
        _ => {
            report
                .error(
                    codes::REQUEST,
                    node.span,
                    "a request has exactly one method",
                )
                .help(format!("write one of {} with the path", METHODS.join(", ")));
            (
                Expression::literal("GET".into()),
                Path::Template(Vec::new()),
            )
        }
    }
}

/// A path template, in its parts.
fn read_path(node: &Node, roots: &Shapes, report: &mut Report) -> Path {
    let Some(text) = text_of(node, "the path", codes::PATH, report) else {
        return Path::Template(Vec::new());
    };
    if text.starts_with("$.") || text.starts_with("$[") {
        return Path::Whole(text_value(node, roots, report));
    }
    if !text.starts_with('/') {
        report
            .error(
                codes::PATH,
                node.span,
                format!("`{text}` is no path below the base URL"),
            )
            .help("begin it with `/`");
    }
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let start = at + found;
        if text[at..start].ends_with('\\') {
            literal.push_str(&text[at..start - 1]);
            literal.push_str("{{");
            at = start + 2;
            continue;
        }
        literal.push_str(&text[at..start]);
        let Some(length) = inserted_length(&text[start..]) else {
            report
                .error(codes::PATH, node.span, "a `{{` without its `}}`")
                .help("close the expression");
            return Path::Template(parts);
        };
        if !literal.is_empty() {
            parts.push(PathPart::Literal(std::mem::take(&mut literal)));
        }
        let inserted = Node {
            span: node.part(start, length),
            plain: node.plain,
            kind: NodeKind::Text(text[start..start + length].into()),
        };
        parts.push(PathPart::Inserted(value(&inserted, roots, report)));
        at = start + length;
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        parts.push(PathPart::Literal(literal));
    }
    Path::Template(parts)
}

/// The length of `{{ ... }}` at the start of a text; `}}` inside quotes does not end it.
fn inserted_length(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices().skip(2) {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if text[at..].starts_with("}}") => return Some(at + 2),
            None => {}
        }
    }
    None
}

/// Named values, or one value that is an object of them.
fn fields_or_object(
    node: &Node,
    key: &str,
    roots: &Shapes,
    report: &mut Report,
) -> (Vec<(String, Expression)>, Option<Expression>) {
    match node.get(key) {
        None => (Vec::new(), None),
        Some(node) if node.as_text().is_some() => (Vec::new(), Some(value(node, roots, report))),
        Some(node) => (values(node, &format!("`{key}`"), roots, report), None),
    }
}

fn read_body(node: &Node, roots: &Shapes, report: &mut Report) -> Body {
    let written: Vec<&str> = BODIES
        .into_iter()
        .filter(|body| node.get(body).is_some())
        .collect();
    if let [_, second, ..] = written.as_slice() {
        report
            .error(
                codes::REQUEST,
                node.span,
                format!("a request has one body, not `{second}` too"),
            )
            .help(format!("keep one of {}", written.join(", ")));
    }
    let Some((kind, body)) = written
        .first()
        .and_then(|kind| Some((*kind, node.get(kind)?)))
    else {
        return Body::None;
    };
    match kind {
        "body" => Body::Json(read_tree(body, roots, report)),
        "form" => Body::Form(values(body, "`form`", roots, report)),
        "csv" => read_csv(body, roots, report),
        "graphql" => read_graphql(body, roots, report),
        _ => read_raw(body, roots, report),
    }
}

fn read_csv(node: &Node, roots: &Shapes, report: &mut Report) -> Body {
    known(node, "`csv`", &["columns", "rows"], report);
    let columns = required(node, "columns", "`csv`", report)
        .map(list)
        .unwrap_or_default();
    let rows = required(node, "rows", "`csv`", report);
    Body::Csv {
        columns: columns
            .iter()
            .filter_map(|node| text_of(node, "a column", codes::REQUEST, report))
            .map(|name| name.to_string())
            .collect(),
        rows: rows.map_or_else(nothing, |node| value(node, roots, report)),
    }
}

fn read_graphql(node: &Node, roots: &Shapes, report: &mut Report) -> Body {
    known(node, "`graphql`", &["query", "variables"], report);
    let query = required(node, "query", "`graphql`", report)
        .and_then(|node| text_of(node, "`query`", codes::REQUEST, report));
    Body::Graphql {
        query: query.map(|query| query.to_string()).unwrap_or_default(),
        variables: node.get("variables").map_or_else(
            || Tree::Map(Vec::new()),
            |node| read_tree(node, roots, report),
        ),
    }
}

fn read_raw(node: &Node, roots: &Shapes, report: &mut Report) -> Body {
    known(node, "`raw`", &["content_type", "text"], report);
    let mut part = |key| {
        required(node, key, "`raw`", report)
            .cloned()
            .map_or_else(nothing, |node| text_value(&node, roots, report))
    };
    Body::Raw {
        content_type: part("content_type"),
        text: part("text"),
    }
}

fn nothing() -> Expression {
    Expression::literal(Value::Null)
}

/// A tree; only what has a repetition below is taken apart.
fn read_tree(node: &Node, roots: &Shapes, report: &mut Report) -> Tree {
    if let Some((list, give)) = repetition(node) {
        let list = value(list, roots, report);
        let give = read_tree(give, &roots.with("item", crate::shape::Shape::Any), report);
        return Tree::Each {
            list,
            give: Box::new(give),
        };
    }
    if !has_repetition(node) {
        return Tree::Value(value(node, roots, report));
    }
    match &node.kind {
        NodeKind::Map(entries) => Tree::Map(
            entries
                .iter()
                .map(|(key, node)| (key.text.to_string(), read_tree(node, roots, report)))
                .collect(),
        ),
        NodeKind::List(elements) => Tree::List(
            elements
                .iter()
                .map(|node| read_tree(node, roots, report))
                .collect(),
        ),
        _ => Tree::Value(value(node, roots, report)),
    }
}

/// The list and the tree of `{ each, give }`.
fn repetition(node: &Node) -> Option<(&Node, &Node)> {
    let entries = node.as_map()?;
    (entries.len() == 2).then(|| node.get("each").zip(node.get("give")))?
}

fn has_repetition(node: &Node) -> bool {
    repetition(node).is_some()
        || match &node.kind {
            NodeKind::Map(entries) => entries.iter().any(|(_, node)| has_repetition(node)),
            NodeKind::List(elements) => elements.iter().any(has_repetition),
            _ => false,
        }
}
