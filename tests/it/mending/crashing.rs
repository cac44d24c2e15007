//! What a crash costs: no try of a step, and a job's life only if it never comes further.

use std::sync::atomic::{AtomicU32, Ordering};

use recipe_engine::journal::{EntryKind, JobStatus};
use recipe_engine::runner::{Halt, Point};
use serde_json::json;

use super::stage::{Reply, Stage, count};

const MAKE: &str = "
title: Make
trigger: { function: { input: {}, output: {} } }
steps:
  - id: made
    action: vendor.make_thing
    with: { name: a }
    retry: { tries: 2 }
";

#[tokio::test]
async fn crashes_before_a_call_left_cost_no_try() {
    let stage = Stage::of(&[("make", MAKE)], |_| Reply::Done(json!({ "id": 1 }))).await;
    let id = stage.run("make", json!({})).await;
    for _ in 0..4 {
        let died = stage.live(Halt::at(Point::IntentWritten, 1)).await;
        assert!(died, "each life ends with the call about to leave");
    }
    stage.until_quiet().await;
    let (job, entries) = stage.job(&id).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    assert_eq!(
        stage.places(),
        ["made~5"],
        "it left once, after four crashes and two tries"
    );
    let is_intent = |kind: &EntryKind| matches!(kind, EntryKind::CallIntended { .. });
    assert_eq!(count(&entries, is_intent), 5);
}

#[tokio::test]
async fn a_call_that_takes_the_process_down_each_time_ends_in_quarantine() {
    let stage = Stage::of(&[("make", MAKE)], |_| Reply::Done(json!({ "id": 1 }))).await;
    let id = stage.run("make", json!({})).await;
    let mut crashes = 0;
    while stage.live(Halt::at(Point::IntentWritten, 1)).await {
        crashes += 1;
        assert!(
            crashes < 10,
            "asking the vendor again and again is no progress"
        );
    }
    assert_eq!(stage.status(&id).await, JobStatus::Quarantined);
    assert!(stage.places().is_empty());
}

const READ_ALL: &str = "
title: Read all
trigger: { function: { input: {}, output: {} } }
steps:
  - id: each
    foreach: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    as: number
    do:
      - id: thing
        action: vendor.read_thing
        with: { id: $.number }
";

/// Each life of the process lasts for two calls, far shorter than the usual checkpoint.
#[tokio::test]
async fn a_job_whose_process_dies_again_and_again_comes_further_each_time() {
    let calls = AtomicU32::new(0);
    let stage = Stage::of(&[("read-all", READ_ALL)], move |_| {
        match calls.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => Reply::Done(json!({ "found": false })),
            _ => Reply::Dies,
        }
    })
    .await;
    let id = stage.run("read-all", json!({})).await;
    stage.until_quiet().await;
    assert_eq!(stage.status(&id).await, JobStatus::Succeeded);
    assert!(stage.places().len() >= 19, "{:?}", stage.places());
}

const TABLE: &str = "
title: Count
trigger: { function: { input: {}, output: {} } }
steps:
  - id: waited
    retry: { tries: 2, delay: 1m }
    wait: 10m
  - id: thing
    action: vendor.read_thing
    with: { id: 1 }
";

#[tokio::test]
async fn a_step_with_tries_of_its_own_is_not_done_again_after_a_crash() {
    for commit in 1.. {
        let stage = Stage::of(&[("count", TABLE)], |_| {
            Reply::Done(json!({ "found": false }))
        })
        .await;
        let began_at = stage.clock.now();
        let id = stage.run("count", json!({})).await;
        let died = stage.until_quiet_over_death(commit).await;
        let (job, entries) = stage.job(&id).await;
        assert_eq!(
            job.status,
            JobStatus::Succeeded,
            "dead after commit {commit}"
        );
        let waits = |kind: &EntryKind| matches!(kind, EntryKind::WaitBegan { .. });
        assert_eq!(count(&entries, waits), 1, "dead after commit {commit}");
        let took = stage.clock.now().since(began_at).as_secs();
        assert_eq!(took, 600, "dead after commit {commit}");
        if !died {
            return;
        }
    }
}
