//! Polls: what is new, what is kept of it, what happens when it fails.

use std::time::Duration;

use recipe_engine::interpret::Called;
use recipe_engine::journal::Failure;
use recipe_engine::step::Performed;
use serde_json::{Value, json};

use super::rig::{Rig, at, minutes, name};

/// A poll of the shop's orders, with more of the trigger.
fn polling(rest: &str) -> String {
    format!(
        "
title: It
trigger:
  poll:
    action: shop.list_orders
    every: 10m
{rest}
steps: [{{ return: {{ item: $.trigger.item }} }}]
"
    )
}

const BY_TIME: &str = "    cursor: { from: $.trigger.item.at, send: since, start: 100 }";

fn order(id: i64, at: i64) -> Value {
    json!({ "id": id, "at": at })
}

/// A page, the last one unless a next one is named.
fn page(items: &[Value], next: Option<u32>) -> Performed {
    let mut output = json!({ "items": items });
    if let Some(next) = next {
        output["next"] = json!({ "number": next });
    }
    Performed::Ended(Called::Done { output })
}

fn failed(code: &str, retry: Option<Duration>) -> Performed {
    let failure = Failure::new(code, "the vendor is not well");
    Performed::Ended(Called::Failed { failure, retry })
}

impl Rig {
    /// The ids of the orders that became jobs, oldest first.
    async fn orders(&self) -> Vec<Value> {
        let jobs = self.jobs().await;
        jobs.iter().map(|job| job.event["item"].clone()).collect()
    }

    async fn cursor(&self) -> Value {
        let poll = self.store.poll(&name()).await.unwrap().unwrap();
        poll.cursor
            .map_or(Value::Null, |cursor| cursor["at"].clone())
    }
}

#[tokio::test]
async fn what_is_new_becomes_jobs_and_moves_the_cursor() {
    let rig = Rig::of(&polling(BY_TIME), "2026-03-01T10:03:00Z").await;
    rig.start().await;
    let server = rig.server();
    rig.vendor
        .will_answer(page(&[order(1, 110), order(2, 120)], Some(2)));
    rig.vendor
        .will_answer(page(&[order(3, 115), order(9, 90)], None));
    server.look().await.unwrap();
    assert_eq!(rig.vendor.asked()[0], json!({ "since": 100 }));
    assert_eq!(
        rig.orders().await,
        [order(1, 110), order(2, 120), order(3, 115)]
    );
    assert_eq!(rig.cursor().await, 120);
    assert_eq!(rig.jobs().await[0].started_by, "poll");
    server.look().await.unwrap();
    assert_eq!(rig.vendor.asked().len(), 2, "not before its time");

    // Inclusive, as most vendors are: the order at the cursor is known, another one there is new.
    rig.vendor
        .will_answer(page(&[order(2, 120), order(4, 120), order(5, 130)], None));
    rig.clock.set(at("2026-03-01T10:10:00Z"));
    server.look().await.unwrap();
    assert_eq!(rig.vendor.asked()[2], json!({ "since": 120 }));
    assert_eq!(
        rig.orders().await.split_off(3),
        [order(4, 120), order(5, 130)]
    );
    rig.work().await;
    assert_eq!(rig.outputs().await.len(), 5);

    // While the recipe is stopped nothing is asked; then it goes on from where it stood.
    rig.stop().await;
    rig.clock.advance(minutes(600));
    server.look().await.unwrap();
    assert_eq!(rig.vendor.asked().len(), 3);
    rig.start().await;
    rig.vendor.will_answer(page(&[], None));
    server.look().await.unwrap();
    assert_eq!(rig.vendor.asked()[3], json!({ "since": 130 }));
    assert_eq!(rig.cursor().await, 130);
}

