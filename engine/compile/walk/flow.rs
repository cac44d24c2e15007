//! Steps that hold steps: if, switch, foreach, repeat, try.
//!
//! Always true: what a branch makes visible may be absent after it; what an iteration makes
//! visible is gone after the loop, but for `collect` and `tally`.

use super::{Made, Walk, error_shape, integer, is_word, period, span_of_key};
use crate::compile::codes;
use crate::compile::scope::Visible;
use crate::compile::{Foreach, ForeachSource, StepKind};
use crate::expression::Expression;
use crate::shape::{Field, Member, Shape};
use crate::source::{Node, NodeKind};

/// Roots that an alias may not hide.
const TAKEN: &[&str] = &[
    "trigger", "input", "steps", "vars", "settings", "job", "error", "loop", "item", "index", "row",
];

impl Walk<'_> {
    pub(in crate::compile) fn branches(
        &mut self,
        node: &Node,
        value: &Node,
        visible: &mut Visible,
    ) -> Made {
        let mut branches = Vec::new();
        let mut ways = Vec::new();
        let condition = self.condition(value, visible);
        let (steps, way) = self.branch(node.get("then"), "then", visible);
        branches.push((condition, steps));
        ways.push(way);
        let further = node
            .get("else_if")
            .and_then(Node::as_list)
            .unwrap_or_default();
        for (number, further) in further.iter().enumerate() {
            let Some(condition) = further.get("if") else {
                continue;
            };
            let condition = self.condition(condition, visible);
            let place = format!("else_if{number}");
            let (steps, way) = self.branch(further.get("then"), &place, visible);
            branches.push((condition, steps));
            ways.push(way);
        }
        let (otherwise, way) = self.branch(node.get("else"), "else", visible);
        ways.push(way);
        let ends = ways.iter().all(|(_, ends)| *ends);
        visible.merge(ways);
        let kind = StepKind::If {
            branches,
            otherwise,
        };
        Made {
            ends,
            ..Made::nothing(kind)
        }
    }

    fn branch(
        &mut self,
        node: Option<&Node>,
        place: &str,
        visible: &Visible,
    ) -> (crate::compile::Block, (Visible, bool)) {
        let mut inside = visible.clone();
        let (steps, ends) = self.inner(node, place, &mut inside);
        (steps, (inside, ends))
    }

    pub(in crate::compile) fn switch(
        &mut self,
        node: &Node,
        value: &Node,
        visible: &mut Visible,
    ) -> Made {
        let value = self.value(value, visible, None);
        let mut cases = Vec::new();
        let mut ways = Vec::new();
        let written = node
            .get("cases")
            .and_then(Node::as_list)
            .unwrap_or_default();
        for (number, case) in written.iter().enumerate() {
            let meets: Vec<Expression> = match (case.get("equals"), case.get("in")) {
                (Some(one), _) => vec![self.value(one, visible, Some(&value.shape)).expression],
                (None, Some(several)) => several
                    .as_list()
                    .unwrap_or_default()
                    .iter()
                    .map(|one| self.value(one, visible, Some(&value.shape)).expression)
                    .collect(),
                (None, None) => continue,
            };
            let place = format!("case{number}");
            let (steps, way) = self.branch(case.get("then"), &place, visible);
            cases.push((meets, steps));
            ways.push(way);
        }
        let (otherwise, way) = self.branch(node.get("else"), "else", visible);
        ways.push(way);
        let ends = ways.iter().all(|(_, ends)| *ends);
        visible.merge(ways);
        let kind = StepKind::Switch {
            value: value.expression,
            cases,
            otherwise,
        };
        Made {
            ends,
            ..Made::nothing(kind)
        }
    }

    pub(in crate::compile) fn foreach(
        &mut self,
        node: &Node,
        value: &Node,
        visible: &mut Visible,
    ) -> Option<Made> {
        let (source, mut element) = self.source(node, value, visible)?;
        let alias = node.get("as").and_then(Node::as_text)?.clone();
        self.check_alias(node, &alias, visible);
        let batch = number(node.get("batch"));
        if batch.is_some() {
            element = Shape::list_of(element);
        }
        let at_once = number(node.get("at_once"));
        let is_parallel = at_once.is_some();
        let mut inside = visible.with_root(&alias, element);
        inside.open.retain(|(name, _)| name != "loop");
        let mut inside = inside.with_root("loop", loop_shape());
        self.depth_at_once += usize::from(is_parallel);
        let (steps, _) = self.inner(node.get("do"), "do", &mut inside);
        let collect = node
            .get("collect")
            .map(|node| self.value(node, &inside, None));
        let tally = node.get("tally");
        let tally = tally.map(|node| self.value(node, &inside, None).expression);
        self.depth_at_once -= usize::from(is_parallel);
        // Only what was there before the loop may have been changed for good.
        for (name, seen) in &mut visible.vars {
            if let Some(after) = inside.vars.get(name) {
                seen.maybe |= after.maybe;
            }
        }
        let collected = collect
            .as_ref()
            .map_or(Shape::Any, |typed| typed.shape.clone());
        let kind = StepKind::Foreach(Foreach {
            source,
            alias: alias.to_string(),
            steps,
            at_once: at_once.unwrap_or(1),
            is_parallel,
            batch,
            collect: collect.map(|typed| typed.expression),
            tally,
            continue_on_error: is_word(node, "on_item_error", "continue"),
        });
        Some(Made::giving(kind, foreach_shape(collected)).on(&alias))
    }

    /// Where the elements come from, and the shape of one.
    fn source(
        &mut self,
        node: &Node,
        value: &Node,
        visible: &Visible,
    ) -> Option<(ForeachSource, Shape)> {
        let Some(target) = value.get("action") else {
            let expected = Shape::list_of(Shape::Any);
            let list = self.value(value, visible, Some(&expected));
            let element = list.shape.element().cloned().unwrap_or(Shape::Any);
            return Some((ForeachSource::List(list.expression), element));
        };
        for (key, _) in value.as_map().unwrap_or_default() {
            if !matches!(&*key.text, "action" | "with" | "connection") {
                self.report
                    .error(
                        crate::form::codes::UNKNOWN_KEY,
                        key.span,
                        format!("unknown key `{}` in the listing", key.text),
                    )
                    .help("known here: action, with, connection");
            }
        }
        let own = if value.get("connection").is_some() {
            value
        } else {
            node
        };
        let (mut action, found) = self.action_ref(own, target)?;
        action.keeps_raw = false;
        if !found.is_listing {
            self.report
                .error(
                    codes::NOT_A_LISTING,
                    target.span,
                    format!("`{}.{}` gives no pages", action.connector, action.action),
                )
                .help("make it a step of its own and loop over its result");
        }
        let with = self.arguments(value, target, visible, &found.input);
        let source = ForeachSource::Action { action, with };
        let element = match found.output.member("items") {
            Member::Field(items) => items.shape.element().cloned(),
            _ => None,
        };
        Some((source, element.unwrap_or(Shape::Any)))
    }

    fn check_alias(&mut self, node: &Node, alias: &str, visible: &Visible) {
        let span = node.get("as").map_or(node.span, |node| node.span);
        let is_taken = TAKEN.contains(&alias) || visible.open.iter().any(|(name, _)| name == alias);
        if is_taken {
            self.report
                .error(
                    codes::HIDING_NAME,
                    span,
                    format!("`{alias}` is taken already"),
                )
                .help("choose another name for the element");
        }
    }

    pub(in crate::compile) fn repeat(
        &mut self,
        node: &Node,
        value: &Node,
        visible: &mut Visible,
    ) -> Made {
        let before = visible.clone();
        let (steps, _) = self.inner(Some(value), "repeat", visible);
        let until = match node.get("until") {
            Some(node) => self.condition(node, visible),
            None => self.condition(&never(value), visible),
        };
        // Results of the last round stay visible; names that were first set in a round do not.
        visible
            .vars
            .retain(|name, _| before.vars.contains_key(name));
        let kind = StepKind::Repeat {
            steps,
            until,
            every: period(node.get("every")),
            max: number(node.get("max")).unwrap_or(1),
        };
        let result = Shape::object_of([
            ("rounds", Field::required(Shape::Integer)),
            ("done", Field::required(Shape::Boolean)),
        ]);
        Made::giving(kind, result)
    }

    pub(in crate::compile) fn attempt(
        &mut self,
        node: &Node,
        value: &Node,
        visible: &mut Visible,
    ) -> Made {
        if node.get("catch").is_none() && node.get("finally").is_none() {
            self.report
                .error(
                    codes::USELESS_TRY,
                    span_of_key(node, "try"),
                    "`try` without `catch` or `finally`",
                )
                .help("say what happens after a failure (`catch`) or in any case (`finally`)");
        }
        let mut tried = visible.clone();
        let (steps, tried_ends) = self.inner(Some(value), "try", &mut tried);
        let mut catches_unknown = false;
        let mut ends = tried_ends;
        let mut catch = None;
        // After a failure, each of the steps may have run or not.
        let mut doubted = tried.clone();
        doubted.doubt_since(visible);
        if let Some(node) = node.get("catch") {
            let mut caught = doubted.with_root("error", error_shape());
            let when = node.get("when");
            catches_unknown = when.is_some_and(|when| names(when, "outcome_unknown"));
            let when = when.map(|when| self.condition(when, &caught));
            let (handler, caught_ends) = self.inner(node.get("do"), "catch", &mut caught);
            caught.open.clone_from(&visible.open);
            catch = Some((when, handler));
            ends = tried_ends && caught_ends;
            visible.merge(vec![(tried, tried_ends), (caught, caught_ends)]);
        } else {
            *visible = tried;
        }
        // What runs in any case cannot count on anything that was tried.
        let mut last = visible.clone();
        for (id, seen) in doubted.steps {
            last.steps.insert(id, seen);
        }
        last.vars.extend(doubted.vars);
        let before = last.clone();
        let (finally, finally_ends) = self.inner(node.get("finally"), "finally", &mut last);
        let new = last
            .steps
            .into_iter()
            .filter(|(id, _)| !before.steps.contains_key(id));
        visible.steps.extend(new);
        let kind = StepKind::Try {
            steps,
            catch,
            catches_unknown,
            finally,
        };
        Made {
            ends: ends || finally_ends,
            ..Made::nothing(kind)
        }
    }
}

