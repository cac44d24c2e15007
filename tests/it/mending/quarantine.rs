//! Jobs that take their workers down or cannot be read: they stop no other, say why, and can be let
//! in again.

use std::collections::BTreeMap;
use std::path::Path;

use recipe_engine::journal::JobStatus;
use recipe_engine::names::JobId;
use recipe_engine::store::{Release, Store, StoreError};
use recipe_engine::trigger::rerun::{Elements, From, Unknown, Version, Wish, plan_rerun};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};

use super::rerun::{from_step, refused};
use super::stage::{Reply, Sent, Stage};

const KEEP: &str = "
title: Keep
trigger: { function: { input: { name: string }, output: {} } }
steps:
  - id: kept
    action: vendor.keep_thing
    with: { id: 1, name: $.input.name }
";

fn thing() -> Value {
    json!({ "id": 1, "name": "a value that is kept" })
}

async fn among_fifty(answers: impl Fn(&Sent) -> Reply + Send + Sync + 'static) -> (Stage, JobId) {
    let stage = Stage::of(&[("keep", KEEP)], answers).await;
    let poison = stage.run("keep", json!({ "name": "poison" })).await;
    let mut others = Vec::new();
    for _ in 0..50 {
        others.push(stage.run("keep", json!({ "name": "good" })).await);
    }
    stage.until_quiet().await;
    for id in &others {
        assert_eq!(stage.status(id).await, JobStatus::Succeeded);
    }
    (stage, poison)
}

pub(super) fn why(job: recipe_engine::store::JobRecord) -> recipe_engine::journal::Failure {
    job.ending.unwrap().failure.unwrap()
}

#[tokio::test]
async fn a_job_that_kills_its_worker_at_every_claim_is_taken_out_and_fifty_others_finish() {
    let (stage, poison) = among_fifty(|sent| match sent.input["name"].as_str() {
        Some("poison") => Reply::Dies,
        _ => Reply::Slow(thing()),
    })
    .await;
    let (job, _) = stage.job(&poison).await;
    assert_eq!(job.status, JobStatus::Quarantined);
    let why = why(job);
    assert_eq!(why.code, "quarantined");
    assert!(why.message.contains("5 times"), "{}", why.message);
    let claims = stage.sent("poison");
    assert_eq!(claims, 6, "once, and five times again");
}

#[tokio::test]
async fn a_job_that_panics_fails_alone() {
    let (stage, poison) = among_fifty(|sent| match sent.input["name"].as_str() {
        Some("poison") => Reply::Panics,
        _ => Reply::Slow(thing()),
    })
    .await;
    let (job, _) = stage.job(&poison).await;
    assert_eq!(job.status, JobStatus::Failed);
    assert_eq!(why(job).code, "internal");
    assert_eq!(stage.sent("poison"), 1);
}

const PAUSE: &str = "
title: Pause
trigger: { function: { input: { name: string }, output: { name: string } } }
concurrency: { key: $.input.name }
steps:
  - id: looked
    action: vendor.read_thing
    with: {}
  - id: pause
    wait: 1h
  - id: kept
    action: vendor.keep_thing
    with: { id: 2, name: $.steps.looked.name }
  - return: { name: $.steps.looked.name }
";

async fn open(path: &Path) -> Stage {
    let store = Store::open(path).await.unwrap();
    Stage::with(store, &[("pause", PAUSE)], |_| Reply::Done(thing())).await
}

/// Turns one bit around in the first place of the file that holds these bytes.
pub(super) fn flip(path: &Path, bytes: &[u8], offset: usize) {
    let mut file = std::fs::read(path).unwrap();
    let at = file.windows(bytes.len()).position(|window| window == bytes);
    file[at.expect("the file holds it") + offset] ^= 1;
    std::fs::write(path, file).unwrap();
}

