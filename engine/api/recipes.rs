//! Recipes: what there is, how it stands, start, stop, run.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::clock::parse_period;
use crate::compile::{Activation, Recipe, Trigger};
use crate::data::{Object, Value};
use crate::diagnostic::Severity;
use crate::journal::JobStatus;
use crate::library::{Shown, Start};
use crate::names::{JobId, RecipeName};
use crate::preview::Limits;
use crate::store::RecipeState;
use crate::trigger::{self, Given};

use super::{
    Person, Problem, Rooms, SignedIn, body, copies, gone, inbox, preview, senders, timed, wait,
    wire,
};

/// `GET /api/recipes`
pub(super) async fn list(State(rooms): State<Arc<Rooms>>) -> Result<Json<Value>, Problem> {
    let states = rooms.intake.store.states().await?;
    let library = rooms.intake.shelf.library();
    let all = rooms.intake.shelf.all();
    let recipes = all.iter().map(|shown| {
        let mut card = card(shown, &states);
        card.insert("origin".into(), copies::origin(&library, &shown.name));
        Value::Object(card)
    });
    let mut recipes: Vec<Value> = recipes.collect();
    let gone = gone::cards(&rooms, &states).await?;
    if !gone.is_empty() {
        recipes.extend(gone);
        recipes.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    }
    Ok(Json(json!({ "recipes": recipes })))
}

/// A recipe with all that is to be known of it but its text.
pub(super) async fn in_full(rooms: &Rooms, shown: &Shown) -> Result<Object, Problem> {
    let states = rooms.intake.store.states().await?;
    let mut wire = card(shown, &states);
    let library = rooms.intake.shelf.library();
    wire.insert("origin".into(), copies::origin(&library, &shown.name));
    if let Some(program) = &shown.program {
        let recipe = program.root();
        wire.insert("description".into(), recipe.description.as_str().into());
        wire.insert("hash".into(), recipe.hash.as_str().into());
        let versions = rooms.intake.store.versions(&shown.name).await?;
        let mut versions = versions.iter();
        if let Some(live) = versions.find(|version| version.hash == recipe.hash) {
            wire.insert("version".into(), live.number.into());
        }
        wire.insert("timezone".into(), recipe.timezone.as_str().into());
        wire.insert("input".into(), recipe.input.to_json_schema());
        wire.insert("output".into(), recipe.output.to_json_schema());
        let reaches: Vec<&str> = program
            .recipes
            .keys()
            .filter(|name| **name != recipe.name)
            .map(RecipeName::as_str)
            .collect();
        wire.insert("calls".into(), json!(reaches));
        match &recipe.trigger {
            Trigger::Webhook(webhook) => {
                let mut webhook = senders::told(rooms, shown, webhook);
                webhook["not_kept"] = inbox::unkept(rooms, Some(&shown.name)).await?.into();
                webhook["refused"] = rooms.turned_away.shown(&shown.name);
                wire.insert("webhook".into(), webhook);
            }
            Trigger::Schedule(schedule) => {
                let schedule = timed::schedule(rooms, &shown.name, schedule).await?;
                wire.insert("schedule".into(), schedule);
            }
            Trigger::Poll(poll) => {
                let poll = timed::poll(rooms, &shown.name, poll).await?;
                wire.insert("poll".into(), poll);
            }
            Trigger::Function | Trigger::Manual => {}
        }
    }
    Ok(wire)
}

/// `POST /api/recipes/{project}/{name}/start`
pub(super) async fn start(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path((project, name)): Path<(String, String)>,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    let wish: StartWish = body::json(&bytes)?;
    let shown = gone::find(&rooms, &project, &name).await?;
    // Of a recipe and its copy, only one starts at a time: the second sees that the first has.
    let _turn = rooms.starting.lock().await;
    let states = rooms.intake.store.states().await?;
    let is_started = states
        .get(&shown.name)
        .is_some_and(|state| state.is_started);
    // What was allowed once is not asked again.
    if !wish.beside_copy && !is_started {
        copies::check_alone(&rooms, &shown.name).await?;
    }
    if let Some(recipe) = shown.program.as_ref().map(|program| program.root()) {
        check_startable(recipe)?;
    }
    let warnings = check_closure(&rooms, &shown.name).await?;
    let now = rooms.intake.clock.now();
    trigger::before_start(&rooms.intake, &shown.name, now).await?;
    rooms.intake.store.start(&shown.name, &by, now).await?;
    rooms.intake.bell.ring_queue();
    rooms.intake.bell.ring_clock();
    let mut answer = json!({
        "name": shown.name.as_str(), "status": "started", "warnings": warnings,
    });
    senders::tell_address(&rooms, &shown, &mut answer).await?;
    Ok(Json(answer))
}

