//! A request from outside becomes jobs.
//!
//! In: a delivery as it came. Out: the jobs it became, committed with the raw body.

use crate::compile::{Trigger, WhileStopped};
use crate::data::{Object, Value};
use crate::names::RecipeName;
use crate::store::{Payload, UNKEPT_DROPPED, UNKEPT_REJECTED};

use super::{Accepted, Delivered, Intake, Made, Refusal, body, sign_in, split, take_in};

/// The largest body of a delivery.
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The most that headers and address of a delivery may hold: every job keeps them.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The most that the jobs of one delivery read in all: each reads the whole body when it begins.
const EVENTS_BYTES_MAX: usize = 8 * 1024 * 1024 * 1024;

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
        intake.clock.now(),
    )?;
    if delivery.body.len() > BODY_BYTES_MAX {
        return Err(Refusal::TooLarge(too_large()));
    }
    check_head(&delivery)?;
    let body = body::read(&delivery.body, sign_in::text(&headers, "content-type"))?;
    let nothing = Accepted {
        jobs: Vec::new(),
        wants_result: false,
    };
    if webhook.while_stopped != WhileStopped::Queue && !is_started(intake, recipe).await? {
        let now = intake.clock.now();
        let fate = match webhook.while_stopped {
            WhileStopped::Drop => UNKEPT_DROPPED,
            _ => UNKEPT_REJECTED,
        };
        intake.store.count_unkept(recipe, fate, now).await?;
        return match webhook.while_stopped {
            WhileStopped::Drop => Ok(nothing),
            _ => Err(Refusal::later(format!("the recipe `{recipe}` is stopped"))),
        };
    }
    let payload = Payload {
        headers: Value::Object(headers),
        query: Value::Object(delivery.query),
        body: delivery.body,
    };
    let now = intake.clock.now();
    let split = split::events(webhook, root(body, &payload), now, &program.root().timezone);
    check_size(split.events.len(), payload.body.len())?;
    let made = Made {
        recipe: recipe.clone(),
        split,
        input: Value::Object(Object::new()),
        delivered: Some(Delivered::Fresh(payload)),
        started_by: "webhook".into(),
        needs_started_recipe: true,
    };
    let jobs = take_in(intake, made).await?;
    Ok(Accepted {
        jobs,
        wants_result: webhook.respond_with_result,
    })
}

/// The root `trigger` of a delivery, before it is split.
pub(super) fn root(body: Value, payload: &Payload) -> Object {
    let mut root = Object::new();
    root.insert("body".into(), body);
    root.insert("headers".into(), payload.headers.clone());
    root.insert("query".into(), payload.query.clone());
    root
}

/// What is said of a body over the limit.
fn too_large() -> String {
    let mib = BODY_BYTES_MAX / (1024 * 1024);
    format!("the body is larger than {mib} MiB; send it in parts")
}

fn check_head(delivery: &Delivery) -> Result<(), Refusal> {
    let length = |value: &Value| value.as_str().map_or(0, str::len);
    let all = delivery.headers.iter().chain(&delivery.query);
    let bytes: usize = all.map(|(name, value)| name.len() + length(value)).sum();
    if bytes > HEAD_BYTES_MAX {
        return Err(Refusal::TooLarge(format!(
            "headers and address of the delivery have {bytes} bytes; at most {HEAD_BYTES_MAX} are \
             taken"
        )));
    }
    Ok(())
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
