//! What a preview shows of jobs that others start, what it hides, and where it ends.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use recipe_engine::data::Value;
use recipe_engine::interpret::{Call, Verified};
use recipe_engine::names::RecipeName;
use recipe_engine::preview::{Cut, Limits, Preview, preview};
use recipe_engine::step::{Asked, Calls, Performed};
use recipe_engine::trigger::{Given, Refusal};
use reqwest::StatusCode;
use serde_json::json;

use super::house::{House, Vendor};

const CONNECTIONS: &str = "
connections:
  http: { base_url: 'http://127.0.0.1:9', allow_private: true }
  people: { base_url: 'http://127.0.0.1:9', allow_private: true }
";

/// Starts two jobs, waits for them, and goes on with what they gave.
const PARENT: &str = "
title: Parent
trigger: { function: { input: {}, output: {} } }
steps:
  - id: known
    start: child
    with: { id: 1 }
  - id: unknown
    start: child
    with: { id: 2 }
  - id: both
    await: [$.steps.known.job_id, $.steps.unknown.job_id]
  - id: after
    action: http.request
    with: { method: POST, path: /after, body: { states: $.steps.both.results } }
";

/// Reads a person and sends what it knows of them; the second gives what only the vendor knows.
const CHILD: &str = "
title: Child
trigger: { function: { input: { id: integer }, output: { done: any } } }
steps:
  - id: person
    table: people
    get: { id: $.input.id }
  - id: sent
    action: http.request
    with: { method: POST, path: /people, body: { who: $.steps.person.row.name } }
  - when: { $.input.id: { equals: 2 } }
    return: { done: $.steps.sent.body.number }
  - return: { done: at-once }
";

const PEOPLE: &str = "
title: People
columns:
  id: { type: integer, required: true }
  name: { type: string, personal: true }
  pin: { type: integer?, personal: true }
  is_vip: { type: boolean?, personal: true }
  city: { type: string? }
key: [id]
rows:
  - { id: 1, name: Zsofia Planted }
  - { id: 2, name: Bertalan Planted }
";

async fn house(recipes: &[(&str, &str)]) -> House {
    let named: Vec<(String, &str)> = recipes
        .iter()
        .map(|(name, text)| (format!("recipes/stories/{name}.yaml"), *text))
        .collect();
    let mut files = vec![
        ("connections.yaml", CONNECTIONS),
        ("lookup-tables/people.yaml", PEOPLE),
        ("connectors/people.yaml", CONNECTOR),
    ];
    files.extend(named.iter().map(|(path, text)| (path.as_str(), *text)));
    House::of(&files).await
}

