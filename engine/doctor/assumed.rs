//! The vendor calls that a project relies on and whose form nobody has documented.
//!
//! In: the recipes, the connectors, what is started. Out: one section.
//! Always true: a call is named once, with the recipes that make it; those that a started recipe
//! reaches come first.

use std::collections::{BTreeMap, BTreeSet};

use crate::connector::{Provenance, Verification};
use crate::names::{ConnectorName, RecipeName};
use crate::store::RecipeState;
use crate::trigger::Intake;

use super::{Finding, Patient, Section, Topic};

/// Recipes by the assumed actions that they use.
type Users = BTreeMap<(ConnectorName, String), BTreeSet<RecipeName>>;

/// The section about assumed calls.
pub(super) fn look(
    house: &Intake,
    patient: &Patient,
    states: &BTreeMap<RecipeName, RecipeState>,
) -> Section {
    let (connectors, _) = house.shelf.accounts();
    let mut titles = BTreeMap::new();
    let mut users = Users::new();
    let mut reached = BTreeSet::new();
    for (shown, program) in patient.programs() {
        titles.insert(&shown.name, &shown.title);
        if states
            .get(&shown.name)
            .is_some_and(|state| state.is_started)
        {
            reached.extend(program.recipes.keys().cloned());
        }
        for used in program.root().actions() {
            let Some(connector) = connectors.get(&used.connector) else {
                continue;
            };
            let Some(action) = connector.action(&used.action) else {
                continue;
            };
            // A question to the vendor after a doubtful end is a call as well.
            let asked = action.verify.as_ref().map(|verify| &verify.question);
            let asked = asked.map(|Verification { action, .. }| action.as_str());
            for name in [Some(&*used.action), asked].into_iter().flatten() {
                let known = connector.action(name);
                if known.is_some_and(|known| known.provenance == Provenance::Assumed) {
                    let call = (used.connector.clone(), name.to_owned());
                    users.entry(call).or_default().insert(shown.name.clone());
                }
            }
        }
    }
    let findings: Vec<Finding> = users
        .iter()
        .map(|((connector, action), recipes)| {
            let is_reached = recipes.iter().any(|name| reached.contains(name));
            let title = connectors.get(connector).and_then(|c| c.action(action));
            let title = title.map_or("", |action| &*action.title);
            let by: Vec<String> = recipes
                .iter()
                .map(|name| {
                    titles
                        .get(name)
                        .map_or_else(|| name.to_string(), |t| format!("\"{t}\""))
                })
                .collect();
            let by = by.join(", ");
            let text = format!("`{connector}.{action}` ({title}), used by {by}");
            match is_reached {
                true => Finding::warning(
                    format!("{text}; started recipes make this call"),
                    "try it on a test account; what to write if it is taken or refused stands below",
                ),
                false => Finding::note(format!("{text}; no started recipe makes this call")),
            }
        })
        .collect();
    let is_empty = findings.is_empty();
    let mut section = Section::of(Topic::Assumed, findings, "no call that is made is assumed");
    section.remark = (!is_empty).then(|| {
        "How the vendor takes these calls is documented nowhere. If yours takes one differently, \
         write a file connectors/<name>.yaml in the workspace with `actions:` and only that action \
         in it: it stands in place of the bundled one, and no recipe changes. If you tried one and it \
         is taken as it is, write only `actions: { ACTION: { provenance: observed } }` there, and it \
         is not told again."
            .to_owned()
    });
    section
}