#[tokio::test]
async fn an_empty_first_poll_keeps_its_start() {
    let since_now = "    cursor: { from: $.trigger.item.at, send: since, start: \"{{now}}\" }";
    let rig = Rig::of(&polling(since_now), "2026-03-01T10:03:00Z").await;
    rig.start().await;
    let server = rig.server();
    for _ in 0..2 {
        rig.vendor.will_answer(page(&[], None));
        server.look().await.unwrap();
        rig.clock.advance(minutes(10));
    }
    assert_eq!(
        rig.vendor.asked()[0],
        rig.vendor.asked()[1],
        "nothing lies between the two"
    );
    // Without a start, nothing is sent the first time.
    let no_start = "    cursor: { from: $.trigger.item.at, send: since }";
    let rig = Rig::of(&polling(no_start), "2026-03-01T10:03:00Z").await;
    rig.start().await;
    rig.vendor.will_answer(page(&[order(1, 5)], None));
    rig.server().look().await.unwrap();
    assert_eq!(rig.vendor.asked()[0], json!({}));
    assert_eq!(rig.cursor().await, 5);
}

#[tokio::test]
async fn a_page_that_fails_in_the_middle_leaves_nothing() {
    let rig = Rig::of(&polling(BY_TIME), "2026-03-01T10:00:00Z").await;
    rig.start().await;
    let server = rig.server();
    rig.vendor.will_answer(page(&[order(1, 110)], Some(2)));
    rig.vendor
        .will_answer(failed("bad_gateway", Some(Duration::ZERO)));
    server.look().await.unwrap();
    assert!(rig.orders().await.is_empty());
    let poll = rig.store.poll(&name()).await.unwrap().unwrap();
    assert_eq!((poll.cursor, poll.failures), (None, 1));
    assert_eq!(poll.failure.unwrap().code, "bad_gateway");
    assert_eq!(poll.retry_at, Some(at("2026-03-01T10:00:30Z")));

    // Asked again after a growing pause, from the beginning.
    for (seconds, retry) in [(30, 60), (60, 120), (120, 240)] {
        rig.clock.advance(Duration::from_secs(seconds - 1));
        server.look().await.unwrap();
        rig.vendor.will_answer(failed("bad_gateway", None));
        rig.clock.advance(Duration::from_secs(1));
        server.look().await.unwrap();
        let poll = rig.store.poll(&name()).await.unwrap().unwrap();
        let pause = poll.retry_at.unwrap().since(rig.clock.now());
        assert_eq!(pause, Duration::from_secs(retry));
    }
    rig.vendor.will_answer(page(&[order(1, 110)], None));
    rig.clock.advance(minutes(4));
    server.look().await.unwrap();
    let poll = rig.store.poll(&name()).await.unwrap().unwrap();
    assert_eq!(
        (poll.failures, poll.failure, poll.retry_at),
        (0, None, None)
    );
    assert_eq!(rig.orders().await, [order(1, 110)]);
    // The vendor's word on when to come back counts, up to an hour.
    for (asked, given) in [(600, 600), (31_536_000, 3_600)] {
        rig.clock.advance(minutes(60));
        let wait = Duration::from_secs(asked);
        rig.vendor.will_answer(failed("rate_limited", Some(wait)));
        server.look().await.unwrap();
        let poll = rig.store.poll(&name()).await.unwrap().unwrap();
        let pause = poll.retry_at.unwrap().since(rig.clock.now());
        assert_eq!(pause, Duration::from_secs(given));
    }
}

#[tokio::test]
async fn a_poll_waits_for_room_in_the_budget() {
    let rig = Rig::of(&polling(BY_TIME), "2026-03-01T10:00:00Z").await;
    rig.start().await;
    let server = rig.server();
    rig.vendor
        .will_answer(Performed::Later(at("2026-03-01T10:04:00Z")));
    server.look().await.unwrap();
    let poll = rig.store.poll(&name()).await.unwrap().unwrap();
    assert_eq!(
        (poll.failures, poll.failure.unwrap().code.as_str()),
        (0, "no_room")
    );
    rig.vendor.will_answer(page(&[order(1, 110)], None));
    rig.clock.set(at("2026-03-01T10:04:00Z"));
    server.look().await.unwrap();
    assert_eq!(rig.orders().await, [order(1, 110)]);
}

