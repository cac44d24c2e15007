//! Runs steps one after another: conditions, attempts, failures that are tolerated.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::clock::Moment;
use crate::compile::{Step, StepKind};
use crate::data::{Object, Value};
use crate::journal::EntryKind;

use super::limit::{Limit, within};
use super::path::{Path, part};
use super::progress::NextTry;
use super::repeat::forget;
use super::retry::{may_be_tried_again, next_try, wait_for_try};
use super::scope::{ItemScope, Layer};
use super::trace::{TraceState, Traced};
use super::{
    Exit, Flow, OUTCOME_UNKNOWN, action, branch, frame, leaf, list, preview, repeat, seeded, start,
    transform,
};

/// Runs a block in a layer of names.
pub(super) fn run_block<'a>(
    layer: &'a Layer<'a>,
    path: &'a Path<'a>,
    steps: &'a [Step],
) -> BoxFuture<'a, Flow> {
    async move {
        for step in steps {
            if layer.is_left() {
                return Err(Exit::Cancelled);
            }
            run_step(layer, path, step).await?;
        }
        Ok(())
    }
    .boxed()
}

/// Runs one step and keeps its result.
async fn run_step(layer: &Layer<'_>, parent: &Path<'_>, step: &Step) -> Flow {
    let path = parent.child(&step.id);
    let given = seeded::come_to(layer, &path);
    let began_at = layer.now();
    let is_wanted = match &step.when {
        _ if given.is_some() => Ok(true),
        Some(when) => match when.holds(&layer.scope(&path)) {
            Err(error) if error.withheld_by.is_some() => {
                preview::note(layer, &path, preview::may_be_skipped(&error));
                Ok(true)
            }
            held => held.map_err(Exit::from),
        },
        None => Ok(true),
    };
    let outcome = match is_wanted {
        Ok(true) if given.is_some() => Ok(given),
        Ok(true) => attempts(layer, &path, step).await.map(Some),
        Ok(false) => Ok(None),
        Err(exit) => Err(exit),
    };
    let outcome = outcome.map_err(|exit| placed(exit, &path, step));
    trace(layer, &path, step, began_at, &outcome);
    match outcome {
        Ok(value) => {
            layer.put_step(&step.id, value.filter(|value| !value.is_null()));
            Ok(())
        }
        Err(Exit::Failed(failure)) if preview::is_not_known(layer, &failure) => {
            layer.put_step(&step.id, Some(preview::result_of(step)));
            Ok(())
        }
        Err(Exit::Failed(failure)) if step.continue_on_error && failure.code != OUTCOME_UNKNOWN => {
            layer.frame.job.desk.mark_failed_element();
            let mut result = Object::new();
            result.insert("error".into(), failure.to_value());
            layer.put_step(&step.id, Some(Value::Object(result)));
            Ok(())
        }
        Err(exit) => Err(exit),
    }
}

/// Tries a step as often as its words allow. A connector's action looks after its own tries. When
/// a job is resumed, tries that failed are gone through again as they are recorded, so that what
/// they left behind is there again.
async fn attempts(layer: &Layer<'_>, path: &Path<'_>, step: &Step) -> Flow<Value> {
    let rule = match (&step.retry, &step.kind) {
        (Some(rule), kind) if !matches!(kind, StepKind::Action { .. }) => rule,
        _ => return timed(layer, path, step).await,
    };
    let desk = &layer.frame.job.desk;
    let mut first_failed_at = None;
    for attempt in 1.. {
        let path = path.attempt(attempt);
        let key = path.key();
        let is_recorded = desk.has_put_off(&key);
        let failure = match timed(layer, &path, step).await {
            Err(Exit::Failed(failure)) => failure,
            ended => return ended,
        };
        let at = layer.now();
        let first = *first_failed_at.get_or_insert(at);
        let next = may_be_tried_again(layer, &path, rule, &failure)?
            .then(|| next_try(&rule.retry, attempt, at, first, None, &key))
            .flatten();
        let Some(next) = next else {
            return Err(Exit::Failed(failure));
        };
        if !is_recorded {
            let kind = EntryKind::StepFailed {
                failure: (*failure).clone(),
                next_try_at: Some(next),
            };
            desk.write(&key, at, kind);
        }
        let (number, of) = (attempt + 1, rule.retry.tries);
        wait_for_try(layer, &key, next, NextTry { number, of }).await?;
        forget(layer, std::slice::from_ref(step));
    }
    Err(Exit::Cancelled)
}

/// Does what the step is for, once and within its time. A connector's action is timed by the
/// driver; of any other step, everything inside is ended when the time is up.
async fn timed(layer: &Layer<'_>, path: &Path<'_>, step: &Step) -> Flow<Value> {
    let length = match (step.timeout, &step.kind) {
        (Some(length), kind) if !matches!(kind, StepKind::Action { .. }) => length,
        _ => return perform(layer, path, step).await,
    };
    let limit = Limit {
        key: path.child(part::TIMEOUT).key(),
        scope: layer.frame.job.desk.new_scope(),
        length,
        what: "the step",
    };
    let inner = layer.of_scope(limit.scope);
    within(layer, limit, perform(&inner, path, step)).await
}

