//! What a recipe wants done when its job ends failed.
//!
//! In: how the root frame ended. Out: the recipe of `on_failure`, run once, as a frame of the job.
//! Always true: it runs after everything else, not for a job that a person ended, and never
//! changes how the job ends: its own failure is a line of the log.

use std::sync::Arc;

use crate::data::Value;
use crate::journal::{EntryKey, EntryKind, Failure};

use super::frame::call;
use super::path::{Path, part};
use super::scope::Layer;
use super::trace::{TraceState, Traced};
use super::{Exit, Flow};

/// Runs what `on_failure` names, if the job fails.
pub(super) async fn react(layer: &Layer<'_>, ended: &Flow<Value>) {
    let Some((recipe, with)) = &layer.frame.recipe.on_failure else {
        return;
    };
    let failure = match ended {
        Err(Exit::Failed(failure)) => (**failure).clone(),
        Err(Exit::Stopped {
            is_success: false,
            reason,
        }) => Failure::new("stopped", reason),
        _ => return,
    };
    if layer.begins_nothing() {
        return;
    }
    let path = Path::ROOT.child(part::ON_FAILURE);
    let root = ("error".into(), Arc::new(failure.to_value()));
    let inner = layer.of_branch(vec![root], false);
    let began_at = inner.now();
    let done = call(&inner, &path, recipe, with).await;
    let own = match &done {
        Err(Exit::Failed(own)) => Some((**own).clone()),
        _ => None,
    };
    let desk = &layer.frame.job.desk;
    if let Some(own) = &own {
        let line = EntryKey(format!("{}/failed", part::ON_FAILURE).into());
        if !desk.recorded(&line).logged {
            let message = format!(
                "`on_failure` called `{recipe}`, which failed itself: {}: {}",
                own.code, own.message
            );
            let kind = EntryKind::LineLogged {
                level: "error".to_owned(),
                message,
                data: None,
            };
            desk.write(&line, inner.now(), kind);
        }
    }
    if desk.is_traced() {
        let note = desk.state().notes.remove(&path.key());
        desk.trace(Traced {
            key: path.key(),
            recipe: layer.frame.recipe.name.clone(),
            step: part::ON_FAILURE.into(),
            title: None,
            kind: format!("on_failure {recipe}"),
            state: match &done {
                Err(Exit::Failed(_)) => TraceState::Failed,
                Err(Exit::Cancelled) => TraceState::Began,
                _ => TraceState::Succeeded,
            },
            began_at,
            ended_at: inner.now(),
            input: with.evaluate(&inner.scope(&path)).ok().flatten(),
            output: done.ok().filter(|output| !output.is_null()),
            failure: own,
            note,
        });
    }
}
