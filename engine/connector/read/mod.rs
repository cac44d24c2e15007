//! From the tree of `connectors/<name>.yaml` to a [`Connector`].
//!
//! In: a document. Out: a connector to go on with, and all findings at once.
//! Always true: a connector that was read without errors can build and judge all of its calls.

mod action;
mod fields;
mod output;
mod pages;
mod replies;
mod request;
mod sign_in;
mod verify;

pub(super) use fields::{entries, text_of, unknown_key};

use indexmap::IndexMap;

use super::grammar::{ALLOWANCE, BUDGET, CONNECTOR, RETRY};
use super::message::Place;
use super::roots::Shapes;
use super::{Action, AllowanceRule, Budget, Connector, Effect, Retry, SignIn, codes};
use crate::data::digest;
use crate::diagnostic::Report;
use crate::expression::Expression;
use crate::mask::point_out_secrets;
use crate::names::ConnectorName;
use crate::shape::{Field, Shape};
use crate::source::{Document, Node, NodeKind};
use fields::{count, known, name, period, required, text_under, text_value, value, values};

/// Where built-in connectors are said to stand; only they may do more than HTTP.
pub(super) const BUILT_IN: &str = "built-in/";

/// Reads a connector.
pub fn read(connector: &ConnectorName, document: &Document, report: &mut Report) -> Connector {
    let root = &document.root;
    known(root, "a connector", &CONNECTOR.names(), report);
    point_out_secrets(root, report);
    required(root, "title", "the connector", report);
    required(root, "actions", "the connector", report);
    let connection = read_connection(root, report);
    let roots = Shapes::connection(&connection);
    let mut read = Connector {
        name: connector.clone(),
        title: text_under(root, "title", report),
        description: text_under(root, "description", report),
        hash: digest(document.text.as_bytes()),
        base_url: root
            .get("base_url")
            .map(|node| text_value(node, &roots, report)),
        headers: root
            .get("headers")
            .map(|node| values(node, "`headers`", &roots, report))
            .unwrap_or_default(),
        sign_in: root
            .get("sign_in")
            .map_or(SignIn::None, |node| sign_in::read(node, &roots, report)),
        probe: None,
        budget: read_budget(root, &roots, report),
        allowance: read_allowance(root, &roots, report),
        message: read_message(root, &roots, report),
        connection,
        actions: IndexMap::new(),
    };
    let defaults = action::Defaults {
        roots: roots.clone(),
        may_send_mail: document.file.starts_with(BUILT_IN),
        timeout: root
            .get("timeout")
            .and_then(|node| period(node, "`timeout`", report))
            .unwrap_or(action::TIMEOUT),
        retry: read_retry(root, &Retry::DEFAULT, report),
        replies: root.get("replies"),
    };
    read.actions = read_actions(root, &defaults, report);
    if read.base_url.is_none() && read.actions.values().any(Action::is_http) {
        required(root, "base_url", "the connector", report);
    }
    read.probe = read_probe(root, &read.actions, report);
    read
}

fn read_connection(root: &Node, report: &mut Report) -> IndexMap<String, Field> {
    let Some(node) = root.get("connection") else {
        return IndexMap::new();
    };
    for (key, _) in entries(node, "`connection`", codes::WRONG_KIND, report) {
        name(key, "a field of a connection", report);
    }
    Shape::parse_fields(node, report)
}

fn read_actions(
    root: &Node,
    defaults: &action::Defaults<'_>,
    report: &mut Report,
) -> IndexMap<String, Action> {
    let Some(node) = root.get("actions") else {
        return IndexMap::new();
    };
    let written = entries(node, "`actions`", codes::WRONG_KIND, report);
    let mut actions = IndexMap::new();
    for (key, node) in written {
        if name(key, "an action", report) {
            actions.insert(
                key.text.to_string(),
                action::read(key, node, defaults, report),
            );
        }
    }
    for (key, node) in written {
        let Some(asking) = node.get("verify") else {
            continue;
        };
        let verify = verify::read(&key.text, asking, &actions, report);
        if let Some(action) = actions.get_mut(&*key.text) {
            action.verify = verify;
        }
    }
    actions
}

fn read_probe(
    root: &Node,
    actions: &IndexMap<String, Action>,
    report: &mut Report,
) -> Option<String> {
    let node = root.get("probe")?;
    let written = text_of(node, "`probe`", codes::PROBE, report)?;
    let wrong = match actions.get(&*written) {
        None => format!("there is no action `{written}`"),
        Some(action) if action.effect != Effect::Read => format!("`{written}` changes something"),
        Some(action) if !takes_nothing(&action.input) => format!("`{written}` needs input"),
        Some(_) => return Some(written.to_string()),
    };
    report
        .error(codes::PROBE, node.span, wrong)
        .help("name an action of effect read that needs no input");
    None
}

