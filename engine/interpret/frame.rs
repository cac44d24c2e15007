//! A recipe under way as a frame of the job: arguments in, checked result out.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::clock::Moment;
use crate::data::{Object, Value, holds_withheld};
use crate::expression::Expression;
use crate::journal::{EntryKey, EntryKind, Failure};
use crate::names::RecipeName;
use crate::shape::Shape;
use crate::store::HoldRequest;

use super::block::run_block;
use super::desk::Surroundings;
use super::effect::EffectKind;
use super::limit::{Limit, within};
use super::path::{Path, part};
use super::scope::{Frame, Layer};
use super::{CALL_DEPTH_MAX, Exit, Flow, Job, on_failure};

/// Runs the recipe that the job is made of, and what it wants done if that fails. It holds its key
/// and slot until both are done with.
pub(super) async fn run_root(job: &Job, input: Value, started_at: Moment) -> Flow<Value> {
    let recipe = job.program.root().clone();
    let taken = taken(job, &recipe.input, input.clone(), "input");
    let frame = Frame {
        job,
        recipe: &recipe,
        input: Arc::new(taken.as_ref().map_or(input, Clone::clone)),
        depth: 0,
        may_have_ended: AtomicBool::new(false),
    };
    let layer = Layer::of_frame(&frame, started_at, false, Surroundings::default());
    let mut hold = None;
    let ended = match taken {
        Ok(_) => run_steps(&layer, &Path::ROOT, &mut hold).await,
        Err(exit) => Err(exit),
    };
    on_failure::react(&layer, &ended).await;
    job.desk.state().released_holds.extend(hold);
    ended
}

/// Runs another recipe in the same job.
pub(super) async fn call(
    caller: &Layer<'_>,
    path: &Path<'_>,
    name: &RecipeName,
    with: &Expression,
) -> Flow<Value> {
    let job = caller.frame.job;
    let depth = caller.frame.depth + 1;
    if depth > CALL_DEPTH_MAX {
        let message = format!("more than {CALL_DEPTH_MAX} recipes call one another");
        return Err(Failure::new("calls_too_deep", message).into());
    }
    let Some(recipe) = job.program.recipes.get(name) else {
        return Err(Failure::new("unknown_recipe", format!("recipe `{name}` not found")).into());
    };
    let input = with.evaluate(&caller.scope(path))?;
    let input = input.unwrap_or_else(|| Value::Object(Object::new()));
    let input = Arc::new(taken(job, &recipe.input, input, "with")?);
    *job.desk.state().calls.entry(name.clone()).or_default() += 1;
    let frame = Frame {
        job,
        recipe,
        input,
        depth,
        may_have_ended: AtomicBool::new(false),
    };
    let layer = Layer::of_frame(
        &frame,
        caller.now(),
        caller.catches_unknown,
        caller.surroundings().clone(),
    );
    let mut hold = None;
    let result = run_steps(&layer, path, &mut hold).await;
    job.desk.state().released_holds.extend(hold);
    caller.tick(layer.now());
    result
}

/// Runs a frame's steps with its key and slot, which are kept for whoever gives them back. Its time
/// begins when it has them.
async fn run_steps(layer: &Layer<'_>, path: &Path<'_>, hold: &mut Option<EntryKey>) -> Flow<Value> {
    let recipe = layer.frame.recipe;
    *hold = take_hold(layer, path).await?;
    let ended = match recipe.timeout {
        None => run_block(layer, path, &recipe.steps).await,
        Some(length) => {
            let limit = Limit {
                key: path.child(part::DEADLINE).key(),
                scope: layer.frame.job.desk.new_scope(),
                length,
                what: "the recipe",
            };
            let inner = layer.of_scope(limit.scope);
            within(layer, limit, run_block(&inner, path, &recipe.steps)).await
        }
    };
    if let Some(output) = super::preview::uncertain_output(layer, &ended) {
        return Ok(output);
    }
    let output = match ended {
        Ok(()) => Value::Object(Object::new()),
        Err(Exit::Returned(value)) => value,
        Err(exit) => return Err(exit),
    };
    checked_output(layer, output)
}

/// Takes the key and slot that the recipe's rule asks for; none if there is no such rule.
async fn take_hold(layer: &Layer<'_>, path: &Path<'_>) -> Flow<Option<EntryKey>> {
    let Some(rule) = &layer.frame.recipe.concurrency else {
        return Ok(None);
    };
    let place = path.child(part::HOLD);
    let key = place.key();
    let desk = &layer.frame.job.desk;
    let value = match &rule.key {
        Some(expression) => expression
            .evaluate(&layer.scope(&place))?
            .map(|value| match value {
                Value::String(text) => text,
                value => value.to_string(),
            }),
        None => None,
    };
    let request = HoldRequest {
        key: key.clone(),
        recipe: layer.frame.recipe.name.clone(),
        value,
        limit: rule.limit,
    };
    if let Some(at) = desk.recorded(&key).granted {
        layer.tick(at);
        return Ok(Some(key));
    }
    let asked = layer.ask(key.clone(), EffectKind::Hold(request)).await;
    let Some((at, _)) = asked else {
        // The place in line is given up too.
        desk.state().released_holds.push(key);
        return Err(Exit::Cancelled);
    };
    layer.tick(at);
    desk.write(&key, at, EntryKind::HoldGranted);
    Ok(Some(key))
}

/// Fills defaults in and checks what a recipe is given.
pub(super) fn taken(job: &Job, shape: &Shape, input: Value, place: &str) -> Flow<Value> {
    let input = crate::shape::fill_defaults(shape, input);
    let misfits = shape.check(&input, place);
    // Only a preview gives what is not known.
    if misfits.is_empty() || (job.is_preview && holds_withheld(&input)) {
        return Ok(input);
    }
    Err(Failure::new("wrong_input", in_words(&misfits)).into())
}

/// Checks what a recipe returns.
fn checked_output(layer: &Layer<'_>, output: Value) -> Flow<Value> {
    let recipe = layer.frame.recipe;
    if let Shape::Fields(fields) = &recipe.output
        && fields.is_empty()
    {
        return Ok(output);
    }
    let misfits = recipe.output.check(&output, "output");
    if misfits.is_empty() || (layer.frame.job.is_preview && holds_withheld(&output)) {
        return Ok(output);
    }
    let message = format!("recipe `{}` returns {}", recipe.name, in_words(&misfits));
    Err(Failure::new("wrong_output", message).into())
}

fn in_words(misfits: &[crate::shape::Misfit]) -> String {
    misfits
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
