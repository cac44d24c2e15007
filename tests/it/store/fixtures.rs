//! Stores, jobs and moments for the cases.

use std::time::Duration;

use recipe_engine::clock::Moment;
use recipe_engine::data::Value;
use recipe_engine::journal::{Ending, Entry, EntryKey, EntryKind, JobStatus};
use recipe_engine::names::{JobId, RecipeName};
use recipe_engine::store::{Advance, Arrival, Claimed, Jobs, NewJob, Next, Store};
use serde_json::json;

/// How long the leases of the cases last.
pub(super) const LEASE: Duration = Duration::from_secs(30);

pub(super) async fn in_memory() -> Store {
    Store::in_memory().await.unwrap()
}

pub(super) async fn in_a_file(folder: &tempfile::TempDir) -> Store {
    Store::open(&folder.path().join("engine.db")).await.unwrap()
}

/// The moment this many seconds after an arbitrary start.
pub(super) fn at(seconds: i64) -> Moment {
    Moment(1_800_000_000_000_000 + seconds * 1_000_000)
}

pub(super) fn recipe(name: &str) -> RecipeName {
    RecipeName::new(&format!("tests/{name}")).unwrap()
}

pub(super) fn key(text: &str) -> EntryKey {
    EntryKey(text.into())
}

pub(super) fn new_job(name: &str) -> NewJob {
    NewJob {
        id: JobId::fresh(),
        recipe: recipe(name),
        event: json!({ "body": { "n": 1 } }),
        input: json!({}),
        started_by: "schedule".to_owned(),
        needs_started_recipe: false,
        dedupe: None,
    }
}

/// Queues one job of a recipe at a moment.
pub(super) async fn queue(store: &impl Jobs, name: &str, seconds: i64) -> JobId {
    let job = new_job(name);
    let id = job.id.clone();
    let arrival = Arrival {
        recipe: job.recipe.clone(),
        payload: None,
        jobs: vec![job],
        at: at(seconds),
    };
    store.enqueue(arrival).await.unwrap();
    id
}

/// Claims all that is due at a moment.
pub(super) async fn claim(store: &impl Jobs, seconds: i64) -> Vec<Claimed> {
    store.claim(100, at(seconds), LEASE).await.unwrap()
}

/// Claims the one job that is due at a moment.
pub(super) async fn claim_one(store: &impl Jobs, seconds: i64) -> Claimed {
    let mut claimed = claim(store, seconds).await;
    assert_eq!(claimed.len(), 1, "one job is due");
    claimed.remove(0)
}

pub(super) fn succeeded(place: &str, seconds: i64, output: Value) -> Entry {
    Entry {
        key: key(place),
        at: at(seconds),
        kind: EntryKind::StepSucceeded { output },
    }
}

pub(super) fn ended_well(output: Value) -> Next {
    Next::Ended(Ending {
        status: JobStatus::Succeeded,
        output: Some(output),
        failure: None,
    })
}

pub(super) fn with_next(next: Next) -> Advance {
    Advance {
        next,
        ..Advance::default()
    }
}