#[tokio::test]
async fn of_two_polls_at_once_one_counts() {
    let by_key = "    dedupe: { key: \"{{trigger.item.id}}\", window: 1d }";
    for (rest, orders) in [
        (by_key, vec![order(1, 110), order(2, 120)]),
        (BY_TIME, vec![order(1, 110), order(1, 111), order(2, 120)]),
    ] {
        let rig = Rig::of(&polling(rest), "2026-03-01T10:00:00Z").await;
        rig.start().await;
        let page_of_three = || page(&[order(1, 110), order(1, 111), order(2, 120)], None);
        rig.vendor.will_answer(page_of_three());
        rig.vendor.will_answer(page_of_three());
        let (one, other) = (rig.server(), rig.server());
        let (a, b) = tokio::join!(one.look(), other.look());
        a.unwrap();
        b.unwrap();
        assert_eq!(rig.vendor.asked().len(), 2, "both asked");
        assert_eq!(rig.orders().await, orders);
    }
    // Stopped while it was under way, a poll writes nothing.
    let rig = Rig::of(&polling(BY_TIME), "2026-03-01T10:00:00Z").await;
    rig.start().await;
    let until = at("2026-03-01T10:01:00Z");
    rig.vendor.will_answer(page(&[order(1, 110)], Some(2)));
    rig.vendor.will_answer(Performed::Later(until));
    rig.vendor.will_answer(page(&[order(2, 120)], None));
    let server = rig.server();
    let (looked, ()) = tokio::join!(server.look(), async {
        rig.stop().await;
        rig.clock.set(until);
    });
    looked.unwrap();
    assert_eq!(rig.vendor.asked().len(), 3);
    assert!(rig.orders().await.is_empty());
}

#[tokio::test]
async fn a_batch_is_one_job_of_what_is_new() {
    let batch = "    dedupe: { key: \"{{trigger.item.id}}\", window: 1h }\n    batch: true";
    let rig = Rig::of(&polling(batch), "2026-03-01T10:00:00Z").await;
    rig.start().await;
    let server = rig.server();
    rig.vendor
        .will_answer(page(&[order(1, 1), order(2, 1)], None));
    server.look().await.unwrap();
    assert_eq!(rig.orders().await, [json!([order(1, 1), order(2, 1)])]);
    for (items, jobs) in [(vec![order(2, 1), order(3, 1)], 2), (vec![order(3, 1)], 2)] {
        rig.vendor.will_answer(page(&items, None));
        rig.clock.advance(minutes(10));
        server.look().await.unwrap();
        assert_eq!(rig.orders().await.len(), jobs);
    }
    assert_eq!(rig.orders().await[1], json!([order(3, 1)]));
    rig.work().await;
    assert_eq!(rig.outputs().await[1]["item"], json!([order(3, 1)]));
}

#[tokio::test]
async fn a_poll_that_is_edited_to_mean_something_else_begins_anew() {
    let rig = Rig::of(&polling(BY_TIME), "2026-03-01T10:00:00Z").await;
    rig.start().await;
    let server = rig.server();
    rig.vendor.will_answer(page(&[order(7, 110)], None));
    server.look().await.unwrap();
    // Another interval, at once, and the cursor stays.
    rig.edit(&polling(BY_TIME).replace("10m", "1m"));
    rig.vendor.will_answer(page(&[], None));
    rig.clock.advance(minutes(1));
    server.look().await.unwrap();
    assert_eq!(rig.vendor.asked()[1], json!({ "since": 110 }));
    // Another field: the old value means nothing. A failure does not make it mean something.
    rig.edit(
        &polling(BY_TIME)
            .replace("item.at", "item.id")
            .replace("100", "3"),
    );
    rig.vendor.will_answer(failed("bad_gateway", None));
    rig.clock.advance(minutes(10));
    server.look().await.unwrap();
    rig.vendor.will_answer(page(&[order(7, 110)], None));
    rig.clock.advance(minutes(10));
    server.look().await.unwrap();
    assert_eq!(
        rig.vendor.asked()[2..],
        [json!({ "since": 3 }), json!({ "since": 3 })]
    );
    assert_eq!(rig.cursor().await, 7);
}

