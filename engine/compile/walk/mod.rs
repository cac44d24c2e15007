//! The walk over a recipe's steps.
//!
//! In: the steps as written and what is visible where they stand. Out: compiled steps.
//! Always true: the walk knows at every step what has surely run, what may have run, and what has
//! not; each kind of step has a file of its own beside this one.

mod acting;
mod flow;
mod plain;
mod poll;
mod read;
mod table;
mod trigger;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(in crate::compile) use acting::meant;
pub(in crate::compile) use read::{error_shape, integer, is_word, key_span, period, span_of_key};
pub(in crate::compile) use trigger::trigger_shape;

use crate::compile::catalogue::Catalogue;
use crate::compile::codes;
use crate::compile::scope::{Facts, Scope, Seen, Visible};
use crate::compile::{Block, Project, RetryRule, Step, StepKind};
use crate::connector::Retry;
use crate::diagnostic::{Place, Report, Span};
use crate::expression::{Condition, Expression, Typed};
use crate::recipe::{RecipeFile, STEP};
use crate::shape::Shape;
use crate::source::{Node, NodeKind};

/// The most steps a recipe may have.
const STEPS_MAX: usize = 1_000;
/// The deepest that steps may be nested.
const DEPTH_MAX: usize = 32;

/// How a step that is no action is tried again when it says no more than `retry: {}`.
const USUAL_RETRY: Retry = Retry {
    tries: 3,
    within: None,
    delay: Duration::from_secs(2),
    backoff: 2.0,
    max_delay: Duration::from_secs(300),
};

/// The state of one walk.
pub(in crate::compile) struct Walk<'a> {
    pub(in crate::compile) file: &'a RecipeFile,
    pub(in crate::compile) catalogue: &'a Catalogue,
    pub(in crate::compile) project: &'a Project,
    pub(in crate::compile) facts: &'a Facts,
    pub(in crate::compile) report: Report,
    /// The declared output of a function.
    pub(in crate::compile) output: Option<Shape>,
    /// The shapes of variables as this walk finds them.
    pub(in crate::compile) vars: BTreeMap<String, Shape>,
    /// How many loops that run several at once stand around the current step.
    pub(in crate::compile) depth_at_once: usize,
    /// The place of the current block: `2/then`.
    block: Vec<String>,
    step_count: usize,
}

/// What a kind of step gives: the compiled kind, the shape of its result, and whether nothing can
/// come after it.
pub(in crate::compile) struct Made {
    pub(in crate::compile) kind: StepKind,
    pub(in crate::compile) result: Option<Shape>,
    pub(in crate::compile) ends: bool,
    /// The retry rule of the action, if it is one.
    pub(in crate::compile) retry: Retry,
    /// What it works on, for ids that are not written.
    pub(in crate::compile) target: String,
}

impl Made {
    /// A kind that gives nothing.
    pub(in crate::compile) fn nothing(kind: StepKind) -> Self {
        Self {
            kind,
            result: None,
            ends: false,
            retry: USUAL_RETRY,
            target: String::new(),
        }
    }

    /// A kind that gives something.
    pub(in crate::compile) fn giving(kind: StepKind, result: Shape) -> Self {
        Self {
            result: Some(result),
            ..Self::nothing(kind)
        }
    }

    /// The same, named by what it works on.
    pub(in crate::compile) fn on(self, target: &str) -> Self {
        let target = target.to_owned();
        Self { target, ..self }
    }
}

impl<'a> Walk<'a> {
    /// A walk that has not begun.
    pub(in crate::compile) fn new(
        file: &'a RecipeFile,
        catalogue: &'a Catalogue,
        project: &'a Project,
        facts: &'a Facts,
        output: Option<Shape>,
    ) -> Self {
        Self {
            file,
            catalogue,
            project,
            facts,
            report: Report::of(&file.document.file),
            output,
            vars: BTreeMap::new(),
            depth_at_once: 0,
            block: Vec::new(),
            step_count: 0,
        }
    }

    /// Compiles a block inside the step that is being compiled.
    pub(in crate::compile) fn inner(
        &mut self,
        node: Option<&Node>,
        place: &str,
        visible: &mut Visible,
    ) -> (Block, bool) {
        self.block.push(place.to_owned());
        let made = self.block(node, visible);
        self.block.pop();
        made
    }

    /// Compiles the steps of a block; the answer says whether nothing can come after it.
    pub(in crate::compile) fn block(
        &mut self,
        node: Option<&Node>,
        visible: &mut Visible,
    ) -> (Block, bool) {
        let steps = node.and_then(Node::as_list).unwrap_or_default();
        let mut compiled = Vec::with_capacity(steps.len());
        let mut ended_at: Option<Span> = None;
        for (number, node) in steps.iter().enumerate() {
            if self.block.len() > 2 * DEPTH_MAX || self.step_count >= STEPS_MAX {
                let message = "this step is one too many, or nested too deeply";
                self.report
                    .error(codes::TOO_MANY_STEPS, key_span(node), message)
                    .help("at most 1,000 steps, nested 32 deep; make functions of the parts");
                break;
            }
            self.step_count += 1;
            if let Some(ended) = ended_at.take() {
                self.report
                    .warning(
                        codes::UNREACHABLE,
                        key_span(node),
                        "this step can never run",
                    )
                    .related(ended, "the recipe ends here")
                    .help("remove it, or give the step before it a `when`");
            }
            self.block.push(number.to_string());
            let (step, ends) = self.step(node, visible);
            self.block.pop();
            compiled.extend(step);
            if ends {
                ended_at = Some(key_span(node));
            }
        }
        (compiled, ended_at.is_some())
    }

