//! Ending jobs early: over the API and on the command line.

use reqwest::StatusCode;
use serde_json::json;

use super::house::{House, Vendor};
use super::process::{ended, refused, said, through};

const ORDER: &str = "
title: Order
trigger: { function: { input: {}, output: {} } }
steps:
  - id: first
    action: http.request
    with: { path: /first }
  - id: second
    action: http.request
    with: { path: /second }
";

const SLEEP: &str = "
title: Sleep
trigger: { function: { input: {}, output: {} } }
steps:
  - id: pause
    wait: 10h
";

#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_finishes_and_is_recorded_and_nothing_new_starts() {
    let vendor = Vendor::open().await;
    let connections = vendor.connections();
    let house = House::of(&[
        ("recipes/stories/order.yaml", ORDER),
        ("connections.yaml", &connections),
    ])
    .await;
    let id = house.run("order", json!({})).await;
    let asked = vendor.asked().await;
    assert!(asked.text.starts_with("POST /first"), "{}", asked.text);
    let cancel = format!("/api/jobs/{id}/cancel");
    for _ in 0..2 {
        let (status, answer) = house.post(&cancel, json!({})).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        assert_eq!(answer["cancelled"], json!([id]));
    }
    let (_, job) = house.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(job["cancel"]["by"], "cli", "{job}");
    assert_eq!(job["status"], "running");
    assert_eq!(job["is_cancelling"], true, "{job}");
    let told = said(&ended(house.folder.path(), &["jobs"]));
    assert!(told.contains(&format!("{id}\tcancelling\t")), "{told}");
    asked.answer("1").await;
    let job = house.ended(&id).await;
    assert_eq!(job["status"], "stopped", "{job}");
    assert_eq!(job["failure"]["code"], "cancelled");
    assert_eq!(job["cancel"]["by"], "cli");
    assert!(job.get("is_cancelling").is_none(), "{job}");
    assert_eq!(job["steps"][0]["state"], "succeeded", "{job}");
    assert_eq!(job["steps"][1]["id"], json!(null), "{job}");

    let (status, problem) = house.post(&cancel, json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["code"], "job_ended", "{problem}");
    let (status, _) = house.post(&cancel, json!({ "childs": true })).await;
    assert_eq!(status.as_u16(), 422);
    let unknown = "/api/jobs/0190f5fe-7c00-7a00-8000-000000000001/cancel";
    let (status, _) = house.post(unknown, json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_is_stopped_with_what_it_has_begun() {
    let hook = SLEEP.replace(
        "{ function: { input: {}, output: {} } }",
        "{ webhook: { auth: none } }",
    );
    let house = House::of(&[("recipes/stories/hook.yaml", &hook)]).await;
    let recipe = "/api/recipes/stories/hook";
    let (status, _) = house.post(&format!("{recipe}/start"), json!({})).await;
    assert_eq!(status, StatusCode::OK);
    let (_, answer) = house
        .post("/webhooks/stories/hook", json!({ "n": 1 }))
        .await;
    let id = answer["accepted"][0].as_str().unwrap().to_owned();
    house.standing(&id, "waiting").await;
    let wish = json!({ "cancel": true });
    let (status, answer) = house.post(&format!("{recipe}/stop"), wish).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["cancelled"], json!([id]));
    assert_eq!(house.ended(&id).await["status"], "stopped");
    house.engine.shutdown().await;
}

const SPAWN: &str = "
title: Spawn
trigger: { function: { input: {}, output: {} } }
steps:
  - id: child
    start: order
    with: {}
  - id: pause
    wait: 10h
";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_cancelled_with_the_jobs_that_it_started() {
    let spawn = SPAWN.replace("start: order", "start: sleep");
    let spawn_all = SPAWN.replace("start: order", "start: spawn");
    let house = House::of(&[
        ("recipes/stories/sleep.yaml", SLEEP),
        ("recipes/stories/spawn.yaml", &spawn),
        ("recipes/stories/spawn-all.yaml", &spawn_all),
    ])
    .await;
    let id = house.run("spawn-all", json!({})).await;
    let jobs = loop {
        let (_, list) = house.get("/api/jobs").await;
        let jobs = list["jobs"].as_array().unwrap().clone();
        if jobs.len() == 3 {
            break jobs;
        }
        tokio::task::yield_now().await;
    };
    let cancel = format!("/api/jobs/{id}/cancel");
    let (status, answer) = house.post(&cancel, json!({ "children": true })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    assert_eq!(answer["cancelled"][0], json!(id), "it comes first");
    assert_eq!(answer["cancelled"].as_array().unwrap().len(), 3);
    for job in &jobs {
        let job = house.ended(job["id"].as_str().unwrap()).await;
        assert_eq!(job["status"], "stopped", "{job}");
    }
    let (status, problem) = house.post(&cancel, json!({ "children": true })).await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (409, &json!("job_ended"))
    );
    house.engine.shutdown().await;
}

#[test]
fn a_job_is_cancelled_on_the_command_line_without_a_server() {
    let folder = super::house::workspace(&[("recipes/stories/sleep.yaml", SLEEP)]);
    let folder = folder.path();
    let id = said(&ended(folder, &["run", "sleep"]));
    let id = id.lines().next().unwrap();
    let told = said(&ended(folder, &["jobs", "cancel", id]));
    assert!(told.contains("is cancelled"), "{told}");
    // Running another job works through what is in line.
    through(folder, id, &["run", "sleep", "--wait", "1ms"]);
    let shown = said(&ended(folder, &["jobs", id]));
    assert!(shown.contains("cancelled"), "{shown}");
    let again = refused(&ended(folder, &["jobs", "cancel", id]), 1);
    assert!(again.contains("has ended already"), "{again}");
}
