//! Steps that read or change a lookup table.
//!
//! Always true: the table and every column written by name exist; values are held against the
//! columns' types.

use std::sync::Arc;

use super::acting::meant;
use super::{Made, Walk, span_of_key};
use crate::compile::codes;
use crate::compile::scope::Visible;
use crate::compile::{StepKind, TableOperation};
use crate::expression::Expression;
use crate::names::TableName;
use crate::shape::{Field, Shape};
use crate::source::{Node, NodeKind};
use crate::table::{MaxRemoved, Table};

/// The rows that may go in a `sync` unless it says otherwise, in percent.
const REMOVED_PERCENT_DEFAULT: f64 = 20.0;

impl Walk<'_> {
    pub(in crate::compile) fn table(
        &mut self,
        node: &Node,
        target: &Node,
        visible: &mut Visible,
    ) -> Option<Made> {
        let table = self.find_table(target)?;
        let row = visible.with_root("row", table.row_shape());
        let count = |name| (name, Field::required(Shape::Integer));
        let (operation, result) = if let Some(key) = node.get("get") {
            let key = self.key(&table, key, visible);
            let found = ("found", Field::required(Shape::Boolean));
            let row = ("row", Field::optional(table.row_shape()));
            (TableOperation::Get(key), vec![found, row])
        } else if let Some(find) = node.get("find") {
            let limit = find.get("limit");
            let limit =
                limit.map(|node| self.value(node, visible, Some(&Shape::Integer)).expression);
            let operation = TableOperation::Find {
                filter: find.get("where").map(|node| self.condition(node, &row)),
                sort_by: self.sort_by(find.get("sort_by"), &row),
                limit,
            };
            let items = Field::required(Shape::list_of(table.row_shape()));
            (operation, vec![("items", items), count("count")])
        } else if let Some(node) = node.get("count") {
            let filter = node.get("where").map(|node| self.condition(node, &row));
            (TableOperation::Count(filter), vec![count("count")])
        } else if let Some(rows) = node.get("insert") {
            let rows = self.rows(&table, rows, visible, &table.insert_shape());
            (TableOperation::Insert(rows), vec![count("count")])
        } else if let Some(rows) = node.get("upsert") {
            let rows = self.rows(&table, rows, visible, &table.upsert_shape());
            let result = ["added", "changed", "unchanged"].map(count).to_vec();
            (TableOperation::Upsert(rows), result)
        } else if let Some(update) = node.get("update") {
            let set = self.new_values(&table, update.get("set")?, &row);
            let filter = update.get("where").map(|node| self.condition(node, &row));
            let expect = self.expect(update, visible);
            let operation = TableOperation::Update {
                filter,
                set,
                expect,
            };
            (operation, vec![count("changed")])
        } else if let Some(delete) = node.get("delete") {
            let filter = delete.get("where").map(|node| self.condition(node, &row));
            let expect = self.expect(delete, visible);
            (
                TableOperation::Delete { filter, expect },
                vec![count("removed")],
            )
        } else if let Some(node) = node.get("truncate") {
            self.check_truncate(node);
            (TableOperation::Truncate, vec![count("removed")])
        } else {
            let sync = node.get("sync")?;
            let rows = self.rows(&table, sync.get("rows")?, visible, &table.insert_shape());
            let max_removed = self.max_removed(sync.get("max_removed"));
            let result = ["added", "changed", "removed", "unchanged"]
                .map(count)
                .to_vec();
            (TableOperation::Sync { rows, max_removed }, result)
        };
        let word = operation.word();
        let kind = StepKind::Table {
            table: table.name.clone(),
            operation,
        };
        let target = format!("{}.{word}", table.name);
        Some(Made::giving(kind, Shape::object_of(result)).on(&target))
    }

    fn find_table(&mut self, target: &Node) -> Option<Arc<Table>> {
        let text = target.as_text()?;
        let catalogue = self.catalogue;
        let name = match self.project.tables.get(&**text) {
            Some(name) => Some(name.clone()),
            None => TableName::new(text).ok(),
        };
        if let Some(table) = name.and_then(|name| catalogue.tables.get(&name)) {
            return Some(table.clone());
        }
        let known: Vec<&str> = catalogue.tables.keys().map(TableName::as_str).collect();
        self.report
            .error(
                codes::UNKNOWN_TABLE,
                target.span,
                format!("there is no lookup table `{text}`"),
            )
            .help(meant(text, &known));
        None
    }

    /// The key of one row: all key columns and nothing else.
    fn key(&mut self, table: &Table, node: &Node, visible: &Visible) -> Expression {
        let names = table.key.join("`, `");
        if table.key.is_empty() {
            self.report
                .error(
                    codes::INCOMPLETE_KEY,
                    node.span,
                    format!("`{}` has no key", table.name),
                )
                .help("use `find` with a condition");
        } else if let Some(entries) = node.as_map() {
            let wrong = entries.iter().find(|(key, _)| !table.is_key(&key.text));
            let is_whole = table.key.iter().all(|key| node.get(key).is_some());
            if let Some((key, _)) = wrong {
                let help = format!("`get` takes the key, `{names}`; for all else use `find`");
                if self.column_name(table, key).is_none() {
                    let message = format!("`{}` is not part of the key", key.text);
                    self.report
                        .error(codes::INCOMPLETE_KEY, key.span, message)
                        .help(help);
                }
                return self.value(node, visible, None).expression;
            }
            if !is_whole {
                let span = super::key_span(node);
                self.report
                    .error(codes::INCOMPLETE_KEY, span, "the key is not complete")
                    .help(format!("`get` takes the whole key: `{names}`"));
                return self.value(node, visible, None).expression;
            }
        }
        self.value(node, visible, Some(&table.key_shape()))
            .expression
    }

    /// Rows to write: an object, or a list of objects.
    fn rows(&mut self, table: &Table, node: &Node, visible: &Visible, row: &Shape) -> Expression {
        match &node.kind {
            NodeKind::Map(_) => self.row(table, node, visible, row),
            NodeKind::List(elements) => {
                for element in elements {
                    if element.as_map().is_some() {
                        self.row(table, element, visible, row);
                    }
                }
                self.value(node, visible, None).expression
            }
            _ => {
                let mut unheard = crate::diagnostic::Report::of(&self.file.document.file);
                std::mem::swap(&mut unheard, &mut self.report);
                let typed = self.value(node, visible, None);
                std::mem::swap(&mut unheard, &mut self.report);
                let list = Shape::list_of(row.clone());
                let expected = match typed.shape {
                    Shape::Any | Shape::Object => None,
                    Shape::Fields(_) => Some(row),
                    _ => Some(&list),
                };
                self.value(node, visible, expected).expression
            }
        }
    }

    /// One row written column by column.
    fn row(&mut self, table: &Table, node: &Node, visible: &Visible, row: &Shape) -> Expression {
        let compiled = self.value(node, visible, None).expression;
        let known = self.known_columns(table, node);
        // An empty cell clears an optional column, so `null` fits where absence does.
        let is_kept = |entry: &&(crate::source::Key, Node)| {
            let (key, value) = entry;
            let column = table.columns.get(&*key.text);
            value.kind != NodeKind::Null || column.is_some_and(|column| !column.field.optional)
        };
        let checked = Node {
            span: node.span,
            plain: false,
            kind: NodeKind::Map(known.iter().filter(is_kept).cloned().collect()),
        };
        // A column that could not be recognised may be the one that seems to be missing.
        let all_known = known.len() == node.as_map().map_or(0, <[_]>::len);
        let relaxed = table.update_shape();
        self.value(
            &checked,
            visible,
            Some(if all_known { row } else { &relaxed }),
        );
        compiled
    }

    fn new_values(&mut self, table: &Table, node: &Node, row: &Visible) -> Expression {
        match node.kind {
            NodeKind::Map(_) => self.row(table, node, row, &table.update_shape()),
            _ => {
                self.value(node, row, Some(&table.update_shape()))
                    .expression
            }
        }
    }

    /// The entries whose keys are columns; the others are reported.
    fn known_columns(&mut self, table: &Table, node: &Node) -> Vec<(crate::source::Key, Node)> {
        let mut known = Vec::new();
        for entry in node.as_map().unwrap_or_default() {
            if table.columns.contains_key(&*entry.0.text) {
                known.push(entry.clone());
                continue;
            }
            if self.column_name(table, &entry.0).is_none() {
                let names: Vec<&str> = table.columns.keys().map(String::as_str).collect();
                let text = &entry.0.text;
                self.report
                    .error(
                        codes::UNKNOWN_COLUMN,
                        entry.0.span,
                        format!("`{}` has no column `{text}`", table.name),
                    )
                    .help(meant(text, &names));
            }
        }
        known
    }

    /// Reports a label that stands where a name belongs.
    fn column_name(
        &mut self,
        table: &Table,
        key: &crate::source::Key,
    ) -> Option<&mut crate::diagnostic::Diagnostic> {
        if table.columns.contains_key(&*key.text) {
            return None;
        }
        let (name, _) = table.columns.iter().find(|(_, column)| {
            let label = column.field.label.as_deref();
            label.is_some_and(|label| label.eq_ignore_ascii_case(&key.text))
        })?;
        let message = format!("`{}` is the label of column `{name}`", key.text);
        let found = self.report.error(codes::LABEL_FOR_NAME, key.span, message);
        found.help(format!("write the column's name: `{name}`"));
        Some(found)
    }

    fn expect(&mut self, node: &Node, visible: &Visible) -> Option<Expression> {
        let node = node.get("expect")?;
        Some(self.value(node, visible, Some(&Shape::Integer)).expression)
    }

    fn check_truncate(&mut self, node: &Node) {
        if node.kind == NodeKind::Bool(false) {
            self.report
                .error(
                    codes::WRONG_VALUE,
                    node.span,
                    "`truncate: false` does nothing",
                )
                .help("write `truncate: true`, or remove the step");
        }
    }

    fn max_removed(&mut self, node: Option<&Node>) -> MaxRemoved {
        let default = MaxRemoved::Percent(REMOVED_PERCENT_DEFAULT);
        let Some(node) = node else {
            return default;
        };
        if let NodeKind::Integer(rows) = node.kind {
            return u64::try_from(rows).map_or(default, MaxRemoved::Rows);
        }
        let text = node
            .as_text()
            .map(|text| text.trim().to_owned())
            .unwrap_or_default();
        let percent = text
            .strip_suffix('%')
            .and_then(|number| number.trim().parse().ok());
        match percent {
            Some(percent) if (0.0..=100.0).contains(&percent) => MaxRemoved::Percent(percent),
            _ => {
                let span = span_of_key(node, "max_removed");
                self.report
                    .error(
                        codes::BAD_MAX_REMOVED,
                        span,
                        format!("`{text}` is not a limit"),
                    )
                    .help("write a number of rows, such as 50, or a part, such as 10%");
                default
            }
        }
    }
}
