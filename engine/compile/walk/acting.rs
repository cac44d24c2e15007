//! Steps that act outside of the recipe: actions, calls, starts.
//!
//! Always true: targets are looked up in the catalogue, arguments are held against what the target
//! declares, and the result has the shape that the target declares.

use std::sync::Arc;

use super::{Made, Walk, error_shape};
use crate::compile::catalogue::{Signature, resolve};
use crate::compile::codes;
use crate::compile::scope::{Visible, as_read};
use crate::compile::{ActionRef, StepKind};
use crate::connector::{Action, Connector};
use crate::diagnostic::{Span, did_you_mean};
use crate::expression::Expression;
use crate::names::{ConnectionName, ConnectorName, RecipeName};
use crate::shape::{Field, Shape};
use crate::source::Node;

impl Walk<'_> {
    pub(in crate::compile) fn action(
        &mut self,
        node: &Node,
        target: &Node,
        visible: &mut Visible,
    ) -> Option<Made> {
        let (action, found) = self.action_ref(node, target)?;
        let with = self.arguments(node, target, visible, &found.input);
        let also_send = node.get("also_send");
        let also_send = also_send.map(|node| {
            let expected = Shape::Object;
            self.value(node, visible, Some(&expected)).expression
        });
        let name = format!("{}.{}", action.connector, action.action);
        let retry = action.retry.clone();
        let result = with_raw(&found.output);
        let kind = StepKind::Action {
            action,
            with,
            also_send,
        };
        let made = Made::giving(kind, result).on(&name);
        Some(Made { retry, ..made })
    }

    /// Looks up `connector.action`.
    pub(in crate::compile) fn action_ref(
        &mut self,
        node: &Node,
        target: &Node,
    ) -> Option<(ActionRef, Arc<Action>)> {
        let (connector, action) = self.find_action(target)?;
        let own = node.get("connection").and_then(Node::as_text);
        let usual = self.project.connections.get(connector.name.as_str());
        let connection = match own {
            Some(name) => ConnectionName::new(name).ok(),
            None => usual
                .cloned()
                .or_else(|| ConnectionName::new(connector.name.as_str()).ok()),
        }?;
        let found = &connector.actions[&action];
        let id = node.get("id").and_then(Node::as_text);
        let keeps_raw = id.is_some_and(|id| {
            let text = &self.file.document.text;
            text.contains(&format!("steps.{id}.raw")) || text.contains(&format!("steps.{id}['raw"))
        });
        let reference = ActionRef {
            connector: connector.name.clone(),
            connection,
            effect: found.effect,
            is_listing: found.is_listing,
            verify: found.verify.clone(),
            retry: found.retry.clone(),
            keeps_raw,
            action,
        };
        Some((reference, Arc::new(found.clone())))
    }

    fn find_action(&mut self, target: &Node) -> Option<(Arc<Connector>, String)> {
        let text = target.as_text()?;
        let Some((connector, action)) = text.split_once('.') else {
            self.report
                .error(
                    codes::BAD_TARGET,
                    target.span,
                    format!("`{text}` is not an action"),
                )
                .help("write `connector.action`, such as `mail.send`");
            return None;
        };
        let name = ConnectorName::new(connector).ok();
        let Some(found) = name.and_then(|name| self.catalogue.connectors.get(&name)) else {
            let known = self.catalogue.connectors.keys().map(ConnectorName::as_str);
            let known: Vec<&str> = known.collect();
            let span = target.part(0, connector.len());
            self.report
                .error(
                    codes::UNKNOWN_CONNECTOR,
                    span,
                    format!("there is no connector `{connector}`"),
                )
                .help(meant(connector, &known));
            return None;
        };
        if !found.actions.contains_key(action) {
            let known: Vec<&str> = found.actions.keys().map(String::as_str).collect();
            let span = target.part(connector.len() + 1, action.len());
            self.report
                .error(
                    codes::UNKNOWN_ACTION,
                    span,
                    format!("`{connector}` has no action `{action}`"),
                )
                .help(meant(action, &known));
            return None;
        }
        Some((found.clone(), action.to_owned()))
    }

    pub(in crate::compile) fn call(
        &mut self,
        node: &Node,
        target: &Node,
        visible: &mut Visible,
    ) -> Option<Made> {
        let (recipe, with, output) = self.recipe_call(node, target, visible)?;
        let name = recipe.to_string();
        let made = Made::giving(StepKind::Call { recipe, with }, output);
        Some(made.on(&name))
    }

    pub(in crate::compile) fn start(
        &mut self,
        node: &Node,
        target: &Node,
        visible: &mut Visible,
    ) -> Option<Made> {
        let (recipe, with, _) = self.recipe_target(node, target, visible)?;
        let result = Shape::object_of([("job_id", Field::required(Shape::String))]);
        let name = recipe.to_string();
        let made = Made::giving(StepKind::Start { recipe, with }, result);
        Some(made.on(&name))
    }

    pub(in crate::compile) fn await_jobs(&mut self, value: &Node, visible: &Visible) -> Made {
        let expected = Shape::list_of(Shape::String);
        let jobs = self.value(value, visible, Some(&expected)).expression;
        let result = Shape::object_of([
            ("job_id", Field::required(Shape::String)),
            ("status", Field::required(Shape::String)),
            ("output", Field::optional(Shape::Any)),
            ("error", Field::optional(error_shape())),
        ]);
        let result = Shape::object_of([
            ("results", Field::required(Shape::list_of(result))),
            ("succeeded", Field::required(Shape::Integer)),
            ("failed", Field::required(Shape::Integer)),
        ]);
        Made::giving(StepKind::Await { jobs }, result)
    }

    /// Looks a recipe up that runs as a frame of the same job, and compiles its arguments.
    pub(in crate::compile) fn recipe_call(
        &mut self,
        node: &Node,
        target: &Node,
        visible: &Visible,
    ) -> Option<(RecipeName, Expression, Shape)> {
        let called = self.recipe_target(node, target, visible)?;
        self.check_cycle(&called.0, target.span);
        Some(called)
    }

    /// Looks a recipe up and compiles its arguments.
    fn recipe_target(
        &mut self,
        node: &Node,
        target: &Node,
        visible: &Visible,
    ) -> Option<(RecipeName, Expression, Shape)> {
        let (recipe, signature) = self.find_recipe(target)?;
        if !matches!(&*signature.trigger, "function" | "manual" | "") {
            let trigger = &signature.trigger;
            self.report
                .error(
                    codes::NOT_CALLABLE,
                    target.span,
                    format!("`{recipe}` cannot be called: its trigger is `{trigger}`"),
                )
                .help("move what both need into a recipe whose trigger is `function`");
            return None;
        }
        let with = self.arguments(node, target, visible, &signature.input);
        Some((recipe, with, as_read(&signature.output)))
    }

    fn find_recipe(&mut self, target: &Node) -> Option<(RecipeName, Arc<Signature>)> {
        let text = target.as_text()?;
        let own = self.file.name.project();
        let Some(name) = resolve(text, own) else {
            self.report
                .error(
                    codes::BAD_TARGET,
                    target.span,
                    format!("`{text}` is not a recipe's name"),
                )
                .help("write its file name without `.yaml`, or `project/name`");
            return None;
        };
        let catalogue = self.catalogue;
        if let Some(signature) = catalogue.signatures.get(&name) {
            return Some((name, signature.clone()));
        }
        let all = catalogue.signatures.keys();
        let known: Vec<&str> = if text.contains('/') {
            all.map(RecipeName::as_str).collect()
        } else {
            all.filter(|known| known.project() == own)
                .map(RecipeName::name)
                .collect()
        };
        let help = did_you_mean(text, known.iter().copied()).map_or_else(
            || format!("recipes of a project are the files in its folder: recipes/{own}/"),
            |meant| format!("did you mean `{meant}`?"),
        );
        self.report
            .error(
                codes::UNKNOWN_RECIPE,
                target.span,
                format!("there is no recipe `{name}`"),
            )
            .help(help);
        None
    }

    /// Reports a call from which this recipe can be reached again.
    fn check_cycle(&mut self, called: &RecipeName, span: Span) {
        let start = &self.file.name;
        let mut seen = vec![called];
        let mut open = vec![vec![called]];
        while let Some(way) = open.pop() {
            let Some(&last) = way.last() else { continue };
            if last == start {
                let names: Vec<&str> = way.iter().map(|name| name.as_str()).collect();
                self.report
                    .error(
                        codes::CALL_CYCLE,
                        span,
                        format!("this call leads back to `{start}`"),
                    )
                    .help(format!("{start} -> {}", names.join(" -> ")));
                return;
            }
            let calls = self.catalogue.signatures.get(last).map(|s| &s.calls[..]);
            for (next, _) in calls.unwrap_or_default() {
                if next == start || !seen.contains(&next) {
                    seen.push(next);
                    let mut longer = way.clone();
                    longer.push(next);
                    open.push(longer);
                }
            }
        }
    }
}

/// An action's output with the raw reply beside it.
fn with_raw(output: &Shape) -> Shape {
    let Shape::Fields(fields) = output else {
        return output.clone();
    };
    let mut fields = fields.clone();
    let raw = || Field::optional(Shape::Any);
    fields.entry("raw".to_owned()).or_insert_with(raw);
    Shape::Fields(fields)
}

/// Help for a name that is not known.
pub(in crate::compile) fn meant(written: &str, known: &[&str]) -> String {
    if let Some(meant) = did_you_mean(written, known.iter().copied()) {
        return format!("did you mean `{meant}`?");
    }
    if known.is_empty() {
        return "there are none yet".to_owned();
    }
    let names: Vec<String> = known
        .iter()
        .take(20)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = if known.len() > 20 { ", ..." } else { "" };
    format!("known: {}{more}", names.join(", "))
}