    fn step(&mut self, node: &Node, visible: &mut Visible) -> (Option<Step>, bool) {
        let when = node.get("when");
        let when = when.map(|when| self.condition(when, visible));
        let continue_on_error = is_word(node, "on_error", "continue");
        let is_certain = when.is_none() && !continue_on_error;
        let before = (!is_certain).then(|| visible.clone());
        let Some((kind, made)) = self.kind(node, visible) else {
            // What is wrong with the step was said; whoever reads its result is not to blame.
            if let Some(id) = node.get("id").and_then(Node::as_text) {
                let (shape, maybe) = (Arc::new(Shape::Any), false);
                visible.steps.insert(id.clone(), Seen { shape, maybe });
            }
            return (None, false);
        };
        let retry = self.retry(node, &made.retry, visible);
        if let Some(before) = before {
            visible.doubt_since(&before);
        }
        let written = node.get("id").and_then(Node::as_text).cloned();
        let has_written_id = written.is_some();
        let place = self.block.join("/");
        let target = if made.target.is_empty() {
            String::new()
        } else {
            format!(":{}", made.target)
        };
        let id = written.unwrap_or_else(|| Arc::from(format!("{kind}{target}@{place}")));
        if has_written_id {
            let shape = Arc::new(read::result_shape(made.result, continue_on_error));
            let maybe = when.is_some();
            visible.steps.insert(id.clone(), Seen { shape, maybe });
        } else if matches!(
            kind,
            "action" | "call" | "start" | "table" | "foreach" | "repeat"
        ) {
            self.report
                .advice(
                    codes::ID_ADVISED,
                    key_span(node),
                    format!("this `{kind}` has no id"),
                )
                .help("reruns on a newer version and upgrades recognise steps by written ids only");
        }
        let step = Step {
            id,
            has_written_id,
            title: node
                .get("title")
                .and_then(Node::as_text)
                .map(ToString::to_string),
            place: self.place(key_span(node)),
            when,
            retry,
            timeout: period(node.get("timeout")),
            continue_on_error,
            kind: made.kind,
        };
        (Some(step), made.ends && is_certain)
    }

    fn kind(&mut self, node: &Node, visible: &mut Visible) -> Option<(&'static str, Made)> {
        let mut kinds = STEP
            .variants
            .iter()
            .filter(|v| node.get(v.key.name).is_some());
        let kind = kinds.next()?.key.name;
        // Two kinds were reported when the file was held against its grammar.
        if kinds.next().is_some() {
            return None;
        }
        let value = node.get(kind)?;
        let made = match kind {
            "action" => self.action(node, value, visible),
            "call" => self.call(node, value, visible),
            "start" => self.start(node, value, visible),
            "await" => Some(self.await_jobs(value, visible)),
            "table" => self.table(node, value, visible),
            "set" => Some(self.set(value, visible)),
            "transform" => self.transform(value, visible),
            "if" => Some(self.branches(node, value, visible)),
            "switch" => Some(self.switch(node, value, visible)),
            "foreach" => self.foreach(node, value, visible),
            "repeat" => Some(self.repeat(node, value, visible)),
            "try" => Some(self.attempt(node, value, visible)),
            "wait" => self.wait(value, visible),
            "return" => Some(self.return_(node, value, visible)),
            "stop" => self.stop(node, value, visible),
            "log" => Some(self.log(node, value, visible)),
            _ => None,
        };
        made.map(|made| (kind, made))
    }

    fn retry(&mut self, node: &Node, default: &Retry, visible: &Visible) -> Option<RetryRule> {
        let node = node.get("retry")?;
        let tries = node
            .get("tries")
            .and_then(integer)
            .and_then(|n| u32::try_from(n).ok());
        let backoff = node
            .get("backoff")
            .and_then(|node| node.to_value().as_f64());
        let retry = Retry {
            tries: tries.unwrap_or(default.tries),
            within: period(node.get("for")).or(default.within),
            delay: period(node.get("delay")).unwrap_or(default.delay),
            backoff: backoff.unwrap_or(default.backoff),
            max_delay: period(node.get("max_delay")).unwrap_or(default.max_delay),
        };
        let with_error = visible.with_root("error", error_shape());
        let when = node.get("when");
        let when = when.map(|when| self.condition(when, &with_error));
        Some(RetryRule { retry, when })
    }

    /// Compiles a value.
    pub(in crate::compile) fn value(
        &mut self,
        node: &Node,
        visible: &Visible,
        expected: Option<&Shape>,
    ) -> Typed {
        let scope = Scope {
            facts: self.facts,
            visible,
            here: node.span,
            only: None,
        };
        Expression::compile(node, &scope, expected, &mut self.report)
    }

    /// Compiles a condition.
    pub(in crate::compile) fn condition(&mut self, node: &Node, visible: &Visible) -> Condition {
        let scope = Scope {
            facts: self.facts,
            visible,
            here: node.span,
            only: None,
        };
        Condition::compile(node, &scope, &mut self.report)
    }

    /// Compiles the arguments of something: none written is an empty mapping.
    pub(in crate::compile) fn arguments(
        &mut self,
        node: &Node,
        target: &Node,
        visible: &Visible,
        expected: &Shape,
    ) -> Expression {
        let nothing = Node {
            span: target.span,
            plain: false,
            kind: NodeKind::Map(Vec::new()),
        };
        let with = node.get("with").unwrap_or(&nothing);
        self.value(with, visible, Some(expected)).expression
    }

    pub(in crate::compile) fn place(&self, span: Span) -> Place {
        Place {
            file: self.file.document.file.clone(),
            span,
        }
    }
}
