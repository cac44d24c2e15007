//! Recipes edited over the API while the server runs.

use std::fs;
use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, taken, workspace, write};

const PATH: &str = "/api/recipes/stories/add";
const FILE: &str = "recipes/stories/add.yaml";
const ADD: &str = "
title: Add
trigger:
  function:
    input: { a: integer }
    output: { sum: integer }
steps: [{ return: { sum: \"{{add input.a 1}}\" } }]
";
const CALLER: &str = "
title: Caller
trigger: { function: { input: {}, output: { sum: integer } } }
steps:
  - { id: add, call: add, with: { a: 1 } }
  - return: { sum: \"{{steps.add.sum}}\" }
";

const HOOK: &str = "
title: Hook
trigger: { webhook: { auth: none, respond: result } }
steps:
  - { id: add, call: add, with: { a: 1 } }
  - return: { sum: \"{{steps.add.sum}}\" }
";

async fn house() -> House {
    House::of(&[(FILE, ADD), ("recipes/stories/caller.yaml", CALLER)]).await
}

/// A `PUT` of this text with these headers: status, ETag, JSON.
async fn put(
    house: &House,
    path: &str,
    headers: &[(&str, &str)],
    text: &str,
) -> (StatusCode, Option<String>, Value) {
    let token = house.listening.local_token.reveal();
    let mut request = house.request(Method::PUT, path).bearer_auth(token);
    if headers.iter().all(|(name, _)| *name != "content-type") {
        request = request.header("content-type", "application/yaml");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.body(text.to_owned()).send().await.unwrap();
    let tag = answer.headers().get("etag").cloned();
    let tag = tag.map(|tag| tag.to_str().unwrap().to_owned());
    let (status, body) = taken(answer).await;
    (status, tag, body)
}

/// The present text and its ETag.
async fn read(house: &House, path: &str) -> (String, String) {
    let token = house.listening.local_token.reveal();
    let request = house.request(Method::GET, path).bearer_auth(token);
    let answer = request.send().await.unwrap();
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let (_, body) = taken(answer).await;
    (body["source"].as_str().unwrap().to_owned(), tag)
}

async fn sum(house: &House, recipe: &str, input: Value) -> Value {
    let path = format!("/api/recipes/stories/{recipe}/run?wait=30s");
    let (status, job) = house.post(&path, json!({ "input": input })).await;
    assert_eq!(status, StatusCode::OK, "{job}");
    job["output"]["sum"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_recipe_is_live_with_the_answer() {
    let house = house().await;
    let (text, tag) = read(&house, PATH).await;
    assert_eq!(text, ADD);
    let twice = ADD.replace("input.a 1", "input.a input.a");
    let (status, new_tag, answer) = put(&house, PATH, &[("if-match", &tag)], &twice).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (_, live) = house.get(PATH).await;
    for name in ["version", "hash"] {
        assert_eq!(live[name], answer[name], "{name}");
    }
    assert_eq!(answer["version"], 2);
    // The next job runs on it, and so does the next job of whoever calls it.
    assert_eq!(sum(&house, "add", json!({ "a": 21 })).await, 42);
    assert_eq!(sum(&house, "caller", json!({})).await, 2);
    let on_disk = fs::read_to_string(house.folder.path().join(FILE)).unwrap();
    assert_eq!(on_disk, twice);
    let (text, tag) = read(&house, PATH).await;
    assert_eq!((text, Some(tag)), (twice, new_tag));
    // Nothing is left beside it, and who did it is on record.
    let folder = fs::read_dir(house.folder.path().join("recipes/stories")).unwrap();
    assert_eq!(folder.count(), 3);
    let (_, audit) = house
        .get("/api/audit?subject=recipe:stories/add&limit=2")
        .await;
    assert_eq!(audit["entries"][0]["action"], "run");
    assert_eq!(audit["entries"][1]["action"], "recipe_saved");
    // The same as JSON, a new recipe, and the text alone.
    let body = json!({ "source": ADD });
    let token = house.listening.local_token.reveal();
    let request = house.request(Method::PUT, "/api/recipes/stories/more");
    let request = request.bearer_auth(token).header("if-none-match", "*");
    let (status, answer) = taken(request.json(&body).send().await.unwrap()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!(sum(&house, "more", json!({ "a": 1 })).await, 2);
    let request = house.request(Method::GET, "/api/recipes/stories/more");
    let request = request
        .bearer_auth(token)
        .header("accept", "application/yaml");
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), ADD);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_admins_who_save_the_same_recipe_the_second_is_told() {
    let house = Arc::new(house().await);
    let (_, tag) = read(&house, PATH).await;
    let saves = (2..10).map(|number| {
        let (house, tag) = (house.clone(), tag.clone());
        tokio::spawn(async move {
            let text = ADD.replace("input.a 1", &format!("input.a {number}"));
            let (status, _, _) = put(&house, PATH, &[("if-match", &tag)], &text).await;
            (status, text)
        })
    });
    let mut saved = Vec::new();
    for save in saves.collect::<Vec<_>>() {
        match save.await.unwrap() {
            (StatusCode::OK, text) => saved.push(text),
            (status, _) => assert_eq!(status, StatusCode::PRECONDITION_FAILED),
        }
    }
    let [saved] = saved.as_slice() else {
        panic!("one of them counts: {saved:?}");
    };
    assert_eq!(read(&house, PATH).await.0, *saved);
    let (_, list) = house.get(&format!("{PATH}/versions")).await;
    assert_eq!(list["versions"].as_array().unwrap().len(), 2, "{list}");
    // What was changed by hand meanwhile counts too, before it is taken up.
    let (_, tag) = read(&house, PATH).await;
    write(house.folder.path(), FILE, &saved.replace("Add", "By hand"));
    let (status, _, problem) = put(&house, PATH, &[("if-match", &tag)], ADD).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(problem["code"], "changed_meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sound_is_refused_with_every_finding() {
    let house = house().await;
    let (_, tag) = read(&house, PATH).await;
    let if_match = ("if-match", tag.as_str());
    let wrong = ADD
        .replace("integer }\n    output", "integr }\n    output")
        .replace("steps: [{", "steps: [{ logg: 1 }, {");
    let (status, _, problem) = put(&house, PATH, &[if_match], &wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(problem["code"], "unsound");
    let errors = problem["errors"].as_array().unwrap();
    assert!(errors.len() >= 2, "{problem}");
    let places: Vec<_> = errors
        .iter()
        .map(|error| (error["line"].as_u64(), error["column"].as_u64()))
        .collect();
    assert!(places.contains(&(Some(5), Some(17))), "{places:?}");
    for half in ["", "title: Add\ntrigger: { func", "\u{0}", "- a\n- b\n"] {
        let (status, _, problem) = put(&house, PATH, &[if_match], half).await;
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{half}: {problem}"
        );
        assert!(!problem["errors"].as_array().unwrap().is_empty(), "{half}");
    }
    let (status, _, _) = put(&house, PATH, &[], ADD).await;
    assert_eq!(status, StatusCode::PRECONDITION_REQUIRED);
    let (status, _, _) = put(&house, PATH, &[("if-none-match", "*")], ADD).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    let kind = ("content-type", "text/csv");
    let (status, _, _) = put(&house, PATH, &[if_match, kind], ADD).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);

    // Who calls it would break: refused unless said otherwise, and then the old caller runs on.
    let renamed = ADD
        .replace("a: integer", "b: integer")
        .replace("input.a", "input.b");
    let (status, _, problem) = put(&house, PATH, &[if_match], &renamed).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!(problem["errors"][0]["file"], "recipes/stories/caller.yaml");
    let anyway = format!("{PATH}?anyway=true");
    let (status, _, answer) = put(&house, &anyway, &[if_match], &renamed).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["broken"][0]["file"], "recipes/stories/caller.yaml");
    let (_, list) = house.get("/api/recipes").await;
    let recipes = list["recipes"].as_array().unwrap();
    let caller = recipes.iter().find(|one| one["name"] == "stories/caller");
    assert!(!caller.unwrap()["runs_on"].is_null(), "{caller:?}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_its_place_is_written() {
    let house = house().await;
    let new = [("if-none-match", "*")];
    let cases = [
        ("/api/recipes/stories/..%2f..%2fout", 422),
        ("/api/recipes/..%2fstories/out", 422),
        ("/api/recipes/stories/nul", 422),
        ("/api/recipes/stories/com1", 422),
        ("/api/recipes/con/out", 422),
        ("/api/recipes/stories/Add", 422),
        ("/api/recipes/stories/project", 422),
        ("/api/recipes/nowhere/out", 404),
    ];
    for (path, expected) in cases {
        let (status, _, problem) = put(&house, path, &new, ADD).await;
        assert_eq!(status.as_u16(), expected, "{path}: {problem}");
    }
    let bundled = "/api/recipes/accredible/process-credentials";
    let (text, tag) = read(&house, bundled).await;
    let (status, _, problem) = put(&house, bundled, &[("if-match", &tag)], &text).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["code"], "bundled");
    let help = problem["detail"].as_str().unwrap();
    assert!(help.contains("customise or clone it first"), "{help}");
    #[cfg(unix)]
    {
        let outside = tempfile::tempdir().unwrap();
        let place = house.folder.path().join("recipes/stories");
        std::os::unix::fs::symlink(outside.path().join("x"), place.join("linked.yaml")).unwrap();
        let (status, _, problem) = put(&house, "/api/recipes/stories/linked", &new, ADD).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        write(
            outside.path(),
            "project.yaml",
            "title: Out\nversion: 1.0.0\n",
        );
        std::os::unix::fs::symlink(outside.path(), house.folder.path().join("recipes/out"))
            .unwrap();
        house.engine.take_up_files().await.unwrap();
        let (status, _, problem) = put(&house, "/api/recipes/out/add", &new, ADD).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        assert!(!outside.path().join("add.yaml").exists());
    }
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_on_the_disk_leaves_the_old_version_running() {
    let hook = "recipes/stories/hook.yaml";
    let house = House::of(&[
        (FILE, ADD),
        ("recipes/stories/caller.yaml", CALLER),
        (hook, HOOK),
    ])
    .await;
    let (status, answer) = house
        .post("/api/recipes/stories/hook/start", json!({}))
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    write(house.folder.path(), FILE, &ADD[..ADD.len() / 2]);
    write(house.folder.path(), hook, "title: half");
    house.engine.take_up_files().await.unwrap();
    let (status, job) = house.post("/webhooks/stories/hook", json!({})).await;
    assert_eq!(
        (status, &job["output"]),
        (StatusCode::OK, &json!({ "sum": 2 }))
    );
    let (_, recipe) = house.get(PATH).await;
    assert!(recipe["problems"][0]["line"].is_u64(), "{recipe}");
    assert!(!recipe["runs_on"].is_null(), "{recipe}");
    // It can be mended over the API, too.
    let (_, tag) = read(&house, PATH).await;
    let mended = ADD.replace("input.a 1", "input.a 5");
    let (status, _, problem) = put(&house, PATH, &[("if-match", &tag)], &mended).await;
    assert_eq!(status, StatusCode::OK, "{problem}");
    assert_eq!(sum(&house, "caller", json!({})).await, 6);
    let (_, job) = house.post("/webhooks/stories/hook", json!({})).await;
    assert_eq!(job["output"], json!({ "sum": 6 }));
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_that_was_live_is_listed_compared_and_brought_back() {
    let house = house().await;
    let (_, tag) = read(&house, PATH).await;
    let second = ADD.replace("title: Add", "title: Add more");
    put(&house, PATH, &[("if-match", &tag)], &second).await;
    let third = second.replace("input.a 1", "input.a 7");
    write(house.folder.path(), FILE, &third);
    house.engine.take_up_files().await.unwrap();
    write(house.folder.path(), FILE, "title: broken");
    house.engine.take_up_files().await.unwrap();
    let versions = format!("{PATH}/versions");
    let (_, list) = house.get(&versions).await;
    let list = list["versions"].as_array().unwrap().clone();
    let parts = |one: &Value| ["number", "from", "is_live"].map(|part| one[part].clone());
    let told: Vec<_> = list.iter().map(parts).collect();
    let expected = [
        [json!(3), json!("file"), json!(true)],
        [json!(2), json!("api"), json!(false)],
        [json!(1), json!("file"), json!(false)],
    ];
    assert_eq!(told, expected);
    assert_eq!(list[1]["by"], "cli");
    let (_, diff) = house.get(&format!("{PATH}/diff?from=1&to=2")).await;
    assert_eq!(
        diff["changes"],
        json!(["`title` is `Add more`, and was `Add`"])
    );
    let (_, diff) = house.get(&format!("{PATH}/diff")).await;
    assert_eq!((&diff["from"], &diff["to"]), (&json!(2), &json!(3)));
    assert_eq!(diff["changes"].as_array().unwrap().len(), 1, "{diff}");

    // What is in the file never ran and is kept nowhere else.
    let restore = format!("{PATH}/restore");
    let (status, problem) = house.post(&restore, json!({ "version": 1 })).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{problem}");
    let why = problem["detail"].as_str().unwrap();
    assert!(why.contains("never ran"), "{why}");
    let (text, tag) = read(&house, PATH).await;
    assert_eq!(text, "title: broken");
    let token = house.listening.local_token.reveal();
    let request = house.request(Method::POST, &restore).bearer_auth(token);
    let request = request.header("if-match", &tag);
    let answer = request.json(&json!({ "version": 1 })).send().await.unwrap();
    let (status, answer) = taken(answer).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["version"], 4);
    // A version is: nothing is lost by putting another one in its place.
    let (status, answer) = house.post(&restore, json!({ "version": 2 })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, answer) = house.post(&restore, json!({ "version": 1 })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["version"], 6);
    let (_, version) = house.get(&format!("{versions}/4")).await;
    assert_eq!(version["restored"], 1);
    assert_eq!(version["source"], ADD);
    assert_eq!(sum(&house, "add", json!({ "a": 1 })).await, 2);
    for (path, status) in [
        (format!("{versions}/9"), 404),
        (format!("{versions}/x"), 400),
        (format!("{PATH}/diff?from=9"), 404),
        ("/api/recipes/stories/ad/versions".to_owned(), 404),
    ] {
        assert_eq!(house.get(&path).await.0.as_u16(), status, "{path}");
    }
    // A server that starts later tells the same, and notes nothing twice.
    let House { folder, engine, .. } = house;
    engine.shutdown().await;
    let house = House::open(folder).await;
    let (_, list) = house.get(&versions).await;
    assert_eq!(list["versions"].as_array().unwrap().len(), 6, "{list}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_typed_into_a_recipe_is_not_saved_away() {
    let leak = "Zq9-typed-into-a-recipe-77";
    let text = ADD.replace("title: Add", &format!("title: Add {leak}"));
    let folder = Arc::new(workspace(&[(FILE, &text)]));
    recipe_engine::mask::learn_secret(leak);
    let house = House::open(folder).await;
    let token = house.listening.local_token.reveal();
    let request = house.request(Method::GET, PATH).bearer_auth(token);
    let answer = request.send().await.unwrap();
    assert!(!answer.headers().contains_key("etag"));
    let (_, body) = taken(answer).await;
    assert!(!body.to_string().contains(leak));
    assert!(body["not_editable_because"].is_string(), "{body}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_is_broken_keeps_no_recipe_from_being_saved() {
    let house = House::of(&[
        (FILE, ADD),
        ("connectors/shop.yaml", "title: Shop\nactionz: 1\n"),
    ])
    .await;
    let (_, tag) = read(&house, PATH).await;
    let changed = ADD.replace("input.a 1", "input.a 9");
    let (status, _, answer) = put(&house, PATH, &[("if-match", &tag)], &changed).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(sum(&house, "add", json!({ "a": 1 })).await, 10);
    house.engine.shutdown().await;
}
