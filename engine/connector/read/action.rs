//! One action of a connector file.

use std::time::Duration;

use indexmap::IndexMap;

use super::super::grammar::{ACTION, ROWS};
use super::super::roots::Shapes;
use super::super::{Action, Effect, Mapping, Provenance, Request, Retry, Rows, codes};
use super::fields::{known, list, period, required, text_of, text_under, value, word};
use super::{output, pages, read_budget, read_retry, replies, request};
use crate::diagnostic::Report;
use crate::expression::{Condition, Expression};
use crate::shape::{Field, Shape};
use crate::source::{Key, Node};

/// The longest one call may take where nothing is said.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// What the connector says for all its actions.
pub(super) struct Defaults<'a> {
    pub(super) roots: Shapes,
    pub(super) may_send_mail: bool,
    pub(super) timeout: Duration,
    pub(super) retry: Retry,
    pub(super) replies: Option<&'a Node>,
}

/// The effects, as they are written.
const EFFECTS: [(&str, Effect); 3] = [
    ("read", Effect::Read),
    ("repeatable", Effect::Repeatable),
    ("once", Effect::Once),
];

/// The provenances, as they are written.
const PROVENANCES: [(&str, Provenance); 3] = [
    ("documented", Provenance::Documented),
    ("observed", Provenance::Observed),
    ("assumed", Provenance::Assumed),
];

/// Reads an action, all but its verification.
pub(super) fn read(key: &Key, node: &Node, defaults: &Defaults<'_>, report: &mut Report) -> Action {
    known(node, "an action", &ACTION.names(), report);
    let what = format!("action `{}`", key.text);
    // What may be repeated must be known; where it is not said, nothing may be.
    let effect = required(node, "effect", &what, report)
        .and_then(|node| word(node, "`effect`", &EFFECTS, report))
        .unwrap_or(Effect::Once);
    let input = Shape::Fields(
        node.get("input")
            .map(|node| Shape::parse_fields(node, report))
            .unwrap_or_default(),
    );
    let roots = defaults.roots.with("input", input.clone());
    let reply_roots = Shapes::default().with("input", input.clone()).with_reply();
    let request = required(node, "request", &what, report).map_or(Request::Mail, |node| {
        request::read(node, &roots.with_call(), defaults.may_send_mail, report)
    });
    let mut replies = replies::read(node.get("replies"), &reply_roots, report);
    let may_be_absent = replies.iter().any(replies::means_absent);
    replies.extend(replies::read(defaults.replies, &reply_roots, report));
    let item_roots = reply_roots.with("item", Shape::Any);
    let (mapping, fields) = node
        .get("output")
        .map(|node| output::read(node, &item_roots, report))
        .unwrap_or_default();
    let rows = node
        .get("rows")
        .map(|node| read_rows(node, &reply_roots, report));
    let (rows, row_fields) = rows.unzip();
    let is_listing = node.get("pages").is_some();
    check_items(node, is_listing, report);
    Action {
        title: text_under(node, "title", report),
        description: text_under(node, "description", report),
        effect,
        provenance: node
            .get("provenance")
            .and_then(|node| word(node, "`provenance`", &PROVENANCES, report))
            .unwrap_or(Provenance::Assumed),
        output: if is_listing {
            listing_shape(fields)
        } else {
            output_shape(fields, row_fields, may_be_absent)
        },
        is_listing,
        verify: None,
        retry: read_retry(node, &defaults.retry, report),
        timeout: node
            .get("timeout")
            .and_then(|node| period(node, "`timeout`", report))
            .unwrap_or(defaults.timeout),
        pages: node
            .get("pages")
            .and_then(|node| pages::read(node, &roots.with_reply(), report)),
        items: node
            .get("items")
            .map(|node| value(node, &reply_roots, report)),
        item: read_item(node, &reply_roots, report),
        mapping,
        rows,
        replies,
        exclusive: read_exclusive(node, report),
        budget: read_budget(node, &defaults.roots, report),
        request,
        input,
    }
}

