//! Jobs of their own: starting them and waiting for their ends.
//!
//! Always true: the name of a started job follows from the job and the place that start it, and it
//! is queued in the same commit as the entry that says so: a resumed job never starts a second.

use crate::data::{Object, Value, kind_of};
use crate::expression::Expression;
use crate::journal::{Ending, EntryKind, Failure, JobStatus};
use crate::names::{JobId, RecipeName};
use crate::store::{Awaited, NewJob};

use super::effect::{Answer, EffectKind};
use super::frame::taken;
use super::path::Path;
use super::preview::{check_value, not_known};
use super::scope::Layer;
use super::{AWAITED_JOBS_MAX, Exit, Flow, START_DEPTH_MAX, STARTS_PER_JOB_MAX, succeeded};

/// Starts a job.
pub(super) fn start(
    layer: &Layer<'_>,
    path: &Path<'_>,
    recipe: &RecipeName,
    with: &Expression,
) -> Flow<Value> {
    let job = layer.frame.job;
    let desk = &job.desk;
    let key = path.key();
    let starts = {
        let mut state = desk.state();
        state.starts += 1;
        state.starts
    };
    if let Some((at, output)) = desk.recorded(&key).succeeded {
        layer.tick(at);
        return Ok(output);
    }
    if layer.begins_nothing() {
        return Err(Exit::Cancelled);
    }
    if starts > STARTS_PER_JOB_MAX {
        let message = format!("a job may start {STARTS_PER_JOB_MAX} jobs, and this one did");
        return Err(Failure::new("too_many_starts", message).into());
    }
    if job.start_depth >= START_DEPTH_MAX {
        let message = format!(
            "{START_DEPTH_MAX} jobs have started one another in a row up to this one; a recipe \
             that starts itself again and again needs an end"
        );
        return Err(Failure::new("starts_too_deep", message).into());
    }
    let Some(target) = job.program.recipes.get(recipe) else {
        return Err(Failure::new("unknown_recipe", format!("recipe `{recipe}` not found")).into());
    };
    let input = with.evaluate(&layer.scope(path))?;
    let input = input.unwrap_or_else(|| Value::Object(Object::new()));
    let input = taken(job, &target.input, input, "with")?;
    let id = job.id.started_at(&key.0);
    let output = serde_json::json!({ "job_id": id.as_str() });
    desk.write(&key, layer.now(), succeeded(output.clone()));
    desk.state().children.push(NewJob {
        id,
        recipe: recipe.clone(),
        event: Value::Null,
        input,
        started_by: format!("job:{}", job.id),
        needs_started_recipe: false,
        dedupe: None,
    });
    Ok(output)
}

/// Waits until jobs have ended, however they end.
pub(super) async fn await_jobs(
    layer: &Layer<'_>,
    path: &Path<'_>,
    jobs: &Expression,
) -> Flow<Value> {
    let desk = &layer.frame.job.desk;
    let key = path.key();
    let recorded = desk.recorded(&key);
    if let Some((at, output)) = recorded.succeeded {
        layer.tick(at);
        return Ok(output);
    }
    if let Some((at, failure, _)) = recorded.failed {
        layer.tick(at);
        return Err(failure.into());
    }
    let scope = layer.scope(path);
    let jobs = jobs.evaluate(&scope)?;
    if let Some(jobs) = &jobs {
        check_value(&scope, jobs)?;
    }
    let jobs = ids(jobs)?;
    if jobs.is_empty() {
        return Ok(results(Vec::new()));
    }
    let asked = layer.ask(key.clone(), EffectKind::Await(jobs.clone()));
    let Some((at, Answer::Awaited(awaited))) = asked.await else {
        return Err(Exit::Cancelled);
    };
    layer.tick(at);
    let ended = match not_of_preview(layer, &jobs, &awaited) {
        Some(other) => Err(not_known(&format!("job `{other}`"))),
        None => all_ended(&jobs, awaited),
    };
    match ended {
        Ok(ended) => {
            let output = results(ended);
            desk.write(&key, at, succeeded(output.clone()));
            Ok(output)
        }
        Err(failure) => {
            let kind = EntryKind::StepFailed {
                failure: failure.clone(),
                next_try_at: None,
            };
            desk.write(&key, at, kind);
            Err(failure.into())
        }
    }
}

