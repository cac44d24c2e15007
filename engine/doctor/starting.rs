//! Which recipes still have to be started, and which are started and should not be.
//!
//! In: the recipes, how they and their copies stand, jobs in line. Out: one section.
//! Always true: what needs no start is not asked for, nor what a started copy does already.

use std::collections::BTreeMap;

use crate::compile::{Activation, Trigger};
use crate::journal::JobStatus;
use crate::names::RecipeName;
use crate::store::{JobFilter, Jobs, RecipeState, StoreError};
use crate::trigger::{Intake, gone};

use super::{Finding, Patient, Section, Topic};

/// More jobs in line than this are not counted.
const IN_LINE_MAX: usize = 1_000;

/// The section about recipes.
pub(super) async fn look(
    house: &Intake,
    patient: &Patient,
    states: &BTreeMap<RecipeName, RecipeState>,
) -> Result<Section, StoreError> {
    let is_running = |name: &RecipeName| states.get(name).is_some_and(|state| state.is_started);
    let mut findings = Vec::new();
    let mut started = 0;
    for (shown, program) in patient.programs() {
        let (name, title) = (&shown.name, &shown.title);
        let recipe = program.root();
        let is_started = is_running(name);
        started += usize::from(is_started);
        let is_function = matches!(recipe.trigger, Trigger::Function | Trigger::Manual);
        let start = format!("`recipes start {name}`");
        let copies = house.shelf.copies(name).into_iter();
        let copy = copies.map(|(copy, _)| copy).find(|copy| is_running(copy));
        if let (false, Some(copy)) = (is_started, &copy) {
            findings.push(Finding::note(format!(
                "\"{title}\" is not started here: `{copy}`, a copy of the same recipe, is started and \
                 does this work"
            )));
        }
        if !is_started && !is_function {
            findings.extend(in_line(house, name, title, copy.as_ref()).await?);
        }
        findings.extend(match (recipe.activation, is_started) {
            (Some(Activation::ManualOnly), true) => Some(Finding::error(
                format!("\"{title}\" is started, and must only be run by hand"),
                format!("`recipes stop {name}`, then `recipes run {name}` when it is wanted"),
            )),
            (_, true) if is_function => Some(Finding::warning(
                format!("\"{title}\" is started, which does nothing: others call it as it is"),
                format!("`recipes stop {name}`"),
            )),
            (Some(Activation::Required | Activation::Recommended), false) if copy.is_some() => None,
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
    for (name, found) in gone(house).await? {
        if name.project() == patient.project.name {
            let help = found.help.unwrap_or_default();
            findings.push(Finding::error(found.message, help));
        }
    }
    findings.push(Finding::note(match started {
        0 => "no recipe of the project is started".to_owned(),
        1 => "one recipe of the project is started".to_owned(),
        count => format!("{count} recipes of the project are started"),
    }));
    Ok(Section::of(Topic::Recipes, findings, ""))
}

/// What waits for a stopped recipe.
async fn in_line(
    house: &Intake,
    name: &RecipeName,
    title: &str,
    copy: Option<&RecipeName>,
) -> Result<Option<Finding>, StoreError> {
    let filter = JobFilter {
        recipe: Some(name.clone()),
        statuses: vec![JobStatus::Queued],
        limit: IN_LINE_MAX,
        ..JobFilter::default()
    };
    let jobs = house.store.jobs(&filter).await?;
    let jobs = jobs.iter().filter(|job| job.recipe == *name).count();
    let waiting = match jobs {
        0 => return Ok(None),
        1 => "one job waits".to_owned(),
        IN_LINE_MAX => format!("{IN_LINE_MAX} jobs or more wait"),
        many => format!("{many} jobs wait"),
    };
    let text = format!("{waiting} in line behind \"{title}\", which is stopped");
    let help = match copy {
        Some(copy) => format!(
            "`recipes jobs --recipe {name} --status queued` lists them; cancel them (`recipes jobs \
             cancel ID`), or stop `{copy}` and start `{name}` until they are done"
        ),
        None => format!(
            "`recipes start {name}` lets them run; `recipes jobs --recipe {name} --status queued` \
             lists them"
        ),
    };
    Ok(Some(Finding::warning(text, help)))
}
