//! A recipe and everything it reaches: what one job runs.
//!
//! In: a root and all compiled recipes. Out: a [`Program`], or the recipes that are missing.
//! Always true: the hash changes when the root or any source in the closure changes, and only
//! then.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::loops::ForeachSource;
use super::recipe::{Program, Recipe};
use super::steps::{ActionRef, Block, Step, StepKind};
use super::trigger::Trigger;
use crate::data::digest;
use crate::names::RecipeName;

/// Gathers the closure of a root; the error lists recipes that are reached and not ready.
pub fn program(
    root: &RecipeName,
    recipes: &BTreeMap<RecipeName, Arc<Recipe>>,
) -> Result<Program, Vec<RecipeName>> {
    let mut closure = BTreeMap::new();
    let mut missing = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(name) = open.pop() {
        if closure.contains_key(&name) || missing.contains(&name) {
            continue;
        }
        match recipes.get(&name) {
            Some(recipe) => {
                open.extend(recipe.reaches());
                closure.insert(name, recipe.clone());
            }
            None => missing.push(name),
        }
    }
    if !missing.is_empty() {
        missing.sort();
        return Err(missing);
    }
    // Recipes that start one another reach the same ones, and are different programs.
    let mut sources = format!("{root}\n");
    for (name, recipe) in &closure {
        sources.push_str(&format!("{name} {}\n", recipe.hash));
    }
    Ok(Program {
        root: root.clone(),
        recipes: closure,
        hash: digest(sources.as_bytes()),
    })
}

impl Recipe {
    /// The recipes it calls or starts itself, in order, each as often as it does.
    pub fn reaches(&self) -> Vec<RecipeName> {
        let mut reached = Vec::new();
        self.for_each_step(&mut |step| match &step.kind {
            StepKind::Call { recipe, .. } | StepKind::Start { recipe, .. } => {
                reached.push(recipe.clone());
            }
            _ => {}
        });
        reached.extend(self.on_failure.iter().map(|(name, _)| name.clone()));
        reached
    }

    /// Every connector's action that it performs, in the order of the file; a poll's comes first.
    pub fn actions(&self) -> Vec<&ActionRef> {
        let mut actions = Vec::new();
        if let Trigger::Poll(poll) = &self.trigger {
            actions.push(&poll.action);
        }
        self.for_each_step(&mut |step| actions.extend(step.kind.action()));
        actions
    }

    /// Shows every step, those in branches and loops included, in the order of the file.
    pub fn for_each_step<'a>(&'a self, see: &mut dyn FnMut(&'a Step)) {
        walk(&self.steps, see);
    }
}

fn walk<'a>(block: &'a Block, see: &mut dyn FnMut(&'a Step)) {
    for step in block {
        see(step);
        for inner in step.kind.blocks() {
            walk(inner, see);
        }
    }
}

impl StepKind {
    /// The connector's action that it performs, if it performs one.
    pub fn action(&self) -> Option<&ActionRef> {
        match self {
            Self::Action { action, .. } => Some(action),
            Self::Foreach(foreach) => match &foreach.source {
                ForeachSource::Action { action, .. } => Some(action),
                ForeachSource::List(_) => None,
            },
            _ => None,
        }
    }

    /// The blocks of steps inside, in the order of the file.
    pub fn blocks(&self) -> Vec<&Block> {
        match self {
            Self::If {
                branches,
                otherwise,
            } => branches
                .iter()
                .map(|(_, block)| block)
                .chain([otherwise])
                .collect(),
            Self::Switch {
                cases, otherwise, ..
            } => cases
                .iter()
                .map(|(_, block)| block)
                .chain([otherwise])
                .collect(),
            Self::Foreach(foreach) => vec![&foreach.steps],
            Self::Repeat { steps, .. } => vec![steps],
            Self::Try {
                steps,
                catch,
                finally,
                ..
            } => {
                let caught = catch.iter().map(|(_, block)| block);
                std::iter::once(steps)
                    .chain(caught)
                    .chain([finally])
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}
