//! A person wants a run.
//!
//! In: a recipe with input or a sample event. Out: queued jobs, whatever the recipe's state.

use serde_json::json;

use crate::clock::Moment;
use crate::compile::{Poll, Recipe, Trigger, Webhook};
use crate::data::{Object, Value, kind_of};
use crate::mask::{Hidden, Marked, learn_secret};
use crate::names::{JobId, RecipeName};
use crate::shape::{Field, Misfit, Shape, fill_defaults};

use super::split::{self, Split};
use super::{Intake, Made, Refusal, take_in};

/// What a person gives a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// Nothing.
    Nothing,
    /// The root `input`.
    Input(Value),
    /// A sample event: for a webhook `{ body, headers, query }`.
    Event(Value),
}

/// Queues a run by hand. Everything that does not fit is named at once.
pub async fn run(
    intake: &Intake,
    name: &RecipeName,
    given: Given,
    by: &str,
) -> Result<Vec<JobId>, Refusal> {
    if *intake.is_stopping.borrow() {
        return Err(Refusal::later("the server is stopping"));
    }
    let Some(program) = intake.shelf.program(name) else {
        return Err(Refusal::Unknown(format!(
            "there is no usable recipe `{name}`; if it has a file, `recipes check` says what is \
             wrong with it"
        )));
    };
    let recipe = program.root();
    let now = intake.clock.now();
    let (split, input) = match &recipe.trigger {
        Trigger::Function | Trigger::Manual => (Split::one(Value::Null), input_of(recipe, given)?),
        Trigger::Webhook(webhook) => (events_of(webhook, recipe, given, now)?, json!({})),
        Trigger::Schedule(_) => (Split::one(scheduled_event(given)?), json!({})),
        Trigger::Poll(poll) => (Split::one(polled_event(poll, given)?), json!({})),
    };
    let made = Made {
        recipe: name.clone(),
        split,
        input,
        delivered: None,
        started_by: format!("person:{by}"),
        needs_started_recipe: false,
    };
    let jobs = take_in(intake, made).await?;
    Ok(jobs.into_iter().map(|(id, _)| id).collect())
}

fn input_of(recipe: &Recipe, given: Given) -> Result<Value, Refusal> {
    let input = match given {
        Given::Nothing => json!({}),
        Given::Input(input) => input,
        Given::Event(_) => {
            return Err(wrong(
                "event",
                "this recipe takes input and no event; give `input`",
            ));
        }
    };
    let input = fill_defaults(&recipe.input, input);
    let mut given = Hidden::default();
    given.gather(&recipe.input, &input, Marked::Secret);
    given.texts().for_each(learn_secret);
    let misfits = recipe.input.check(&input, "input");
    if misfits.is_empty() {
        return Ok(input);
    }
    Err(Refusal::WrongInput(misfits))
}

/// The events of a sample delivery; they are new whatever their dedupe key.
fn events_of(
    webhook: &Webhook,
    recipe: &Recipe,
    given: Given,
    now: Moment,
) -> Result<Split, Refusal> {
    let Value::Object(mut event) = event_of(given)? else {
        return Err(wrong(
            "event",
            "this recipe is set off by deliveries: give it one with --event FILE, where the file \
             holds the JSON body (over the API: \"event\": { \"body\": ... })",
        ));
    };
    let known = ["body", "headers", "query"];
    let mut misfits: Vec<Misfit> = event
        .keys()
        .filter(|key| !known.contains(&key.as_str()))
        .map(|key| Misfit {
            path: format!("event.{key}"),
            message: "is not expected here; known are: body, headers, query".into(),
        })
        .collect();
    if !event.contains_key("body") {
        misfits.push(Misfit {
            path: "event.body".into(),
            message: "is missing".into(),
        });
    }
    for part in ["headers", "query"] {
        let value = event
            .entry(part)
            .or_insert_with(|| Value::Object(Object::new()));
        if !value.is_object() {
            let message = format!("expected an object, not {}", kind_of(value));
            misfits.push(Misfit {
                path: format!("event.{part}"),
                message,
            });
        }
    }
    if !misfits.is_empty() {
        return Err(Refusal::WrongInput(misfits));
    }
    Ok(split::events(webhook, event, now, &recipe.timezone).all_new())
}

/// The event of a schedule: nothing, or the time that the run is to stand for.
fn scheduled_event(given: Given) -> Result<Value, Refusal> {
    let event = event_of(given)?;
    if event.is_null() {
        return Ok(json!({}));
    }
    let moment = || Field::optional(Shape::DateTime);
    let covers = Shape::object_of([("from", moment()), ("to", moment())]);
    let event_shape = Shape::object_of([
        ("scheduled_at", moment()),
        ("covers", Field::optional(covers)),
    ]);
    checked(event, &event_shape)
}

/// The event of a poll: an item, or a list of them for a batch.
fn polled_event(poll: &Poll, given: Given) -> Result<Value, Refusal> {
    let mut event = event_of(given)?;
    if event.is_null() {
        return Err(wrong(
            "event",
            "this recipe polls, and a run by hand asks nobody: give it an item with --event FILE, \
             where the file holds {\"item\": ...} (a list of items if the recipe takes a batch)",
        ));
    }
    let item = match poll.batch {
        true => Shape::list_of(Shape::Any),
        false => Shape::Any,
    };
    if let Some(event) = event.as_object_mut() {
        event.entry("index").or_insert_with(|| json!(0));
    }
    let event_shape = Shape::object_of([
        ("item", Field::required(item)),
        ("index", Field::required(Shape::Integer)),
    ]);
    checked(event, &event_shape)
}

fn checked(event: Value, shape: &Shape) -> Result<Value, Refusal> {
    let misfits = shape.check(&event, "event");
    match misfits.is_empty() {
        true => Ok(event),
        false => Err(Refusal::WrongInput(misfits)),
    }
}

fn event_of(given: Given) -> Result<Value, Refusal> {
    match given {
        Given::Nothing => Ok(Value::Null),
        Given::Event(event) => Ok(event),
        Given::Input(Value::Object(input)) if input.is_empty() => Ok(Value::Null),
        Given::Input(_) => Err(wrong(
            "input",
            "this recipe has a trigger and takes no input; give an `event`",
        )),
    }
}

fn wrong(path: &str, message: &str) -> Refusal {
    Refusal::WrongInput(vec![Misfit {
        path: path.into(),
        message: message.into(),
    }])
}
