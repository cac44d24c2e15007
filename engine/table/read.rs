//! Lookup-table files as written.
//!
//! In: a document. Out: a [`Table`], or findings.
//! Always true: the first rows of a table that was read without errors fit its columns, are
//! normalised, and have different keys.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{Column, Normalise, Table, codes};
use crate::data::{Object, Value};
use crate::diagnostic::{Report, Span, did_you_mean};
use crate::form::{self, Form, Key, Kind, Naming};
use crate::mask::point_out_secrets;
use crate::names::TableName;
use crate::shape::Field;
use crate::source::{Document, Node, NodeKind};

/// A lookup-table file.
pub static TABLE: Form = Form {
    name: "lookup table",
    doc: "A lookup table: its columns, its key and its first rows.",
    keys: &[
        Key::required("title", Kind::Text, "The title that people know it by."),
        Key::new("description", Kind::Text, "What it holds."),
        Key::required(
            "columns",
            Kind::Map(Naming::Id, &Kind::Form(&COLUMN)),
            "The columns, by name; recipes use these names.",
        ),
        Key::new(
            "key",
            Kind::List(&Kind::Id),
            "The columns that together name a row.",
        ),
        Key::new(
            "rows",
            Kind::List(&Kind::Map(Naming::Free, &Kind::Data)),
            "The rows that a new workspace begins with.",
        ),
    ],
    variants: &[],
};

static COLUMN: Form = Form {
    name: "column",
    doc: "A column: its type and what is said of it.",
    keys: &[
        Key::new(
            "label",
            Kind::Text,
            "Its title for people and in CSV files.",
        ),
        Key::required("type", Kind::Type, "Its type."),
        Key::new("required", Kind::Flag, "Whether every row has it."),
        Key::new(
            "unique",
            Kind::Flag,
            "Whether no two rows may hold the same value.",
        ),
        Key::new("enum", Kind::List(&Kind::Data), "The values it may hold."),
        Key::new(
            "default",
            Kind::Data,
            "The value of a row that does not give it.",
        ),
        Key::new(
            "normalise",
            Kind::List(&Kind::Word(&["trim", "lowercase"])),
            "What is done to text before it is stored or looked up.",
        ),
        Key::new("secret", Kind::Flag, "Whether nobody may see it."),
        Key::new("personal", Kind::Flag, "Whether it is about a person."),
        Key::new("description", Kind::Text, "What it holds."),
        Key::new("example", Kind::Data, "An example, for forms."),
        Key::new(
            "pattern",
            Kind::Text,
            "What text must look like: a regular expression.",
        ),
        Key::new("minimum", Kind::Data, "The least number allowed."),
        Key::new("maximum", Kind::Data, "The greatest number allowed."),
    ],
    variants: &[],
};

impl Table {
    /// Reads a lookup-table file.
    pub fn read(name: TableName, document: &Document) -> (Self, Report) {
        let mut report = Report::of(&document.file);
        let root = &document.root;
        form::check(root, &TABLE, &mut report);
        point_out_secrets(root, &mut report);
        let columns = columns(root, &mut report);
        let key = key(root, &columns, &mut report);
        check_secrets(root, &columns, &key, &mut report);
        let title = root.get("title").and_then(Node::as_text);
        let mut table = Self {
            title: title.map_or_else(|| name.to_string(), ToString::to_string),
            name,
            columns,
            key,
            first_rows: Vec::new(),
        };
        table.first_rows = rows(root, &table, &mut report);
        (table, report)
    }
}

fn columns(root: &Node, report: &mut Report) -> IndexMap<String, Column> {
    let written = root
        .get("columns")
        .and_then(Node::as_map)
        .unwrap_or_default();
    if let (Some(node), []) = (root.get("columns"), written) {
        report
            .error(codes::NO_COLUMNS, node.span, "the table has no columns")
            .help("write `columns: { name: { label: Name, type: string } }`");
    }
    let mut labels: BTreeMap<String, Span> = BTreeMap::new();
    let mut columns = IndexMap::new();
    for (name, node) in written {
        let Some(entries) = node.as_map() else {
            continue;
        };
        let column = column(node, entries, report);
        let label = column
            .field
            .label
            .clone()
            .unwrap_or_else(|| name.text.to_string());
        let span = node.get("label").map_or(name.span, |node| node.span);
        if let Some(first) = labels.insert(label.to_lowercase(), span) {
            report
                .error(
                    codes::LABEL_TWICE,
                    span,
                    format!("`{label}` is the label of two columns"),
                )
                .related(first, "the other one")
                .help("give each column a label of its own");
        }
        columns.insert(name.text.to_string(), column);
    }
    columns
}

fn column(node: &Node, entries: &[(crate::source::Key, Node)], report: &mut Report) -> Column {
    // What a column has beside a field's type is taken out before the type is read.
    let own = ["required", "unique", "normalise"];
    let of_field = entries.iter().filter(|(key, _)| {
        !own.contains(&&*key.text) && COLUMN.keys.iter().any(|known| known.name == &*key.text)
    });
    let field = Node {
        span: node.span,
        plain: false,
        kind: NodeKind::Map(of_field.cloned().collect()),
    };
    let mut field = match node.get("type") {
        Some(_) => Field::parse(&field, report),
        None => Field::required(crate::shape::Shape::Any),
    };
    let flag = |key: &str| {
        node.get(key)
            .is_some_and(|node| node.kind == NodeKind::Bool(true))
    };
    field.optional = !flag("required");
    let mut normalise = Vec::new();
    for word in node
        .get("normalise")
        .and_then(Node::as_list)
        .unwrap_or_default()
    {
        match word.as_text().map(|text| &**text) {
            Some("trim") => normalise.push(Normalise::Trim),
            Some("lowercase") => normalise.push(Normalise::Lowercase),
            _ => {}
        }
    }
    if let Some(words) = node.get("normalise")
        && !field.shape.is_text()
    {
        report
            .error(
                codes::NORMALISE_NO_TEXT,
                words.span,
                format!("the column holds {}", field.shape),
            )
            .help("leave `normalise` out, or make the column `type: string`");
    }
    Column {
        field,
        unique: flag("unique"),
        normalise,
    }
}

