//! A recipe that is ready to run.
//!
//! Always true: it is never changed; a new version is a new one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::steps::Block;
use super::trigger::Trigger;
use crate::expression::Expression;
use crate::names::RecipeName;
use crate::shape::Shape;

/// A recipe and everything it reaches by calls: what one job runs.
#[derive(Debug)]
pub struct Program {
    /// The recipe that jobs are made of.
    pub root: RecipeName,
    /// The root and every recipe reachable from it.
    pub recipes: BTreeMap<RecipeName, Arc<Recipe>>,
    /// The SHA-256 over the root, and names and sources of all of them: what a job pins.
    pub hash: String,
}

impl Program {
    /// The recipe that jobs are made of.
    pub fn root(&self) -> &Arc<Recipe> {
        &self.recipes[&self.root]
    }
}

/// A recipe that is ready to run.
#[derive(Debug)]
pub struct Recipe {
    /// Its identity.
    pub name: RecipeName,
    /// Its title, for people.
    pub title: String,
    /// What it does, for people.
    pub description: String,
    /// The SHA-256 of its file.
    pub hash: String,
    /// The zone of its dates and schedule: an IANA name.
    pub timezone: String,
    /// Advice on starting it.
    pub activation: Option<Activation>,
    /// What sets it off.
    pub trigger: Trigger,
    /// What it takes: declared fields (of `function` and `manual`; others take nothing).
    pub input: Shape,
    /// What it gives back: declared fields; none if it returns nothing.
    pub output: Shape,
    /// What it does.
    pub steps: Block,
    /// How many jobs or frames may run at once.
    pub concurrency: Option<Concurrency>,
    /// The longest that it may take, as a job or as a part of one.
    pub timeout: Option<Duration>,
    /// What is called when a job of it ends failed.
    pub on_failure: Option<(RecipeName, Expression)>,
    /// How much history of its jobs is kept.
    pub retention: Retention,
}

/// Advice on starting a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// The integration does not work without it.
    Required,
    /// Most want it.
    Recommended,
    /// As you like.
    Optional,
    /// Never started; run by hand.
    ManualOnly,
}

/// How much history of a recipe's jobs is kept; what is not said follows the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long after its end.
    pub age: Option<Duration>,
    /// How many bytes in all; then the oldest goes.
    pub bytes: Option<u64>,
}

/// How many jobs or frames of a recipe may run at once.
#[derive(Clone, Debug)]
pub struct Concurrency {
    /// The most that run at once, over all keys.
    pub limit: Option<u32>,
    /// One at a time for each value of this.
    pub key: Option<Expression>,
}
