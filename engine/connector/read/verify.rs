//! The `verify` of an action, once all actions are known.

use std::time::Duration;

use indexmap::IndexMap;

use super::super::grammar::VERIFY;
use super::super::roots::Shapes;
use super::super::verify::Verification;
use super::super::{Action, Effect, Verify, codes};
use super::fields::{count, known, period, required, text_of};
use crate::data::{Object, Value};
use crate::diagnostic::{Report, did_you_mean};
use crate::expression::{Condition, Expression};
use crate::shape::{Field, Shape};
use crate::source::Node;

/// The wait before each question where nothing is said.
const SETTLE: Duration = Duration::from_secs(5);
/// How often is asked where nothing is said.
const TRIES: u32 = 3;

/// Reads the verification of the named action.
pub(super) fn read(
    name: &str,
    node: &Node,
    actions: &IndexMap<String, Action>,
    report: &mut Report,
) -> Option<Verify> {
    known(node, "`verify`", &VERIFY.names(), report);
    let action = actions.get(name)?;
    if action.effect != Effect::Once {
        report
            .error(
                codes::VERIFY,
                node.span,
                "only an action of effect once is verified",
            )
            .help("remove `verify`: what may be repeated is simply repeated");
    }
    let asked = required(node, "action", "`verify`", report)?;
    let asked_name = text_of(asked, "`action`", codes::VERIFY, report)?;
    let Some(question) = actions.get(&*asked_name) else {
        let help = match did_you_mean(&asked_name, actions.keys().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "name an action of this file".to_owned(),
        };
        report
            .error(
                codes::VERIFY,
                asked.span,
                format!("there is no action `{asked_name}`"),
            )
            .help(help);
        return None;
    };
    if question.effect != Effect::Read {
        report
            .error(
                codes::VERIFY,
                asked.span,
                format!("`{asked_name}` changes something"),
            )
            .help("a question must be a read action");
    }
    let input = Shapes::default().with("input", action.input.clone());
    let settle = node
        .get("settle")
        .and_then(|node| period(node, "`settle`", report));
    let tries = node
        .get("tries")
        .and_then(|node| count(node, "`tries`", report));
    Some(Verify {
        settle: settle.unwrap_or(SETTLE),
        tries: tries.map_or(TRIES, |tries| u32::try_from(tries).unwrap_or(u32::MAX)),
        question: Verification {
            action: asked_name.to_string(),
            with: match node.get("with") {
                Some(node) => {
                    Expression::compile(node, &input, Some(&question.input), report).expression
                }
                None => Expression::literal(Value::Object(Object::new())),
            },
            pick: read_pick(node, question, &input, report),
            applied_when: node.get("applied_when").map(|node| {
                Condition::compile(node, &input.with("verify", question.output.clone()), report)
            }),
            output: read_output(node, action, question, &input, report),
        },
    })
}

fn read_pick(
    node: &Node,
    question: &Action,
    input: &Shapes,
    report: &mut Report,
) -> Option<Condition> {
    let pick = node.get("pick");
    if pick.is_none() && node.get("applied_when").is_none() {
        report
            .error(
                codes::VERIFY,
                node.span,
                "`verify` does not say what the answer means",
            )
            .help("add `applied_when`, or `pick` to find the one item of a listing");
    }
    let pick = pick?;
    if !question.is_listing {
        report
            .error(
                codes::VERIFY,
                pick.span,
                "`pick` needs a listing to pick from",
            )
            .help("use `applied_when`");
    }
    let roots = input
        .with("verify", question.output.clone())
        .with("item", question.element().clone());
    Some(Condition::compile(pick, &roots, report))
}

/// The output, which must type-check as the action's own.
fn read_output(
    node: &Node,
    action: &Action,
    question: &Action,
    input: &Shapes,
    report: &mut Report,
) -> Expression {
    let mut answer = match question.output.clone() {
        Shape::Fields(fields) => fields,
        _ => IndexMap::new(),
    };
    if node.get("pick").is_some() {
        answer.insert(
            "picked".to_owned(),
            Field::required(question.element().clone()),
        );
    }
    let roots = input.with("verify", Shape::Fields(answer));
    match node.get("output") {
        Some(node) => Expression::compile(node, &roots, Some(&wanted(action)), report).expression,
        None => {
            if let Shape::Fields(fields) = wanted(action)
                && fields.values().any(|field| !field.may_be_left_out())
            {
                required(node, "output", "`verify`", report);
            }
            Expression::literal(Value::Object(Object::new()))
        }
    }
}

/// The action's output; whether it was found need not be said, for it was.
fn wanted(action: &Action) -> Shape {
    let Shape::Fields(mut fields) = action.output.clone() else {
        return action.output.clone();
    };
    if let Some(found) = fields.get_mut("found") {
        found.optional = true;
    }
    Shape::Fields(fields)
}
