//! From one delivery to the events of its jobs.
//!
//! In: what a delivery brought. Out: one event for each element, with its dedupe key, and what all
//! of them have in common, once.
//! Always true: a delivery becomes at least one event; a key that cannot be worked out loses
//! nothing, the event is then simply new; the body is not copied for each element.

use std::sync::Arc;

use serde_json::json;

use crate::clock::Moment;
use crate::compile::Webhook;
use crate::data::{Object, Value, digest};
use crate::expression::{Expression, Scope};

use super::scope::TriggerScope;

/// What a delivery becomes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Split {
    /// The members of the root `trigger` that all events share: body, headers, query.
    pub(super) shared: Object,
    /// The events, in the order of the elements.
    pub(super) events: Vec<Event>,
}

/// One event.
#[derive(Debug, PartialEq)]
pub(super) struct Event {
    /// The members of the root `trigger` that only this event has, or all of the root if nothing
    /// is shared.
    pub(super) own: Value,
    /// The key under which the event is known until a moment.
    pub(super) dedupe: Option<(String, Moment)>,
}

impl Split {
    /// One event that shares nothing and is always new.
    pub(super) fn one(event: Value) -> Self {
        Self {
            shared: Object::new(),
            events: vec![Event {
                own: event,
                dedupe: None,
            }],
        }
    }

    /// The same events, new whatever is known already.
    pub(super) fn all_new(mut self) -> Self {
        for event in &mut self.events {
            event.dedupe = None;
        }
        self
    }
}

/// The longest key that is kept as it is; a longer one is kept as its digest.
const KEY_BYTES_MAX: usize = 200;

/// The events of a delivery: one for each element of the first path that finds any, else the body.
pub(super) fn events(webhook: &Webhook, delivery: Object, now: Moment, zone: &str) -> Split {
    let mut root = TriggerScope {
        trigger: Some(Arc::new(Value::Object(delivery))),
        settings: None,
        now,
        zone,
    };
    let found = webhook.split.iter().find_map(|path| elements(path, &root));
    let body = || root.find("trigger", Some("body"));
    let elements = found.unwrap_or_else(|| vec![body().map_or(Value::Null, Arc::unwrap_or_clone)]);
    let mut events = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        let mut own = Object::new();
        own.insert("item".into(), element);
        own.insert("index".into(), json!(index));
        let dedupe = webhook.dedupe.as_ref().and_then(|dedupe| {
            let key = root.with(&mut own, |root| key_of(&dedupe.key, root))?;
            Some((key, now.after(dedupe.window)))
        });
        events.push(Event {
            own: Value::Object(own),
            dedupe,
        });
    }
    let shared = match Arc::unwrap_or_clone(root.trigger.unwrap_or_default()) {
        Value::Object(shared) => shared,
        _ => Object::new(),
    };
    Split { shared, events }
}

/// The elements at a path; `None` if it finds nothing.
fn elements(path: &Expression, root: &TriggerScope<'_>) -> Option<Vec<Value>> {
    match path.evaluate(root) {
        Ok(Some(Value::Array(elements))) if !elements.is_empty() => Some(elements),
        Ok(Some(Value::Array(_) | Value::Null) | None) | Err(_) => None,
        Ok(Some(single)) => Some(vec![single]),
    }
}

/// The text of a dedupe key; `None` if there is none, so that the event is new.
pub(super) fn key_of(key: &Expression, scope: &dyn Scope) -> Option<String> {
    let text = match key.evaluate(scope) {
        Ok(Some(Value::String(text))) => text,
        Ok(Some(Value::Null) | None) => return None,
        Ok(Some(other)) => other.to_string(),
        Err(error) => {
            // What is wrong may quote what came, and that may name a person.
            tracing::warn!(
                "an event has no dedupe key, it is taken as new: `{}` gives none",
                error.expression
            );
            return None;
        }
    };
    if text.trim().is_empty() {
        return None;
    }
    let is_short = text.len() <= KEY_BYTES_MAX;
    Some(if is_short {
        text
    } else {
        digest(text.as_bytes())
    })
}
