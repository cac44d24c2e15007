//! What is wrong with a project as it stands in its workspace, and what it will do.
//!
//! In: a project, the shelf, the store; for the project's own checks also the vendors. Out: an
//! [`Examination`]: findings in words, in sections, each with what to do about it.
//! Always true: nothing is started, sent or written; the project's own checks are a recipe that
//! runs as a preview does.

mod advice;
mod assumed;
mod files;
mod finding;
mod own;
mod ran;
mod rows;
mod settings;
mod starting;

pub use advice::advice;
pub use finding::{Examination, Finding, Level, Section, Topic};
pub use own::{Asked, ask, left_alone, of_output};

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::compile::{Program, Project};
use crate::diagnostic::did_you_mean;
use crate::library::Shown;
use crate::names::RecipeName;
use crate::store::StoreError;
use crate::trigger::Intake;

/// Why there is no examination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// There is no such project.
    #[error("{0}")]
    Unknown(String),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A project with its recipes, its doctor left out.
struct Patient {
    project: Arc<Project>,
    recipes: BTreeMap<RecipeName, Shown>,
}

/// Examines a project without asking any vendor.
pub async fn examine(house: &Intake, project: &str) -> Result<Examination, Trouble> {
    let patient = Patient::of(house, project)?;
    let states = house.store.states().await?;
    let (files, connections) = files::look(house, &patient);
    let tables = rows::look(house, &patient).await?;
    let settings_rows = rows::settings(&house.store).await?;
    let declared = house.shelf.settings();
    let now = house.clock.now();
    let (settings, meaning) = settings::look(&patient.project, &declared, &settings_rows, now);
    let mut sections = vec![files, connections, tables, settings, meaning];
    sections.push(starting::look(house, &patient, &states).await?);
    sections.push(ran::look(house, &patient, now).await?);
    sections.push(assumed::look(house, &patient, &states));
    Ok(Examination {
        project: patient.project.name.clone(),
        title: patient.project.title.clone(),
        version: patient.project.version.clone(),
        sections,
    })
}

impl Patient {
    fn of(house: &Intake, name: &str) -> Result<Self, Trouble> {
        let project = house
            .shelf
            .project(name)
            .ok_or_else(|| unknown(house, name))?;
        let is_patient = |shown: &Shown| {
            shown.name.project() == name && project.doctor.as_ref() != Some(&shown.name)
        };
        let all = house.shelf.all().into_iter().filter(is_patient);
        let recipes = all.map(|shown| (shown.name.clone(), shown)).collect();
        Ok(Self { project, recipes })
    }

    /// What each recipe runs with all that it calls, of those that have a good version.
    fn programs(&self) -> impl Iterator<Item = (&Shown, &Arc<Program>)> {
        let all = self.recipes.values();
        all.filter_map(|shown| Some((shown, shown.program.as_ref()?)))
    }
}

fn unknown(house: &Intake, name: &str) -> Trouble {
    let projects = house.shelf.projects();
    let known = projects.iter().map(String::as_str);
    let help = match did_you_mean(name, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
    };
    Trouble::Unknown(format!("there is no project `{name}`; {help}"))
}