async fn shown(house: &House, name: &str, input: Value) -> Value {
    let wish = json!({ "preview": true, "input": input });
    let path = format!("/api/recipes/stories/{name}/run");
    let (status, shown) = house.post(&path, wish).await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_runs_the_jobs_that_are_started_and_waits_for_them() {
    let house = house(&[("parent", PARENT), ("child", CHILD)]).await;
    let shown = shown(&house, "parent", json!({})).await;
    let sent = shown["would_send"].as_array().unwrap();
    let paths: Vec<&Value> = sent.iter().map(|call| &call["with"]["path"]).collect();
    assert_eq!(paths, ["/people", "/people", "/after"], "{shown}");
    let results = &sent[2]["with"]["body"]["states"];
    assert_eq!(results[0]["status"], "succeeded", "{shown}");
    assert_eq!(results[0]["output"]["done"], "at-once");
    let unknown = "(known when `http.request` has run)";
    assert_eq!(results[1]["output"]["done"], unknown, "{shown}");
    assert_eq!(shown["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(shown["jobs"][0]["status"], "succeeded", "{shown}");
    let (_, jobs) = house.get("/api/jobs").await;
    assert_eq!(jobs["jobs"], json!([]), "nothing was started");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_goes_on_past_a_job_that_is_none_of_its_own() {
    let text = "
title: Outsider
trigger: { function: { input: { job: string }, output: {} } }
steps:
  - id: other
    await: [$.input.job]
  - action: http.request
    with: { method: POST, path: /after, body: { given: $.steps.other.results } }
";
    let house = house(&[("outsider", text), ("child", CHILD)]).await;
    let path = "/api/recipes/stories/child/run";
    let (_, taken) = house.post(path, json!({ "input": { "id": 1 } })).await;
    let job = taken["jobs"][0].clone();
    let shown = shown(&house, "outsider", json!({ "job": job })).await;
    let given = &shown["would_send"][0]["with"]["body"]["given"];
    assert!(given.to_string().contains("(known when"), "{shown}");
    assert!(shown.to_string().contains("\"not_run\""), "{shown}");
    assert_eq!(shown["jobs"][0]["status"], "succeeded", "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_values_that_only_started_jobs_know_are_masked() {
    let house = house(&[("parent", PARENT), ("child", CHILD)]).await;
    let shown = shown(&house, "parent", json!({})).await;
    assert_eq!(shown["would_send"][0]["with"]["body"]["who"], "***");
    assert!(!shown.to_string().contains("Planted"), "{shown}");
}

const CONNECTOR: &str = r#"
title: People
connection: { base_url: string }
base_url: "{{connection.base_url}}"
actions:
  enrol:
    title: Enrol
    effect: once
    input:
      city: string
      name: { type: string, personal: true }
      secret_word: { type: "string?", secret: true }
      is_vip: { type: boolean, personal: true }
    request: { post: /enrol, body: $.input }
    output: {}
"#;

const SHORT: &str = "
title: Short
trigger: { function: { input: {}, output: {} } }
steps:
  - table: people
    insert: { id: 3, name: Li, pin: 123, is_vip: true, city: Wien }
  - id: asked
    action: http.request
    with: { method: POST, path: /ask }
  - action: people.enrol
    with: { name: Bo, secret_word: abc, is_vip: false, city: Wien }
  - action: people.enrol
    with: { name: $.steps.asked.body.name, is_vip: true, city: Graz }
";

#[tokio::test(flavor = "multi_thread")]
async fn short_values_are_masked_where_they_are_declared() {
    let house = house(&[("short", SHORT)]).await;
    let shown = shown(&house, "short", json!({})).await;
    let row = json!({ "id": 3, "name": "***", "pin": "***", "is_vip": "***", "city": "Wien" });
    assert_eq!(shown["would_write"][0]["after"], row, "{shown}");
    let with = json!({ "name": "***", "secret_word": "***", "is_vip": "***", "city": "Wien" });
    assert_eq!(shown["would_send"][1]["with"], with, "{shown}");
    // That something is not known yet says nothing of anybody.
    let unknown = "(known when `http.request` has run)";
    assert_eq!(shown["would_send"][2]["with"]["name"], unknown, "{shown}");
}

/// No vendor at all.
struct Nobody;

impl Calls for Nobody {
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Performed> {
        panic!("{} was called", call.place)
    }

    fn verify<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Asked> {
        futures_util::future::ready(Asked::Answered(Verified::NotApplied)).boxed()
    }
}

const MANY: &str = "
title: Many
trigger: { function: { input: { numbers: \"[integer]\" }, output: {} } }
steps:
  - foreach: $.input.numbers
    as: number
    do:
      - action: http.request
        with: { method: POST, path: /many, body: { number: $.number } }
";

const ROWS: &str = "
title: Rows
trigger: { function: { input: { numbers: \"[integer]\", text: string }, output: {} } }
steps:
  - foreach: $.input.numbers
    as: number
    do:
      - table: people
        upsert: { id: $.number, name: Anybody, city: $.input.text }
";

const JOBS: &str = "
title: Jobs
trigger: { function: { input: { numbers: \"[integer]\" }, output: {} } }
steps:
  - foreach: $.input.numbers
    as: number
    do:
      - start: jobs
        with: { numbers: [] }
";

async fn limited(
    house: &House,
    name: &str,
    input: Value,
    limits: Limits,
) -> Result<Preview, Refusal> {
    let name = RecipeName::of("stories", name).unwrap();
    let (intake, given) = (house.engine.intake(), Given::Input(input));
    preview(intake, Arc::new(Nobody), &name, given, "ann", limits).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_that_grows_beyond_its_limits_is_cut_short_and_says_why() {
    let house = house(&[("many", MANY), ("rows", ROWS), ("jobs", JOBS)]).await;
    let all = Limits::default();
    let thirty: Vec<u64> = (0..30).collect();
    let calls = Limits { calls: 10, ..all };
    let seen = limited(&house, "many", json!({ "numbers": thirty }), calls);
    let seen = seen.await.unwrap();
    assert_eq!(seen.cut, Some(Cut::Calls(10)));
    assert_eq!(seen.withheld.len(), 10);
    let seen = limited(&house, "many", json!({ "numbers": thirty }), all);
    assert_eq!(seen.await.unwrap().cut, None);

    let many: Vec<u64> = (0..3_000).collect();
    let jobs = Limits { jobs: 5, ..all };
    let seen = limited(&house, "jobs", json!({ "numbers": many }), jobs);
    assert_eq!(seen.await.unwrap().cut, Some(Cut::Jobs(5)));

    let bytes = Limits {
        bytes: 1 << 20,
        ..all
    };
    let input = json!({ "numbers": many, "text": "x".repeat(10_000) });
    let seen = limited(&house, "rows", input, bytes).await.unwrap();
    assert_eq!(seen.cut, Some(Cut::Bytes(1 << 20)));

    let copied = Limits {
        copied_bytes: 50,
        ..all
    };
    let refused = limited(&house, "rows", json!({ "numbers": [], "text": "" }), copied).await;
    let refused = refused.err().unwrap();
    assert!(matches!(refused, Refusal::Conflict(_)), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_preview_runs_at_a_time() {
    let vendor = Vendor::open().await;
    let text = "
title: Slow
trigger: { function: { input: {}, output: {} } }
steps:
  - action: http.get
    with: { path: /slow }
";
    let house = House::of(&[
        ("recipes/stories/slow.yaml", text),
        ("connections.yaml", &vendor.connections()),
    ])
    .await;
    let path = "/api/recipes/stories/slow/run";
    let wish = || json!({ "preview": true });
    let second = async {
        let asked = vendor.asked().await;
        let refused = house.post(path, wish()).await;
        asked.answer("{}").await;
        refused
    };
    let (first, (status, refused)) = tokio::join!(house.post(path, wish()), second);
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{refused}");
    assert_eq!(refused["code"], "preview_running");
    assert_eq!(first.0, StatusCode::OK, "{}", first.1);
    assert_eq!(first.1["is_cut_short"], false);
}

const ENDLESS: &str = "
title: Endless
trigger: { function: { input: {}, output: {} } }
steps:
  - set: { n: 1 }
  - repeat:
      - repeat: [{ set: { m: 1 } }]
        until: { $.vars.n: { equals: 2 } }
        max: 10000
    until: { $.vars.n: { equals: 2 } }
    max: 10000
";

#[tokio::test(flavor = "multi_thread")]
async fn tests_that_go_on_and_on_end_with_the_server() {
    let house = House::of(&[
        ("recipes/stories/endless.yaml", ENDLESS),
        (
            "recipes/stories/tests/endless.test.yaml",
            "recipe: endless\ncases: [{ title: Ends, expect: { status: succeeded } }]\n",
        ),
    ])
    .await;
    let path = "/api/projects/stories/test";
    let second = async {
        // Whoever asks while they run is refused.
        let refused = loop {
            let (status, refused) = house.post(path, json!({})).await;
            if status == StatusCode::TOO_MANY_REQUESTS {
                break refused;
            }
            assert_eq!(refused["code"], "stopping", "{refused}");
        };
        house.engine.begin_to_stop();
        refused
    };
    let ((status, given_up), refused) = tokio::join!(house.post(path, json!({})), second);
    assert_eq!(refused["code"], "preview_running");
    assert_eq!(
        (status, &given_up["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("stopping")),
        "{given_up}"
    );
    house.engine.shutdown().await;
}
