//! The variables around a loop that its steps set.
//!
//! Always true: what a loop goes on from has the variables as they were at its mark, whatever was
//! under way when they were noted.

use std::sync::Arc;

use crate::compile::{Block, StepKind};
use crate::data::Value;
use crate::journal::LoopHead;

use super::scope::Layer;

/// Variables by name.
pub(super) type Vars = Vec<(String, Arc<Value>)>;

/// The names that a loop's steps give values to; steps of called recipes have names of their own.
pub(super) fn names_set(steps: &Block) -> Vec<String> {
    let mut names = Vec::new();
    for step in steps {
        if let StepKind::Set(values) = &step.kind {
            names.extend(values.iter().map(|(name, _)| name.clone()));
        }
        for inner in step.kind.blocks() {
            names.extend(names_set(inner));
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Those of the names that have a value around a loop.
pub(super) fn vars_of(layer: &Layer<'_>, names: &[String]) -> Vars {
    let names = names.iter();
    names
        .filter_map(|name| Some((name.clone(), layer.var(name)?)))
        .collect()
}

/// Brings time and variables to where they were at the mark.
pub(super) fn go_to_mark(layer: &Layer<'_>, head: &LoopHead, names: &[String]) {
    layer.tick(head.now);
    for name in names {
        layer.set(name, head.vars.get(name).cloned());
    }
}
