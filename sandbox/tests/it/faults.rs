//! Faults of each kind, and the journal that shows them.

use serde_json::{Value, json};

use crate::harness::{Rig, reply};

const PATH: &str = "/v1/credentials";

fn credential(email: &str) -> Value {
    json!({ "credential": {
        "group_id": 2001, "recipient": { "name": "Someone", "email": email },
    } })
}

async fn order(rig: &Rig, fault: Value) {
    rig.control(&rig.sandbox.accredible_url, "faults", fault)
        .await;
}

async fn send(rig: &Rig, email: &str) -> reqwest::Result<reqwest::Response> {
    let request = rig
        .client
        .post(format!("{}{PATH}", rig.sandbox.accredible_url));
    let request = request.header("authorization", "Token accredible-key");
    request.json(&credential(email)).send().await
}

async fn count(rig: &Rig) -> usize {
    let query = json!({ "query": { "group.id": 2001, "recipient_email": "a@example.com" } });
    let (_, body) = rig
        .accredible("POST", "/v2/credentials/search", query)
        .await;
    body["credentials"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_reset_before_leaves_nothing_and_a_reset_after_leaves_the_work() {
    let rig = Rig::start().await;
    let fault = |kind: &str| json!({ "method": "POST", "path": PATH, "kind": kind });
    order(&rig, fault("reset_before")).await;
    assert!(is_reset(&send(&rig, "a@example.com").await.unwrap_err()));
    assert_eq!(count(&rig).await, 0);
    order(&rig, fault("reset_after")).await;
    assert!(is_reset(&send(&rig, "a@example.com").await.unwrap_err()));
    assert_eq!(count(&rig).await, 1);

    let seen = rig
        .look(&rig.sandbox.accredible_url, "requests?path=/v1/credentials")
        .await;
    let faults: Vec<&Value> = seen["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["fault"])
        .collect();
    assert_eq!(faults, ["reset_before", "reset_after"]);
    assert_eq!(seen["items"][0]["status"], Value::Null);
    assert_eq!(seen["items"][0]["headers"]["authorization"], "(hidden)");
    assert_eq!(
        seen["items"][0]["body"]["credential"]["recipient"]["email"],
        "a@example.com"
    );
}

#[tokio::test]
async fn what_is_held_is_done_once_the_order_is_taken_back_though_nobody_waits() {
    let rig = Rig::start().await;
    order(
        &rig,
        json!({ "method": "POST", "path": PATH, "kind": "held" }),
    )
    .await;
    let url = &rig.sandbox.accredible_url;
    let sees = rig.look(
        url,
        "requests?path=/v1/credentials&at_least=1&wait_ms=60000",
    );
    // The caller hangs up as soon as the vendor has the request.
    tokio::select! {
        answer = send(&rig, "a@example.com") => panic!("{answer:?}"),
        seen = sees => assert_eq!(seen["items"][0]["fault"], "held"),
    }
    assert_eq!(count(&rig).await, 0);
    let url = format!("{url}/_control/faults");
    rig.client.delete(url).send().await.unwrap();
    assert_eq!(count(&rig).await, 1);
}

fn is_reset(error: &reqwest::Error) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = source {
        let io = inner.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionReset) {
            return true;
        }
        source = inner.source();
    }
    false
}

#[tokio::test]
async fn a_status_fault_strikes_the_nth_call_with_headers_and_body() {
    let rig = Rig::start().await;
    let status = json!({ "status": { "code": 429, "headers": { "Retry-After": "7" },
        "body": { "error": "slow down" } } });
    order(
        &rig,
        json!({ "path": "/v1/issuer/**", "nth": 2, "count": 2, "kind": status }),
    )
    .await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(
            rig.accredible("GET", "/v1/issuer/details", Value::Null)
                .await
                .0,
        );
    }
    assert_eq!(statuses, [200, 429, 429, 200]);
    let every = json!({ "every": 2, "kind": { "status": { "code": 503 } } });
    order(&rig, every).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(
            rig.accredible("GET", "/v1/issuer/details", Value::Null)
                .await
                .0,
        );
    }
    assert_eq!(statuses, [200, 503, 200, 503]);
    let request = rig
        .client
        .delete(format!("{}/_control/faults", rig.sandbox.accredible_url));
    assert_eq!(reply(request).await.0, 200);
    assert_eq!(
        rig.accredible("GET", "/v1/issuer/details", Value::Null)
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_sends() {
    let rig = Rig::start().await;
    order(&rig, json!({ "kind": "truncated" })).await;
    let mut response = send(&rig, "a@example.com").await.unwrap();
    assert_eq!(response.status(), 200);
    let promised = response.content_length().unwrap();
    let mut received = 0;
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => received += chunk.len() as u64,
            Ok(None) => panic!("the answer should break off"),
            Err(error) => break error,
        }
    };
    assert_eq!(received, promised / 2, "{error}");
    assert_eq!(count(&rig).await, 1);
}

#[tokio::test]
async fn a_hanging_call_does_no_work_and_is_in_the_journal() {
    let rig = Rig::start().await;
    order(&rig, json!({ "path": PATH, "kind": "hang" })).await;
    let seen = "requests?path=/v1/credentials&at_least=1&wait_ms=60000";
    tokio::select! {
        _ = send(&rig, "a@example.com") => panic!("nothing should come back"),
        seen = rig.look(&rig.sandbox.accredible_url, seen) => {
            assert_eq!(seen["items"][0]["fault"], "hang");
        }
    }
    assert_eq!(count(&rig).await, 0);
}

#[tokio::test]
async fn a_slow_call_is_done_all_the_same() {
    let rig = Rig::start().await;
    order(
        &rig,
        json!({ "path": PATH, "kind": { "slow": { "ms": 1 } } }),
    )
    .await;
    assert_eq!(send(&rig, "a@example.com").await.unwrap().status(), 200);
    assert_eq!(count(&rig).await, 1);
    let faults = rig.look(&rig.sandbox.accredible_url, "faults").await;
    assert_eq!(faults["items"][0]["struck"], 1);
}

#[tokio::test]
async fn a_stopped_sandbox_lets_go_of_its_connections() {
    let rig = Rig::start().await;
    order(&rig, json!({ "path": PATH, "kind": "hang" })).await;
    let url = format!("{}{PATH}", rig.sandbox.accredible_url);
    let hanging = tokio::spawn(
        rig.client
            .post(url)
            .json(&credential("a@example.com"))
            .send(),
    );
    let seen = "requests?path=/v1/credentials&at_least=1&wait_ms=60000";
    rig.look(&rig.sandbox.accredible_url, seen).await;
    rig.sandbox.stop().await;
    assert!(hanging.await.unwrap().is_err());
}