/// What `loop` holds.
fn loop_shape() -> Shape {
    Shape::object_of([
        ("index", Field::required(Shape::Integer)),
        ("first", Field::required(Shape::Boolean)),
        ("last", Field::optional(Shape::Boolean)),
    ])
}

/// What a loop gives.
fn foreach_shape(collected: Shape) -> Shape {
    let failed = Shape::object_of([
        ("index", Field::required(Shape::Integer)),
        ("item", Field::required(Shape::Any)),
        ("error", Field::required(error_shape())),
    ]);
    Shape::object_of([
        ("count", Field::required(Shape::Integer)),
        ("succeeded", Field::required(Shape::Integer)),
        ("failed", Field::required(Shape::Integer)),
        ("items", Field::required(Shape::list_of(collected))),
        ("tally", Field::required(Shape::Object)),
        ("errors", Field::required(Shape::list_of(failed))),
    ])
}

fn number(node: Option<&Node>) -> Option<u32> {
    node.and_then(integer)
        .and_then(|number| u32::try_from(number).ok())
}

/// Whether a condition holds this text anywhere.
fn names(node: &Node, text: &str) -> bool {
    match &node.kind {
        NodeKind::Text(written) => &**written == text,
        NodeKind::List(elements) => elements.iter().any(|node| names(node, text)),
        NodeKind::Map(entries) => entries.iter().any(|(_, node)| names(node, text)),
        _ => false,
    }
}

/// A condition in place of one whose absence was reported before.
fn never(node: &Node) -> Node {
    Node {
        span: node.span,
        plain: false,
        kind: NodeKind::Bool(false),
    }
}