impl Action {
    /// Whether it is an HTTP request.
    pub(super) fn is_http(&self) -> bool {
        matches!(self.request, Request::Http(_))
    }
}

fn read_item(node: &Node, roots: &Shapes, report: &mut Report) -> Option<Expression> {
    node.get("item").map(|node| value(node, roots, report))
}

/// Whether `pages`, `items` and `item` stand as they must.
fn check_items(node: &Node, is_listing: bool, report: &mut Report) {
    match (is_listing, node.get("items"), node.get("item")) {
        (true, None, _) => {
            report
                .error(codes::ITEMS, node.span, "a listing needs `items`")
                .help("add `items:` with the path to the list on one page");
        }
        (true, Some(_), Some(item)) => {
            report
                .error(codes::ITEMS, item.span, "a listing has `items`, not `item`")
                .help("remove `item`; in `output`, `item` is one element of `items`");
        }
        (false, Some(items), _) => {
            report
                .error(codes::ITEMS, items.span, "`items` needs `pages`")
                .help("add `pages:`, or read the list with `output: { name: { list, each } }`");
        }
        _ => {}
    }
}

/// The output of a listing: its items.
fn listing_shape(fields: IndexMap<String, Field>) -> Shape {
    let items = Field::required(Shape::list_of(Shape::Fields(fields)));
    Shape::Fields(IndexMap::from([("items".to_owned(), items)]))
}

/// The declared output: an action that knows `absent` has `found`, and all else may be missing.
fn output_shape(
    fields: IndexMap<String, Field>,
    rows: Option<IndexMap<String, Field>>,
    may_be_absent: bool,
) -> Shape {
    let mut output = IndexMap::new();
    if may_be_absent {
        output.insert("found".to_owned(), Field::required(Shape::Boolean));
    }
    for (name, mut field) in fields.into_iter().chain(rows.unwrap_or_default()) {
        field.optional |= may_be_absent;
        output.insert(name, field);
    }
    Shape::Fields(output)
}

fn read_rows(node: &Node, roots: &Shapes, report: &mut Report) -> (Rows, IndexMap<String, Field>) {
    known(node, "`rows`", &ROWS.names(), report);
    let roots_of_item = roots.with("item", Shape::Any);
    let list = required(node, "list", "`rows`", report).map_or_else(
        || Expression::literal(crate::data::Value::Null),
        |node| value(node, roots, report),
    );
    let nothing = Node {
        kind: crate::source::NodeKind::Map(Vec::new()),
        ..node.clone()
    };
    let ok = required(node, "ok", "`rows`", report).unwrap_or(&nothing);
    let ok = Condition::compile(ok, &roots_of_item, report);
    let (each, fields): (Mapping, _) = node
        .get("each")
        .map(|node| output::read(node, &roots_of_item, report))
        .unwrap_or_default();
    let message = node
        .get("message")
        .map(|node| value(node, &roots_of_item, report));
    let mut row = IndexMap::from([("index".to_owned(), Field::required(Shape::Integer))]);
    row.extend(fields);
    let mut failed = row.clone();
    failed.insert("message".to_owned(), Field::required(Shape::String));
    let list_of = |fields| Field::required(Shape::List(Box::new(Shape::Fields(fields))));
    let fields = IndexMap::from([
        ("succeeded".to_owned(), list_of(row)),
        ("failed".to_owned(), list_of(failed)),
    ]);
    (
        Rows {
            list,
            ok,
            each,
            message,
        },
        fields,
    )
}

fn read_exclusive(node: &Node, report: &mut Report) -> Vec<String> {
    let Some(written) = node.get("exclusive") else {
        return Vec::new();
    };
    let mut groups: Vec<String> = list(written)
        .iter()
        .filter_map(|node| text_of(node, "`exclusive`", codes::WRONG_KIND, report))
        .map(|group| group.to_string())
        .collect();
    // One order for all, so that two calls never wait for each other.
    groups.sort();
    groups.dedup();
    groups
}
