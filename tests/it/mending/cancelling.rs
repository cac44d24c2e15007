//! Cancelling: what waits is left, what began is cleaned up, and no crash takes it back.

use recipe_engine::journal::{EntryKind, JobStatus};
use recipe_engine::store::{Jobs, RequestKind};
use serde_json::json;

use super::stage::{Reply, Sent, Stage, count};

const CAREFUL: &str = "
title: Careful
trigger: { function: { input: {}, output: {} } }
steps:
  - id: made
    action: vendor.make_thing
    with: { name: a }
  - id: guarded
    try:
      - id: each
        foreach: [1, 2, 3]
        as: number
        at_once: 2
        do:
          - id: kept
            action: vendor.keep_thing
            with: { id: $.number, name: x }
          - id: pause
            wait: 1h
          - id: never
            action: vendor.read_thing
            with: {}
    finally:
      - id: cleaned
        action: vendor.keep_thing
        with: { id: 9, name: x }
      - id: settled
        wait: 10m
      - id: shut
        action: vendor.keep_thing
        with: { id: 10, name: x }
  - id: after
    action: vendor.read_thing
    with: {}
";

fn done(_: &Sent) -> Reply {
    Reply::Done(json!({ "id": 1, "name": "x" }))
}

/// Everything that is ever called, in any order, each at least once.
fn called(stage: &Stage) -> Vec<String> {
    let mut places = stage.places();
    places.sort();
    places.dedup();
    places
}

const ALL: [&str; 5] = [
    "guarded/cleaned",
    "guarded/each[0]/kept",
    "guarded/each[1]/kept",
    "guarded/shut",
    "made",
];

#[tokio::test]
async fn a_cancelled_job_stays_cancelled_whatever_commit_its_worker_dies_after() {
    let mut commits = 0;
    loop {
        commits += 1;
        let stage = Stage::of(&[("careful", CAREFUL)], done).await;
        let id = stage.run("careful", json!({})).await;
        stage.work().await;
        assert_eq!(stage.status(&id).await, JobStatus::Waiting);
        stage.cancel(&id).await;
        let died = stage.until_quiet_over_death(commits).await;
        let (job, entries) = stage.job(&id).await;
        let told = format!("dead after commit {commits}");
        assert_eq!(job.status, JobStatus::Stopped, "{told}");
        let why = job.ending.unwrap().failure.unwrap();
        assert_eq!(why.code, "cancelled");
        assert!(why.message.contains("ada"), "{}", why.message);
        assert_eq!(called(&stage), ALL, "{told}");
        let cancels = |kind: &EntryKind| matches!(kind, EntryKind::CancelRequested { .. });
        assert_eq!(count(&entries, cancels), 1, "{told}");
        assert_eq!(stage.store.requests(&id).await.unwrap(), []);
        if !died {
            break;
        }
    }
    assert!(commits > 3, "only {commits} commits after the cancel");
}

#[tokio::test]
async fn a_job_in_line_is_cancelled_without_a_single_step() {
    let stage = Stage::of(&[("careful", CAREFUL)], done).await;
    let id = stage.run("careful", json!({})).await;
    stage.cancel(&id).await;
    stage.until_quiet().await;
    let (job, _) = stage.job(&id).await;
    assert_eq!(job.status, JobStatus::Stopped);
    assert_eq!(stage.places(), Vec::<String>::new());
}

const DOUBT: &str = "
title: Doubt
trigger: { function: { input: {}, output: {} } }
steps:
  - id: noted
    action: vendor.send_note
    with: { text: x }
";

#[tokio::test]
async fn a_job_that_needs_a_decision_is_cancelled_and_recorded_as_undecided() {
    let stage = Stage::of(&[("doubt", DOUBT)], |_| Reply::Dies).await;
    let id = stage.run("doubt", json!({})).await;
    assert!(!stage.work().await);
    stage.until_quiet().await;
    assert_eq!(stage.status(&id).await, JobStatus::NeedsDecision);
    stage.cancel(&id).await;
    stage.until_quiet().await;
    let (job, entries) = stage.job(&id).await;
    assert_eq!(job.status, JobStatus::Stopped);
    let undecided = |kind: &EntryKind| {
        matches!(kind, EntryKind::StepFailed { failure, .. }
            if failure.code == "outcome_unknown" && failure.message.contains("undecided"))
    };
    assert_eq!(count(&entries, undecided), 1, "{entries:?}");
}

const ONE_AT_A_TIME: &str = "
title: One at a time
concurrency: { key: k }
trigger: { function: { input: {}, output: {} } }
steps:
  - id: pause
    wait: 1h
  - id: kept
    action: vendor.keep_thing
    with: { id: 1, name: x }
";

#[tokio::test]
async fn a_job_in_line_for_a_key_is_cancelled_and_the_next_one_gets_it() {
    let stage = Stage::of(&[("one", ONE_AT_A_TIME)], done).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(stage.run("one", json!({})).await);
    }
    stage.work().await;
    stage.cancel(&ids[1]).await;
    stage.work().await;
    assert_eq!(stage.status(&ids[1]).await, JobStatus::Stopped);
    stage.until_quiet().await;
    assert_eq!(stage.status(&ids[0]).await, JobStatus::Succeeded);
    assert_eq!(stage.status(&ids[2]).await, JobStatus::Succeeded);
}

const CHANGES: &str = "
title: Changes
trigger: { function: { input: {}, output: {} } }
steps:
  - id: pause
    wait: 1h
  - id: again
    repeat:
      - id: looked
        action: vendor.read_thing
        with: {}
    until: false
    every: 1m
    max: 100
";

#[tokio::test]
async fn asked_twice_nothing_more_happens_and_a_job_that_ended_refuses() {
    let stage = Stage::of(&[("changes", CHANGES)], done).await;
    let id = stage.run("changes", json!({})).await;
    stage.work().await;
    stage.cancel(&id).await;
    stage.cancel(&id).await;
    stage.until_quiet().await;
    let (job, entries) = stage.job(&id).await;
    assert_eq!(job.status, JobStatus::Stopped);
    let cancels = |kind: &EntryKind| matches!(kind, EntryKind::CancelRequested { .. });
    assert_eq!(count(&entries, cancels), 1);
    let kind = RequestKind::Cancel { by: "ada".into() };
    let refused = stage.store.request(&id, stage.clock.now(), kind).await;
    assert!(refused.is_err());
}
