//! What webhooks brought: kept, counted, looked at, replayed.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, taken};
use super::process::{ended, said};

/// A recipe whose webhook anybody may call.
fn hook(more: &str, steps: &str) -> String {
    format!("title: Hook\ntrigger: {{ webhook: {{ auth: none{more} }} }}\nsteps: [{steps}]\n")
}

const RETURN: &str = "{ return: { item: $.trigger.item, q: $.trigger.query } }";
const DEDUPE: &str = ", split: [\"$.trigger.body.items[*]\"], dedupe: { key: \"{{trigger.body.id}}/{{trigger.index}}\", window: 7d }";

async fn send(house: &House, name: &str, body: &Value) -> (StatusCode, Value) {
    let path = format!("/webhooks/stories/{name}?from=test");
    taken(
        house
            .request(Method::POST, &path)
            .json(body)
            .send()
            .await
            .unwrap(),
    )
    .await
}

async fn list(house: &House, path: &str, member: &str) -> Vec<Value> {
    let (status, answer) = house.get(path).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer[member].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_a_thousand_times_is_one_job() {
    let recipe = hook(DEDUPE, RETURN);
    let house = House::of(&[("recipes/stories/hook.yaml", &recipe)]).await;
    let body = json!({ "id": "m", "items": [1] });
    for _ in 0..20 {
        let all = (0..50).map(|_| send(&house, "hook", &body));
        for (status, answer) in futures_util::future::join_all(all).await {
            assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        }
    }
    assert_eq!(list(&house, "/api/jobs", "jobs").await.len(), 1);
    assert_eq!(list(&house, "/api/events", "events").await.len(), 1);
    let (_, recipe) = house.get("/api/recipes/stories/hook").await;
    assert_eq!(recipe["webhook"]["not_kept"][0]["fate"], "repeated");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_of_ten_thousand_elements_is_ten_thousand_jobs() {
    let recipe = hook(DEDUPE, RETURN);
    let house = House::of(&[("recipes/stories/hook.yaml", &recipe)]).await;
    let items: Vec<Value> = (0..10_000)
        .map(|n| json!({ "n": n, "name": "some learner" }))
        .collect();
    let (status, answer) = send(&house, "hook", &json!({ "id": "m", "items": items })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let ids = answer["accepted"].as_array().unwrap();
    assert_eq!(ids.len(), 10_000);
    let (_, job) = house
        .get(&format!("/api/jobs/{}", ids[9_999].as_str().unwrap()))
        .await;
    assert_eq!(job["trigger"]["item"]["n"], 9_999);
    assert_eq!(
        job["trigger"]["body"]["items"].as_array().unwrap().len(),
        10_000
    );
    let events = list(&house, "/api/events", "events").await;
    assert_eq!(events[0]["job_count"], 10_000);
    let (_, event) = house
        .get(&format!(
            "/api/events/{}",
            events[0]["id"].as_str().unwrap()
        ))
        .await;
    assert!(
        event.get("body").is_none(),
        "what others declare personal is not known"
    );
    let (status, _) = send(
        &house,
        "hook",
        &json!({ "id": "x", "items": vec![1; 10_001] }),
    )
    .await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_is_counted() {
    let (drop, reject) = (
        hook(", while_stopped: drop", RETURN),
        hook(", while_stopped: reject", RETURN),
    );
    let house = House::of(&[
        ("recipes/stories/drop.yaml", &drop),
        ("recipes/stories/reject.yaml", &reject),
    ])
    .await;
    for _ in 0..3 {
        assert_eq!(send(&house, "drop", &json!({})).await.0, 202);
    }
    assert_eq!(send(&house, "reject", &json!({})).await.0, 503);
    assert!(list(&house, "/api/events", "events").await.is_empty());
    let counted = list(&house, "/api/events", "not_kept").await;
    let told: Vec<_> = counted
        .iter()
        .map(|unkept| {
            (
                unkept["recipe"].as_str().unwrap(),
                unkept["fate"].as_str().unwrap(),
                &unkept["count"],
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("stories/drop", "dropped", &json!(3)),
            ("stories/reject", "rejected", &json!(1))
        ]
    );
    let only = list(&house, "/api/events?recipe=stories/drop", "not_kept").await;
    assert_eq!(only.len(), 1);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_event_is_replayed_on_purpose() {
    let recipe = hook(DEDUPE, RETURN);
    let house = House::of(&[("recipes/stories/hook.yaml", &recipe)]).await;
    let body = json!({ "id": "m", "items": ["a", "b"] });
    let (_, first) = send(&house, "hook", &body).await;
    let events = list(&house, "/api/events", "events").await;
    let path = format!("/api/events/{}", events[0]["id"].as_str().unwrap());
    let (status, replayed) = house.post(&format!("{path}/replay"), json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{replayed}");
    assert_eq!(replayed["recipe"], "stories/hook");
    assert_eq!(replayed["is_started"], false);
    let jobs = replayed["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 2, "new jobs although the keys are known");
    // The recipe is stopped: what came waits, what a person wants runs.
    let job = house.ended(jobs[1].as_str().unwrap()).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    let id = jobs[1].as_str().unwrap();
    let (_, seen) = house.get(&format!("/api/jobs/{id}?reveal=personal")).await;
    assert_eq!(
        seen["output"],
        json!({ "item": "b", "q": { "from": "test" } })
    );
    assert_eq!(job["started_by"], "person:cli");
    assert_eq!(job["event"], events[0]["id"]);
    let (_, event) = house.get(&path).await;
    assert_eq!(event["jobs"], first["accepted"]);
    assert_eq!(event["replays"][0]["jobs"], replayed["jobs"]);
    assert_eq!(event["replays"][0]["by"], "cli");
    assert_eq!(event["body"], body);
    assert_eq!(event["job_count"], 4);
    let number = events[0]["id"].as_str().unwrap();
    let again = said(&ended(house.folder.path(), &["events", "replay", number]));
    let told =
        format!("event {number} is replayed: 2 new jobs of stories/hook\nstories/hook is stopped");
    assert!(again.starts_with(&told), "{again}");
    for wrong in ["/api/events/999", "/api/events/x"] {
        assert_eq!(house.get(wrong).await.0, 404);
        let (status, _) = house.post(&format!("{wrong}/replay"), json!({})).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_by_recipe_and_page_by_key() {
    let recipe = hook(", while_stopped: queue", RETURN);
    let house = House::of(&[
        ("recipes/stories/one.yaml", &recipe),
        ("recipes/stories/two.yaml", &recipe),
    ])
    .await;
    for n in 0..5 {
        let name = if n % 2 == 0 { "one" } else { "two" };
        assert_eq!(send(&house, name, &json!({ "n": n })).await.0, 202);
    }
    let mut path = Some("/api/events?recipe=stories/one&limit=2".to_owned());
    let mut pages = Vec::new();
    while let Some(next) = path {
        let (_, page) = house.get(&next).await;
        for event in page["events"].as_array().unwrap() {
            assert_eq!(event["recipe"], "stories/one");
            assert!(event.get("body").is_none());
        }
        pages.push(page["events"].as_array().unwrap().len());
        path = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(pages, [2, 1]);
    let all = list(&house, "/api/events", "events").await;
    assert_eq!(all.len(), 5);
    let middle = all[2]["received_at"].as_str().unwrap();
    assert_eq!(
        list(&house, &format!("/api/events?from={middle}"), "events")
            .await
            .len(),
        3
    );
    assert_eq!(
        list(&house, &format!("/api/events?to={middle}"), "events")
            .await
            .len(),
        2
    );
    assert_eq!(house.get("/api/events?since=x").await.0, 400);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_values_are_masked_in_the_event_too() {
    let recipe = hook(
        "",
        "{ id: told, call: tell, with: { email: $.trigger.body.user } }",
    );
    let tell = "title: Tell\ntrigger: { function: { input: { email: { type: string, personal: true } } } }\nsteps: [{ log: told }]\n";
    let house = House::of(&[
        ("recipes/stories/hook.yaml", &recipe),
        ("recipes/stories/tell.yaml", tell),
    ])
    .await;
    house
        .post("/api/recipes/stories/hook/start", json!({}))
        .await;
    let (_, answer) = send(
        &house,
        "hook",
        &json!({ "user": "ann@example.com", "n": 1 }),
    )
    .await;
    house.ended(answer["accepted"][0].as_str().unwrap()).await;
    let events = list(&house, "/api/events", "events").await;
    let (_, event) = house
        .get(&format!(
            "/api/events/{}",
            events[0]["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(event["body"], json!({ "user": "***", "n": 1 }));
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_deliveries_are_refused_or_read_for_what_they_are() {
    let recipe = hook(DEDUPE, "{ return: { item: $.trigger.item } }");
    let blank = hook(
        ", dedupe: { key: $.trigger.body.id, window: 7d }",
        "{ log: hello }",
    );
    let house = House::of(&[
        ("recipes/stories/hook.yaml", &recipe),
        ("recipes/stories/blank.yaml", &blank),
    ])
    .await;
    let post = || house.request(Method::POST, "/webhooks/stories/hook");
    let blank = || house.request(Method::POST, "/webhooks/stories/blank");
    let form = "application/x-www-form-urlencoded";
    let cases = [
        (post().header("x-much", "x".repeat(70_000)).body("{}"), 413),
        (post().header("content-type", "text/xml").body("<a/>"), 400),
        (post().body(vec![b'"', 0xff, b'"']), 400),
        (post().header("content-type", form).body("id=1&item=2"), 202),
        // A key of blanks makes no two events one, and a split that finds nothing loses nothing.
        (blank().body(r#"{ "id": " " }"#), 202),
        (blank().body(r#"{ "id": " " }"#), 202),
        (post().body(r#"{ "items": [] }"#), 202),
        (post().body(r#"{ "items": [] }"#), 202),
        (post().body("[1, 2]"), 202),
        (post().body("null"), 202),
    ];
    for (number, (request, expected)) in cases.into_iter().enumerate() {
        let (status, answer) = taken(request.send().await.unwrap()).await;
        assert_eq!(status.as_u16(), expected, "case {number}: {answer}");
    }
    // More than the server reads of any head at all.
    let huge = post().header("x-huge", "x".repeat(2_000_000)).body("{}");
    if let Ok(answer) = huge.send().await {
        assert!(answer.status().is_client_error(), "{}", answer.status());
    }
    assert_eq!(list(&house, "/api/jobs", "jobs").await.len(), 7);
    house.engine.shutdown().await;
}
