//! Deliveries, good and bad.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use recipe_engine::data::{Object, hex};
use recipe_engine::names::RecipeName;
use recipe_engine::trigger::{self, Gauge, Given, Head, Intake, Refusal, admit};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

use super::house::{House, Vendor, taken};

const HOOK: &str = "
title: Hook
trigger:
  webhook:
    auth: { basic: sender }
    split: [\"$.trigger.body.items[*]\", $.trigger.body.item]
    dedupe: { key: \"{{trigger.body.id}}/{{trigger.index}}\", window: 7d }
steps:
  - return: { item: $.trigger.item, index: $.trigger.index }
";
const CONNECTIONS: &str = "
connections:
  sender: { connector: webhook_basic, username: vendor, password: { file: secret } }
  token: { connector: webhook_token, token: { file: secret } }
  header: { connector: webhook_token, token: { file: secret }, header: X-Key }
  signed: { connector: webhook_hmac, secret: { file: secret }, header: X-Hub, prefix: sha256= }
";
const PATH: &str = "/webhooks/stories/hook";

async fn house(more: &[(&str, &str)]) -> House {
    let mut files = vec![
        ("recipes/stories/hook.yaml", HOOK),
        ("connections.yaml", CONNECTIONS),
    ];
    files.extend(more);
    House::of(&files).await
}

async fn deliver(house: &House, body: &Value) -> (StatusCode, Value) {
    let request = house
        .request(Method::POST, PATH)
        .basic_auth("vendor", Some("s3cret"));
    taken(request.json(body).send().await.unwrap()).await
}

async fn jobs(house: &House) -> Vec<Value> {
    let (status, answer) = house.get("/api/jobs").await;
    assert_eq!(status, StatusCode::OK);
    answer["jobs"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_becomes_a_job_for_each_element_and_a_repetition_none() {
    let house = house(&[]).await;
    let (status, _) = house
        .post("/api/recipes/stories/hook/start", json!({}))
        .await;
    assert_eq!(status, StatusCode::OK);
    let delivery = json!({ "id": "m1", "items": [{ "a": 1 }, { "a": 2 }] });
    let (status, answer) = deliver(&house, &delivery).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let accepted = answer["accepted"].as_array().unwrap().clone();
    assert_eq!(accepted.len(), 2);
    let job = house.settled(accepted[1].as_str().unwrap()).await;
    assert_eq!(job["status"], "succeeded");
    assert_eq!(job["output"], json!({ "item": { "a": 2 }, "index": 1 }));
    assert_eq!(job["started_by"], "webhook");
    let headers = job["trigger"]["headers"].as_object().unwrap();
    assert!(!headers.contains_key("authorization"), "{headers:?}");

    let (status, answer) = deliver(&house, &delivery).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(answer, json!({ "accepted": [], "already_known": 2 }));
    assert_eq!(jobs(&house).await.len(), 2);

    // One element without a list, and none at all: the body itself is the item.
    let (_, answer) = deliver(&house, &json!({ "id": "m2", "item": 7 })).await;
    let job = house.settled(answer["accepted"][0].as_str().unwrap()).await;
    assert_eq!(job["output"]["item"], 7);
    let (_, answer) = deliver(&house, &json!({ "id": "m3" })).await;
    let job = house.settled(answer["accepted"][0].as_str().unwrap()).await;
    assert_eq!(job["output"]["item"], json!({ "id": "m3" }));
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_deliveries_are_refused_in_their_own_words_and_leave_nothing() {
    let house = house(&[]).await;
    let send = |path: &str| house.request(Method::POST, path);
    let cases = [
        (
            send("/webhooks/stories/nothing").body("{}"),
            404,
            "there is no webhook",
        ),
        (
            send("/webhooks/Stories/Hook").body("{}"),
            404,
            "there is no webhook",
        ),
        (send(PATH).body("{}"), 401, "asks for a user name"),
        (
            send(PATH).basic_auth("vendor", Some("guess")).body("{}"),
            401,
            "is wrong",
        ),
        (
            send(PATH).bearer_auth("s3cret").body("{}"),
            401,
            "asks for a user name",
        ),
        (
            send(PATH)
                .basic_auth("vendor", Some("s3cret"))
                .body("{\"id\": "),
            400,
            "the body is not JSON: EOF",
        ),
        (
            send(PATH).basic_auth("vendor", Some("s3cret")).body(""),
            400,
            "the body is not JSON",
        ),
        (
            send(PATH)
                .basic_auth("vendor", Some("s3cret"))
                .body("[".repeat(100_000)),
            400,
            "recursion limit",
        ),
        (house.request(Method::GET, PATH), 405, "`GET`"),
        (
            house.request(Method::GET, "/api/nothing"),
            404,
            "/api/nothing",
        ),
    ];
    for (request, expected, detail) in cases {
        let (status, problem) = taken(request.send().await.unwrap()).await;
        assert_eq!(status.as_u16(), expected, "{problem}");
        let said = problem["detail"].as_str().unwrap_or_default();
        assert!(said.contains(detail), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
    assert!(jobs(&house).await.is_empty());
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_50_mib_is_too_large_and_the_server_goes_on() {
    let house = house(&[]).await;
    let request = house
        .request(Method::POST, PATH)
        .basic_auth("vendor", Some("s3cret"))
        .body(vec![b' '; 50 * 1024 * 1024]);
    let (status, problem) = taken(request.send().await.unwrap()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(problem["code"], "too_large");
    // Many jobs that each read a large body would be as much.
    let body = json!({ "id": "m", "items": vec![0; 1_000], "padding": " ".repeat(9_000_000) });
    let (status, problem) = deliver(&house, &body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{problem}");
    let (status, _) = deliver(&house, &json!({ "id": "small" })).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_signatures_are_checked() {
    let recipe = |auth: &str| {
        format!("title: T\ntrigger: {{ webhook: {{ auth: {auth} }} }}\nsteps: [{{ log: hello }}]\n")
    };
    let house = house(&[
        ("recipes/stories/by-token.yaml", &recipe("{ token: token }")),
        (
            "recipes/stories/by-header.yaml",
            &recipe("{ token: header }"),
        ),
        ("recipes/stories/signed.yaml", &recipe("{ hmac: signed }")),
        ("recipes/stories/open.yaml", &recipe("none")),
    ])
    .await;
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(b"{ }");
    let right = hex(&mac.finalize().into_bytes());
    let send = |name: &str| {
        house
            .request(Method::POST, &format!("/webhooks/stories/{name}"))
            .body("{ }")
    };
    let upper = format!("sha256={}", right.to_uppercase());
    let cases = [
        (send("open"), 202),
        (send("by-token").bearer_auth("s3cret"), 202),
        (send("by-token").bearer_auth("s3cre"), 401),
        (send("by-token"), 401),
        (send("by-header").header("x-key", "s3cret"), 202),
        (send("by-header").bearer_auth("s3cret"), 401),
        (
            send("signed").header("x-hub", format!("sha256={right}")),
            202,
        ),
        (send("signed").header("x-hub", upper), 202),
        (send("signed").header("x-hub", right.clone()), 401),
        (send("signed").header("x-hub", "sha256="), 401),
        (
            send("signed").header("x-hub", format!("sha256={}", BASE64_STANDARD.encode("x"))),
            401,
        ),
    ];
    for (number, (request, expected)) in cases.into_iter().enumerate() {
        let (status, answer) = taken(request.send().await.unwrap()).await;
        assert_eq!(status.as_u16(), expected, "case {number}: {answer}");
    }
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_recipe_is_stopped_its_word_decides() {
    let recipe = |word: &str| {
        format!(
            "title: T\ntrigger: {{ webhook: {{ auth: none, while_stopped: {word} }} }}\n\
             steps: [{{ return: {{ at: 1 }} }}]\n"
        )
    };
    let house = house(&[
        ("recipes/stories/queue.yaml", &recipe("queue")),
        ("recipes/stories/reject.yaml", &recipe("reject")),
        ("recipes/stories/drop.yaml", &recipe("drop")),
    ])
    .await;
    let send = async |name: &str| {
        let path = format!("/webhooks/stories/{name}");
        let request = house.request(Method::POST, &path).body("{}");
        request.send().await.unwrap()
    };
    let rejected = send("reject").await;
    assert!(rejected.headers().contains_key("retry-after"));
    assert_eq!(taken(rejected).await.0, StatusCode::SERVICE_UNAVAILABLE);
    let (status, dropped) = taken(send("drop").await).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(dropped["accepted"], json!([]));
    let (status, queued) = taken(send("queue").await).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let id = queued["accepted"][0].as_str().unwrap();
    let (_, job) = house.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(job["status"], "queued");
    house
        .post("/api/recipes/stories/queue/start", json!({}))
        .await;
    assert_eq!(house.settled(id).await["status"], "succeeded");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_may_wait_for_the_result() {
    let recipe = "
title: Answers
trigger: { webhook: { auth: none, respond: result } }
steps: [{ return: { sum: \"{{add trigger.body.a trigger.body.b}}\" } }]
";
    let house = house(&[("recipes/stories/answers.yaml", recipe)]).await;
    house
        .post("/api/recipes/stories/answers/start", json!({}))
        .await;
    let request = house
        .request(Method::POST, "/webhooks/stories/answers")
        .json(&json!({ "a": 2, "b": 3 }));
    let (status, answer) = taken(request.send().await.unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["output"], json!({ "sum": 5 }));
    house.engine.shutdown().await;
}

const ASKS: &str = "
title: Asks
trigger: { webhook: { auth: none, respond: result } }
steps: [{ action: http.request, with: { path: /slow } }]
";

/// A sender that waits for a result while its job waits for a vendor, which has been asked.
async fn waiting(vendor: &Vendor) -> (House, tokio::task::JoinHandle<(StatusCode, Value)>) {
    let house = House::of(&[
        ("recipes/stories/asks.yaml", ASKS),
        ("connections.yaml", &vendor.connections()),
    ])
    .await;
    house
        .post("/api/recipes/stories/asks/start", json!({}))
        .await;
    let request = house.request(Method::POST, "/webhooks/stories/asks");
    let sender = tokio::spawn(async move {
        let request = request.json(&json!({}));
        taken(request.send().await.unwrap()).await
    });
    (house, sender)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_result_is_answered_when_the_server_stops() {
    let vendor = Vendor::open().await;
    let (house, sender) = waiting(&vendor).await;
    let asked = vendor.asked().await;
    house.engine.begin_to_stop();
    // Long before its 25 seconds are over: the vendor does not answer until the sender is.
    let answer = tokio::time::timeout(Duration::from_secs(20), sender).await;
    let (status, answer) = answer.expect("the sender waits on").unwrap();
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    assert!(answer["id"].is_string(), "{answer}");
    assert_eq!(answer["status"], "running");
    asked.answer("1").await;
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_in_is_never_refused_afterwards() {
    let vendor = Vendor::open().await;
    let (house, sender) = waiting(&vendor).await;
    let asked = vendor.asked().await;
    // From now on nothing can be told of the job, which is durable all the same.
    house.engine.store().close().await;
    let (status, answer) = sender.await.unwrap();
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    assert!(answer["id"].is_string(), "{answer}");
    assert_eq!(answer["status"], "unknown");
    asked.answer("1").await;
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stopped_recipe_holds_back_shuts_nobody_out() {
    let hook = "title: T\ntrigger: { webhook: { auth: none } }\nsteps: [{ log: hello }]\n";
    let house = House::of(&[
        ("recipes/stories/stopped.yaml", hook),
        ("recipes/stories/started.yaml", hook),
    ])
    .await;
    house
        .post("/api/recipes/stories/started/start", json!({}))
        .await;
    let mut intake = house.engine.intake().clone();
    intake.gauge = Arc::new(Gauge::new(3, 3));
    let deliver = async |intake: &Intake, name: &str| {
        let head = Head {
            headers: Object::new(),
            query: Object::new(),
            body_length: None,
        };
        let recipe = RecipeName::of("stories", name).unwrap();
        let guest = admit(intake, &recipe, head).unwrap();
        trigger::deliver(intake, guest, b"{}".to_vec()).await
    };
    for _ in 0..3 {
        deliver(&intake, "stopped").await.unwrap();
    }
    // Also once they have been counted anew.
    for gauge in [intake.gauge.clone(), Arc::new(Gauge::new(3, 3))] {
        intake.gauge = gauge;
        let full = deliver(&intake, "stopped").await.unwrap_err();
        let said = full.to_string();
        assert!(matches!(full, Refusal::RecipeFull { .. }), "{full:?}");
        assert!(said.contains("`stories/stopped`") && said.contains("started"));
        let accepted = deliver(&intake, "started").await.unwrap();
        let by_hand = Given::Event(json!({ "body": {} }));
        let recipe = RecipeName::of("stories", "stopped").unwrap();
        let run = trigger::run(&intake, &recipe, by_hand, "ann").await;
        for id in [&accepted.jobs[0].0, &run.unwrap()[0]] {
            assert_eq!(house.settled(id.as_str()).await["status"], "succeeded");
        }
    }
    house.engine.shutdown().await;
}