pub(super) async fn tamper(path: &Path, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

/// A database file with two jobs that wait: the first to be damaged, the second not.
async fn two_waiting(path: &Path) -> (JobId, JobId) {
    let stage = open(path).await;
    let first = stage.run("pause", json!({ "name": "Ada Lovelace" })).await;
    let second = stage.run("pause", json!({ "name": "Ada Lovelace" })).await;
    stage.work().await;
    stage.store.close().await;
    (first, second)
}

#[tokio::test]
async fn a_flipped_bit_in_a_journal_takes_one_job_out_and_it_can_be_released() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    let (first, second) = two_waiting(&path).await;
    // Still well-formed JSON: only the checksum can tell.
    flip(&path, b"a value that is kept", 2);

    let stage = open(&path).await;
    let hour = std::time::Duration::from_secs(3_600);
    stage.clock.advance(hour);
    stage.work().await;
    let record = stage.store.record(&first).await.unwrap();
    assert_eq!(record.status, JobStatus::Quarantined);
    let why = why(record);
    assert_eq!(why.code, "damaged");
    assert!(why.message.contains("checksum"), "{}", why.message);
    let wish = |from, version, unknown| Wish {
        from,
        version,
        elements: Elements::All,
        outputs: BTreeMap::new(),
        unknown,
    };
    let intake = &stage.intake;
    for refused in [
        wish(From::Failed, Version::Ran, Unknown::Again),
        wish(From::Start, Version::Current, Unknown::Refuse),
    ] {
        let refused = plan_rerun(intake, &first, &refused, "ada").await;
        assert!(refused.unwrap_err().to_string().contains("damaged"));
    }
    let whole = wish(From::Start, Version::Current, Unknown::Again);
    plan_rerun(intake, &first, &whole, "ada").await.unwrap();
    // The second has the key that the first has lost, and holds it through its own wait.
    stage.work().await;
    assert_eq!(stage.status(&second).await, JobStatus::Waiting);
    stage.store.close().await;

    flip(&path, &flipped(b"a value that is kept", 2), 2);
    let stage = open(&path).await;
    stage.clock.advance(hour);
    stage.store.recover(stage.clock.now()).await.unwrap();
    let now = stage.clock.now();
    stage
        .store
        .release(&first, now, "ada", Release::ToGoOn)
        .await
        .unwrap();
    stage.work().await;
    assert_eq!(
        stage.status(&first).await,
        JobStatus::Waiting,
        "for the key"
    );
    stage.until_quiet().await;
    for id in [&second, &first] {
        assert_eq!(stage.status(id).await, JobStatus::Succeeded);
    }
    let refused = stage
        .store
        .release(&first, now, "ada", Release::ToGoOn)
        .await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
}

/// The bytes with one bit turned around.
pub(super) fn flipped(bytes: &[u8], offset: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[offset] ^= 1;
    bytes
}

#[tokio::test]
async fn a_flipped_bit_in_what_a_job_was_given_takes_it_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    let (first, second) = two_waiting(&path).await;
    flip(&path, b"Ada Lovelace", 1);
    let stage = open(&path).await;
    stage.until_quiet().await;
    let mut statuses = Vec::new();
    for id in [&first, &second] {
        statuses.push(stage.status(id).await);
    }
    statuses.sort();
    assert_eq!(statuses, [JobStatus::Succeeded, JobStatus::Quarantined]);
}

#[tokio::test]
async fn jobs_whose_sources_are_gone_end_with_a_clear_reason_and_can_be_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    for (damage, code) in [
        ("DELETE FROM program", "sources_missing"),
        ("UPDATE program SET sources = x'00'", "sources_damaged"),
    ] {
        let path = folder.path().join(format!("{code}.db"));
        let (first, _) = two_waiting(&path).await;
        tamper(&path, damage).await;
        let stage = Stage::with(
            Store::open(&path).await.unwrap(),
            &[("pause", &PAUSE.replace("title: Pause", "title: Other"))],
            |_| Reply::Done(thing()),
        )
        .await;
        stage.until_quiet().await;
        let (job, _) = stage.job(&first).await;
        assert_eq!(job.status, JobStatus::Quarantined);
        let why = why(job);
        assert_eq!(why.code, code);
        assert!(why.message.contains("rerun"), "{}", why.message);
        let (code, message, _) = refused(&stage, &first, &from_step("kept")).await;
        assert_eq!(code, "sources_missing");
        assert!(
            message.starts_with("the sources of the version"),
            "{message}"
        );
        // A person who wants no rerun ends it for good.
        let (now, cancel) = (stage.clock.now(), Release::ToCancel);
        let released = stage.store.release(&first, now, "ada", cancel).await;
        released.unwrap();
        stage.until_quiet().await;
        assert_eq!(stage.status(&first).await, JobStatus::Stopped, "{code}");
    }
}

#[tokio::test]
async fn a_quarantined_job_that_is_released_may_be_cancelled_or_goes_on() {
    let is_ill = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let ill = is_ill.clone();
    let stage = Stage::of(&[("keep", KEEP)], move |_| {
        match ill.load(std::sync::atomic::Ordering::SeqCst) {
            true => Reply::Dies,
            false => Reply::Done(thing()),
        }
    })
    .await;
    let goes_on = stage.run("keep", json!({ "name": "a" })).await;
    let cancelled = stage.run("keep", json!({ "name": "b" })).await;
    stage.until_quiet().await;
    for id in [&goes_on, &cancelled] {
        assert_eq!(stage.status(id).await, JobStatus::Quarantined);
    }
    is_ill.store(false, std::sync::atomic::Ordering::SeqCst);
    let now = stage.clock.now();
    let store = &stage.store;
    store
        .release(&goes_on, now, "ada", Release::ToGoOn)
        .await
        .unwrap();
    store
        .release(&cancelled, now, "ada", Release::ToCancel)
        .await
        .unwrap();
    stage.until_quiet().await;
    assert_eq!(stage.status(&goes_on).await, JobStatus::Succeeded);
    assert_eq!(stage.status(&cancelled).await, JobStatus::Stopped);
    let (_, entries) = stage.job(&goes_on).await;
    let told = format!("{entries:?}");
    assert!(told.contains("ada released the job"), "{told}");
}
