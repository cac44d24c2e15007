//! Jobs that are named by the beginning of their id.

use serde_json::json;

use super::house::House;
use super::process::{ended, said};
use super::telling::CHILD;

const PARENT: &str = "
title: Parent
trigger: { function: { input: {}, output: {} } }
steps:
  - id: begun
    start: child
  - await: [$.steps.begun.job_id]
";

/// A job that another one started has its age, and so the same beginning.
const SHARED: usize = 13;

#[tokio::test(flavor = "multi_thread")]
async fn the_beginning_of_an_id_names_a_job_unless_several_begin_so() {
    let house = House::of(&[
        ("recipes/stories/parent.yaml", PARENT),
        ("recipes/stories/child.yaml", CHILD),
    ])
    .await;
    let folder = house.folder.path();
    let parent = house.run("parent", json!({})).await;
    house.ended(&parent).await;
    let (_, list) = house.get("/api/jobs?recipe=stories/child").await;
    let child = list["jobs"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(parent[..SHARED], child[..SHARED]);

    let path = format!("/api/jobs?id={}&recipe=stories/child", &parent[..SHARED]);
    let (_, list) = house.get(&path).await;
    assert_eq!(list["jobs"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(list["jobs"][0]["id"], *child);

    let beginning = &child[..20].to_uppercase();
    let shown = said(&ended(folder, &["jobs", beginning]));
    assert!(
        shown.starts_with(&format!("{child} stories/child succeeded")),
        "{shown}"
    );
    let planned = said(&ended(
        folder,
        &["jobs", "rerun", beginning, "--from", "start", "--plan"],
    ));
    assert!(planned.contains(&child), "{planned}");

    for verb in [&["jobs"][..], &["jobs", "cancel"], &["jobs", "record"]] {
        let refused = ended(folder, &[verb, &[&parent[..SHARED]]].concat());
        assert_eq!(refused.status.code(), Some(1));
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(why.contains("the ids of several jobs begin with"), "{why}");
        assert!(why.contains(&parent) && why.contains(&child), "{why}");
    }
    for unknown in ["ffffffff-ffff", "0", "recod"] {
        let refused = ended(folder, &["jobs", unknown]);
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            why.contains(&format!("there is no job `{unknown}`")),
            "{why}"
        );
    }
    house.engine.shutdown().await;
}
