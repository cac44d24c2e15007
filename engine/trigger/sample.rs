//! What a delivery would become, without taking it in.
//!
//! In: a webhook and a delivery whose sender is not looked at. Out: its events, or why not.
//! Always true: pure; it is what a real delivery goes through between its sign-in and its commit.

use crate::clock::Moment;
use crate::compile::Webhook;
use crate::data::{Object, Value};
use crate::store::Payload;

use super::webhook::root;
use super::{Refusal, body, sign_in, split};

/// A request as it would come in.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its headers, names in lower case.
    pub headers: Object,
    /// The parameters of its address.
    pub query: Object,
    /// Its raw body.
    pub body: Vec<u8>,
}

/// An event that a job would be about.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The root `trigger` as the job would see it.
    pub event: Value,
    /// The key under which it would be known; none if it is new in any case.
    pub dedupe_key: Option<String>,
}

/// Reads a delivery and splits it, at this moment, in the zone of the recipe.
pub fn sample(
    webhook: &Webhook,
    delivery: Delivery,
    now: Moment,
    zone: &str,
) -> Result<Vec<Sample>, Refusal> {
    let content_type = sign_in::text(&delivery.headers, "content-type");
    let body = body::read(&delivery.body, content_type)?;
    let payload = Payload {
        headers: Value::Object(delivery.headers),
        query: Value::Object(delivery.query),
        body: delivery.body,
    };
    let split = split::events(webhook, root(body, &payload), now, zone);
    let of = |event: split::Event| {
        let mut whole = split.shared.clone();
        if let Value::Object(own) = event.own {
            whole.extend(own);
        }
        Sample {
            event: Value::Object(whole),
            dedupe_key: event.dedupe.map(|(key, _)| key),
        }
    };
    Ok(split.events.into_iter().map(of).collect())
}
