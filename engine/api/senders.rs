//! What outside systems are told, so that they can deliver: address, sign-in, events.
//!
//! Always true: no field that is secret is told; whoever starts a copy of a recipe that was
//! delivered to is told that its senders need another address.

use serde_json::json;

use crate::compile::{Trigger, Webhook, WebhookAuth};
use crate::connector::FieldSource;
use crate::data::{Object, Value};
use crate::library::Shown;
use crate::names::{ConnectionName, RecipeName};
use crate::store::EventFilter;

use super::{Problem, Rooms, events, wire};

/// What an outside system needs to deliver to a recipe.
pub(super) fn told(rooms: &Rooms, shown: &Shown, webhook: &Webhook) -> Value {
    let mut sign_in = match &webhook.auth {
        None => json!({ "kind": "none" }),
        Some(WebhookAuth::Basic(name)) => json!({ "kind": "basic", "connection": name.as_str() }),
        Some(WebhookAuth::Token(name)) => json!({ "kind": "token", "connection": name.as_str() }),
        Some(WebhookAuth::Hmac(name)) => json!({ "kind": "hmac", "connection": name.as_str() }),
    };
    let shelf = &rooms.intake.shelf;
    if let Some(WebhookAuth::Basic(name) | WebhookAuth::Token(name) | WebhookAuth::Hmac(name)) =
        &webhook.auth
    {
        sign_in["fields"] = told_to_senders(rooms, name).into();
    }
    let tree = shelf.tree(&shown.name);
    let events = tree.as_ref().map(events::compared).unwrap_or_default();
    json!({
        "method": "POST",
        "address": address(rooms, &shown.name),
        "sign_in": sign_in,
        "events": events,
    })
}

/// Adds to the answer of a start where deliveries go, and which copies of the recipe they went to so
/// far.
pub(super) async fn tell_address(
    rooms: &Rooms,
    shown: &Shown,
    answer: &mut Value,
) -> Result<(), Problem> {
    let takes_deliveries = shown
        .program
        .as_ref()
        .is_some_and(|program| matches!(program.root().trigger, Trigger::Webhook(_)));
    if !takes_deliveries {
        return Ok(());
    }
    answer["webhook"] = json!({ "method": "POST", "address": address(rooms, &shown.name) });
    let mut before = Vec::new();
    for (copy, _) in rooms.intake.shelf.copies(&shown.name) {
        let filter = EventFilter {
            recipe: Some(copy.clone()),
            limit: 1,
            ..EventFilter::default()
        };
        if let Some(last) = rooms.intake.store.events(&filter).await?.first() {
            before.push(json!({
                "recipe": copy.as_str(),
                "address": address(rooms, &copy),
                "last_at": wire::moment(last.at),
            }));
        }
    }
    if !before.is_empty() {
        answer["delivered_elsewhere"] = before.into();
    }
    Ok(())
}

/// Where a recipe's deliveries go.
fn address(rooms: &Rooms, name: &RecipeName) -> String {
    let base = rooms.public_url.trim_end_matches('/');
    format!("{base}/webhooks/{name}")
}

/// The fields of a connection that its sender must know and that are no secret, defaults included.
fn told_to_senders(rooms: &Rooms, name: &ConnectionName) -> Object {
    let mut told = Object::new();
    let Some((connection, connector)) = rooms.intake.shelf.connection(name) else {
        return told;
    };
    for (field, declared) in connector
        .connection
        .iter()
        .filter(|(_, field)| !field.secret)
    {
        let value = match connection.fields.get(field) {
            Some(FieldSource::Plain(value)) => Some(value.clone()),
            Some(FieldSource::Environment(_) | FieldSource::File(_) | FieldSource::Sealed(_)) => {
                None
            }
            None => declared.default.clone(),
        };
        told.extend(value.map(|value| (field.clone(), value)));
    }
    // A specification says the rest.
    if told
        .get("scheme")
        .is_some_and(|scheme| scheme == "standard_webhooks")
    {
        told.retain(|field, _| matches!(field.as_str(), "scheme" | "tolerance_s"));
    }
    told
}