fn ids(value: Option<Value>) -> Flow<Vec<JobId>> {
    let values = match value {
        Some(Value::Array(values)) => values,
        Some(value @ Value::String(_)) => vec![value],
        None => Vec::new(),
        Some(other) => return Err(not_ids(&other)),
    };
    if values.len() > AWAITED_JOBS_MAX {
        let count = values.len();
        let message = format!("a step waits for {AWAITED_JOBS_MAX} jobs at most, not for {count}");
        return Err(Failure::new("too_many_jobs", message).into());
    }
    values
        .iter()
        .map(|value| match value {
            Value::String(text) => JobId::new(text).map_err(|_| unknown(text).into()),
            other => Err(not_ids(other)),
        })
        .collect()
}

fn not_ids(found: &Value) -> Exit {
    let message = format!(
        "`await` needs the ids of jobs, such as `$.steps.<id>.job_id`, found {}",
        kind_of(found)
    );
    Failure::new("wrong_type", message).into()
}

fn unknown(id: &str) -> Failure {
    Failure::new("unknown_job", format!("there is no job `{id}` to wait for"))
}

/// The first job that is none of a preview's own: how it ends is not known there.
fn not_of_preview<'a>(
    layer: &Layer<'_>,
    jobs: &'a [JobId],
    awaited: &[Awaited],
) -> Option<&'a JobId> {
    let mut jobs = jobs.iter().zip(awaited);
    let (other, _) = jobs.find(|(_, awaited)| matches!(awaited, Awaited::Unknown))?;
    layer.frame.job.is_preview.then_some(other)
}

/// The ends of all jobs, or why one of them is none.
fn all_ended(jobs: &[JobId], awaited: Vec<Awaited>) -> Result<Vec<(JobId, Ending)>, Failure> {
    let mut ended = Vec::with_capacity(jobs.len());
    for (id, awaited) in jobs.iter().zip(awaited) {
        match awaited {
            Awaited::Ended(ending) => ended.push((id.clone(), ending)),
            Awaited::Unknown => return Err(unknown(id.as_str())),
            Awaited::Stuck { behind } => return Err(awaits_itself(id, behind)),
            Awaited::HistoryRemoved => return Err(history_removed(id)),
            // Another one is the reason that the waiting is over.
            Awaited::Open => {}
        }
    }
    Ok(ended)
}

fn history_removed(id: &JobId) -> Failure {
    let message = format!(
        "job `{id}` has ended, but what it gave was removed with its history; keep its history \
         for longer (`retention`), or wait for it sooner"
    );
    Failure::new("history_removed", message)
}

fn awaits_itself(id: &JobId, behind: Option<(RecipeName, Option<String>)>) -> Failure {
    let why = match behind {
        Some((recipe, Some(value))) => format!(
            "it waits for its turn at `{recipe}` with the key `{value}`, which comes only after \
             this job has ended"
        ),
        Some((recipe, None)) => format!(
            "it waits for its turn at `{recipe}`, which comes only after this job has ended"
        ),
        None => "it waits, over other jobs or by itself, for the end of this one".to_owned(),
    };
    let message = format!("job `{id}` can never end while this one waits for it: {why}");
    Failure::new("awaits_itself", message)
}

/// What the step gives: one result per job, and how many ended well and not well.
fn results(ended: Vec<(JobId, Ending)>) -> Value {
    let mut succeeded = 0;
    let mut results = Vec::with_capacity(ended.len());
    for (id, ending) in ended {
        let is_good = matches!(
            ending.status,
            JobStatus::Succeeded | JobStatus::SucceededWithErrors
        );
        succeeded += usize::from(is_good);
        let mut result = Object::new();
        result.insert("job_id".into(), id.as_str().into());
        result.insert("status".into(), ending.status.as_str().into());
        if let Some(output) = ending.output {
            result.insert("output".into(), output);
        }
        if let Some(failure) = ending.failure.filter(|_| !is_good) {
            result.insert("error".into(), failure.to_value());
        }
        results.push(Value::Object(result));
    }
    let failed = results.len() - succeeded;
    serde_json::json!({ "results": results, "succeeded": succeeded, "failed": failed })
}