fn key(root: &Node, columns: &IndexMap<String, Column>, report: &mut Report) -> Vec<String> {
    let mut key = Vec::new();
    for node in root.get("key").and_then(Node::as_list).unwrap_or_default() {
        let Some(name) = node.as_text() else {
            continue;
        };
        match columns.get(&**name) {
            Some(column) => {
                if column.field.optional && column.field.default.is_none() {
                    report
                        .error(
                            codes::KEY_OPTIONAL,
                            node.span,
                            format!("`{name}` is part of the key and may be empty"),
                        )
                        .help("add `required: true` or a `default` to the column");
                }
                key.push(name.to_string());
            }
            None => {
                let meant = did_you_mean(name, columns.keys().map(String::as_str));
                let help = meant.map_or_else(
                    || "`key` lists names of columns".to_owned(),
                    |meant| format!("did you mean `{meant}`?"),
                );
                report
                    .error(
                        codes::KEY_UNKNOWN,
                        node.span,
                        format!("there is no column `{name}`"),
                    )
                    .help(help);
            }
        }
    }
    key
}

/// What is sealed cannot be looked up by an index.
fn check_secrets(
    root: &Node,
    columns: &IndexMap<String, Column>,
    key: &[String],
    report: &mut Report,
) {
    let is_looked_up = |name: &String, column: &Column| column.unique || key.contains(name);
    for (name, column) in columns {
        if column.field.secret && is_looked_up(name, column) {
            let node = root.get("columns").and_then(|columns| columns.get(name));
            let secret = node.and_then(|node| node.get("secret")).unwrap_or(root);
            report
                .error(
                    codes::SECRET_KEY,
                    secret.span,
                    format!("the secret column `{name}` is unique or part of the key"),
                )
                .help("name rows by another column, which need not be secret");
        }
    }
}

fn rows(root: &Node, table: &Table, report: &mut Report) -> Vec<Object> {
    let mut rows: Vec<Object> = Vec::new();
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let shape = table.insert_shape();
    for node in root.get("rows").and_then(Node::as_list).unwrap_or_default() {
        let Value::Object(mut row) = node.to_value() else {
            continue;
        };
        // An empty cell is an absent one.
        row.retain(|_, value| !value.is_null());
        let misfits = shape.check(&Value::Object(row.clone()), "");
        for misfit in &misfits {
            let column = misfit.path.trim_start_matches('.');
            let place = node.get(column).unwrap_or(node);
            let span = if place.span.len == 0 {
                first_span(node)
            } else {
                place.span
            };
            report
                .error(codes::ROW_DOES_NOT_FIT, span, misfit.to_string())
                .help(row_help(table, node));
        }
        if !misfits.is_empty() {
            continue;
        }
        normalise(table, &mut row);
        for (name, column) in &table.columns {
            if let Some(default) = &column.field.default {
                row.entry(name.clone()).or_insert_with(|| default.clone());
            }
        }
        check_twice(table, &row, first_span(node), &mut seen, report);
        rows.push(row);
    }
    rows
}

fn row_help(table: &Table, node: &Node) -> String {
    let written = node.as_map().unwrap_or_default();
    for (key, _) in written {
        let by_label = table
            .columns
            .iter()
            .find(|(_, column)| column.field.label.as_deref() == Some(&*key.text));
        if let Some((name, _)) = by_label {
            return format!("`{}` is a label; the column's name is `{name}`", key.text);
        }
    }
    let names: Vec<&str> = table.columns.keys().map(String::as_str).collect();
    format!("the columns are {}", names.join(", "))
}

fn normalise(table: &Table, row: &mut Object) {
    for (name, column) in &table.columns {
        if let Some(Value::String(text)) = row.get_mut(name) {
            *text = column.normalised(text);
        }
    }
}

fn check_twice(
    table: &Table,
    row: &Object,
    span: Span,
    seen: &mut BTreeMap<String, Span>,
    report: &mut Report,
) {
    let unique = table.columns.iter().filter(|(_, column)| column.unique);
    let mut keys: Vec<Vec<&String>> = unique.map(|(name, _)| vec![name]).collect();
    if !table.key.is_empty() {
        keys.push(table.key.iter().collect());
    }
    for key in keys {
        let values: Option<Vec<&Value>> = key.iter().map(|name| row.get(*name)).collect();
        let Some(values) = values else { continue };
        let names: Vec<&str> = key.iter().map(|name| name.as_str()).collect();
        let shown: Vec<String> = values.iter().map(|value| value.to_string()).collect();
        let (names, shown) = (names.join(", "), shown.join(", "));
        if let Some(first) = seen.insert(format!("{names}={shown}"), span) {
            report
                .error(
                    codes::ROW_TWICE,
                    span,
                    format!("there is a row with {names} {shown} already"),
                )
                .related(first, "the other row")
                .help("remove one of them");
        }
    }
}

fn first_span(node: &Node) -> Span {
    let first = node.as_map().and_then(|entries| entries.first());
    first.map_or(node.span, |(key, _)| key.span)
}
