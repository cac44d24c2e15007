//! Whether a recipe has all that it and everything it calls need.
//!
//! In: a recipe's name, the shelf, the stored settings. Out: everything that is missing, at once.
//! Always true: what is found says where it is needed and how to mend it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::compile::{Program, Recipe, StepKind, Trigger, WebhookAuth};
use crate::connector::{Connection, Connections, References};
use crate::diagnostic::{Diagnostic, Report, Severity, Span};
use crate::names::{ConnectionName, ConnectorName, RecipeName};
use crate::source::{Node, NodeKind};
use crate::store::{Store, StoreError};

use super::shelf::Held;
use super::subject::start;
use super::{Shelf, codes};

/// What holding a closure against the workspace found.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// What keeps the recipe from running.
    pub errors: Vec<Diagnostic>,
    /// What it may run into.
    pub warnings: Vec<Diagnostic>,
}

impl Shelf {
    /// Holds a recipe and everything it reaches against the workspace and the stored settings.
    pub async fn check_start(
        &self,
        name: &RecipeName,
        store: &Store,
        references: &dyn References,
    ) -> Result<Start, StoreError> {
        let (mut found, program) = self.check_files(name, references);
        if let Some(program) = program {
            let settings = store.settings(&self.settings_of(&program)).await?;
            found.extend(self.check_settings(&program, &settings));
        }
        found.sort_by(|a, b| (&a.place, a.code).cmp(&(&b.place, b.code)));
        found.dedup();
        let (errors, warnings) = found
            .into_iter()
            .partition(|found| found.severity == Severity::Error);
        Ok(Start { errors, warnings })
    }

    /// What is missing in files and the environment alone.
    pub fn check_files(
        &self,
        name: &RecipeName,
        references: &dyn References,
    ) -> (Vec<Diagnostic>, Option<Arc<Program>>) {
        let held = self.read();
        let mut found = broken_files(&held, name);
        let program = held.programs.get(name).cloned();
        match &program {
            Some(program) => {
                for recipe in program.recipes.values() {
                    check_recipe(&held, recipe, references, &mut found);
                }
            }
            None if found.is_empty() => {
                let mut report = Report::of(&path_of(name));
                let message =
                    format!("`{name}` or a recipe that it calls has errors or is missing");
                report
                    .error(codes::UNUSABLE_RECIPE, start(), message)
                    .help("run `recipes check` and mend what it names");
                found.extend(report.into_diagnostics());
            }
            None => {}
        }
        (found, program)
    }

    /// Why jobs of a recipe cannot begin at the moment; `None` if they can.
    pub fn why_unusable(&self, name: &RecipeName) -> Option<String> {
        let held = self.read();
        if held.programs.contains_key(name) {
            return None;
        }
        let broken = broken_files(&held, name);
        Some(match broken.first() {
            Some(found) => format!(
                "{} has errors (`recipes check` shows them)",
                found.place.file
            ),
            None => format!("`{name}`, or a recipe that it calls, has no file any more"),
        })
    }