#[tokio::test]
async fn what_no_poll_can_take_is_said_and_nothing_is_lost() {
    let rig = Rig::of(&polling(BY_TIME), "2026-03-01T10:00:00Z").await;
    rig.start().await;
    let server = rig.server();
    let many: Vec<_> = (0..6_000).map(|n| order(n, 110)).collect();
    rig.vendor.will_answer(page(&many, Some(2)));
    rig.vendor.will_answer(page(&many, Some(3)));
    server.look().await.unwrap();
    let said = |poll: recipe_engine::store::Poll| {
        let failure = poll.failure.unwrap();
        format!("{}: {}", failure.code, failure.message)
    };
    let poll = rig.store.poll(&name()).await.unwrap().unwrap();
    let text = said(poll);
    assert!(
        text.contains("too_many_items") && text.contains("cursor.start"),
        "{text}"
    );
    // An item without the field, or with one that cannot be compared.
    for (item, words) in [
        (json!({ "id": 1 }), "$.trigger.item.at"),
        (
            json!({ "id": 1, "at": { "x": 1 } }),
            "cannot be put in order",
        ),
    ] {
        rig.clock.advance(minutes(60));
        rig.vendor.will_answer(page(&[order(2, 110), item], None));
        server.look().await.unwrap();
        let text = said(rig.store.poll(&name()).await.unwrap().unwrap());
        assert!(text.contains(words), "{text}");
    }
    assert!(rig.orders().await.is_empty());
    assert_eq!(rig.cursor().await, Value::Null);
}

#[tokio::test]
async fn an_item_without_a_cursor_value_is_new_once() {
    let by_time = BY_TIME.replace("item.at,", "item.at?,");
    let rig = Rig::of(&polling(&by_time), "2026-03-01T10:03:00Z").await;
    rig.start().await;
    let server = rig.server();
    let never = |id: i64, state: &str| json!({ "id": id, "at": null, "state": state });
    let absent = json!({ "id": 3 });
    for (listing, new) in [
        (
            vec![never(1, "a"), order(2, 110), absent.clone()],
            vec![1, 2, 3],
        ),
        (vec![never(1, "a"), order(2, 110), absent.clone()], vec![]),
        // Not every listing shows all of them.
        (vec![order(4, 120), never(5, "a")], vec![4, 5]),
        (
            vec![never(1, "a"), absent, never(5, "b"), order(4, 120)],
            vec![5],
        ),
        // Once it has a value it is placed by it.
        (vec![order(1, 130)], vec![1]),
    ] {
        let before = rig.jobs().await.len();
        rig.vendor.will_answer(page(&listing, None));
        server.look().await.unwrap();
        let orders = rig.orders().await;
        let ids: Vec<i64> = orders[before..]
            .iter()
            .map(|order| order["id"].as_i64().unwrap())
            .collect();
        assert_eq!(ids, new, "{listing:?}");
        rig.clock.advance(minutes(10));
    }
    assert_eq!(rig.cursor().await, 130);
}

#[tokio::test]
async fn without_a_question_mark_the_item_that_lacks_its_value_is_named() {
    let rig = Rig::of(&polling(BY_TIME), "2026-03-01T10:03:00Z").await;
    rig.start().await;
    let server = rig.server();
    rig.vendor
        .will_answer(page(&[order(1, 110), json!({ "id": 2 })], None));
    server.look().await.unwrap();
    assert!(rig.jobs().await.is_empty());
    let poll = rig.store.poll(&name()).await.unwrap().unwrap();
    let failure = poll.failure.unwrap();
    assert_eq!(failure.code, "no_value");
    assert!(failure.message.contains("item 2 of"), "{}", failure.message);
    assert!(failure.message.contains("`?`"), "{}", failure.message);
}
