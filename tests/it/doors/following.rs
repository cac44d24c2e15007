//! Jobs followed as they go on, and requests that are sent twice.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

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
const COUNT: &str = "
title: Count
trigger: { manual: { input: { a: integer } } }
steps: [{ log: \"{{input.a}}\" }]
";

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
        let request = house.request(Method::POST, path).bearer_auth(token);
        let request = request.header("idempotency-key", key);
        let body = json!({ "input": { "a": a } });
        taken(request.json(&body).send().await.unwrap()).await
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