fn takes_nothing(input: &Shape) -> bool {
    match input {
        Shape::Fields(fields) => fields.values().all(Field::may_be_left_out),
        _ => false,
    }
}

/// The budgets under `budget`.
fn read_budget(node: &Node, roots: &Shapes, report: &mut Report) -> Vec<Budget> {
    let Some(written) = node.get("budget") else {
        return Vec::new();
    };
    let mut budgets = Vec::new();
    for node in fields::list(written) {
        known(node, "a budget", &BUDGET.names(), report);
        let calls = required(node, "calls", "the budget", report).map(|node| {
            if matches!(node.kind, NodeKind::Integer(_)) {
                let calls = count(node, "`calls`", report).unwrap_or(1);
                return Expression::literal(calls.into());
            }
            value(node, roots, report)
        });
        let per = required(node, "per", "the budget", report)
            .and_then(|node| period(node, "`per`", report));
        if let (Some(calls), Some(per)) = (calls, per) {
            budgets.push(Budget { calls, per });
        }
    }
    budgets
}

fn read_allowance(root: &Node, roots: &Shapes, report: &mut Report) -> Option<AllowanceRule> {
    let node = root.get("allowance")?;
    known(node, "`allowance`", &ALLOWANCE.names(), report);
    let roots = roots.with_reply();
    let remaining = required(node, "remaining", "`allowance`", report);
    let resets = required(node, "resets", "`allowance`", report);
    Some(AllowanceRule {
        remaining: value(remaining?, &roots, report),
        resets: value(resets?, &roots, report),
    })
}

fn read_message(root: &Node, roots: &Shapes, report: &mut Report) -> Vec<Place> {
    let Some(written) = root.get("message") else {
        return Vec::new();
    };
    let roots = roots.with_reply();
    fields::list(written)
        .iter()
        .map(|node| match node.as_text() {
            Some(text) if &**text == "text" => Place::Text,
            _ => Place::Value(value(node, &roots, report)),
        })
        .collect()
}

/// What `retry` says, over what holds without it.
fn read_retry(node: &Node, otherwise: &Retry, report: &mut Report) -> Retry {
    let mut retry = otherwise.clone();
    let Some(node) = node.get("retry") else {
        return retry;
    };
    known(node, "`retry`", &RETRY.names(), report);
    if let Some(tries) = node
        .get("tries")
        .and_then(|node| count(node, "`tries`", report))
    {
        retry.tries = u32::try_from(tries).unwrap_or(u32::MAX);
    }
    if let Some(node) = node.get("for") {
        retry.within = period(node, "`for`", report);
    }
    if let Some(delay) = node
        .get("delay")
        .and_then(|node| period(node, "`delay`", report))
    {
        retry.delay = delay;
    }
    if let Some(most) = node
        .get("max_delay")
        .and_then(|node| period(node, "`max_delay`", report))
    {
        retry.max_delay = most;
    }
    if let Some(node) = node.get("backoff") {
        match node
            .to_value()
            .as_f64()
            .filter(|factor| (1.0..=100.0).contains(factor))
        {
            Some(factor) => retry.backoff = factor,
            None => {
                report
                    .error(
                        codes::QUANTITY,
                        node.span,
                        "`backoff` must be a number from 1 to 100",
                    )
                    .help("2 doubles the wait each time");
            }
        }
    }
    retry
}

/// The places where a connector takes or gives `any`, which a shipped one must not.
pub fn check_shipped(connector: &Connector) -> Vec<String> {
    let mut places = Vec::new();
    for (name, action) in &connector.actions {
        for (side, shape) in [("input", &action.input), ("output", &action.output)] {
            find_any(
                shape,
                &format!("{}.{name} {side}", connector.name),
                &mut places,
            );
        }
    }
    places
}

fn find_any(shape: &Shape, path: &str, places: &mut Vec<String>) {
    match shape {
        Shape::Any => places.push(path.to_owned()),
        Shape::List(element) => find_any(element, &format!("{path}[]"), places),
        Shape::Fields(fields) => {
            for (name, field) in fields {
                find_any(&field.shape, &format!("{path}.{name}"), places);
            }
        }
        _ => {}
    }
}