/// `POST /api/recipes/{project}/{name}/stop`
pub(super) async fn stop(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path((project, written)): Path<(String, String)>,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    let wish: StopWish = body::json(&bytes)?;
    let states = rooms.intake.store.states().await?;
    // What is started can be stopped, also when its file is gone.
    let name = match gone::started(&states, &project, &written) {
        Some(name) => name,
        None => gone::not_started(&rooms, &project, &written, wish.cancel)?,
    };
    let now = rooms.intake.clock.now();
    let store = &rooms.intake.store;
    store.stop(&name, &by, now).await?;
    let mut answer = json!({ "name": name.as_str(), "status": "stopped" });
    if wish.cancel {
        let cancelled = store.cancel_begun(&name, now, &by).await?;
        for job in &cancelled {
            rooms.intake.bell.ring(job);
        }
        let cancelled: Vec<&str> = cancelled.iter().map(JobId::as_str).collect();
        answer["cancelled"] = json!(cancelled);
    }
    Ok(Json(answer))
}

/// How a recipe is started.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StartWish {
    /// Whether it may run beside a copy that writes to the same place.
    #[serde(default)]
    beside_copy: bool,
}

/// How a recipe is stopped.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StopWish {
    /// Whether the jobs that have begun are cancelled, instead of being let finish.
    #[serde(default)]
    cancel: bool,
}

/// What a run is given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    input: Option<Value>,
    event: Option<Value>,
    /// Whether to show only what would be done.
    #[serde(default)]
    preview: bool,
    /// How long a preview may work.
    #[serde(rename = "for")]
    for_time: Option<String>,
}

/// How far a preview may go.
fn preview_limits(for_time: Option<&str>, is_preview: bool) -> Result<Limits, Problem> {
    match for_time {
        None => Ok(Limits::default()),
        Some(_) if !is_preview => Err(Problem::bad_request("`for` belongs to a preview")),
        Some(text) => {
            let time = parse_period(text).map_err(Problem::bad_request)?;
            Limits::of_time(time).map_err(Problem::bad_request)
        }
    }
}

