//! What a job runs when its recipe is edited meanwhile: what it began with, to its end.

use std::path::Path;

use recipe_engine::journal::JobStatus;
use recipe_engine::store::Store;
use serde_json::{Value, json};

use super::stage::{Reply, Sent, Stage};

/// A recipe that calls another before and after it waits; what it says and asks tells its version.
const CALLER: &str = "
title: Caller
trigger: { function: { input: {}, output: { says: string } } }
steps:
  - id: before
    action: vendor.keep_thing
    with: { id: 1, name: VERSION }
  - id: pause
    wait: 1h
  - id: called
    call: inner
    with: {}
  - return: { says: \"VERSION and {{steps.called.says}}\" }
";
const INNER: &str = "
title: Inner
trigger: { function: { input: {}, output: { says: string } } }
steps:
  - id: after
    action: vendor.keep_thing
    with: { id: 2, name: VERSION }
  - return: { says: VERSION }
";

fn version(name: &str) -> [(&'static str, String); 2] {
    [
        ("caller", CALLER.replace("VERSION", name)),
        ("inner", INNER.replace("VERSION", name)),
    ]
}

fn borrowed<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    let pairs = files.iter().map(|(name, text)| (*name, text.as_str()));
    pairs.collect()
}

fn done(_: &Sent) -> Reply {
    Reply::Done(json!({ "id": 1 }))
}

/// Everything over this database file, with this version of the recipes in the folder.
async fn open(path: &Path, name: &str) -> Stage {
    let store = Store::open(path).await.unwrap();
    Stage::with(store, &borrowed(&version(name)), done).await
}

fn names(stage: &Stage) -> Vec<Value> {
    let calls = stage.calls().into_iter();
    calls.map(|sent| sent.input["name"].clone()).collect()
}

#[tokio::test]
async fn a_job_under_way_runs_to_its_end_as_it_began_after_an_edit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    let stage = open(&path, "old").await;
    let id = stage.run("caller", json!({})).await;
    stage.work().await;
    assert_eq!(stage.status(&id).await, JobStatus::Waiting);
    stage.edit(&borrowed(&version("new")));
    stage.work().await;
    assert_eq!(names(&stage), ["old"]);
    stage.store.close().await;

    // A server that never saw the old files goes on with it all the same.
    let stage = open(&path, "new").await;
    stage.until_quiet().await;
    let (job, _) = stage.job(&id).await;
    assert_eq!(job.status, JobStatus::Succeeded, "{:?}", job.ending);
    let said = json!({ "says": "old and old" });
    assert_eq!(job.ending.unwrap().output, Some(said));
    assert_eq!(names(&stage), ["old"], "of the recipe it calls");
    let next = stage.run("caller", json!({})).await;
    stage.until_quiet().await;
    let (job, _) = stage.job(&next).await;
    let said = json!({ "says": "new and new" });
    assert_eq!(job.ending.unwrap().output, Some(said));
}

#[tokio::test]
async fn a_job_pins_its_sources_when_it_begins_and_not_when_it_is_queued() {
    let stage = Stage::of(&borrowed(&version("old")), done).await;
    let id = stage.run("caller", json!({})).await;
    stage.edit(&borrowed(&version("new")));
    stage.work().await;
    stage.edit(&borrowed(&version("newest")));
    stage.until_quiet().await;
    let (job, _) = stage.job(&id).await;
    let said = json!({ "says": "new and new" });
    assert_eq!(job.ending.unwrap().output, Some(said));
    assert_eq!(names(&stage), ["new", "new"]);
}
