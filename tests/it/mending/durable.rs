//! What the disk must have before anybody outside hears of it: not only written, which outlives a
//! death of the process, but synced, which outlives a loss of power.

use std::sync::{Arc, Mutex};

use recipe_engine::journal::JobStatus;
use recipe_engine::store::Store;
use serde_json::json;

use super::stage::{Reply, Stage};

/// Calls that must not be repeated, one after another, with much in between that need not be synced.
const NOTES: &str = r#"
title: Notes
trigger: { function: { input: {}, output: {} } }
steps:
  - id: looked
    action: vendor.read_thing
    with: {}
  - log: first
  - id: one
    action: vendor.send_note
    with: { text: a }
  - set: { name: b }
  - id: two
    action: vendor.send_note
    with: { text: $.vars.name }
  - id: made
    action: vendor.make_thing
    with: { name: c }
  - id: each
    foreach: [1, 2, 3]
    as: number
    do:
      - id: note
        action: vendor.send_note
        with: { text: "n {{number}}" }
"#;

#[tokio::test]
async fn the_disk_has_the_intent_before_a_call_that_must_not_be_repeated_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("engine.db")).await.unwrap();
    let synced: Arc<Mutex<Vec<u64>>> = Arc::default();
    let (seen, counted) = (synced.clone(), store.clone());
    let stage = Stage::with(store, &[("notes", NOTES)], move |sent| {
        if sent.action != "read_thing" {
            let count = counted.counts().synced_commits;
            seen.lock().unwrap().push(count);
        }
        Reply::Done(json!({ "id": 1, "name": "x" }))
    })
    .await;
    let id = stage.run("notes", json!({})).await;
    let before = stage.store.counts().synced_commits;
    stage.until_quiet().await;
    assert_eq!(stage.status(&id).await, JobStatus::Succeeded);
    let synced = synced.lock().unwrap().clone();
    assert_eq!(synced.len(), 6, "so many calls");
    let mut last = before;
    for (call, count) in synced.into_iter().enumerate() {
        assert!(
            count > last,
            "call {call} left before its intent was synced"
        );
        last = count;
    }
}
