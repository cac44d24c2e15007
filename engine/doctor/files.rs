//! The files of a project, and the accounts that it uses.
//!
//! In: the shelf. Out: what is wrong in files, which connections are missing or incomplete.
//! Always true: what several recipes lack is said once, with how many lack it.

use std::collections::{BTreeMap, BTreeSet};

use crate::compile::{Trigger, WebhookAuth};
use crate::connector::codes::MISSING_CONNECTION_FIELD;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::library::Made;
use crate::library::codes::{
    INCOMPLETE_CONNECTION, NO_CONNECTION, NO_TABLE, UNUSABLE_RECIPE, WRONG_CONNECTION,
};
use crate::names::{ConnectionName, RecipeName};
use crate::trigger::Intake;

use super::{Finding, Patient, Section, Topic};

/// The file whose findings are about connections.
const CONNECTIONS: &str = "connections.yaml";

/// What recipes lack, and which of them.
type Lacking = BTreeMap<(Code, String, Option<String>), BTreeSet<RecipeName>>;

/// The sections about files and about connections.
pub(super) fn look(house: &Intake, patient: &Patient) -> (Section, Section) {
    let mut lacking = Lacking::new();
    for name in patient.recipes.keys() {
        let (found, _) = house.shelf.check_files(name, &*house.references);
        for found in found {
            let what = (found.code, found.message, found.help);
            lacking.entry(what).or_default().insert(name.clone());
        }
    }
    let mut in_files = Vec::new();
    let mut in_connections = Vec::new();
    let mut paths = paths(patient);
    let hindered = house.shelf.hindrances().into_iter();
    let own = hindered.filter(|(name, _)| patient.recipes.contains_key(name));
    paths.extend(own.map(|(_, file)| file.to_string()));
    for found in house.shelf.findings() {
        let file = &*found.place.file;
        // What a connection lacks is said of it below.
        if file == CONNECTIONS && found.code != MISSING_CONNECTION_FIELD {
            in_connections.push(of_file(&found));
        } else if paths.contains(file) {
            in_files.push(of_file(&found));
        }
    }
    if let Some(why) = house.shelf.refusal() {
        let text = format!("files were changed, and the server goes on without the change: {why}");
        in_files.push(Finding::error(
            text,
            "mend it; the server looks again by itself",
        ));
    }
    for ((code, message, help), recipes) in lacking {
        let help = help.unwrap_or_else(|| "look at `recipes check`".to_owned());
        let finding = Finding::error(format!("{message} ({})", who(&recipes)), help);
        match code {
            NO_CONNECTION | WRONG_CONNECTION | INCOMPLETE_CONNECTION => {
                in_connections.push(finding);
            }
            NO_TABLE | UNUSABLE_RECIPE => in_files.push(finding),
            // What stands in a file was said already.
            _ => {}
        }
    }
    let well = format!(
        "the {} recipes and what they use have no errors",
        patient.recipes.len()
    );
    let mut files = Section::of(Topic::Files, in_files, &well);
    for origin in origins(house, patient) {
        files.add(Finding::note(origin));
    }
    (
        files,
        Section::of(Topic::Connections, in_connections, &complete(patient)),
    )
}

/// What of the project is a copy, and what is customised.
fn origins(house: &Intake, patient: &Patient) -> Vec<String> {
    let library = house.shelf.library();
    let mut customised = Vec::new();
    let mut copied: BTreeMap<(String, String), usize> = BTreeMap::new();
    for name in patient.recipes.keys() {
        match library.made(name) {
            Some(Made::Customised(_)) => customised.push(format!("`{name}`")),
            Some(Made::Alike(_)) => customised.push(format!("`{name}` (as the original)")),
            Some(Made::Copy(of, version)) => {
                *copied
                    .entry((of.project().to_owned(), version))
                    .or_default() += 1;
            }
            Some(Made::Bundled | Made::Here) | None => {}
        }
    }
    let copied = copied.into_iter().map(|((of, version), count)| {
        let version = match version.is_empty() {
            true => String::new(),
            false => format!(" {version}"),
        };
        match count {
            1 => format!("one recipe is a copy of one of `{of}`{version}"),
            count => format!("{count} recipes are copies of those of `{of}`{version}"),
        }
    });
    let mut told: Vec<String> = copied.collect();
    if !customised.is_empty() {
        let customised = customised.join(", ");
        told.push(format!(
            "customised, in place of what is bundled: {customised}"
        ));
    }
    told
}

/// The files that a project stands in, and those of what its recipes use.
fn paths(patient: &Patient) -> BTreeSet<String> {
    let own = &patient.project.name;
    let mut paths = BTreeSet::from([format!("recipes/{own}/project.yaml")]);
    if let Some(doctor) = &patient.project.doctor {
        paths.insert(format!("recipes/{doctor}.yaml"));
    }
    paths.extend(
        patient
            .recipes
            .keys()
            .map(|name| format!("recipes/{name}.yaml")),
    );
    for (_, program) in patient.programs() {
        for recipe in program.recipes.values() {
            paths.insert(format!("recipes/{}.yaml", recipe.name));
            let connectors = recipe.actions().into_iter().map(|action| &action.connector);
            paths.extend(connectors.map(|name| format!("connectors/{name}.yaml")));
        }
        let tables = super::rows::tables_of(program);
        paths.extend(
            tables
                .iter()
                .map(|name| format!("lookup-tables/{name}.yaml")),
        );
    }
    paths
}

/// All connections that the recipes use, as a sentence.
fn complete(patient: &Patient) -> String {
    let mut names: BTreeSet<&ConnectionName> = BTreeSet::new();
    for (_, program) in patient.programs() {
        for recipe in program.recipes.values() {
            names.extend(
                recipe
                    .actions()
                    .into_iter()
                    .map(|action| &action.connection),
            );
            if let Trigger::Webhook(webhook) = &recipe.trigger {
                names.extend(webhook.auth.as_ref().map(WebhookAuth::connection));
            }
        }
    }
    let names: Vec<&str> = names.into_iter().map(ConnectionName::as_str).collect();
    match names.as_slice() {
        [] => "none is needed".to_owned(),
        names => format!("complete: {}", names.join(", ")),
    }
}

fn of_file(found: &Diagnostic) -> Finding {
    let text = format!("{}: {}", found.place, found.message);
    let help = found.help.clone();
    let help = help.unwrap_or_else(|| format!("`recipes check --explain {}`", found.code.0));
    match found.severity {
        Severity::Error => Finding::error(text, help),
        Severity::Warning | Severity::Advice => Finding::warning(text, help),
    }
}

/// Who lacks something: by name, or how many.
fn who(recipes: &BTreeSet<RecipeName>) -> String {
    match recipes.first() {
        Some(only) if recipes.len() == 1 => format!("needed by `{only}`"),
        _ => format!("needed by {} recipes", recipes.len()),
    }
}
