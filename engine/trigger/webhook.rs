//! A request from outside becomes jobs.
//!
//! In: a delivery as it came. Out: the jobs it became, committed with the raw body.

use serde_json::json;

use crate::compile::{Trigger, WhileStopped};
use crate::data::{Object, Value};
use crate::names::RecipeName;
use crate::store::Payload;

use super::{Accepted, Intake, Made, Refusal, sign_in, split, take_in};

/// The largest body of a delivery.
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The most that the events of one delivery may come to: each carries the whole body.
const EVENTS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The most jobs that one delivery becomes.
const EVENTS_MAX: usize = 10_000;

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its headers, names in lower case.
    pub headers: Object,
    /// The parameters of its address.
    pub query: Object,
    /// Its raw body.
    pub body: Vec<u8>,
}

/// Takes a delivery in; afterwards it is durable.
pub async fn deliver(
    intake: &Intake,
    recipe: &RecipeName,
    delivery: Delivery,
) -> Result<Accepted, Refusal> {
    if *intake.is_stopping.borrow() {
        return Err(Refusal::later("the server is stopping"));
    }
    let unknown = || Refusal::Unknown(format!("there is no webhook `{recipe}`"));
    let Some(program) = intake.shelf.program(recipe) else {
        if intake.shelf.has_file(recipe) {
            return Err(Refusal::later(format!("the recipe `{recipe}` has errors")));
        }
        return Err(unknown());
    };
    let Trigger::Webhook(webhook) = &program.root().trigger else {
        return Err(unknown());
    };
    let headers = sign_in::check(
        webhook.auth.as_ref(),
        &delivery.headers,
        &delivery.body,
        &intake.shelf,
        &*intake.references,
    )?;
    if delivery.body.len() > BODY_BYTES_MAX {
        return Err(Refusal::TooLarge(too_large()));
    }
    let body: Value = serde_json::from_slice(&delivery.body)
        .map_err(|error| Refusal::Unreadable(format!("the body is not JSON: {error}")))?;
    let nothing = Accepted {
        jobs: Vec::new(),
        wants_result: false,
    };
    if webhook.while_stopped != WhileStopped::Queue && !is_started(intake, recipe).await? {
        return match webhook.while_stopped {
            WhileStopped::Drop => Ok(nothing),
            _ => Err(Refusal::later(format!("the recipe `{recipe}` is stopped"))),
        };
    }
    let mut root = Object::new();
    root.insert("body".into(), body);
    root.insert("headers".into(), Value::Object(headers.clone()));
    root.insert("query".into(), Value::Object(delivery.query));
    let now = intake.clock.now();
    let events = split::events(webhook, root, now, &program.root().timezone);
    check_size(events.len(), delivery.body.len())?;
    let made = Made {
        recipe: recipe.clone(),
        events,
        input: json!({}),
        payload: Some(Payload {
            headers: Value::Object(headers),
            body: delivery.body,
        }),
        started_by: "webhook".into(),
        needs_started_recipe: true,
    };
    let jobs = take_in(intake, made).await?;
    Ok(Accepted {
        jobs,
        wants_result: webhook.respond_with_result,
    })
}

/// What is said of a body over the limit.
pub(super) fn too_large() -> String {
    let mib = BODY_BYTES_MAX / (1024 * 1024);
    format!("the body is larger than {mib} MiB; send it in parts")
}

fn check_size(events: usize, body: usize) -> Result<(), Refusal> {
    if events > EVENTS_MAX || events.saturating_mul(body) > EVENTS_BYTES_MAX {
        return Err(Refusal::TooLarge(format!(
            "the delivery holds {events} events in {body} bytes; send fewer events at once"
        )));
    }
    Ok(())
}

async fn is_started(intake: &Intake, recipe: &RecipeName) -> Result<bool, Refusal> {
    let states = intake.store.states().await?;
    Ok(states.get(recipe).is_some_and(|state| state.is_started))
}