    fn check_settings(
        &self,
        program: &Program,
        settings: &Result<crate::data::Value, String>,
    ) -> Vec<Diagnostic> {
        let held = self.read();
        let mut found = Vec::new();
        for name in program.recipes.keys() {
            let Some(written) = held.library.written.get(name) else {
                continue;
            };
            let mut report = Report::of(&written.file);
            let values = match settings {
                Ok(values) => values,
                Err(why) => {
                    report
                        .error(codes::WRONG_SETTING, start(), why.as_str())
                        .help("mend the row in the lookup table `integration-settings`");
                    found.extend(report.into_diagnostics());
                    return found;
                }
            };
            let Some(tree) = written.tree() else {
                continue;
            };
            let declared = held.library.catalogue.projects.get(name.project());
            for ((integration, key), span) in settings_read(&tree) {
                let field = declared.and_then(|project| {
                    let keys = project.settings.iter();
                    let mut keys = keys.filter(|(name, _)| name.to_lowercase() == integration);
                    keys.next()
                        .and_then(|(name, keys)| Some((name, keys.get(&key)?)))
                });
                let Some((written_as, field)) = field else {
                    continue;
                };
                let is_there = values
                    .get(name.project())
                    .and_then(|all| all.get(written_as).or_else(|| all.get(&integration)))
                    .and_then(|keys| keys.get(&key))
                    .is_some();
                if is_there || field.may_be_left_out() {
                    continue;
                }
                let label = field.label.as_deref().unwrap_or(&key);
                let message =
                    format!("the setting `{written_as}` / `{key}` ({label}) has no value");
                report
                    .error(codes::WRONG_SETTING, span, message)
                    .help(format!(
                        "add a row to the lookup table `integration-settings`: integration \
                     {written_as}, key {key}, value {}",
                        field.shape
                    ));
            }
            found.extend(report.into_diagnostics());
        }
        found
    }
}

/// The errors in the files of a recipe and of all that it calls and starts as written.
fn broken_files(held: &Held, root: &RecipeName) -> Vec<Diagnostic> {
    let signatures = &held.library.catalogue.signatures;
    let mut seen = BTreeSet::new();
    let mut open = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        if let Some(signature) = signatures.get(&name) {
            let reached = signature.calls.iter().chain(&signature.starts);
            open.extend(reached.map(|(name, _)| name.clone()));
        }
        let path = path_of(&name);
        let hindered = held.library.hindered.get(&name);
        for path in [Some(&*path), hindered.map(|file| &**file)]
            .into_iter()
            .flatten()
        {
            let errors = held.library.diagnostics_of(path).cloned();
            let errors = errors.filter(|found| found.severity == Severity::Error);
            let is_new = |error: &Diagnostic| !found.contains(error);
            let new: Vec<_> = errors.filter(is_new).collect();
            found.extend(new);
        }
    }
    found
}

/// What one recipe needs of connections and tables.
fn check_recipe(
    held: &Held,
    recipe: &Recipe,
    references: &dyn References,
    found: &mut Vec<Diagnostic>,
) {
    let mut report = Report::of(&path_of(&recipe.name));
    let mut needed: BTreeMap<ConnectionName, (Option<ConnectorName>, Span)> = BTreeMap::new();
    if let Trigger::Webhook(webhook) = &recipe.trigger {
        let auth = webhook.auth.as_ref().map(sign_in);
        needed.extend(auth.map(|(name, wanted)| {
            let wanted = ConnectorName::new(wanted).ok();
            (name.clone(), (wanted, start()))
        }));
    }
    if let Trigger::Poll(poll) = &recipe.trigger {
        let wanted = Some(poll.action.connector.clone());
        needed.insert(poll.action.connection.clone(), (wanted, start()));
    }
    let tables = &held.library.catalogue.tables;
    recipe.for_each_step(&mut |step| {
        if let Some(action) = step.kind.action() {
            let connector = Some(action.connector.clone());
            needed.insert(action.connection.clone(), (connector, step.place.span));
        }
        if let StepKind::Table { table, .. } = &step.kind
            && !tables.contains_key(table)
        {
            let message = format!("there is no lookup table `{table}`");
            report
                .error(codes::NO_TABLE, step.place.span, message)
                .help(format!("add lookup-tables/{table}.yaml"));
        }
    });
    for (name, (connector, span)) in needed {
        check_connection(
            held,
            &name,
            connector.as_ref(),
            span,
            references,
            &mut report,
        );
    }
    found.extend(report.into_diagnostics());
}

/// The connection of a webhook's sign-in, and the connector that it must be for.
fn sign_in(auth: &WebhookAuth) -> (&ConnectionName, &'static str) {
    match auth {
        WebhookAuth::Basic(name) => (name, "webhook_basic"),
        WebhookAuth::Token(name) => (name, "webhook_token"),
        WebhookAuth::Hmac(name) => (name, "webhook_hmac"),
    }
}

