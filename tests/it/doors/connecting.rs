//! Connections made, changed and checked over the API.

use std::fs;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, Vendor, taken};
use super::process::recipes;

const CALLS: &str = "
title: Calls
trigger: { manual: }
steps: [{ id: read, action: http.get, connection: shop, with: { path: /x } }]
";
/// As `recipes init` writes it.
const INIT: &str = include_str!("../../../engine/cli/init/connections.yaml");
const SECRET: &str = "Xy7-of-the-shop-414243";

async fn put(
    house: &House,
    name: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> (StatusCode, String, Value) {
    let token = house.listening.local_token.reveal();
    let path = format!("/api/connections/{name}");
    let mut request = house.request(Method::PUT, &path).bearer_auth(token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.json(&body).send().await.unwrap();
    let tag = answer.headers().get("etag").cloned();
    let tag = tag.map_or(String::new(), |tag| tag.to_str().unwrap().to_owned());
    let (status, body) = taken(answer).await;
    super::document::check(
        &Method::PUT,
        &path,
        status,
        if status.is_success() {
            "application/json"
        } else {
            "application/problem+json"
        },
        &body,
    );
    (status, tag, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_made_and_the_next_call_goes_through_it() {
    let vendor = Vendor::open().await;
    let house = House::of(&[
        ("recipes/stories/calls.yaml", CALLS),
        ("connections.yaml", INIT),
    ])
    .await;
    let new = [("if-none-match", "*")];
    let body = json!({
        "connector": "http", "allow_private": true,
        "fields": { "base_url": vendor.url(), "sign_in": "bearer", "token": SECRET },
    });
    let (status, _, _) = put(&house, "shop", &[], body.clone()).await;
    assert_eq!(status, StatusCode::PRECONDITION_REQUIRED);
    let (status, tag, answer) = put(&house, "shop", &new, body.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!(answer["state"], "complete", "{answer}");
    assert_eq!(answer["fields"]["base_url"]["value"], vendor.url());
    assert_eq!(answer["fields"]["token"]["from"], "secret");
    let job = house.run("calls", json!({})).await;
    let asked = vendor.asked().await;
    assert!(asked.text.contains(SECRET), "{}", asked.text);
    asked.answer("{}").await;
    assert_eq!(house.settled(&job).await["status"], "succeeded");
    // The secret stands in no answer and not in the file of connections, which keeps its remarks.
    let (_, list) = house.get("/api/connections").await;
    assert!(!list.to_string().contains(SECRET), "{list}");
    let path = house.folder.path().join("connections.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with(INIT.trim_end_matches(" {}\n")) && !text.contains(SECRET),
        "{text}"
    );

    // A change without the secret keeps it; one on top of somebody else's is refused.
    let moved = json!({ "fields": { "base_url": "https://other.example" } });
    let (status, _, answer) = put(&house, "shop", &[("if-match", &tag)], moved.clone()).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["fields"]["token"]["from"], "secret");
    let (status, _, problem) = put(&house, "shop", &[("if-match", &tag)], moved.clone()).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{problem}");
    let (status, _, _) = put(&house, "shop", &new, moved).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_connection_is_refused_and_changes_nothing() {
    let text = "connections:\n  http: { base_url: \"https://x.example\" }\n";
    let house = House::of(&[("connections.yaml", text)]).await;
    let new = [("if-none-match", "*")];
    let http = |fields: Value| json!({ "connector": "http", "fields": fields });
    for (name, body, expected) in [
        ("..", http(json!({})), 404),
        ("a%2fb", http(json!({})), 422),
        ("shop", json!({ "connector": "nobody" }), 422),
        ("shop", json!({}), 422),
        ("shop", http(json!({ "colour": "red" })), 422),
        ("shop", http(json!({ "base_url": { "a": 1 } })), 422),
        ("shop", http(json!({ "token": "" })), 422),
        (
            "shop",
            http(json!({ "token": { "file": "/etc/hostname" } })),
            422,
        ),
        (
            "shop",
            http(json!({ "token": { "file": "../secret" } })),
            422,
        ),
        ("shop", json!({ "fieldz": {} }), 422),
    ] {
        let (status, _, problem) = put(&house, name, &new, body.clone()).await;
        assert_eq!(status.as_u16(), expected, "{name} {body}: {problem}");
    }
    let path = house.folder.path().join("connections.yaml");
    assert_eq!(fs::read_to_string(path).unwrap(), text);
    let (status, _) = house.get("/api/connections/nobody").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_tell_of_their_calls_and_run_their_tests() {
    let house = House::of(&[
        ("recipes/stories/calls.yaml", CALLS),
        (
            "recipes/stories/one.yaml",
            "title: One\ntrigger: { manual: }\nsteps: [{ call: two }, { start: two }]\n",
        ),
        (
            "recipes/stories/two.yaml",
            "title: Two\ntrigger: { function: { input: {}, output: {} } }\nsteps: [{ log: hi }]\n",
        ),
        (
            "recipes/stories/tests/two.test.yaml",
            "recipe: two\ncases:\n  - title: says hi\n    expect: { log: [hi] }\n  \
             - title: says no\n    expect: { log: [no] }\n",
        ),
    ])
    .await;
    let (_, list) = house.get("/api/projects").await;
    let projects = list["projects"].as_array().unwrap();
    let own = projects
        .iter()
        .find(|one| one["name"] == "stories")
        .unwrap();
    assert_eq!(own["recipe_count"], 3);
    let (_, graph) = house.get("/api/projects/stories/graph").await;
    let call = json!({ "from": "stories/one", "to": "stories/two", "kind": "call" });
    assert!(
        graph["calls"].as_array().unwrap().contains(&call),
        "{graph}"
    );
    assert_eq!(graph["calls"].as_array().unwrap().len(), 2, "{graph}");
    let (status, tested) = house
        .post("/api/projects/stories/test", json!({ "recipe": "two" }))
        .await;
    assert_eq!(status, StatusCode::OK, "{tested}");
    assert_eq!(
        (&tested["passed"], &tested["failed"]),
        (&json!(1), &json!(1)),
        "{tested}"
    );
    let (status, _) = house.get("/api/projects/storys/graph").await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let (_, list) = house.get("/api/schedules").await;
    let schedules = list["schedules"].as_array().unwrap();
    assert!(
        schedules.iter().any(|one| one["kind"] == "schedule"),
        "{list}"
    );
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_tells_what_it_was() {
    let table = "title: Marks\nkey: [name]\n\
                 columns: { name: { type: string, required: true }, mark: { type: integer } }\n";
    let house = House::of(&[("lookup-tables/marks.yaml", table)]).await;
    let (_, list) = house.get("/api/lookup-tables").await;
    let tables = list["tables"].as_array().unwrap();
    let marks = tables.iter().find(|one| one["name"] == "marks").unwrap();
    assert_eq!(marks["columns"][1]["name"], "mark");
    let rows = "/api/lookup-tables/marks/rows";
    for mark in [1, 2] {
        let body = json!({ "rows": [{ "name": "ann", "mark": mark }] });
        let (status, answer) = house.ask(Method::PUT, rows, Some(body)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let (_, page) = house.get(rows).await;
    let number = page["rows"][0]["_number"].as_i64().unwrap();
    let (_, history) = house.get(&format!("{rows}/{number}/history")).await;
    let versions = history["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2, "{history}");
    assert_eq!(versions[0]["row"]["mark"], 2);
    for number in ["99", "x"] {
        let (status, _) = house.get(&format!("{rows}/{number}/history")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_counts_is_what_the_server_knows_not_the_shell_of_the_command() {
    let vendor = Vendor::open().await;
    let text = format!(
        "connections:\n  shop: {{ connector: http, base_url: \"{}\", allow_private: true, sign_in: bearer, token: {{ env: SHOP_KEY_OF_A_SHELL }} }}\n",
        vendor.url()
    );
    let house = House::of(&[("connections.yaml", &text)]).await;
    for arguments in [&["connections"][..], &["connections", "check", "shop"]] {
        let mut command = recipes(house.folder.path(), arguments);
        let output = command.env("SHOP_KEY_OF_A_SHELL", "x").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("SHOP_KEY_OF_A_SHELL"), "{said}");
    }
    house.engine.shutdown().await;
}
