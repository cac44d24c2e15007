//! What the clock sets off, as it is shown: next and last fires, the last poll.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde_json::json;

use crate::clock::Moment;
use crate::compile::{IfStillRunning, Poll, Schedule, Trigger};
use crate::data::{Object, Value};
use crate::mask::{MASK, is_plain, without_mails};
use crate::names::RecipeName;
use crate::schedule::{Rule, on_the_wall};
use crate::store::{FireOutcome, FireRow};
use crate::trigger::next_poll;

use super::body::{self, parameters, unknown_parameter};
use super::{Problem, Rooms, recipes, wire};

/// How many fires are shown in each direction.
const FIRES_SHOWN: usize = 5;

/// The most rows of a page, and how many come if nothing is said.
const PAGE_MAX: usize = 1_000;
const PAGE: usize = 100;

/// `GET /api/recipes/{project}/{name}/fires`: `before` is the `at` of the last row of the page
/// before.
pub(super) async fn fires(
    State(rooms): State<Arc<Rooms>>,
    Path((project, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let shown = recipes::find(&rooms, &project, &name)?;
    let (mut before, mut limit) = (None, PAGE);
    for (name, value) in parameters(query.as_deref()) {
        match name.as_str() {
            "before" => before = Some(Moment::parse(&value).map_err(Problem::bad_request)?),
            "limit" => limit = body::limit(&name, &value, PAGE_MAX)?,
            _ => return Err(unknown_parameter(&name, &["before", "limit"])),
        }
    }
    let rows = rooms
        .intake
        .store
        .fire_rows(&shown.name, before, limit)
        .await?;
    let rows: Vec<Value> = rows.iter().map(fire).collect();
    Ok(Json(json!({ "fires": rows })))
}

/// `GET /api/schedules`: what the clock sets off next.
pub(super) async fn schedules(State(rooms): State<Arc<Rooms>>) -> Result<Json<Value>, Problem> {
    let now = rooms.intake.clock.now();
    let states = rooms.intake.store.states().await?;
    let mut shown = Vec::new();
    for program in rooms.intake.shelf.set_off_by_the_clock() {
        let recipe = program.root();
        let state = states.get(&recipe.name).filter(|state| state.is_started);
        let next: Vec<Value> = match &recipe.trigger {
            Trigger::Schedule(schedule) => next_fires(schedule, now),
            Trigger::Poll(poll) => match state {
                Some(state) => {
                    let known = rooms.intake.store.poll(&recipe.name).await?;
                    let next = next_poll(poll, known.as_ref(), state.changed_at, now);
                    vec![json!({ "at": wire::moment(next.max(now)) })]
                }
                None => Vec::new(),
            },
            _ => continue,
        };
        shown.push(json!({
            "recipe": recipe.name.as_str(),
            "kind": match recipe.trigger {
                Trigger::Poll(_) => "poll",
                _ => "schedule",
            },
            "is_started": state.is_some(),
            "next": next,
        }));
    }
    Ok(Json(json!({ "schedules": shown })))
}

/// The next instants that a rule names.
fn next_fires(schedule: &Schedule, now: Moment) -> Vec<Value> {
    let zone = schedule.timezone.as_deref().unwrap_or("UTC");
    let next = schedule.rule.after(now).take(FIRES_SHOWN);
    next.map(|at| json!({ "at": wire::moment(at), "local": on_the_wall(at, zone) }))
        .collect()
}

/// A schedule: its rule, what comes, what came.
pub(super) async fn schedule(
    rooms: &Rooms,
    recipe: &RecipeName,
    schedule: &Schedule,
) -> Result<Value, Problem> {
    let now = rooms.intake.clock.now();
    let next = next_fires(schedule, now);
    let store = &rooms.intake.store;
    let last = store.fire_rows(recipe, None, FIRES_SHOWN).await?;
    let stands = store.fires(recipe, now).await?;
    let last: Vec<Value> = last.iter().map(fire).collect();
    let mut shown = json!({
        "rule": rule(&schedule.rule),
        "timezone": schedule.timezone,
        "if_missed": if schedule.run_missed_once { "run_once" } else { "skip" },
        "if_still_running": match schedule.if_still_running {
            IfStillRunning::Skip => "skip",
            IfStillRunning::Queue => "queue",
            IfStillRunning::Allow => "allow",
        },
        "next": next,
        "last": last,
    });
    if let Some(good) = stands.last_good {
        shown["last_good"] = wire::moment(good);
    }
    Ok(shown)
}

/// A poll: what is asked how often, and how the last one ended.
pub(super) async fn poll(
    rooms: &Rooms,
    recipe: &RecipeName,
    poll: &Poll,
) -> Result<Value, Problem> {
    let store = &rooms.intake.store;
    let now = rooms.intake.clock.now();
    let action = &poll.action;
    let mut shown = json!({
        "action": format!("{}.{}", action.connector, action.action),
        "connection": action.connection.as_str(),
        "rule": rule(&poll.rule),
    });
    let known = store.poll(recipe).await?;
    let states = store.states().await?;
    let state = states.get(recipe).filter(|state| state.is_started);
    if let Some(state) = state {
        let next = next_poll(poll, known.as_ref(), state.changed_at, now);
        shown["next"] = wire::moment(next.max(now));
    }
    let Some(known) = known else {
        return Ok(shown);
    };
    shown["last"] = json!({
        "at": wire::moment(known.polled_at),
        "is_good": known.failure.is_none(),
        "failures": known.failures,
    });
    if let Some(failure) = &known.failure {
        let message = without_mails(&failure.message);
        shown["last"]["failure"] = json!({ "code": failure.code, "message": message });
    }
    if let Some(good_at) = known.good_at {
        shown["last_good"] = json!({
            "at": wire::moment(good_at), "items": known.items, "jobs": known.jobs,
        });
    }
    if let Some(at) = known.cursor.as_ref().and_then(|cursor| cursor.get("at")) {
        // A text may name a person; a number or a moment says how far the poll has come.
        shown["cursor"] = match is_plain(at) {
            true => at.clone(),
            false => MASK.into(),
        };
    }
    Ok(shown)
}

fn rule(rule: &Rule) -> Value {
    match rule {
        Rule::Every(_) => json!({ "every_s": rule.interval().as_secs_f64() }),
        Rule::Cron(line) => json!({ "cron": line.text }),
    }
}

/// A row of the ledger.
fn fire(row: &FireRow) -> Value {
    let mut shown = Object::new();
    shown.insert("at".into(), wire::moment(row.instant));
    shown.insert("outcome".into(), row.outcome.as_str().into());
    if let Some(first) = row.first {
        shown.insert("first".into(), wire::moment(first));
        shown.insert("times".into(), row.times.into());
    }
    if let Some(reason) = reason(row.outcome) {
        shown.insert("reason".into(), reason.into());
    }
    if let Some(job) = &row.job {
        shown.insert("job".into(), job.as_str().into());
    }
    shown.insert("taken_at".into(), wire::moment(row.taken_at));
    Value::Object(shown)
}

/// Why a fire has no job, or has it late.
fn reason(outcome: FireOutcome) -> Option<&'static str> {
    match outcome {
        FireOutcome::Fired => None,
        FireOutcome::MadeUp => Some("it was missed, and run once the engine was there again"),
        FireOutcome::Waiting => Some("it waits for the job of an earlier fire to end"),
        FireOutcome::Missed => Some("the engine was not running, or the machine slept"),
        FireOutcome::StillRunning => Some("the job of an earlier fire had not ended"),
        FireOutcome::TooManyWaiting => Some("too many earlier fires waited already"),
    }
}
