//! Which recipes still have to be started, and which are started and should not be.
//!
//! In: the recipes and how they stand. Out: one section.
//! Always true: what needs no start is not asked for.

use std::collections::BTreeMap;

use crate::compile::{Activation, Trigger};
use crate::names::RecipeName;
use crate::store::RecipeState;

use super::{Finding, Patient, Section, Topic};

/// The section about recipes.
pub(super) fn look(patient: &Patient, states: &BTreeMap<RecipeName, RecipeState>) -> Section {
    let mut findings = Vec::new();
    let mut started = 0;
    for (shown, program) in patient.programs() {
        let (name, title) = (&shown.name, &shown.title);
        let recipe = program.root();
        let is_started = states.get(name).is_some_and(|state| state.is_started);
        started += usize::from(is_started);
        let is_function = matches!(recipe.trigger, Trigger::Function | Trigger::Manual);
        let start = format!("`recipes start {name}`");
        findings.extend(match (recipe.activation, is_started) {
            (Some(Activation::ManualOnly), true) => Some(Finding::error(
                format!("\"{title}\" is started, and must only be run by hand"),
                format!("`recipes stop {name}`, then `recipes run {name}` when it is wanted"),
            )),
            (_, true) if is_function => Some(Finding::warning(
                format!("\"{title}\" is started, which does nothing: others call it as it is"),
                format!("`recipes stop {name}`"),
            )),
            (Some(Activation::Required), false) => Some(Finding::error(
                format!("\"{title}\" is not started, and is required"),
                start,
            )),
            (Some(Activation::Recommended), false) => Some(
                Finding::note(format!("\"{title}\" is not started; most want it to be"))
                    .with_help(start),
            ),
            (Some(Activation::ManualOnly), false) => Some(
                Finding::note(format!("\"{title}\" is run by hand only"))
                    .with_help(format!("`recipes run {name}`")),
            ),
            _ => None,
        });
    }
    findings.push(Finding::note(match started {
        0 => "no recipe of the project is started".to_owned(),
        1 => "one recipe of the project is started".to_owned(),
        count => format!("{count} recipes of the project are started"),
    }));
    Section::of(Topic::Recipes, findings, "")
}
