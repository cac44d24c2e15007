//! Runs steps one after another: conditions, attempts, failures that are tolerated.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};

use crate::clock::Moment;
use crate::compile::{RetryRule, Step, StepKind};
use crate::data::{Object, Value};
use crate::journal::{EntryKind, Failure};

use super::calling::{next_try, wait_until};
use super::effect::EffectKind;
use super::path::Path;
use super::scope::{ItemScope, Layer};
use super::trace::{TraceState, Traced};
use super::{
    Exit, Flow, OUTCOME_UNKNOWN, action, branch, frame, leaf, list, preview, repeat, transform,
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
    let began_at = layer.now();
    let is_wanted = match &step.when {
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

/// Tries a step as often as its words allow. A connector's action looks after its own tries.
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
        let recorded = desk.recorded(&key);
        let (failed_at, failure, next) = if let Some(failed) = recorded.failed {
            layer.tick(failed.0);
            failed
        } else {
            let exit = match timed(layer, &path, step).await {
                Err(Exit::Failed(failure)) => failure,
                ended => return ended,
            };
            let at = layer.now();
            let first = *first_failed_at.get_or_insert(at);
            let next = may_be_tried_again(layer, &path, rule, &exit)?
                .then(|| next_try(&rule.retry, attempt, at, first, None, &key))
                .flatten();
            if next.is_some() {
                let kind = EntryKind::StepFailed {
                    failure: (*exit).clone(),
                    next_try_at: next,
                };
                desk.write(&key, at, kind);
            }
            (at, *exit, next)
        };
        first_failed_at.get_or_insert(failed_at);
        let Some(next) = next else {
            return Err(failure.into());
        };
        wait_until(layer, &key, next).await?;
    }
    Err(Exit::Cancelled)
}

/// Whether a failure is one that the step's words want tried again.
pub(super) fn may_be_tried_again(
    layer: &Layer<'_>,
    path: &Path<'_>,
    rule: &RetryRule,
    failure: &Failure,
) -> Flow<bool> {
    if failure.code == OUTCOME_UNKNOWN || preview::is_not_known(layer, failure) {
        return Ok(false);
    }
    match &rule.when {
        None => Ok(true),
        Some(when) => {
            let error = vec![("error".into(), std::sync::Arc::new(failure.to_value()))];
            let layer = layer.of_branch(error, layer.catches_unknown);
            Ok(when.holds(&layer.scope(path))?)
        }
    }
}

/// Does what the step is for, once and within its time. A connector's action is timed by the
/// driver; of any other step, everything inside is ended when the time is up.
async fn timed(layer: &Layer<'_>, path: &Path<'_>, step: &Step) -> Flow<Value> {
    let limit = match (step.timeout, &step.kind) {
        (Some(limit), kind) if !matches!(kind, StepKind::Action { .. }) => limit,
        _ => return perform(layer, path, step).await,
    };
    let desk = &layer.frame.job.desk;
    let key = path.child("timeout").key();
    let recorded = desk.recorded(&key);
    if let Some((at, failure, _)) = recorded.failed {
        layer.tick(at);
        return Err(failure.into());
    }
    let until = recorded.wait_until.unwrap_or_else(|| {
        let until = desk.clock().max(layer.now()).after(limit);
        desk.write(&key, layer.now(), EntryKind::WaitBegan { until });
        until
    });
    let scope = desk.new_scope();
    let inner = layer.of_scope(scope);
    let timer = layer.ask(key.clone(), EffectKind::Timer { until });
    match select(perform(&inner, path, step), timer).await {
        Either::Left((ended, _)) => ended,
        Either::Right((None, rest)) => rest.await,
        Either::Right((Some(_), rest)) => {
            desk.cancel_scope(scope);
            // Calls under way finish and are recorded; their results come too late to count.
            let _ = rest.await;
            layer.tick(until);
            let message = format!("the step took longer than {}s", limit.as_secs_f64());
            let failure = Failure::new("timed_out", message);
            let kind = EntryKind::StepFailed {
                failure: failure.clone(),
                next_try_at: None,
            };
            desk.write(&key, layer.now(), kind);
            Err(failure.into())
        }
    }
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
            StepKind::Start { .. } | StepKind::Await { .. } => Err(Failure::new(
                "not_available_yet",
                "this version does not start jobs yet",
            )
            .into()),
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
        StepKind::Action { with, .. } | StepKind::Call { with, .. } => with,
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
