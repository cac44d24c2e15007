//! What has changed since a job began, of what it pinned then.
//!
//! In: what a job pins. Out: whether its recipe, and which settings, are others now.
//! Always true: settings are named, their values are not told.

use std::collections::{BTreeMap, BTreeSet};

use super::place::Place;
use crate::compile::{Program, StepKind};
use crate::data::Value;
use crate::journal::{Entry, EntryKind};
use crate::names::{RecipeName, TableName};
use crate::store::{Pinned, StoreError};
use crate::trigger::Intake;

/// What has changed since a job began; a rerun on the version that ran passes it over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Whether its recipe, or one that it calls, has.
    pub recipe: bool,
    /// The settings that have, as `INTEGRATION / KEY`.
    pub settings: Vec<String>,
}

impl Changed {
    /// What has changed, in words, if anything has.
    pub fn in_words(&self) -> Option<String> {
        let settings = self.settings.join(", ");
        match (self.recipe, settings.is_empty()) {
            (false, true) => None,
            (true, true) => Some("the recipe has changed".to_owned()),
            (false, false) => Some(format!("settings have changed ({settings})")),
            (true, false) => Some(format!("the recipe and settings ({settings}) have changed")),
        }
    }
}

/// Compares what a job of this recipe pinned, if it began, with what counts now.
pub async fn changed_since(
    intake: &Intake,
    recipe: &RecipeName,
    pinned: Option<&Pinned>,
) -> Result<Changed, StoreError> {
    let (Some(pinned), Some(current)) = (pinned, intake.shelf.program(recipe)) else {
        return Ok(Changed::default());
    };
    let declared = intake.shelf.settings_of(&current);
    let settings = match intake.store.settings(&declared).await? {
        Ok(now) => differences(&pinned.settings, &now),
        // What is wrong with them now is said where they are used.
        Err(_) => Vec::new(),
    };
    Ok(Changed {
        recipe: pinned.program != current.hash,
        settings,
    })
}

/// The tables of which rows were read whose values are kept.
pub(super) fn rows_kept(program: &Program, entries: &[Entry]) -> BTreeSet<TableName> {
    let results = entries
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::StepSucceeded { .. }));
    let tables = results.filter_map(|entry| {
        let place = Place::of_key(program, &entry.key.0);
        match &place.parts.last()?.step.kind {
            StepKind::Table { table, operation } if operation.is_read() => Some(table.clone()),
            _ => None,
        }
    });
    tables.collect()
}

fn differences(before: &Value, after: &Value) -> Vec<String> {
    let (before, after) = (leaves(before), leaves(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name));
    changed.cloned().collect()
}

/// Settings by `INTEGRATION / KEY`; an integration in lower case is the same one once more.
fn leaves(settings: &Value) -> BTreeMap<String, &Value> {
    let mut leaves = BTreeMap::new();
    let projects = settings.as_object().into_iter().flatten();
    for (_, integrations) in projects {
        for (integration, keys) in integrations.as_object().into_iter().flatten() {
            for (key, value) in keys.as_object().into_iter().flatten() {
                leaves.insert(format!("{} / {key}", integration.to_uppercase()), value);
            }
        }
    }
    leaves
}