/// Holds a webhook's sign-in against the connection that it names, if there is one: one that holds
/// another kind of secret lets nobody in, ever.
pub(super) fn check_sign_in(
    recipe: &Recipe,
    span: Option<Span>,
    connections: &Connections,
    report: &mut Report,
) {
    let Trigger::Webhook(webhook) = &recipe.trigger else {
        return;
    };
    let Some((name, wanted)) = webhook.auth.as_ref().map(sign_in) else {
        return;
    };
    let connection = connections.get(name);
    if let Some(connection) = connection.filter(|found| found.connector.as_str() != wanted) {
        wrong_connection(connection, wanted, span.unwrap_or_else(start), report);
    }
}

fn wrong_connection(connection: &Connection, wanted: &str, span: Span, report: &mut Report) {
    let (name, connector) = (&connection.name, &connection.connector);
    let message = format!("connection `{name}` is for `{connector}`, not for `{wanted}`");
    report
        .error(codes::WRONG_CONNECTION, span, message)
        .help(format!(
            "name a connection that has `connector: {wanted}` in connections.yaml, or change that \
             of `{name}` there"
        ));
}

fn check_connection(
    held: &Held,
    name: &ConnectionName,
    wanted: Option<&ConnectorName>,
    span: Span,
    references: &dyn References,
    report: &mut Report,
) {
    let Some(connection) = held.library.connections.get(name) else {
        let connector = wanted.map_or(
            "webhook_basic, webhook_token or webhook_hmac".into(),
            |wanted| wanted.to_string(),
        );
        report
            .error(
                codes::NO_CONNECTION,
                span,
                format!("there is no connection `{name}`"),
            )
            .help(format!(
                "add `{name}` to connections.yaml, with `connector: {connector}`"
            ));
        return;
    };
    if let Some(wanted) = wanted.filter(|wanted| **wanted != connection.connector) {
        wrong_connection(connection, wanted.as_str(), span, report);
        return;
    }
    let connectors = &held.library.catalogue.connectors;
    let Some(connector) = connectors.get(&connection.connector) else {
        return;
    };
    for lack in connection.lacks(connector, references) {
        report
            .error(codes::INCOMPLETE_CONNECTION, span, lack.message)
            .help(lack.help);
    }
}

/// The settings that a recipe reads, each with a place.
fn settings_read(root: &Node) -> BTreeMap<(String, String), Span> {
    let mut found = BTreeMap::new();
    see(root, &mut found);
    found
}

fn see(node: &Node, found: &mut BTreeMap<(String, String), Span>) {
    match &node.kind {
        NodeKind::Text(text) => mentions(text, node.span, found),
        NodeKind::List(elements) => elements.iter().for_each(|element| see(element, found)),
        NodeKind::Map(entries) => {
            for (key, inner) in entries {
                mentions(&key.text, key.span, found);
                see(inner, found);
            }
        }
        _ => {}
    }
}

/// Finds `settings.<integration>.<KEY>` where it must have a value: not followed by `?`.
fn mentions(text: &str, span: Span, found: &mut BTreeMap<(String, String), Span>) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for (at, word) in text.match_indices("settings.") {
        let is_root = !text[..at].ends_with(is_name) && !text[..at].ends_with('?');
        let rest = &text[at + word.len()..];
        let Some((integration, rest)) = rest.split_once('.').filter(|_| is_root) else {
            continue;
        };
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        if integration.chars().all(is_name) && !key.is_empty() && !after.starts_with('?') {
            found
                .entry((integration.to_lowercase(), key.to_owned()))
                .or_insert(span);
        }
    }
}

fn path_of(name: &RecipeName) -> Arc<str> {
    Arc::from(super::path_of(name))
}
