//! When nothing more is taken in: a full queue, a server that stops, a secret that is empty. And
//! what is left of a delivery that was refused, in the database itself.

use recipe_engine::trigger::QUEUED_JOBS_MAX;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Executor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::house::{House, taken};

const HOOK: &str = "
title: Hook
trigger:
  webhook:
    auth: { basic: sender }
    split: [\"$.trigger.body.items[*]\", $.trigger.body.item]
    dedupe: { key: \"{{trigger.body.id}}/{{trigger.index}}\", window: 7d }
steps:
  - return: { item: $.trigger.item }
";
const CONNECTIONS: &str = "
connections:
  sender: { connector: webhook_basic, username: vendor, password: { file: secret } }
  nobody: { connector: webhook_basic, username: \"\", password: { file: empty } }
  token: { connector: webhook_token, token: { file: empty } }
  header: { connector: webhook_token, token: { file: empty }, header: X-Key }
  signed: { connector: webhook_hmac, secret: { file: empty }, header: X-Hub }
";
const PATH: &str = "/webhooks/stories/hook";

/// What a delivery may leave, and that must be without a row after a refusal.
const LEFT: [&str; 4] = ["job", "job_input", "payload", "dedupe"];

async fn database(house: &House) -> SqliteConnection {
    let file = house.folder.path().join("data/recipes.db");
    let options = SqliteConnectOptions::new().filename(file);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn rows(house: &House, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    let mut database = database(house).await;
    let count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
    count.fetch_one(&mut database).await.unwrap()
}

async fn nothing_is_left(house: &House) {
    for table in LEFT {
        assert_eq!(rows(house, table).await, 0, "rows of {table}");
    }
    for (path, member) in [("/api/jobs", "jobs"), ("/api/events", "events")] {
        let (_, list) = house.get(path).await;
        assert_eq!(list[member], json!([]), "{path}");
    }
}

fn hook(house: &House) -> RequestBuilder {
    let request = house.request(Method::POST, PATH);
    request.basic_auth("vendor", Some("s3cret"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_of_what_is_refused() {
    let stopped = "title: T\ntrigger: { webhook: { auth: none, while_stopped: reject } }\nsteps: [{ log: x }]\n";
    let house = House::of(&[
        ("recipes/stories/hook.yaml", HOOK),
        ("recipes/stories/stopped.yaml", stopped),
        ("connections.yaml", CONNECTIONS),
    ])
    .await;
    let body = json!({ "id": "m", "items": [1, 2] });
    let long = "x".repeat(60_000);
    let guess = house.request(Method::POST, PATH);
    let cases = [
        (house.request(Method::POST, PATH).json(&body), 401),
        (guess.basic_auth("vendor", Some("guess")).json(&body), 401),
        (
            house
                .request(Method::POST, "/webhooks/stories/no")
                .json(&body),
            404,
        ),
        (hook(&house).body("{\"id\": \"m\", \"items\": [1, 2]"), 400),
        (hook(&house).body(vec![b' '; 11 << 20]), 413),
        (
            hook(&house)
                .query(&[("q", &long)])
                .header("x-more", &long)
                .json(&body),
            413,
        ),
        (
            hook(&house).json(&json!({ "id": "m", "items": vec![1; 10_001] })),
            413,
        ),
        (
            house
                .request(Method::POST, "/webhooks/stories/stopped")
                .json(&body),
            503,
        ),
    ];
    for (number, (request, expected)) in cases.into_iter().enumerate() {
        let (status, problem) = taken(request.send().await.unwrap()).await;
        assert_eq!(status.as_u16(), expected, "case {number}: {problem}");
        nothing_is_left(&house).await;
    }
    // None of them counts as known.
    let (_, answer) = taken(hook(&house).json(&body).send().await.unwrap()).await;
    assert_eq!(answer["accepted"].as_array().unwrap().len(), 2, "{answer}");
    assert_eq!(rows(&house, "dedupe").await, 2);
    assert_eq!(rows(&house, "payload").await, 1);
    house.engine.shutdown().await;
}

/// Queues jobs that nobody may begin: all places but one are taken.
async fn fill(house: &House) {
    let mut database = database(house).await;
    let sql = format!(
        "WITH RECURSIVE made (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM made WHERE n < {})
         INSERT INTO job (number, id, recipe, status, started_by, needs_start, created_at)
         SELECT n, printf('00000000-0000-7000-8000-%012x', n), 'stories/other', 'queued',
            'webhook', 0, 1 FROM made",
        QUEUED_JOBS_MAX - 1
    );
    database.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    database.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_takes_nothing_more_in_and_says_so() {
    let house = House::of(&[
        ("recipes/stories/hook.yaml", HOOK),
        ("connections.yaml", CONNECTIONS),
    ])
    .await;
    house
        .post("/api/recipes/stories/hook/start", json!({}))
        .await;
    fill(&house).await;
    let send = async |items: Value| {
        let request = hook(&house).json(&json!({ "id": "m", "items": items }));
        request.send().await.unwrap()
    };
    // There is room for one.
    let refused = send(json!([1, 2])).await;
    assert!(refused.headers().contains_key("retry-after"));
    let (status, problem) = taken(refused).await;
    assert_eq!(status.as_u16(), 429, "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("100000 jobs are waiting"), "{detail}");
    assert_eq!(rows(&house, "dedupe").await, 0);
    assert_eq!(rows(&house, "payload").await, 0);
    let (status, answer) = taken(send(json!([1])).await).await;
    assert_eq!(status.as_u16(), 202, "{answer}");
    assert_eq!(answer["accepted"].as_array().unwrap().len(), 1, "{answer}");
    house.engine.shutdown().await;
}

/// A delivery whose head has arrived, and of which the server wants the body.
async fn half_delivered(house: &House, body: &str) -> TcpStream {
    let address = house.listening.address;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\
         authorization: Basic dmVuZG9yOnMzY3JldA==\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_takes_nothing_more_in() {
    let house = House::of(&[
        ("recipes/stories/hook.yaml", HOOK),
        ("connections.yaml", CONNECTIONS),
    ])
    .await;
    let body = "{\"id\": \"m\", \"items\": [1, 2]}";
    let mut stream = half_delivered(&house, body).await;
    house.engine.begin_to_stop();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("retry-after: "), "{answer}");
    assert!(answer.contains("the server is stopping"), "{answer}");
    for table in LEFT {
        assert_eq!(rows(&house, table).await, 0, "rows of {table}");
    }
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_secret_lets_nobody_in() {
    let recipe = |auth: &str| {
        format!("title: T\ntrigger: {{ webhook: {{ auth: {auth} }} }}\nsteps: [{{ log: hello }}]\n")
    };
    let house = House::of(&[
        ("connections.yaml", CONNECTIONS),
        ("empty", "\n"),
        ("recipes/stories/basic.yaml", &recipe("{ basic: nobody }")),
        ("recipes/stories/token.yaml", &recipe("{ token: token }")),
        ("recipes/stories/header.yaml", &recipe("{ token: header }")),
        ("recipes/stories/signed.yaml", &recipe("{ hmac: signed }")),
    ])
    .await;
    let send = |name: &str| {
        let path = format!("/webhooks/stories/{name}");
        house.request(Method::POST, &path).body("{ }")
    };
    // HMAC-SHA-256 of the body with a key of no bytes.
    let signature = "6725bd943526997446cc7db979bd3ee63358794c3b527d27244e7ae3188ddab5";
    let cases = [
        send("basic").basic_auth("", Some("")),
        send("basic").header("authorization", "Basic Og=="),
        send("token").header("authorization", "Bearer "),
        send("token").header("authorization", "Bearer  "),
        send("header").header("x-key", ""),
        send("header").header("x-key", " "),
        send("signed").header("x-hub", signature),
        send("signed").header("x-hub", ""),
    ];
    for (number, request) in cases.into_iter().enumerate() {
        let (status, answer) = taken(request.send().await.unwrap()).await;
        let is_refused = [401, 503].contains(&status.as_u16());
        assert!(is_refused, "case {number}: {status} {answer}");
    }
    nothing_is_left(&house).await;
    house.engine.shutdown().await;
}
