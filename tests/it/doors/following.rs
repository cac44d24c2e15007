//! Jobs followed as they go on, and requests that are sent twice.

use std::path::Path;
use std::time::{Duration, Instant};

use recipe_engine::api;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};

use super::document;
use super::house::{House, Vendor, taken};

const CALLS: &str = "
title: Calls
trigger: { manual: }
steps:
  - foreach: [1, 2]
    as: number
    do:
      - { id: read, action: http.get, with: { path: \"/{{number}}\" } }
";
const FIND: &str = "
title: Find
trigger: { function: { output: { name: { type: string, personal: true } } } }
steps: [{ return: { name: Zora Lovelace } }]
";
const COUNT: &str = "
title: Count
trigger: { manual: { input: { a: integer } } }
steps: [{ log: \"{{input.a}}\" }]
";

/// A request that names itself, and its answer, which is held against the document.
async fn named(
    house: &House,
    token: &str,
    key: &str,
    path: &str,
    body: &Value,
) -> (StatusCode, Value) {
    let request = house.request(Method::POST, path).bearer_auth(token);
    let request = request.header("idempotency-key", key).json(body);
    let answer = request.send().await.unwrap();
    let kind = answer.headers().get("content-type").cloned().unwrap();
    let (status, body) = taken(answer).await;
    let kind = kind.to_str().unwrap();
    document::check(&Method::POST, path, status, kind, &body);
    (status, body)
}

/// The next event of a stream: its name and data; `None` at the end.
async fn event(stream: &mut Response, text: &mut String) -> Option<(String, Value)> {
    let (name, _, data) = told(stream, text).await?;
    Some((name, data))
}

/// The next event of a stream: its name, its id and its data; `None` at the end.
async fn told(stream: &mut Response, text: &mut String) -> Option<(String, String, Value)> {
    loop {
        while let Some((event, rest)) = text.clone().split_once("\n\n") {
            *text = rest.to_owned();
            let line = |name: &str| {
                let mut lines = event.lines();
                lines
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::trim)
            };
            if let (Some(name), Some(data)) = (line("event:"), line("data:")) {
                let id = line("id:").unwrap_or_default().to_owned();
                return Some((name.to_owned(), id, serde_json::from_str(data).unwrap()));
            }
        }
        let chunk = stream.chunk().await.unwrap()?;
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

async fn follow(house: &House, job: &str) -> Response {
    let token = house.listening.local_token.reveal();
    let request = house.request(Method::GET, &format!("/api/jobs/{job}/stream"));
    request.bearer_auth(token).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_followed_to_its_end() {
    let vendor = Vendor::open().await;
    let house = House::of(&[
        ("recipes/stories/calls.yaml", CALLS),
        ("connections.yaml", &vendor.connections()),
    ])
    .await;
    let job = house.run("calls", json!({})).await;
    let mut stream = follow(&house, &job).await;
    assert_eq!(stream.status(), StatusCode::OK);
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let (name, first) = event(&mut stream, &mut text).await.unwrap();
    assert_eq!((name.as_str(), &first["id"]), ("job", &json!(job)));
    vendor.asked().await.answer("{}").await;
    vendor.asked().await.answer("{}").await;
    let mut last = (name, first);
    while let Some(next) = event(&mut stream, &mut text).await {
        last = next;
    }
    // The stream ends with the job, and its last event says how.
    assert_eq!(last.0, "ended");
    assert_eq!(last.1["status"], "succeeded", "{}", last.1);
    // Of one that ended long ago, that is all there is to say.
    let mut stream = follow(&house, &job).await;
    let (name, _) = event(&mut stream, &mut text).await.unwrap();
    assert_eq!(name, "ended");
    assert!(event(&mut stream, &mut text).await.is_none());
    let unknown = follow(&house, "018f0000-0000-7000-8000-000000000000").await;
    assert_eq!(taken(unknown).await.0, StatusCode::NOT_FOUND);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_a_job_is_told_of_its_end_though_the_database_was_busy() {
    let vendor = Vendor::open().await;
    let files = [
        ("recipes/stories/calls.yaml", CALLS),
        ("connections.yaml", &vendor.connections()),
    ];
    let house = House::of(&files).await;
    let job = house.run("calls", json!({})).await;
    let mut stream = follow(&house, &job).await;
    let mut text = String::new();
    event(&mut stream, &mut text).await.unwrap();
    let first = vendor.asked().await;
    // For longer than a look takes, jobs cannot be read.
    let name = |from: &str, to: &str| {
        format!("PRAGMA legacy_alter_table = ON; ALTER TABLE {from} RENAME TO {to}")
    };
    let mut connection = database(house.folder.path()).await;
    let away = AssertSqlSafe(name("job", "job_away"));
    sqlx::raw_sql(away).execute(&mut connection).await.unwrap();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        let (status, _) = house.get(&format!("/api/jobs/{job}")).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    let back = AssertSqlSafe(name("job_away", "job"));
    sqlx::raw_sql(back).execute(&mut connection).await.unwrap();
    first.answer("{}").await;
    vendor.asked().await.answer("{}").await;
    let mut last = String::new();
    while let Some((name, _)) = event(&mut stream, &mut text).await {
        last = name;
    }
    assert_eq!(last, "ended");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_waits_for_nobody_who_looks_on() {
    let house = House::at_rest(&[("recipes/stories/count.yaml", COUNT)]).await;
    let job = house.run("count", json!({ "input": { "a": 1 } })).await;
    let mut stream = follow(&house, &job).await;
    let mut text = String::new();
    let (_, first) = event(&mut stream, &mut text).await.unwrap();
    assert_eq!(first["status"], "queued");
    house.engine.shutdown().await;
    assert!(event(&mut stream, &mut text).await.is_none());
}

/// A stream of all jobs, from after this event on.
async fn follow_all(house: &House, query: &str, last: Option<&str>) -> Response {
    let token = house.listening.local_token.reveal();
    let request = house.request(Method::GET, &format!("/api/jobs/stream{query}"));
    let request = match last {
        Some(last) => request.header("last-event-id", last),
        None => request,
    };
    request.bearer_auth(token).send().await.unwrap()
}

/// Reads until this job ended: the ids of the events, and the statuses and recipes in them.
async fn until_ended(stream: &mut Response, job: &str) -> Vec<(String, Value)> {
    let mut text = String::new();
    let mut all = Vec::new();
    loop {
        let (name, id, data) = told(stream, &mut text).await.unwrap();
        let is_last = name == "ended" && data["id"] == job;
        all.push((id, data));
        if is_last {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_jobs_are_followed_in_one_stream() {
    let other = COUNT.replace("Count", "Other");
    let house = House::of(&[
        ("recipes/stories/count.yaml", COUNT),
        ("recipes/stories/other.yaml", &other),
    ])
    .await;
    let mut all = follow_all(&house, "", None).await;
    assert_eq!(all.status(), StatusCode::OK);
    assert_eq!(all.headers()["content-type"], "text/event-stream");
    let mut of_one = follow_all(&house, "?recipe=stories/other", None).await;
    let first = house.run("count", json!({ "input": { "a": 1 } })).await;
    house.ended(&first).await;
    let second = house.run("other", json!({ "input": { "a": 1 } })).await;
    house.ended(&second).await;
    let seen = until_ended(&mut all, &second).await;
    let ended = |job: &str| {
        let mut of_job = seen.iter().filter(|(_, data)| data["id"] == job);
        let last = of_job.next_back().unwrap();
        assert_eq!(last.1["status"], "succeeded", "{seen:?}");
        last.clone()
    };
    assert_eq!(ended(&first).1["recipe"], "stories/count");
    assert_eq!(ended(&second).1["recipe"], "stories/other");
    let seen_of_one = until_ended(&mut of_one, &second).await;
    for (_, data) in &seen_of_one {
        assert_eq!(data["recipe"], "stories/other", "{seen_of_one:?}");
    }
    // Who lost the connection goes on after the last event that was seen.
    let mut again = follow_all(&house, "", Some(&ended(&first).0)).await;
    let seen = until_ended(&mut again, &second).await;
    assert!(
        seen.iter().all(|(_, data)| data["id"] == second),
        "{seen:?}"
    );
    // Of what is not known any more, as another server told it, that much is told.
    let mut late = follow_all(&house, "", Some("of-before-7")).await;
    let (name, _, data) = told(&mut late, &mut String::new()).await.unwrap();
    assert_eq!(name, "left_out");
    assert!(
        data["message"].as_str().unwrap().contains("/api/jobs"),
        "{data}"
    );
    let refused = follow_all(&house, "?recipe=../x", None).await;
    assert_eq!(taken(refused).await.0, StatusCode::BAD_REQUEST);
    let refused = follow_all(&house, "?colour=red", None).await;
    assert_eq!(taken(refused).await.0, StatusCode::BAD_REQUEST);
    let mut open = follow_all(&house, "", None).await;
    house.engine.shutdown().await;
    assert!(told(&mut open, &mut String::new()).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_twice_is_done_once() {
    let house = House::of(&[("recipes/stories/count.yaml", COUNT)]).await;
    let send = async |key: &str, path: &str, a: Value| {
        let token = house.listening.local_token.reveal();
        named(&house, token, key, path, &json!({ "input": { "a": a } })).await
    };
    let path = "/api/recipes/stories/count/run";
    let (status, first) = send("one", path, json!(1)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{first}");
    let (status, again) = send("one", path, json!(1)).await;
    assert_eq!((status, again), (StatusCode::ACCEPTED, first.clone()));
    let (status, other) = send("two", path, json!(1)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_ne!(other, first);
    let (status, problem) = send("one", path, json!(2)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["code"], "key_in_use");
    // A refusal is the same refusal again.
    let (status, problem) = send("bad", path, json!("x")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(send("bad", path, json!("x")).await, (status, problem));
    let (status, _) = send("", path, json!(1)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (_, page) = house.get("/api/jobs?recipe=stories/count").await;
    assert_eq!(page["jobs"].as_array().unwrap().len(), 2, "{page}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_for_the_token_that_got_it_and_keeps_nothing_personal() {
    let house = House::of(&[("recipes/stories/find.yaml", FIND)]).await;
    let make = async |role: &str| {
        let (status, made) = house
            .post("/api/tokens", json!({ "name": "ada", "role": role }))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made["token"].as_str().unwrap().to_owned()
    };
    let path = "/api/recipes/stories/find/run?wait=60s";
    let ada = make("admin").await;
    let (status, first) = named(&house, &ada, "zora-1", path, &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{first}");
    assert_eq!(first["output"]["name"], "Zora Lovelace");
    // A repeat is told what the job came to, which is looked at anew.
    let again = named(&house, &ada, "zora-1", path, &json!({})).await;
    assert_eq!(again, (status, first.clone()));
    // Another token of that name is somebody else, who has not asked yet.
    let (status, _) = house.ask(Method::DELETE, "/api/tokens/ada", None).await;
    assert_eq!(status, StatusCode::OK);
    let ada = make("operator").await;
    let (status, other) = named(&house, &ada, "zora-1", path, &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{other}");
    assert_ne!(other["id"], first["id"]);
    assert_eq!(other["output"]["name"], "***");
    // Nothing that is personal is kept for that, nor the key.
    let folder = house.folder.clone();
    house.engine.shutdown().await;
    let kept = answered(folder.path()).await;
    assert_eq!(kept.len(), 2, "{kept:?}");
    for (key, body) in kept {
        assert!(key != "zora-1" && body.is_none(), "{key}: {body:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_goes_with_the_history_and_is_not_done_again() {
    let house = House::of(&[("recipes/stories/count.yaml", COUNT)]).await;
    let token = house.listening.local_token.reveal();
    let path = "/api/recipes/stories/count/run";
    let wrong = json!({ "input": { "a": "Zora" } });
    let (status, refused) = named(&house, token, "wrong", path, &wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    let right = json!({ "input": { "a": 1 } });
    let (status, first) = named(&house, token, "right", path, &right).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{first}");
    house.ended(first["jobs"][0].as_str().unwrap()).await;
    loop {
        let wish = json!({ "older_than": "0s" });
        let (status, swept) = house.post("/api/history/prune", wish).await;
        assert_eq!(status, StatusCode::OK, "{swept}");
        if swept["is_done"] == true {
            break;
        }
    }
    for (key, body) in [("wrong", wrong), ("right", right)] {
        let (status, problem) = named(&house, token, key, path, &body).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        assert_eq!(problem["code"], "answer_removed", "{problem}");
    }
    let (_, page) = house.get("/api/jobs?recipe=stories/count").await;
    assert_eq!(page["jobs"].as_array().unwrap().len(), 1, "{page}");
    let folder = house.folder.clone();
    house.engine.shutdown().await;
    let kept = answered(folder.path()).await;
    assert!(kept.iter().all(|(_, body)| body.is_none()), "{kept:?}");
}

async fn database(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("data/recipes.db"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// What stands in the database of requests that named themselves: keys and answers.
async fn answered(folder: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    let mut connection = database(folder).await;
    sqlx::query_as("SELECT key, body FROM answered")
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_post_with_a_key_answers_what_the_document_says() {
    let house = House::at_rest(&[]).await;
    let token = house.listening.local_token.reveal();
    let mut asked = 0;
    for (path, methods) in api::document()["paths"].as_object().unwrap() {
        let post = &methods["post"];
        let parameters = post["parameters"].as_array();
        let mut named_in = parameters.into_iter().flatten();
        let is_said = named_in.any(|one| one["name"] == "Idempotency-Key");
        let needs_token = post.is_object() && post["security"].is_null();
        assert_eq!(is_said, needs_token, "{path}");
        if !is_said {
            continue;
        }
        for status in ["400", "409", "413", "422"] {
            assert!(post["responses"][status].is_object(), "{path}: {status}");
        }
        let path = path.replace(['{', '}'], "");
        let long = "x".repeat(201);
        let (status, _) = named(&house, token, &long, &path, &json!({})).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        let one = json!({ "nothing": "like this" });
        let (first, _) = named(&house, token, "key", &path, &one).await;
        let (status, answer) = named(&house, token, "key", &path, &json!({ "other": 1 })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {first}");
        assert_eq!(answer["code"], "key_in_use", "{path}");
        asked += 1;
    }
    assert!(asked > 10, "{asked}");
    house.engine.shutdown().await;
}
