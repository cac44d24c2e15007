//! Why jobs do not go on, in words for administrators.
//!
//! In: records of jobs. Out: for those that stand still, what they wait for; which are cancelled.
//! Always true: what is said names the recipe, job or person that can change it.

use std::collections::BTreeMap;

use crate::clock::Moment;
use crate::data::Value;
use crate::journal::JobStatus;
use crate::names::{JobId, RecipeName};
use crate::store::{JobRecord, RecipeState, Standing, Tried};

use super::{Problem, Rooms};

/// So many jobs are named of those that one waits for.
const NAMED_MAX: usize = 3;

/// Says in what is shown of jobs what each of them waits for.
pub(super) async fn say_why(
    rooms: &Rooms,
    records: &[JobRecord],
    shown: &mut [Value],
) -> Result<(), Problem> {
    let still: Vec<JobId> = records
        .iter()
        .filter(|record| !record.status.is_final())
        .map(|record| record.id.clone())
        .collect();
    if still.is_empty() {
        return Ok(());
    }
    let standing = rooms.intake.store.standing(&still).await?;
    let states = rooms.intake.store.states().await?;
    for (record, shown) in records.iter().zip(shown) {
        let Some(standing) = standing.get(&record.id) else {
            continue;
        };
        if standing.is_cancelling {
            shown["is_cancelling"] = true.into();
        }
        if let Some(why) = why(rooms, record, standing, &states) {
            shown["waits_for"] = why.into();
        }
    }
    Ok(())
}

fn why(
    rooms: &Rooms,
    record: &JobRecord,
    standing: &Standing,
    states: &BTreeMap<RecipeName, RecipeState>,
) -> Option<String> {
    let recipe = &record.recipe;
    let until = || {
        let at = record.wake_at?.to_the_second();
        Some(match &standing.tried {
            Some(tried) => further_try(tried, at),
            None => format!("the moment {at}"),
        })
    };
    match record.status {
        JobStatus::NeedsDecision => Some("your decision".into()),
        JobStatus::Queued => {
            let is_started = states.get(recipe).is_some_and(|state| state.is_started);
            if standing.needs_started_recipe && !is_started {
                return Some(format!("its start: recipe `{recipe}` is stopped"));
            }
            let unusable = rooms.intake.shelf.why_unusable(recipe);
            let unusable = unusable.filter(|_| !standing.is_pinned);
            unusable.map(|why| format!("a mended file: {why}"))
        }
        JobStatus::Waiting if !standing.awaited.is_empty() => Some(jobs(&standing.awaited)),
        JobStatus::Waiting => match standing.in_line_at.first() {
            Some(at) => Some(format!("its turn: other jobs of `{at}` go first")),
            None => until(),
        },
        _ => None,
    }
}

/// A further try of a step, with what went wrong before.
fn further_try(tried: &Tried, at: Moment) -> String {
    let place = &*tried.place.0;
    let step = place.rsplit_once('~').map_or(place, |(step, _)| step);
    let why = match &*tried.code {
        "unreachable" => "the vendor cannot be reached",
        "timed_out" | "connection_lost" => "the vendor does not answer",
        "vendor_error" | "unavailable" => "the vendor is out of order",
        "too_many_requests" => "the vendor takes no more calls for now",
        code => return format!("the next try of `{step}` at {at}, after `{code}`"),
    };
    format!("the next try of `{step}` at {at}: {why}")
}

fn jobs(awaited: &[JobId]) -> String {
    let named: Vec<&str> = awaited.iter().take(NAMED_MAX).map(JobId::as_str).collect();
    let more = match awaited.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let word = if awaited.len() == 1 { "job" } else { "jobs" };
    format!("{word} {}{more}", named.join(", "))
}
