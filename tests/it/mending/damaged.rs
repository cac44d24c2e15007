//! What is damaged, cannot be read for the moment or cannot be written: it costs the job that it is
//! of, and no other.

use std::path::Path;

use recipe_engine::data::Value;
use recipe_engine::journal::{Decision, JobStatus};
use recipe_engine::names::JobId;
use recipe_engine::store::{Jobs, Release, Store};
use serde_json::json;

use super::quarantine::{flip, flipped, tamper, why};
use super::stage::{Reply, Stage};

const WAIT: &str = "
title: Wait
trigger: { function: { input: { name: string }, output: {} } }
steps:
  - wait: 1h
  - id: kept
    action: vendor.keep_thing
    with: { id: 1, name: $.input.name }
";

const KEYED: &str = "
title: Keyed
trigger: { function: { input: { name: string }, output: {} } }
concurrency: { key: one }
steps:
  - id: note
    action: vendor.send_note
    with: { text: $.input.name }
";

async fn open(path: &Path) -> Stage {
    let store = Store::open(path).await.unwrap();
    Stage::with(
        store,
        &[("wait", WAIT), ("keyed", KEYED)],
        |sent| match sent.action.as_str() {
            "send_note" => Reply::Doubt,
            _ => Reply::Done(json!({ "id": 1 })),
        },
    )
    .await
}

async fn decide(stage: &Stage, job: &JobId, place: &str) {
    let output = json!({ "id": 1 });
    let decision = Decision::Happened { output };
    stage.decide(job, place, decision).await;
}

async fn statuses(stage: &Stage, jobs: &[JobId]) -> Vec<JobStatus> {
    let mut statuses = Vec::new();
    for job in jobs {
        statuses.push(stage.status(job).await);
    }
    statuses
}

#[tokio::test]
async fn a_request_that_is_damaged_takes_out_its_own_job_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    let stage = open(&path).await;
    let mut jobs = Vec::new();
    for name in ["a", "b", "c"] {
        jobs.push(stage.run("wait", json!({ "name": name })).await);
    }
    stage.work().await;
    for job in &jobs {
        decide(&stage, job, "nowhere").await;
    }
    stage.store.close().await;
    // One is no request any more; one still is, and not the one that was made.
    let damage = "UPDATE job_request SET kind = CASE number WHEN 1 THEN 'x' \
                  ELSE replace(kind, 'ada', 'eve') END WHERE number < 3";
    tamper(&path, damage).await;
    let stage = open(&path).await;
    stage.work().await;
    let (waits, out) = (JobStatus::Waiting, JobStatus::Quarantined);
    assert_eq!(statuses(&stage, &jobs).await, [out, out, waits]);
    let record = stage.store.record(&jobs[1]).await.unwrap();
    assert_eq!(record.recoveries, 0);
    assert_eq!(why(record).code, "damaged");
    stage.until_quiet().await;
    assert_eq!(stage.status(&jobs[2]).await, JobStatus::Succeeded);
}

#[tokio::test]
async fn jobs_that_were_claimed_and_could_not_be_loaded_are_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    let stage = open(&path).await;
    let begun = stage.run("wait", json!({ "name": "a" })).await;
    stage.work().await;
    let hour = std::time::Duration::from_secs(3_600);
    stage.clock.advance(hour);
    let new = stage.run("wait", json!({ "name": "b" })).await;
    tamper(&path, "ALTER TABLE job_input RENAME TO away").await;
    let (now, minute) = (stage.clock.now(), std::time::Duration::from_secs(60));
    assert!(stage.store.claim(10, now, minute).await.is_err());
    let given_back = [JobStatus::Waiting, JobStatus::Queued];
    let jobs = [begun, new];
    assert_eq!(statuses(&stage, &jobs).await, given_back);
    tamper(&path, "ALTER TABLE away RENAME TO job_input").await;
    let claimed = stage.store.claim(10, now, minute).await.unwrap();
    let recoveries: Vec<u32> = claimed.iter().map(|it| it.job.recoveries).collect();
    assert_eq!(recoveries, [0, 0]);
}

#[tokio::test]
async fn a_job_that_cannot_be_set_up_ends_with_the_reason_and_is_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    let stage = open(&path).await;
    let job = stage.run("wait", json!({ "name": "a" })).await;
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON program
        BEGIN SELECT RAISE(ABORT, 'no room for programs'); END";
    tamper(&path, refuse).await;
    stage.work().await;
    let record = stage.store.record(&job).await.unwrap();
    assert_eq!(record.status, JobStatus::Quarantined);
    assert_eq!(record.recoveries, 0);
    let why = why(record);
    assert!(
        why.message.contains("no room for programs"),
        "{}",
        why.message
    );
}

#[tokio::test]
async fn a_value_that_the_database_cannot_hold_costs_one_job() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    let stage = open(&path).await;
    let mut jobs = Vec::new();
    for name in ["poison", "b", "c"] {
        jobs.push(stage.run("keyed", json!({ "name": name })).await);
        jobs.push(stage.run("wait", json!({ "name": name })).await);
    }
    let too_big = "CREATE TRIGGER too_big BEFORE INSERT ON entry WHEN NEW.body LIKE '%poison%'
        BEGIN SELECT zeroblob(2000000000); END";
    tamper(&path, too_big).await;
    stage.work().await;
    let record = stage.store.record(&jobs[0]).await.unwrap();
    assert_eq!(record.status, JobStatus::Quarantined);
    let why = why(record);
    assert_eq!(why.code, "not_recorded");
    assert!(why.message.contains("larger than"), "{}", why.message);
    stage.until_quiet().await;
    for job in [&jobs[1], &jobs[3], &jobs[5]] {
        assert_eq!(stage.status(job).await, JobStatus::Succeeded);
    }
}

#[tokio::test]
async fn a_decision_made_before_the_job_is_back_at_its_place_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    let stage = open(&path).await;
    let input = |name: &str| -> Value { json!({ "name": name }) };
    let first = stage.run("keyed", input("of the first one")).await;
    stage.work().await;
    let second = stage.run("keyed", input("of the second")).await;
    stage.work().await;
    let jobs = [first.clone(), second.clone()];
    let (waits, asks) = (JobStatus::Waiting, JobStatus::NeedsDecision);
    assert_eq!(statuses(&stage, &jobs).await, [asks, waits]);
    // Somebody has a wish for it, so that it is looked at again.
    decide(&stage, &first, "nowhere").await;
    stage.store.close().await;
    flip(&path, b"of the first one", 8);
    let stage = open(&path).await;
    stage.work().await;
    stage.work().await;
    let out = JobStatus::Quarantined;
    assert_eq!(
        statuses(&stage, &jobs).await,
        [out, asks],
        "the key is the second's"
    );
    stage.store.close().await;

    flip(&path, &flipped(b"of the first one", 8), 8);
    let stage = open(&path).await;
    let now = stage.clock.now();
    let store = &stage.store;
    store
        .release(&first, now, "ada", Release::ToGoOn)
        .await
        .unwrap();
    stage.work().await;
    assert_eq!(statuses(&stage, &jobs).await, [waits, asks]);
    decide(&stage, &first, "note").await;
    stage.work().await;
    decide(&stage, &second, "note").await;
    stage.until_quiet().await;
    let ended = JobStatus::Succeeded;
    assert_eq!(statuses(&stage, &jobs).await, [ended, ended]);
}
