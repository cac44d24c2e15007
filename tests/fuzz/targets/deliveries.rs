//! Bytes as deliveries to a webhook.
//!
//! In: bytes: a kind of body, then the body. Out: nothing.
//! Always true: reading and splitting never panic; a delivery becomes at least one event or is
//! refused with words; the same delivery becomes the same events with the same keys; every event
//! carries the whole body.

use std::sync::{Arc, LazyLock};

use recipe_engine::clock::Moment;
use recipe_engine::compile::{Recipe, Trigger};
use recipe_engine::data::{Object, Value};
use recipe_engine::names::RecipeName;
use recipe_engine::source::parse;
use recipe_engine::trigger::{Delivery, Refusal, sample};

use super::workspace::compiled;

const HOOK: &str = r#"
title: Hook
trigger:
  webhook:
    auth: none
    split: ["$.trigger.body.items[?@.kind=='a']", "$.trigger.body.items[*]", $.trigger.body.item]
    dedupe:
      key: "{{trigger.body.id?}}/{{trigger.item.id?}}/{{default trigger.headers.x_event? trigger.index}}"
      window: 7d
steps:
  - log: "{{trigger.index}}"
"#;

static RECIPE: LazyLock<Arc<Recipe>> = LazyLock::new(|| {
    let (document, _) = parse(&Arc::from("hook"), HOOK.as_bytes());
    let name = RecipeName::of("p", "hook").expect("it is a name");
    let mut compiled = compiled(vec![("hook", document.expect("it is sound"))]);
    let hook = compiled.remove(&name).expect("it was compiled");
    hook.recipe.unwrap_or_else(|| panic!("{:?}", hook.found))
});

/// Takes the bytes for a delivery, as JSON, as a form or as what they say.
pub fn check(bytes: &[u8]) {
    let Trigger::Webhook(webhook) = &RECIPE.trigger else {
        panic!("it is a webhook");
    };
    let (kind, body) = bytes.split_at(bytes.len().min(1));
    let content_type = match kind {
        b"f" => "application/x-www-form-urlencoded",
        b"t" => "text/plain; charset=utf-8",
        _ => "application/json",
    };
    let mut headers = Object::new();
    headers.insert("content-type".into(), content_type.into());
    let delivery = Delivery {
        headers,
        query: Object::new(),
        body: body.to_vec(),
    };
    let events = || sample(webhook, delivery.clone(), Moment(0), &RECIPE.timezone);
    let first = events();
    assert_eq!(first, events(), "the same delivery becomes something else");
    let events = match first {
        Ok(events) => events,
        Err(Refusal::Unreadable(why)) => {
            assert!(!why.is_empty());
            return;
        }
        Err(other) => panic!("a body is refused as {other:?}"),
    };
    assert!(!events.is_empty(), "a delivery was lost");
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.event["index"], index);
        assert_eq!(event.event["body"], events[0].event["body"]);
        if let Some(key) = &event.dedupe_key {
            assert!(!key.trim().is_empty() && key.len() <= 200, "{key}");
        }
    }
    if content_type == "application/json" {
        let whole: Value = serde_json::from_slice(body).expect("it was read as JSON");
        assert_eq!(events[0].event["body"], whole);
    }
}
