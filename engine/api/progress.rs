//! How far a job under way has come, and what its calls wait for.
//!
//! In: what a replay saw of its loops and calls. Out: for each loop how many elements are done, and
//! the budget that has no room, in words.
//! Always true: what is shown does not grow with the job.

use std::collections::BTreeSet;

use serde_json::json;

use crate::compile::Program;
use crate::data::{Object, Value};
use crate::interpret::{Look, TraceState, Traced};
use crate::journal::Entry;
use crate::step::{Calls, HeldUp};

use super::tree::own_id;
use super::wire::moment;

/// The most loops that are told of; the outer ones come first.
const LOOPS_MAX: usize = 20;

/// So many calls at the most are asked what holds them up.
const CALLS_MAX: usize = 16;

/// Adds to what is shown of a job how far it is.
pub(super) fn show(look: &Look, entries: &[Entry], calls: &dyn Calls, wire: &mut Object) {
    let loops = look.loops.iter().take(LOOPS_MAX).map(|progress| {
        let mut shown = json!({
            "key": progress.key.0,
            "id": own_id(&progress.key.0),
            "done": progress.done,
            "failed": progress.failed,
        });
        if let Some(total) = progress.total {
            shown["total"] = total.into();
        }
        shown
    });
    let loops: Vec<Value> = loops.collect();
    if !loops.is_empty() {
        wire.insert("progress".into(), loops.into());
    }
    if let Some(last) = entries.iter().map(|entry| entry.at).max() {
        wire.insert("last_activity_at".into(), moment(last));
    }
    let held_up = look.calls.iter().take(CALLS_MAX);
    let held_up: Option<Vec<HeldUp>> = held_up.map(|call| calls.held_up(call)).collect();
    let last = held_up.and_then(|all| all.into_iter().max_by_key(|held| held.until));
    if let Some(held) = last {
        wire.insert("waits_for".into(), in_words(&held).into());
    }
}

/// At which step of its recipe, of how many, a job is.
pub(super) fn stage(look: &Look, program: &Program) -> Option<(String, Value)> {
    let steps = &program.root().steps;
    let own = look.steps.iter().filter(|step| !step.key.0.contains('/'));
    let is_over = |step: &&Traced| step.state != TraceState::Began;
    let ended: BTreeSet<&str> = own.filter(is_over).map(|step| &*step.step).collect();
    let at = steps.iter().position(|step| !ended.contains(&*step.id))?;
    let of = steps.len();
    let stage = json!({ "step": at + 1, "of": of, "id": &*steps[at].id });
    (of > 1).then(|| ("stage".to_owned(), stage))
}

fn in_words(held: &HeldUp) -> String {
    let (connection, until) = (&held.connection, held.until.to_the_second());
    match held.budget {
        Some((calls, window)) => {
            let window = jiff::SignedDuration::try_from(window).unwrap_or_default();
            format!(
                "the budget of connection `{connection}` ({calls} calls in {window:#}), until {until}"
            )
        }
        None => format!("connection `{connection}`, whose vendor asked for a pause until {until}"),
    }
}