/// Does what the step is for, once.
fn perform<'a>(
    layer: &'a Layer<'a>,
    path: &'a Path<'a>,
    step: &'a Step,
) -> BoxFuture<'a, Flow<Value>> {
    async move {
        layer.frame.job.desk.breathe().await;
        match &step.kind {
            StepKind::Action {
                action,
                with,
                also_send,
            } => action::run(layer, path, step, action, with, also_send.as_ref()).await,
            StepKind::Call { recipe, with } => frame::call(layer, path, recipe, with).await,
            StepKind::Table { table, operation } => {
                leaf::table(layer, path, table, operation).await
            }
            StepKind::Set(values) => leaf::set(layer, path, values),
            StepKind::Transform(work) => transform::run(work, &layer.scope(path)),
            StepKind::If {
                branches,
                otherwise,
            } => branch::if_else(layer, path, branches, otherwise).await,
            StepKind::Switch {
                value,
                cases,
                otherwise,
            } => branch::switch(layer, path, value, cases, otherwise).await,
            StepKind::Foreach(foreach) => list::foreach(layer, path, step, foreach).await,
            StepKind::Repeat {
                steps,
                until,
                every,
                max,
            } => repeat::run(layer, path, steps, until, *every, *max).await,
            StepKind::Try {
                steps,
                catch,
                catches_unknown,
                finally,
            } => {
                branch::try_catch(
                    layer,
                    path,
                    steps,
                    catch.as_ref(),
                    *catches_unknown,
                    finally,
                )
                .await
            }
            StepKind::Wait(wait) => leaf::wait(layer, path, wait).await,
            StepKind::Return(value) => Err(leaf::return_value(layer, path, value)),
            StepKind::Stop { is_success, reason } => {
                Err(leaf::stop(layer, path, *is_success, reason))
            }
            StepKind::Log { text, level, data } => {
                leaf::log(layer, path, text, *level, data.as_ref())
            }
            StepKind::Start { recipe, with } => start::start(layer, path, recipe, with),
            StepKind::Await { jobs } => start::await_jobs(layer, path, jobs).await,
        }
    }
    .boxed()
}

/// Says where a failure came from, unless an inner step said so already.
fn placed(exit: Exit, path: &Path<'_>, step: &Step) -> Exit {
    match exit {
        Exit::Failed(mut failure) => {
            failure.step.get_or_insert_with(|| path.key().to_string());
            failure.place.get_or_insert_with(|| step.place.to_string());
            Exit::Failed(failure)
        }
        exit => exit,
    }
}

/// Evaluates what a step was given, as far as that is a value of its own.
fn input_of(layer: &Layer<'_>, path: &Path<'_>, step: &Step) -> Option<Value> {
    let expression = match &step.kind {
        StepKind::Action { with, .. }
        | StepKind::Call { with, .. }
        | StepKind::Start { with, .. } => with,
        StepKind::Await { jobs } => jobs,
        StepKind::Switch { value, .. } | StepKind::Return(value) => value,
        StepKind::Transform(work) => &work.from,
        _ => return None,
    };
    expression.evaluate(&layer.scope(path)).ok().flatten()
}

fn trace(
    layer: &Layer<'_>,
    path: &Path<'_>,
    step: &Step,
    began_at: Moment,
    outcome: &Flow<Option<Value>>,
) {
    let desk = &layer.frame.job.desk;
    if !desk.is_traced() {
        return;
    }
    let (state, output, failure) = match outcome {
        Ok(None) => (TraceState::Skipped, None, None),
        Ok(Some(value)) => (TraceState::Succeeded, Some(value.clone()), None),
        Err(Exit::Failed(failure)) if preview::is_not_known(layer, failure) => {
            (TraceState::NotRun, None, Some((**failure).clone()))
        }
        Err(Exit::Failed(failure)) => (TraceState::Failed, None, Some((**failure).clone())),
        Err(Exit::Returned(value)) => (TraceState::Succeeded, Some(value.clone()), None),
        Err(Exit::Stopped { .. }) => (TraceState::Succeeded, None, None),
        Err(Exit::Cancelled) => (TraceState::Began, None, None),
    };
    let input = (state != TraceState::Skipped)
        .then(|| input_of(layer, path, step))
        .flatten();
    let note = desk.state().notes.remove(&path.key());
    desk.trace(Traced {
        key: path.key(),
        recipe: layer.frame.recipe.name.clone(),
        step: step.id.clone(),
        title: step.title.clone(),
        kind: step.kind.describe(),
        state,
        began_at,
        ended_at: layer.now(),
        input,
        output: output.filter(|value| !value.is_null()),
        failure,
        note,
    });
}

/// The scope of one element of pure list work.
pub(super) fn item_scope<'a>(
    below: &'a dyn crate::expression::Scope,
    item: Value,
    index: usize,
) -> ItemScope<'a> {
    ItemScope {
        below,
        item: std::sync::Arc::new(item),
        index: std::sync::Arc::new(Value::from(index)),
    }
}
