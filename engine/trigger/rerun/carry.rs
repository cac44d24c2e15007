//! Carries what is kept of a job over to another version of its recipe.
//!
//! In: places of the version that ran. Out: the same places in the present version, or why not.
//! Always true: steps are matched by written ids, kind and target only, never by where they stand.

use super::place::{Part, Place, is_loop, way_to};
use crate::compile::{Program, StepKind};
use crate::journal::{Entry, EntryKey, EntryKind};

/// Carries entries over; the error lists everything that does not match.
pub(super) fn carry_all(
    from: &Program,
    to: &Program,
    entries: Vec<Entry>,
) -> Result<Vec<Entry>, Vec<String>> {
    let mut carried = Vec::with_capacity(entries.len());
    let mut misses: Vec<String> = Vec::new();
    for entry in entries {
        match carry(&Place::of_key(from, &entry.key.0), to) {
            Ok(key) => carried.push(Entry {
                key: EntryKey(key.into()),
                ..entry
            }),
            // Lines are written again, and waits waited for again.
            Err(_)
                if matches!(
                    entry.kind,
                    EntryKind::LineLogged { .. } | EntryKind::WaitBegan { .. }
                ) => {}
            Err(miss) if misses.contains(&miss) => {}
            Err(miss) => misses.push(miss),
        }
    }
    match misses.is_empty() {
        true => Ok(carried),
        false => Err(misses),
    }
}

/// The key of a place in another version.
pub(super) fn carry(place: &Place<'_>, to: &Program) -> Result<String, String> {
    let mut recipe = to.root();
    let mut way: Vec<Part<'_>> = Vec::new();
    let is_call = |part: &Part<'_>| matches!(part.step.kind, StepKind::Call { .. });
    for frame in place.parts.split_inclusive(is_call) {
        let Some((step, around)) = frame.split_last() else {
            continue;
        };
        if let Some(part) = way.last() {
            let StepKind::Call { recipe: callee, .. } = &part.step.kind else {
                break;
            };
            recipe = to.recipes.get(callee).ok_or("a recipe is missing")?;
        }
        way.extend(carry_step(step, around, recipe)?);
    }
    let carried = Place {
        parts: way,
        helper: place.helper,
    };
    Ok(carried.key())
}

fn carry_step<'a>(
    step: &Part<'a>,
    around: &[Part<'a>],
    recipe: &'a crate::compile::Recipe,
) -> Result<Vec<Part<'a>>, String> {
    let id = &step.step.id;
    let was = step.step.kind.describe();
    if !step.step.has_written_id {
        return Err(format!(
            "the step `{was}` at {} has no id, so it cannot be found in the present version",
            step.step.place
        ));
    }
    let mut way = way_to(recipe, id)?;
    let (now, above) = way.split_last_mut().ok_or("no step is named")?;
    let is = now.step.kind.describe();
    if is != was {
        return Err(format!("the step `{id}` was `{was}` and is `{is}` now"));
    }
    now.index = step.index;
    now.attempt = step.attempt;
    for part in above.iter_mut() {
        let was_around = around.iter().find(|was| was.step.id == part.step.id);
        match was_around {
            Some(was) => {
                part.index = was.index;
                part.attempt = was.attempt;
            }
            None if is_loop(part.step) => {
                return Err(format!("the step `{id}` is inside `{}` now", part.step.id));
            }
            None => {}
        }
    }
    let has_rounds = |part: &&Part<'_>| part.index.is_some() || part.attempt.is_some();
    let left = around
        .iter()
        .filter(has_rounds)
        .find(|was| above.iter().all(|now| now.step.id != was.step.id));
    match left {
        Some(left) => Err(format!(
            "the step `{id}` is not inside `{}` any more",
            left.step.id
        )),
        None => Ok(way),
    }
}
