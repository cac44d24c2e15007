//! Keys and slots: held through waits, tries, crashes and decisions, in line first come first
//! served, and never by somebody who has left.

use std::sync::atomic::{AtomicU32, Ordering};

use recipe_engine::journal::{Decision, JobStatus};
use serde_json::{Value, json};

use super::stage::{Reply, Sent, Stage};

const LASTING: &str = "
title: Lasting
trigger: { function: { input: { who: integer, key: string }, output: {} } }
concurrency: { key: $.input.key }
steps:
  - id: first
    action: vendor.keep_thing
    with: { id: $.input.who, name: first }
  - id: hold
    wait: 1h
  - id: busy
    action: vendor.keep_thing
    with: { id: $.input.who, name: busy }
    retry: { tries: 3, delay: 10m }
  - id: note
    action: vendor.send_note
    with: { text: 'of {{input.who}}' }
  - id: last
    action: vendor.keep_thing
    with: { id: $.input.who, name: last }
";

/// Who made a call.
fn who(sent: &Sent) -> Value {
    match sent.input.get("text").and_then(Value::as_str) {
        Some(text) => text[3..].parse::<i64>().unwrap().into(),
        None => sent.input["id"].clone(),
    }
}

/// Refuses every second call of `busy`, and leaves notes in doubt.
fn vendor() -> impl Fn(&Sent) -> Reply {
    let tries = AtomicU32::new(0);
    move |sent| match sent.place.split('~').next() {
        Some(place) if place.ends_with("busy") => {
            match tries.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
                true => Reply::Busy,
                false => Reply::Done(json!({ "id": 1 })),
            }
        }
        Some(place) if place.ends_with("note") => Reply::Doubt,
        _ => Reply::Done(json!({ "id": 1 })),
    }
}

/// Decides on every doubtful note, whoever it is of.
async fn decide_all(stage: &Stage, jobs: &[recipe_engine::names::JobId], place: &str) -> bool {
    let mut has_decided = false;
    for job in jobs {
        if stage.status(job).await == JobStatus::NeedsDecision {
            has_decided = true;
            let output = json!({ "id": 1 });
            let decision = Decision::Happened { output };
            stage.decide(job, place, decision).await;
        }
    }
    has_decided
}

#[tokio::test]
async fn a_key_is_held_through_waits_tries_crashes_and_decisions() {
    for commit in 1.. {
        let stage = Stage::of(&[("lasting", LASTING)], vendor()).await;
        let mut jobs = Vec::new();
        for who in 1..=3 {
            jobs.push(
                stage
                    .run("lasting", json!({ "who": who, "key": "x" }))
                    .await,
            );
        }
        let mut died = stage.until_quiet_over_death(commit).await;
        while decide_all(&stage, &jobs, "note").await {
            died |= stage.until_quiet_over_death(commit).await;
        }
        for job in &jobs {
            let told = format!("dead after commit {commit}");
            assert_eq!(stage.status(job).await, JobStatus::Succeeded, "{told}");
        }
        let mut order: Vec<Value> = stage.calls().iter().map(who).collect();
        order.dedup();
        assert_eq!(order, [1, 2, 3], "dead after commit {commit}");
        if !died {
            return;
        }
    }
}

const NESTED: &str = "
title: Nested
trigger: { function: { input: { who: [integer] }, output: {} } }
steps:
  - id: each
    foreach: $.input.who
    as: who
    at_once: 4
    do:
      - id: one
        call: lasting
        with: { who: $.who, key: x }
";

#[tokio::test]
async fn frames_of_one_job_and_of_others_take_turns() {
    let stage = Stage::of(&[("nested", NESTED), ("lasting", LASTING)], vendor()).await;
    let first = stage.run("nested", json!({ "who": [1, 2] })).await;
    let second = stage.run("lasting", json!({ "who": 3, "key": "x" })).await;
    let other = stage.run("lasting", json!({ "who": 4, "key": "y" })).await;
    stage.until_quiet().await;
    let places = ["each[0]/one/note", "each[1]/one/note", "note"];
    let jobs = [first.clone(), second.clone(), other.clone()];
    for _ in 0..6 {
        for place in places {
            if decide_all(&stage, &jobs, place).await {
                stage.until_quiet().await;
            }
        }
    }
    for job in &jobs {
        assert_eq!(stage.status(job).await, JobStatus::Succeeded);
    }
    let of_key = |sent: &&Sent| who(sent) != json!(4);
    let sent = stage.calls();
    let mut order: Vec<Value> = sent.iter().filter(of_key).map(who).collect();
    order.dedup();
    assert_eq!(order.len(), 3, "no two at once: {order:?}");
    assert_eq!(order[0], json!(1));
    let others = sent.iter().position(|sent| who(sent) == json!(4)).unwrap();
    assert!(others < 4, "another key waits for nobody");
}

const IMPATIENT: &str = "
title: Impatient
trigger: { function: { input: { who: integer }, output: { outcome: string } } }
steps:
  - try:
      - id: turn
        timeout: 5m
        call: lasting
        with: { who: $.input.who, key: x }
    catch:
      when: { $.error.code: { equals: timed_out } }
      do:
        - wait: 1d
        - return: { outcome: left }
  - return: { outcome: served }
";

#[tokio::test]
async fn who_leaves_the_line_is_not_given_the_turn() {
    let stage = Stage::of(&[("impatient", IMPATIENT), ("lasting", LASTING)], vendor()).await;
    let first = stage.run("lasting", json!({ "who": 1, "key": "x" })).await;
    let left = stage.run("impatient", json!({ "who": 2 })).await;
    let last = stage.run("lasting", json!({ "who": 3, "key": "x" })).await;
    stage.until_quiet().await;
    for _ in 0..2 {
        decide_all(&stage, &[first.clone(), last.clone()], "note").await;
        stage.until_quiet().await;
    }
    assert_eq!(stage.status(&first).await, JobStatus::Succeeded);
    assert_eq!(
        stage.status(&last).await,
        JobStatus::Succeeded,
        "its turn came"
    );
    let output = stage.job(&left).await.0.ending.unwrap().output;
    assert_eq!(output, Some(json!({ "outcome": "left" })));
    assert!(stage.calls().iter().all(|sent| who(sent) != json!(2)));
}
