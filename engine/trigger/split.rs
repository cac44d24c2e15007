//! From one delivery to the events of its jobs.
//!
//! In: the root `trigger` of a delivery. Out: one event for each element, with its dedupe key.
//! Always true: a delivery becomes at least one event; a key that cannot be worked out loses
//! nothing, the event is then simply new.

use std::sync::Arc;

use serde_json::json;

use crate::clock::Moment;
use crate::compile::Webhook;
use crate::data::{Object, Value, digest};
use crate::expression::{Expression, Scope};

/// An event and the key under which it is known until a moment.
pub(super) type Event = (Value, Option<(String, Moment)>);

/// The longest key that is kept as it is; a longer one is kept as its digest.
const KEY_BYTES_MAX: usize = 200;

/// The events of a delivery: one for each element of the first path that finds any, else the body.
pub(super) fn events(webhook: &Webhook, delivery: Object, now: Moment, zone: &str) -> Vec<Event> {
    let whole = Root::new(Value::Object(delivery), now, zone);
    let found = webhook.split.iter().find_map(|path| elements(path, &whole));
    let body = whole.trigger.get("body").cloned().unwrap_or(Value::Null);
    let elements = found.unwrap_or_else(|| vec![body]);
    elements
        .into_iter()
        .enumerate()
        .map(|(index, element)| {
            let mut event = Value::clone(&whole.trigger);
            if let Some(event) = event.as_object_mut() {
                event.insert("item".into(), element);
                event.insert("index".into(), json!(index));
            }
            let root = Root::new(event, now, zone);
            let dedupe = webhook.dedupe.as_ref().and_then(|dedupe| {
                let key = key_of(&dedupe.key, &root)?;
                Some((key, now.after(dedupe.window)))
            });
            (Arc::unwrap_or_clone(root.trigger), dedupe)
        })
        .collect()
}

/// The elements at a path; `None` if it finds nothing.
fn elements(path: &Expression, root: &Root) -> Option<Vec<Value>> {
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
            tracing::warn!(
                "an event has no dedupe key, it is taken as new: `{}`: {}",
                error.expression,
                error.message
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

/// What the expressions of a trigger see.
struct Root<'a> {
    trigger: Arc<Value>,
    now: Moment,
    zone: &'a str,
}

impl<'a> Root<'a> {
    fn new(trigger: Value, now: Moment, zone: &'a str) -> Self {
        Self {
            trigger: Arc::new(trigger),
            now,
            zone,
        }
    }
}

impl Scope for Root<'_> {
    fn find(&self, root: &str, member: Option<&str>) -> Option<Arc<Value>> {
        match (root, member) {
            ("trigger", None) => Some(self.trigger.clone()),
            ("trigger", Some(member)) => self.trigger.get(member).cloned().map(Arc::new),
            _ => None,
        }
    }

    fn now(&self) -> Moment {
        self.now
    }

    fn timezone(&self) -> &str {
        self.zone
    }

    fn uuid(&self) -> String {
        // As fresh as it sounds: a dedupe key with it makes every event new.
        crate::names::JobId::fresh().to_string()
    }
}
