//! A request from outside becomes jobs.
//!
//! In: a delivery as it came, its head before its body. Out: the jobs it became, committed with the
//! raw body.
//! Always true: what the head is refused for, it is refused for before the body is looked at.

use std::sync::Arc;

use crate::compile::{Program, Trigger, WhileStopped};
use crate::data::{Object, Value};
use crate::names::RecipeName;
use crate::store::{Payload, UNKEPT_DROPPED, UNKEPT_REJECTED};

use super::sign_in::Sender;
use super::{Accepted, Delivered, Intake, Made, Refusal, body, sign_in, split, take_in};

/// The largest body of a delivery.
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The most that headers and address of a delivery may hold: every job keeps them.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The most that the jobs of one delivery read in all: each reads the whole body when it begins.
const EVENTS_BYTES_MAX: usize = 8 * 1024 * 1024 * 1024;

/// The most jobs that one delivery becomes.
const EVENTS_MAX: usize = 10_000;

/// What comes before the body of a request.
#[derive(Clone, Debug)]
pub struct Head {
    /// The headers, names in lower case.
    pub headers: Object,
    /// The parameters of the address.
    pub query: Object,
    /// How long the body will be, if that is said.
    pub body_length: Option<usize>,
}

/// A delivery that may come in: its head is in order, and its sender signed in as far as a head
/// can tell.
pub struct Guest {
    recipe: RecipeName,
    program: Arc<Program>,
    sender: Sender,
    query: Object,
}

/// Looks at the head of a delivery, before anything of its body is read.
pub fn admit(intake: &Intake, recipe: &RecipeName, head: Head) -> Result<Guest, Refusal> {
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
    let bytes = head_bytes(&head);
    let sender = sign_in::look_at_head(
        webhook.auth.as_ref(),
        head.headers,
        &intake.shelf,
        &*intake.references,
        intake.clock.now(),
    )?;
    check_length(head.body_length.unwrap_or(0))?;
    check_head(bytes)?;
    Ok(Guest {
        recipe: recipe.clone(),
        program,
        sender,
        query: head.query,
    })
}

/// Takes a delivery in; afterwards it is durable.
pub async fn deliver(intake: &Intake, guest: Guest, body: Vec<u8>) -> Result<Accepted, Refusal> {
    if *intake.is_stopping.borrow() {
        return Err(Refusal::later("the server is stopping"));
    }
    let Guest {
        recipe, program, ..
    } = guest;
    let Trigger::Webhook(webhook) = &program.root().trigger else {
        return Err(Refusal::Unknown(format!("there is no webhook `{recipe}`")));
    };
    check_length(body.len())?;
    let headers = guest.sender.check_body(&body, intake.clock.now())?;
    let bytes = body;
    let body = body::read(&bytes, sign_in::text(&headers, "content-type"))?;
    let nothing = Accepted {
        jobs: Vec::new(),
        wants_result: false,
    };
    if webhook.while_stopped != WhileStopped::Queue && !is_started(intake, &recipe).await? {
        let now = intake.clock.now();
        let fate = match webhook.while_stopped {
            WhileStopped::Drop => UNKEPT_DROPPED,
            _ => UNKEPT_REJECTED,
        };
        intake.store.count_unkept(&recipe, fate, now).await?;
        return match webhook.while_stopped {
            WhileStopped::Drop => Ok(nothing),
            _ => Err(Refusal::later(format!("the recipe `{recipe}` is stopped"))),
        };
    }
    let payload = Payload {
        headers: Value::Object(headers),
        query: Value::Object(guest.query),
        body: bytes,
    };
    let now = intake.clock.now();
    let split = split::events(webhook, root(body, &payload), now, &program.root().timezone);
    check_size(split.events.len(), payload.body.len())?;
    let made = Made {
        recipe,
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

/// Refuses a body of more bytes than one may have.
pub fn check_length(bytes: usize) -> Result<(), Refusal> {
    if bytes > BODY_BYTES_MAX {
        let mib = BODY_BYTES_MAX / (1024 * 1024);
        return Err(Refusal::TooLarge(format!(
            "the body is larger than {mib} MiB; send it in parts"
        )));
    }
    Ok(())
}

fn head_bytes(head: &Head) -> usize {
    let length = |value: &Value| value.as_str().map_or(0, str::len);
    let all = head.headers.iter().chain(&head.query);
    all.map(|(name, value)| name.len() + length(value)).sum()
}

fn check_head(bytes: usize) -> Result<(), Refusal> {
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
