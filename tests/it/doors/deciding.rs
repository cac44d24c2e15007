//! A call whose end nobody knows, and the person who decides; and jobs that a stop gives back.

use std::sync::Arc;

use recipe_engine::settings::Settings;
use reqwest::StatusCode;
use serde_json::json;

use super::house::{House, Vendor, workspace};
use super::process::{ended, said};

const ORDER: &str = "
title: Order
trigger: { function: { input: { what: string }, output: { status: integer } } }
steps:
  - id: sent
    action: http.request
    with: { path: /orders, body: { what: $.input.what } }
  - return: { status: $.steps.sent.status }
";

async fn doubtful(vendor: &Vendor) -> (House, String) {
    let connections = vendor.connections();
    let house = House::of(&[
        ("recipes/stories/order.yaml", ORDER),
        ("connections.yaml", &connections),
    ])
    .await;
    let path = "/api/recipes/stories/order/run";
    let (status, answer) = house
        .post(path, json!({ "input": { "what": "tea" } }))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let asked = vendor.asked().await;
    assert!(asked.text.starts_with("POST /orders"), "{}", asked.text);
    asked.hang_up();
    (house, answer["jobs"][0].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_says_that_it_happened() {
    let vendor = Vendor::open().await;
    let (house, id) = doubtful(&vendor).await;
    let job = house.settled(&id).await;
    assert_eq!(job["status"], "needs_decision");
    let open = &job["decisions"][0];
    assert_eq!(open["action"], "http.request");
    assert_eq!(open["input"]["body"], json!({ "what": "tea" }));
    assert_eq!(open["failure"]["code"], "outcome_unknown");

    let decide = format!("/api/jobs/{id}/decide");
    let output = json!({ "status": 201, "headers": {}, "body": null });
    let cases = [
        (json!({ "choice": "perhaps" }), 422),
        (json!({ "choice": "again", "output": output }), 400),
        (
            json!({ "choice": "happened", "output": { "status": "ok" } }),
            422,
        ),
        (
            json!({ "choice": "happened", "output": output, "key": "elsewhere" }),
            409,
        ),
    ];
    for (wish, expected) in cases {
        let (status, problem) = house.post(&decide, wish.clone()).await;
        assert_eq!(status.as_u16(), expected, "{wish} {problem}");
    }
    let wish = json!({ "choice": "happened", "output": output });
    let (status, _) = house.post(&decide, wish.clone()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let job = house.ended(&id).await;
    assert_eq!(job["status"], "succeeded");
    assert_eq!(job["output"], json!({ "status": 201 }));
    assert_eq!(house.post(&decide, wish).await.0, StatusCode::CONFLICT);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_wants_it_done_again_or_gives_up() {
    let vendor = Vendor::open().await;
    let (house, id) = doubtful(&vendor).await;
    house.settled(&id).await;
    let decide = format!("/api/jobs/{id}/decide");
    let (status, _) = house.post(&decide, json!({ "choice": "again" })).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    vendor.asked().await.answer("{\"ok\": true}").await;
    let job = house.ended(&id).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    house.engine.shutdown().await;

    let (house, id) = doubtful(&vendor).await;
    house.settled(&id).await;
    let decide = format!("/api/jobs/{id}/decide");
    house.post(&decide, json!({ "choice": "fail" })).await;
    let job = house.ended(&id).await;
    assert_eq!(job["status"], "failed", "{job}");
    // What was decided is known afterwards, and what is offered next is not refused.
    let (_, audit) = house.get(&format!("/api/audit?subject=job:{id}")).await;
    let detail = &audit["entries"][0]["detail"];
    assert_eq!(
        detail,
        &json!({ "key": "sent", "choice": "fail" }),
        "{audit}"
    );
    let folder = house.folder.clone();
    house.engine.shutdown().await;
    let told = said(&ended(folder.path(), &["jobs", &id]));
    let next = told.lines().find(|line| line.contains("--plan")).unwrap();
    assert!(told.contains("look at the vendor first"), "{told}");
    let (command, _) = next.trim().split_once("   ").unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    said(&ended(folder.path(), &words));
}

const TWICE: &str = "
title: Twice
trigger: { function: { input: {}, output: {} } }
steps:
  - action: http.request
    with: { path: /one }
  - action: http.request
    with: { path: /two }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_budget_put_off_is_sent_later_and_is_not_in_doubt() {
    let vendor = Vendor::open().await;
    let connections = vendor
        .connections()
        .replace("true }", "true, calls_per_minute: 1 }");
    let folder = Arc::new(workspace(&[
        ("recipes/stories/twice.yaml", TWICE),
        ("connections.yaml", &connections),
    ]));
    let mut settings = Settings::private(folder.path());
    settings.time_scale = 500.0;
    let house = House::with(folder, settings).await;
    let (_, answer) = house
        .post("/api/recipes/stories/twice/run", json!({}))
        .await;
    let first = vendor.asked().await;
    assert!(first.text.starts_with("POST /one"), "{}", first.text);
    first.answer("1").await;
    let second = vendor.asked().await;
    assert!(second.text.starts_with("POST /two"), "{}", second.text);
    second.answer("2").await;
    let job = house.ended(answer["jobs"][0].as_str().unwrap()).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    house.engine.shutdown().await;
}