/// `POST /api/recipes/{project}/{name}/run`
pub(super) async fn run(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Extension(asker): Extension<SignedIn>,
    Path((project, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let patience = wait::patience(query.as_deref())?;
    let wish: Wish = body::json(&bytes)?;
    let given = match (wish.input, wish.event) {
        (None, None) => Given::Nothing,
        (Some(input), None) => Given::Input(input),
        (None, Some(event)) => Given::Event(event),
        (Some(_), Some(_)) => {
            return Err(Problem::bad_request("give `input` or `event`, not both"));
        }
    };
    let shown = gone::find(&rooms, &project, &name).await?;
    check_closure(&rooms, &shown.name).await?;
    let limits = preview_limits(wish.for_time.as_deref(), wish.preview)?;
    if wish.preview {
        return preview::run(&rooms, &shown.name, given, &by, limits).await;
    }
    let jobs = trigger::run(&rooms.intake, &shown.name, given, &by).await?;
    if let (Some(patience), [job]) = (patience, jobs.as_slice()) {
        let marked = wait::shown_to(Some(&asker));
        return Ok(wait::result(&rooms, job, patience, marked).await);
    }
    let ids: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
    let place = match jobs.as_slice() {
        [job] => format!("/api/jobs/{job}"),
        _ => format!("/api/jobs?recipe={}", shown.name),
    };
    let mut answer = json!({ "jobs": ids });
    if let [job] = ids.as_slice() {
        // As it is told of a job that was waited for in vain.
        answer["id"] = (*job).into();
        answer["status"] = JobStatus::Queued.as_str().into();
    }
    let place = [(header::LOCATION, place)];
    Ok((StatusCode::ACCEPTED, place, Json(answer)).into_response())
}

pub(super) fn find(rooms: &Rooms, project: &str, name: &str) -> Result<Shown, Problem> {
    let written = format!("{project}/{name}");
    let found = RecipeName::of(project, name)
        .ok()
        .and_then(|name| rooms.intake.shelf.one(&name));
    found.ok_or_else(|| {
        let all = rooms.intake.shelf.all();
        let known = all.iter().map(|shown| shown.name.as_str());
        let help = crate::diagnostic::did_you_mean(&written, known).map_or_else(
            || "; a file that was just saved is taken up within a few seconds".to_owned(),
            |meant| format!("; did you mean `{meant}`?"),
        );
        Problem::not_found(format!("there is no recipe `{written}`{help}"))
    })
}

/// Only what has a trigger of its own can be started.
fn check_startable(recipe: &Recipe) -> Result<(), Problem> {
    let Some((code, why)) = why_not_started(recipe) else {
        return Ok(());
    };
    let name = &recipe.name;
    Err(Problem::conflict(
        code,
        format!(
            "`{name}` cannot be started: {why}; run it with POST /api/recipes/{name}/run or \
             `recipes run {name}`"
        ),
    ))
}

/// Why a recipe is never started, with the kind of reason; `None` if it is one to be started.
pub(super) fn why_not_started(recipe: &Recipe) -> Option<(&'static str, &'static str)> {
    match (&recipe.trigger, recipe.activation) {
        (_, Some(Activation::ManualOnly)) | (Trigger::Manual, _) => {
            Some(("manual_only", "it is only ever run by hand"))
        }
        (Trigger::Function, _) => Some(("needs_no_start", "other recipes call it as it is")),
        _ => None,
    }
}

/// Holds the whole closure of a recipe against the workspace; answers warnings.
pub(super) async fn check_closure(rooms: &Rooms, name: &RecipeName) -> Result<Vec<Value>, Problem> {
    let intake = &rooms.intake;
    let Start { errors, warnings } = intake
        .shelf
        .check_start(name, &intake.store, &*intake.references)
        .await?;
    if errors.is_empty() {
        return Ok(warnings.iter().map(wire::diagnostic).collect());
    }
    let title = "The recipe, or something that it calls, is not complete.";
    let mut problem = Problem::new(422, "incomplete", title);
    let library = intake.shelf.library();
    let goes_on = intake.shelf.program(name).is_some();
    let is_broken = library.written.get(name).is_some_and(|written| {
        let mut found = errors.iter();
        found.any(|error| error.place.file == written.file) && !library.recipes.contains_key(name)
    });
    if goes_on && is_broken {
        problem = problem.detail(format!(
            "the file of `{name}` has errors. What sets it off goes on with its last good version; a run \
             by hand or a start is refused, since it would not do what the file says"
        ));
    }
    Err(problem.errors(errors.iter().map(wire::diagnostic)))
}

/// A recipe as it is listed.
fn card(shown: &Shown, states: &BTreeMap<RecipeName, RecipeState>) -> Object {
    let mut card = Object::new();
    card.insert("name".into(), shown.name.as_str().into());
    card.insert("title".into(), shown.title.as_str().into());
    let state = states.get(&shown.name);
    let recipe = shown.program.as_ref().map(|program| program.root());
    let is_started = state.is_some_and(|state| state.is_started);
    let status = match recipe.map(|recipe| why_not_started(recipe)) {
        None => "broken",
        Some(_) if is_started => "started",
        Some(Some(_)) => "ready",
        Some(None) => "stopped",
    };
    card.insert("status".into(), status.into());
    let has_errors = shown
        .problems
        .iter()
        .any(|found| found.severity == Severity::Error);
    if recipe.is_some() && has_errors {
        card.insert(
            "runs_on".into(),
            "its last good version, until its file is mended; by hand it is not run meanwhile"
                .into(),
        );
    }
    if let Some(recipe) = recipe {
        card.insert("trigger".into(), trigger_word(&recipe.trigger).into());
        if let Some(activation) = recipe.activation {
            card.insert("activation".into(), activation_word(activation).into());
        }
    }
    if let Some(state) = state {
        card.insert("changed_by".into(), state.changed_by.as_str().into());
        card.insert("changed_at".into(), wire::moment(state.changed_at));
    }
    let problems: Vec<Value> = shown.problems.iter().map(wire::diagnostic).collect();
    card.insert("problems".into(), problems.into());
    card
}

fn trigger_word(trigger: &Trigger) -> &'static str {
    match trigger {
        Trigger::Function => "function",
        Trigger::Manual => "manual",
        Trigger::Schedule(_) => "schedule",
        Trigger::Webhook(_) => "webhook",
        Trigger::Poll(_) => "poll",
    }
}

fn activation_word(activation: Activation) -> &'static str {
    match activation {
        Activation::Required => "required",
        Activation::Recommended => "recommended",
        Activation::Optional => "optional",
        Activation::ManualOnly => "manual_only",
    }
}
