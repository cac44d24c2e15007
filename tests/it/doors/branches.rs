//! Several calls of one job whose ends nobody knows: each is decided by itself, in any order, and
//! everything else of the job goes on meanwhile.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::house::{Asked, House, Vendor};

const ORDERS: &str = "
title: Orders
trigger:
  manual: { input: { things: [string] } }
steps:
  - id: sent
    foreach: $.input.things
    as: thing
    at_once: 5
    on_item_error: continue
    collect: { thing: $.thing, status: $.steps.one.status }
    do:
      - id: one
        action: http.request
        with: { path: \"/orders/{{thing}}\" }
  - return: { sent: $.steps.sent.items, failed: $.steps.sent.failed }
";

/// The thing that a request is about.
fn thing(asked: &Asked) -> String {
    let line = asked.text.lines().next().unwrap();
    let path = line.split(' ').nth(1).unwrap();
    path.trim_start_matches("/orders/").to_owned()
}

/// The open decisions: the place of each by its path at the vendor.
fn open(job: &Value) -> BTreeMap<String, String> {
    let decisions = job["decisions"].as_array().unwrap().iter();
    decisions
        .map(|open| {
            let path = open["input"]["path"].as_str().unwrap().to_owned();
            (path, open["key"].as_str().unwrap().to_owned())
        })
        .collect()
}

async fn decide(house: &House, id: &str, wish: Value) {
    let (status, answer) = house.post(&format!("/api/jobs/{id}/decide"), wish).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_doubts_of_one_job_are_decided_one_by_one() {
    let vendor = Vendor::open().await;
    let connections = vendor.connections();
    let house = House::of(&[
        ("recipes/stories/orders.yaml", ORDERS),
        ("connections.yaml", &connections),
    ])
    .await;
    let things = ["tea", "milk", "salt", "rice", "oil"];
    let input = json!({ "input": { "things": things } });
    let id = house.run("orders", input).await;
    let doubtful = ["tea", "salt", "oil"];
    // First the doubts, so that the others have to go on beside them.
    let mut asked = BTreeMap::new();
    for _ in things {
        let request = vendor.asked().await;
        asked.insert(thing(&request), request);
    }
    for thing in doubtful {
        asked.remove(thing).unwrap().hang_up();
    }
    for request in asked.into_values() {
        request.answer("{}").await;
    }
    let job = house.settled(&id).await;
    assert_eq!(job["status"], "needs_decision", "{job}");
    let places = open(&job);
    let paths: Vec<&str> = places.keys().map(String::as_str).collect();
    assert_eq!(paths, ["/orders/oil", "/orders/salt", "/orders/tea"]);

    // Without a place, nobody knows which one is meant.
    let path = format!("/api/jobs/{id}/decide");
    let (status, _) = house.post(&path, json!({ "choice": "fail" })).await;
    assert!(status.is_client_error());
    let wish = json!({ "choice": "fail", "key": places["/orders/oil"] });
    decide(&house, &id, wish).await;
    let output = json!({ "status": 299, "headers": {}, "body": null });
    let wish = json!({ "choice": "happened", "output": output, "key": places["/orders/tea"] });
    decide(&house, &id, wish).await;
    let wish = json!({ "choice": "again", "key": places["/orders/salt"] });
    decide(&house, &id, wish).await;
    let again = vendor.asked().await;
    assert_eq!(thing(&again), "salt");
    again.answer("{}").await;

    let job = house.ended(&id).await;
    assert_eq!(job["status"], "succeeded_with_errors", "{job}");
    let sent = json!([
        { "thing": "tea", "status": 299 },
        { "thing": "milk", "status": 200 },
        { "thing": "salt", "status": 200 },
        { "thing": "rice", "status": 200 },
    ]);
    assert_eq!(job["output"], json!({ "sent": sent, "failed": 1 }), "{job}");
    house.engine.shutdown().await;
}
