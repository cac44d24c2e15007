//! Recipes: lists, start, stop, run; and who may ask.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, taken, write};

const ADD: &str = "
title: Add
trigger:
  function:
    input: { a: integer, b: { type: integer, default: 1 } }
    output: { sum: integer }
steps: [{ return: { sum: \"{{add input.a input.b}}\" } }]
";
const INCOMPLETE: &str = "
title: Incomplete
trigger: { webhook: { auth: { basic: nobody } } }
steps:
  - id: read
    action: http.get
    with: { path: /x }
  - call: broken
";
const BROKEN: &str = "
title: Broken
trigger: { function: { input: {}, output: {} } }
steps: [{ logg: hello }]
";
const BY_HAND: &str = "
title: By hand
activation: manual_only
trigger: { schedule: { every: 1h } }
steps: [{ log: hello }]
";
const LATER: &str = "
title: Later
trigger: { webhook: { auth: none } }
steps:
  - start: add
    with: { a: 1 }
";

async fn house() -> House {
    House::of(&[
        ("recipes/stories/add.yaml", ADD),
        ("recipes/stories/incomplete.yaml", INCOMPLETE),
        ("recipes/stories/broken.yaml", BROKEN),
        ("recipes/stories/by-hand.yaml", BY_HAND),
        ("recipes/stories/later.yaml", LATER),
    ])
    .await
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let recipes = list["recipes"].as_array().unwrap();
    recipes.iter().find(|r| r["name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_without_a_token() {
    let house = house().await;
    for path in ["/api/recipes", "/api/jobs", "/api/lookup-tables/x/rows"] {
        let answer = house.request(Method::GET, path).send().await.unwrap();
        assert!(answer.headers().contains_key("www-authenticate"));
        assert_eq!(taken(answer).await.0, StatusCode::UNAUTHORIZED);
        let request = house.request(Method::GET, path).bearer_auth("guess");
        let (status, _) = taken(request.send().await.unwrap()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    // The first start shows an admin token, which works; whether the server lives, all may ask.
    let token = house.listening.new_admin_token.as_ref().unwrap().reveal();
    let request = house
        .request(Method::GET, "/api/recipes")
        .bearer_auth(token);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    for path in ["/healthz", "/readyz"] {
        let answer = house.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recipes_are_listed_with_state_and_problems() {
    let house = house().await;
    let (_, list) = house.get("/api/recipes").await;
    assert_eq!(named(&list, "stories/add")["status"], "ready");
    assert_eq!(named(&list, "stories/broken")["status"], "broken");
    assert_eq!(named(&list, "stories/by-hand")["activation"], "manual_only");
    let problem = &named(&list, "stories/broken")["problems"][0];
    assert_eq!(problem["place"], "recipes/stories/broken.yaml:4:11");
    assert!(problem["help"].as_str().unwrap().contains("log"));

    let (_, recipe) = house.get("/api/recipes/stories/later").await;
    let address = recipe["webhook"]["address"].as_str().unwrap();
    assert!(address.ends_with("/webhooks/stories/later"), "{address}");
    let (_, recipe) = house
        .get("/api/recipes/accredible/event-dispatcher-docebo-to-accredible")
        .await;
    let events = recipe["webhook"]["events"].as_array().unwrap();
    assert!(
        events.contains(&json!("course.enrollment.completed")),
        "{events:?}"
    );
    assert_eq!(recipe["webhook"]["sign_in"]["kind"], "basic");

    let (status, problem) = house.get("/api/recipes/stories/ad").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("did you mean `stories/add`"), "{detail}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_says_why() {
    let house = house().await;
    let start = async |name: &str| {
        let path = format!("/api/recipes/stories/{name}/start");
        house.post(&path, json!({})).await
    };
    let (status, problem) = start("incomplete").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["code"], "incomplete");
    let text = problem["errors"].to_string();
    assert!(text.contains("stories/broken.yaml"), "{text}");
    let (status, problem) = start("by-hand").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["code"], "manual_only");
    assert!(problem["detail"].as_str().unwrap().contains("recipes run"));
    let (status, problem) = start("add").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["code"], "needs_no_start");
    let (status, answer) = start("later").await;
    assert_eq!(status, StatusCode::OK, "{answer}");

    // Once what is called is mended, the missing connections are all that is left to say.
    let mended = BROKEN.replace("logg", "log");
    write(house.folder.path(), "recipes/stories/broken.yaml", &mended);
    let library = recipe_engine::library::Library::read(house.folder.path()).unwrap();
    house.engine.shelf().replace(library);
    let (status, problem) = start("incomplete").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let text = problem["errors"].to_string();
    assert!(text.contains("there is no connection `nobody`"), "{text}");
    assert!(text.contains("there is no connection `http`"), "{text}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_by_hand_gives_its_result_or_every_misfit() {
    let house = house().await;
    let path = "/api/recipes/stories/add/run?wait=30s";
    let (status, job) = house.post(path, json!({ "input": { "a": 2 } })).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(job["output"], json!({ "sum": 3 }));
    let (_, shown) = house
        .get(&format!("/api/jobs/{}", job["id"].as_str().unwrap()))
        .await;
    assert_eq!(shown["started_by"], "person:cli");
    assert_eq!(shown["input"], json!({ "a": 2, "b": 1 }));
    assert_eq!(shown["steps"][0]["output"], json!({ "sum": 3 }));

    let (status, problem) = house
        .post(path, json!({ "input": { "b": "x", "c": 1 } }))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let paths: Vec<&Value> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["path"])
        .collect();
    assert_eq!(paths, ["input.a", "input.b", "input.c"]);

    let cases = [
        (path, json!({ "event": {} }), 422),
        (path, json!({ "input": {}, "event": {} }), 400),
        (path, json!({ "inputt": {} }), 422),
        (path, json!([]), 422),
        ("/api/recipes/stories/add/run?wait=soon", json!({}), 400),
        ("/api/recipes/stories/add/run?waits=1s", json!({}), 400),
        ("/api/recipes/stories/broken/run", json!({}), 422),
        (
            "/api/recipes/stories/later/run",
            json!({ "event": { "bodi": 1 } }),
            422,
        ),
    ];
    for (path, body, expected) in cases {
        let (status, problem) = house.post(path, body.clone()).await;
        assert_eq!(status.as_u16(), expected, "{path} {body} {problem}");
    }
    let (status, answer) = house
        .post(
            "/api/recipes/stories/add/run",
            json!({ "input": { "a": 1 } }),
        )
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
    house.settled(answer["jobs"][0].as_str().unwrap()).await;
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_paged_by_key_and_filtered() {
    let house = house().await;
    let path = "/api/recipes/stories/add/run?wait=30s";
    for a in 0..5 {
        house.post(path, json!({ "input": { "a": a } })).await;
    }
    let mut seen = Vec::new();
    let mut next = Some("/api/jobs?limit=2&recipe=stories/add".to_owned());
    while let Some(path) = next {
        let (status, page) = house.get(&path).await;
        assert_eq!(status, StatusCode::OK);
        let jobs = page["jobs"].as_array().unwrap();
        assert!(jobs.len() <= 2);
        seen.extend(
            jobs.iter()
                .map(|job| job["id"].as_str().unwrap().to_owned()),
        );
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|a, b| a > b), "newest first: {seen:?}");
    let (_, page) = house.get("/api/jobs?status=failed,queued").await;
    assert_eq!(page["jobs"], json!([]));
    let (_, page) = house.get("/api/jobs?to=2020-01-01T00:00:00Z").await;
    assert_eq!(page["jobs"], json!([]));
    for wrong in [
        "status=done",
        "limit=0",
        "limit=x",
        "from=monday",
        "colour=red",
        "before=1",
    ] {
        let (status, _) = house.get(&format!("/api/jobs?{wrong}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let unknown = "/api/jobs/018f0000-0000-7000-8000-000000000000";
    assert_eq!(house.get(unknown).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/api/jobs/7").await.0, StatusCode::NOT_FOUND);
    house.engine.shutdown().await;
}
