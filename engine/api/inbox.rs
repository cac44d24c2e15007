//! Webhook deliveries as they were stored: listed by key, looked at, and replayed.
//!
//! Always true: the list reads no body; what is personal in a job is masked in the event that it was
//! made of, and what nobody declared in the event of none.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;

use crate::clock::Moment;
use crate::data::Value;
use crate::names::{JobId, RecipeName};
use crate::store::{EventDetail, EventFilter, Payload, StoreError, StoredEvent, Unkept};
use crate::trigger;

use super::body::{limit, next_page, parameters, unknown_parameter};
use super::{Person, Problem, Rooms, job, personal, recipes, wire};

/// How many events a page holds unless asked otherwise, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 500;

/// An event of more jobs is shown without its body: what they declare personal would have to be
/// gathered from all of them.
const JOBS_GATHERED_MAX: usize = 50;

/// The parameters of the list.
const KNOWN: [&str; 5] = ["recipe", "from", "to", "before", "limit"];

/// `GET /api/events`
pub(super) async fn list(
    State(rooms): State<Arc<Rooms>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let given = parameters(query.as_deref());
    let mut filter = filter_of(&given)?;
    let page = filter.limit;
    // One more than asked for tells whether there is a next page.
    filter.limit += 1;
    let mut events = rooms.intake.store.events(&filter).await?;
    let has_more = events.len() > page;
    events.truncate(page);
    let mut answer = json!({
        "events": events.iter().map(listed).collect::<Vec<_>>(),
        "not_kept": unkept(&rooms, filter.recipe.as_ref()).await?,
    });
    if let (Some(last), true) = (events.last(), has_more) {
        let next = next_page("/api/events", &given, ("before", &last.number.to_string()));
        answer["next"] = next.into();
    }
    Ok(Json(answer))
}

/// `GET /api/events/{id}`
pub(super) async fn show(
    State(rooms): State<Arc<Rooms>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let detail = rooms.intake.store.event(number(&id)?).await;
    let detail = detail.map_err(|error| gone(&id, error))?;
    let all: Vec<&JobId> = jobs_of(&detail).collect();
    let mut wire = listed(&detail.event);
    wire["jobs"] = json!(ids(&detail.jobs));
    let replays = detail.replays.iter().map(|replay| {
        json!({ "at": wire::moment(replay.at), "by": replay.by, "jobs": ids(&replay.jobs) })
    });
    wire["replays"] = replays.collect::<Vec<_>>().into();
    if all.len() > JOBS_GATHERED_MAX {
        let why = format!(
            "it made {} jobs; look at what one of them was given",
            all.len()
        );
        wire["body_missing_because"] = why.into();
        return Ok(Json(wire));
    }
    let mut came = came(&detail.payload);
    came = personal::of_event(&rooms, &detail.event.recipe, &came).value(came);
    for id in all {
        came = job::masker(&rooms, id).await?.value(came);
    }
    if let (Some(wire), Value::Object(came)) = (wire.as_object_mut(), came) {
        wire.extend(came);
    }
    Ok(Json(wire))
}

/// `POST /api/events/{id}/replay`
pub(super) async fn replay(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let number = number(&id)?;
    let store = &rooms.intake.store;
    let stored = store.event(number).await;
    let recipe = stored.map_err(|error| gone(&id, error))?.event.recipe;
    if rooms.intake.shelf.program(&recipe).is_some() {
        recipes::check_closure(&rooms, &recipe).await?;
    }
    let (recipe, jobs) = trigger::replay(&rooms.intake, number, &by).await?;
    let states = rooms.intake.store.states().await?;
    let is_started = states.get(&recipe).is_some_and(|state| state.is_started);
    let answer = json!({
        "event": id, "recipe": recipe.as_str(), "is_started": is_started, "jobs": ids(&jobs),
    });
    let place = match jobs.as_slice() {
        [job] => format!("/api/jobs/{job}"),
        _ => format!("/api/events/{number}"),
    };
    Ok((
        StatusCode::ACCEPTED,
        [(header::LOCATION, place)],
        Json(answer),
    )
        .into_response())
}

/// What became of deliveries that left nothing, of one recipe if it is named.
pub(super) async fn unkept(
    rooms: &Rooms,
    recipe: Option<&RecipeName>,
) -> Result<Vec<Value>, Problem> {
    let all = rooms.intake.store.unkept().await?;
    let wire = |unkept: &Unkept| {
        json!({
            "recipe": unkept.recipe.as_str(),
            "fate": unkept.fate,
            "count": unkept.count,
            "last_at": wire::moment(unkept.last_at),
        })
    };
    let wanted = |unkept: &&Unkept| recipe.is_none_or(|recipe| unkept.recipe == *recipe);
    Ok(all.iter().filter(wanted).map(wire).collect())
}

fn filter_of(given: &[(String, String)]) -> Result<EventFilter, Problem> {
    let mut filter = EventFilter {
        limit: PAGE,
        ..EventFilter::default()
    };
    for (name, value) in given {
        match name.as_str() {
            "recipe" => filter.recipe = Some(RecipeName::new(value).map_err(Problem::bad_request)?),
            "from" => filter.from = Some(Moment::parse(value).map_err(Problem::bad_request)?),
            "to" => filter.to = Some(Moment::parse(value).map_err(Problem::bad_request)?),
            "before" => {
                let number = value.parse::<i64>();
                let wrong = |_| Problem::bad_request("`before` is the id of an event");
                filter.before = Some(number.map_err(wrong)?);
            }
            "limit" => filter.limit = limit(name, value, PAGE_MAX)?,
            _ => return Err(unknown_parameter(name, &KNOWN)),
        }
    }
    Ok(filter)
}

fn number(text: &str) -> Result<i64, Problem> {
    text.parse()
        .map_err(|_| Problem::not_found(format!("there is no event `{text}`")))
}

fn gone(id: &str, error: StoreError) -> Problem {
    match error {
        StoreError::NotFound(_) => Problem::not_found(format!(
            "there is no event `{id}`; it may have gone with the history of its jobs"
        )),
        other => other.into(),
    }
}

fn listed(event: &StoredEvent) -> Value {
    json!({
        "id": event.number.to_string(),
        "recipe": event.recipe.as_str(),
        "received_at": wire::moment(event.at),
        "bytes": event.bytes,
        "job_count": event.jobs,
    })
}

/// What came: headers, query, and the body as the recipe sees it.
fn came(payload: &Payload) -> Value {
    let kind = payload.headers.get("content-type").and_then(Value::as_str);
    let body = trigger::read_body(&payload.body, kind)
        .unwrap_or_else(|_| String::from_utf8_lossy(&payload.body).into_owned().into());
    json!({ "headers": payload.headers, "query": payload.query, "body": body })
}

fn jobs_of(detail: &EventDetail) -> impl Iterator<Item = &JobId> {
    let replayed = detail.replays.iter().flat_map(|replay| &replay.jobs);
    detail.jobs.iter().chain(replayed)
}

fn ids(jobs: &[JobId]) -> Vec<&str> {
    jobs.iter().map(JobId::as_str).collect()
}
