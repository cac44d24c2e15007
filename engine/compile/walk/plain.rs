//! Steps that neither act outside nor hold steps: set, transform, wait, return, stop, log.
//!
//! Always true: what they give is known before anything runs.

use super::{Made, Walk, is_word, key_span, period, span_of_key};
use crate::compile::codes;
use crate::compile::scope::{SeenVar, Visible};
use crate::compile::{Into, LogLevel, StepKind, Transform, Wait};
use crate::data::Value;
use crate::expression::Expression;
use crate::shape::{Field, Shape, join};
use crate::source::{Node, NodeKind};
use crate::table::Sort;

impl Walk<'_> {
    pub(in crate::compile) fn set(&mut self, value: &Node, visible: &mut Visible) -> Made {
        let mut values = Vec::new();
        let mut given = Vec::new();
        for (name, node) in value.as_map().unwrap_or_default() {
            let typed = self.value(node, visible, None);
            let shape = match self.vars.get(&*name.text) {
                Some(before) => join(before, &typed.shape),
                None => typed.shape,
            };
            self.vars.insert(name.text.to_string(), shape);
            let outer = visible.vars.get(&*name.text);
            if outer.is_some_and(|seen| seen.depth < self.depth_at_once) {
                self.report
                    .error(
                        codes::SET_AT_ONCE,
                        name.span,
                        format!("several iterations at once would change `{}`", name.text),
                    )
                    .help("gather with `collect` or `tally`, or leave `at_once` out");
            }
            let depth = outer.map_or(self.depth_at_once, |seen| seen.depth);
            let maybe = typed.maybe;
            given.push((name.text.to_string(), SeenVar { maybe, depth }));
            values.push((name.text.to_string(), typed.expression));
        }
        // All values of one `set` see what was there before it.
        visible.vars.extend(given);
        Made::nothing(StepKind::Set(values))
    }

    pub(in crate::compile) fn transform(
        &mut self,
        value: &Node,
        visible: &Visible,
    ) -> Option<Made> {
        let from = self.value(
            value.get("from")?,
            visible,
            Some(&Shape::list_of(Shape::Any)),
        );
        let mut item = from.shape.element().cloned().unwrap_or(Shape::Any);
        let of = |item: &Shape| {
            let with_item = visible.with_root("item", item.clone());
            with_item.with_root("index", Shape::Integer)
        };
        let each = of(&item);
        let filter = value.get("where").map(|node| self.condition(node, &each));
        let select = value
            .get("select")
            .map(|node| self.value(node, &each, None));
        if let Some(select) = &select {
            item = select.shape.clone();
        }
        let each = of(&item);
        let distinct_by = value.get("distinct_by");
        let distinct_by = distinct_by.map(|node| self.value(node, &each, None).expression);
        let sort_by = self.sort_by(value.get("sort_by"), &each);
        let limit = value.get("limit");
        let limit = limit.map(|node| self.value(node, visible, Some(&Shape::Integer)).expression);
        let (into, result) = self.into(value, &each, &item);
        let transform = Transform {
            from: from.expression,
            filter,
            select: select.map(|select| select.expression),
            distinct_by,
            sort_by,
            limit,
            into,
        };
        Some(Made::giving(StepKind::Transform(transform), result))
    }

    /// What a `transform` makes of its list, and the shape of its result.
    fn into(&mut self, value: &Node, each: &Visible, item: &Shape) -> (Option<Into>, Shape) {
        let count = ("count", Field::required(Shape::Integer));
        let written: Vec<&str> = ["group_by", "index_by", "to_object"]
            .into_iter()
            .filter(|key| value.get(key).is_some())
            .collect();
        if let [first, second, ..] = written[..] {
            self.report
                .error(
                    codes::TWO_RESULTS,
                    span_of_key(value, second),
                    format!("`{first}` and `{second}` at once"),
                )
                .related(span_of_key(value, first), "the other one")
                .help("keep one of them, or make two steps of it");
        }
        if let Some(node) = value.get("group_by") {
            let key = self.value(node, each, None);
            let group = Shape::object_of([
                ("key", Field::required(key.shape)),
                ("items", Field::required(Shape::list_of(item.clone()))),
            ]);
            let items = ("items", Field::required(Shape::list_of(group)));
            return (
                Some(Into::Groups(key.expression)),
                Shape::object_of([items, count]),
            );
        }
        let object = || ("object", Field::required(Shape::Object));
        if let Some(node) = value.get("index_by") {
            let key = self.value(node, each, None).expression;
            return (Some(Into::Index(key)), Shape::object_of([object(), count]));
        }
        if let Some(node) = value.get("to_object") {
            let literal = || Expression::literal(Value::Null);
            let mut part = |name: &str| {
                let node = node.get(name);
                node.map_or_else(literal, |node| self.value(node, each, None).expression)
            };
            let (key, value) = (part("key"), part("value"));
            let into = Into::Object { key, value };
            return (Some(into), Shape::object_of([object(), count]));
        }
        let items = ("items", Field::required(Shape::list_of(item.clone())));
        (None, Shape::object_of([items, count]))
    }

    /// Sort keys: one value, or a list of values and `{ value, descending }`.
    pub(in crate::compile) fn sort_by(&mut self, node: Option<&Node>, each: &Visible) -> Vec<Sort> {
        let Some(node) = node else {
            return Vec::new();
        };
        let keys = match &node.kind {
            NodeKind::List(keys) => &keys[..],
            _ => std::slice::from_ref(node),
        };
        let mut sorts = Vec::new();
        for key in keys {
            let (value, descending) = match (key.get("value"), key.get("descending")) {
                (Some(value), flag) => (
                    value,
                    flag.is_some_and(|flag| flag.kind == NodeKind::Bool(true)),
                ),
                (None, _) => (key, false),
            };
            let value = self.value(value, each, None).expression;
            sorts.push(Sort { value, descending });
        }
        sorts
    }

    pub(in crate::compile) fn wait(&mut self, value: &Node, visible: &Visible) -> Option<Made> {
        let wait = match value.get("until") {
            Some(until) => {
                let expected = Shape::DateTime;
                Wait::Until(self.value(until, visible, Some(&expected)).expression)
            }
            None => Wait::For(period(Some(value))?),
        };
        Some(Made::nothing(StepKind::Wait(wait)))
    }

    pub(in crate::compile) fn return_(
        &mut self,
        node: &Node,
        value: &Node,
        visible: &Visible,
    ) -> Made {
        if self.depth_at_once > 0 {
            self.report
                .error(
                    codes::RETURN_AT_ONCE,
                    span_of_key(node, "return"),
                    "`return` inside a loop that runs several at once",
                )
                .help("gather with `collect` and return after the loop, or leave `at_once` out");
        }
        let output = self.output.clone();
        let empty = Node {
            span: value.span,
            plain: false,
            kind: NodeKind::Map(Vec::new()),
        };
        // `return:` with nothing behind it returns nothing.
        let value = if value.kind == NodeKind::Null {
            &empty
        } else {
            value
        };
        let result = self.value(value, visible, output.as_ref()).expression;
        Made {
            ends: true,
            ..Made::nothing(StepKind::Return(result))
        }
    }

    pub(in crate::compile) fn stop(
        &mut self,
        node: &Node,
        value: &Node,
        visible: &Visible,
    ) -> Option<Made> {
        if self.output.is_some() {
            self.report
                .error(
                    codes::STOP_IN_FUNCTION,
                    key_span(node),
                    "`stop` inside a function",
                )
                .help(
                    "use `return`; the recipe that called decides what to do. A function says that it \
                     failed by what it gives back, such as `ok: false` with a reason",
                );
        }
        let reason = self.line(value.get("reason")?, visible);
        let kind = StepKind::Stop {
            is_success: is_word(value, "status", "success"),
            reason,
        };
        Some(Made {
            ends: true,
            ..Made::nothing(kind)
        })
    }

    pub(in crate::compile) fn log(&mut self, node: &Node, value: &Node, visible: &Visible) -> Made {
        let text = self.line(value, visible);
        let level = match node
            .get("level")
            .and_then(Node::as_text)
            .map(|text| &**text)
        {
            Some("debug") => LogLevel::Debug,
            Some("warn") => LogLevel::Warn,
            Some("error") => LogLevel::Error,
            _ => LogLevel::Info,
        };
        let data = node.get("data");
        let data = data.map(|node| self.value(node, visible, None).expression);
        Made::nothing(StepKind::Log { text, level, data })
    }

    /// A line for people: text, or a number or truth value that is shown as text.
    fn line(&mut self, node: &Node, visible: &Visible) -> Expression {
        let typed = self.value(node, visible, None);
        if matches!(
            typed.shape,
            Shape::List(_) | Shape::Fields(_) | Shape::Object
        ) {
            let message = format!("expected a line of text, not {}", typed.shape);
            self.report
                .error(codes::WRONG_VALUE, node.span, message)
                .help("name one of its fields, `join` a list, or `log` it under `data`");
        }
        typed.expression
    }
}
