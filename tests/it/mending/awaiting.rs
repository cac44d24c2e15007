//! Jobs that wait for others: woken once, and never for themselves.

use recipe_engine::journal::JobStatus;
use recipe_engine::store::{JobFilter, Jobs};
use serde_json::json;

use super::stage::{Reply, Sent, Stage};

fn done(_: &Sent) -> Reply {
    Reply::Done(json!({ "id": 1 }))
}

const PARENT: &str = "
title: Parent
trigger: { function: { input: {}, output: { ended: integer } } }
steps:
  - id: each
    foreach: [1, 2, 3, 4, 5]
    as: number
    collect: $.steps.child.job_id
    do:
      - id: child
        start: child
        with: { number: $.number }
  - id: done
    await: $.steps.each.items
  - return: { ended: $.steps.done.succeeded }
";

const CHILD: &str = "
title: Child
trigger: { function: { input: { number: integer } } }
steps:
  - id: pause
    wait: 1h
  - id: kept
    action: vendor.keep_thing
    with: { id: $.input.number, name: x }
";

#[tokio::test]
async fn each_child_is_started_once_whatever_commit_a_worker_dies_after() {
    for commit in 1.. {
        let stage = Stage::of(&[("parent", PARENT), ("child", CHILD)], done).await;
        let id = stage.run("parent", json!({})).await;
        let died = stage.until_quiet_over_death(commit).await;
        let told = format!("dead after commit {commit}");
        let (job, _) = stage.job(&id).await;
        assert_eq!(job.status, JobStatus::Succeeded, "{told}");
        let output = job.ending.and_then(|ending| ending.output);
        assert_eq!(output, Some(json!({ "ended": 5 })), "{told}");
        let all = JobFilter {
            limit: 100,
            ..JobFilter::default()
        };
        assert_eq!(stage.store.jobs(&all).await.unwrap().len(), 6, "{told}");
        if !died {
            return;
        }
    }
}

#[tokio::test]
async fn who_waits_for_jobs_holds_no_worker_and_is_woken_by_the_last_of_them() {
    let stage = Stage::of(&[("parent", PARENT), ("child", CHILD)], done).await;
    let id = stage.run("parent", json!({})).await;
    stage.work().await;
    let (job, _) = stage.job(&id).await;
    assert_eq!(job.status, JobStatus::Waiting);
    assert_eq!(job.wake_at, None, "nothing but its children moves it");
    stage.until_quiet().await;
    assert_eq!(stage.status(&id).await, JobStatus::Succeeded);
}

const IMPATIENT: &str = "
title: Impatient
trigger: { function: { input: { depth: integer }, output: { codes: [string] } } }
concurrency: { key: one }
steps:
  - when: { $.input.depth: { equals: 0 } }
    return: { codes: [] }
  - id: pause
    start: child
    with: { number: 1 }
  - try:
      - id: short
        timeout: 5m
        await: [$.steps.pause.job_id]
    catch:
      do: [{ set: { first: '{{error.code}}' } }]
  - id: self
    start: impatient
    with: { depth: 0 }
  - try:
      - id: never
        await: [$.steps.self.job_id]
    catch:
      do: [{ set: { second: '{{error.code}}' } }]
  - try:
      - id: unknown
        await: ['00000000-0000-7000-8000-000000000000']
    catch:
      do: [{ set: { third: '{{error.code}}' } }]
  - id: rest
    wait: 2h
  - return: { codes: [$.vars.first?, $.vars.second?, $.vars.third?] }
";

#[tokio::test]
async fn a_wait_that_has_no_end_fails_and_is_forgotten() {
    for commit in 1.. {
        let stage = Stage::of(&[("impatient", IMPATIENT), ("child", CHILD)], done).await;
        let id = stage.run("impatient", json!({ "depth": 1 })).await;
        let died = stage.until_quiet_over_death(commit).await;
        let output = stage
            .job(&id)
            .await
            .0
            .ending
            .and_then(|ending| ending.output);
        let codes = json!({ "codes": ["timed_out", "awaits_itself", "unknown_job"] });
        assert_eq!(output, Some(codes), "dead after commit {commit}");
        let all = JobFilter {
            limit: 100,
            ..JobFilter::default()
        };
        let jobs = stage.store.jobs(&all).await.unwrap();
        assert_eq!(jobs.len(), 3);
        assert!(
            jobs.iter().all(|job| job.status == JobStatus::Succeeded),
            "{jobs:?}"
        );
        if !died {
            return;
        }
    }
}

const TELLING: &str = "
title: Telling
trigger: { function: { input: {}, output: {} } }
concurrency: { key: one }
on_failure:
  call: tell
  with: { code: $.error.code }
steps:
  - id: kept
    action: vendor.keep_thing
    with: { id: 1, name: fails }
";

const TELL: &str = "
title: Tell
trigger: { function: { input: { code: string } } }
steps:
  - id: pause
    wait: 1h
  - id: note
    action: vendor.make_thing
    with: { name: $.input.code }
";

#[tokio::test]
async fn a_failure_is_told_of_once_whatever_commit_a_worker_dies_after() {
    let answers = |sent: &Sent| match sent.action.as_str() {
        "keep_thing" => Reply::Refused,
        _ => Reply::Done(json!({ "id": 1 })),
    };
    for commit in 1.. {
        let stage = Stage::of(&[("telling", TELLING), ("tell", TELL)], answers).await;
        let first = stage.run("telling", json!({})).await;
        let second = stage.run("telling", json!({})).await;
        let died = stage.until_quiet_over_death(commit).await;
        let told = format!("dead after commit {commit}");
        for id in [&first, &second] {
            let (job, _) = stage.job(id).await;
            assert_eq!(job.status, JobStatus::Failed, "{told}");
            assert_eq!(
                job.ending.unwrap().failure.unwrap().code,
                "refused",
                "{told}"
            );
        }
        let mut actions: Vec<String> = stage.calls().into_iter().map(|c| c.action).collect();
        actions.dedup();
        let turn = ["keep_thing", "make_thing"];
        assert_eq!(
            actions,
            [turn, turn].concat(),
            "the key is held to the end, {told}"
        );
        if !died {
            return;
        }
    }
}

#[tokio::test]
async fn who_cancels_a_job_has_been_told_already() {
    let stage = Stage::of(&[("telling", TELLING), ("tell", TELL)], |_| Reply::Dies).await;
    let id = stage.run("telling", json!({})).await;
    assert!(!stage.work().await, "the call is under way");
    stage.cancel(&id).await;
    stage.until_quiet().await;
    assert_eq!(stage.status(&id).await, JobStatus::Stopped);
    assert!(stage.calls().iter().all(|call| call.action == "keep_thing"));
}
