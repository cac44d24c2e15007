//! After a failure: what has changed since is told, and what was saved a moment ago counts.

use reqwest::StatusCode;
use serde_json::json;

use super::house::{House, write};
use super::process::{ended, said};
use super::shop::{CONNECTIONS, COUNT, set, shop};

const BROKEN: &str = "
title: Count parcels
activation: optional
trigger: { schedule: { every: 5m } }
steps:
  - id: rows
    table: parcels
    count: {}
  - id: broken
    set: { mode: \"{{to_integer settings.shop_window.MODE}}\" }
";

async fn failed(house: &House) -> String {
    set(house, "MODE", "FAST").await;
    let path = "/api/recipes/shop/count-parcels/run";
    let (status, answer) = house.post(path, json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let id = answer["jobs"][0].as_str().unwrap().to_owned();
    assert_eq!(house.ended(&id).await["status"], "failed");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_counts_what_was_saved_a_moment_before() {
    let house = House::of(&shop(BROKEN, CONNECTIONS)).await;
    let id = failed(&house).await;
    let folder = house.folder.path();
    let plan = ["jobs", "rerun", &id, "--plan"];
    let told = said(&ended(folder, &plan));
    assert!(!told.contains("--version current"), "{told}");
    let count = COUNT.replace("ADVICE", "optional");
    write(folder, "recipes/shop/count-parcels.yaml", &count);
    let told = said(&ended(folder, &plan));
    assert!(
        told.contains("once you say with which recipe and settings")
            && told.contains("the recipe has changed since: `--version current` makes that count"),
        "{told}"
    );
    // Which of the two counts is not guessed.
    let unsaid = ended(folder, &["jobs", "rerun", &id]);
    let why = String::from_utf8_lossy(&unsaid.stderr).into_owned();
    assert_eq!(unsaid.status.code(), Some(1), "{why}");
    for word in [
        "error: the recipe has changed since job",
        "`--version current`",
        "`--version ran`",
        "nothing was done",
    ] {
        assert!(why.contains(word), "{why}");
    }
    let whole = [
        "jobs",
        "rerun",
        &id,
        "--version",
        "current",
        "--from",
        "start",
        "--wait",
    ];
    let told = said(&ended(folder, &whole));
    let rerun = told.split_whitespace().nth(1).unwrap();
    assert!(
        told.contains("from start, with the recipe and settings of now\n"),
        "{told}"
    );
    assert!(told.contains(&format!("job {rerun} succeeded\n")), "{told}");
    assert_eq!(house.ended(rerun).await["status"], "succeeded", "{told}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_too_asks_which_version_counts_if_anything_has_changed() {
    let house = House::of(&shop(BROKEN, CONNECTIONS)).await;
    let id = failed(&house).await;
    set(&house, "MODE", "SLOW").await;
    let one = format!("/api/jobs/{id}/rerun");
    let many = json!({ "recipe": "shop/count-parcels" });
    for (path, wish) in [(one.as_str(), json!({})), ("/api/jobs/rerun", many.clone())] {
        let (status, problem) = house.post(path, wish).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::CONFLICT, &json!("version_not_said")),
            "{path}: {problem}"
        );
        let why = problem["detail"].as_str().unwrap();
        for word in [
            "SHOP_WINDOW / MODE",
            "`\"version\": \"current\"`",
            "`\"version\": \"ran\"`",
            "nothing was done",
        ] {
            assert!(why.contains(word), "{why}");
        }
    }
    // To look at it needs no word, and with one it is done, each as it is said.
    let (status, plan) = house.post(&one, json!({ "plan": true })).await;
    assert_eq!(status, StatusCode::OK, "{plan}");
    assert_eq!(plan["settings_that_changed"], json!(["SHOP_WINDOW / MODE"]));
    let (status, answer) = house.post(&one, json!({ "version": "ran" })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let rerun = answer["job"].as_str().unwrap();
    assert_eq!(house.ended(rerun).await["status"], "failed");
    let (_, page) = house.get("/api/jobs?recipe=shop/count-parcels").await;
    assert_eq!(page["jobs"].as_array().unwrap().len(), 2, "{page}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_was_mended_since_is_named_with_the_option_that_makes_it_count() {
    let house = House::of(&shop(BROKEN, CONNECTIONS)).await;
    let id = failed(&house).await;
    let folder = house.folder.path();
    let told = said(&ended(folder, &["jobs", &id]));
    assert!(
        told.contains(&format!("  recipes jobs rerun {id}   does it")),
        "{told}"
    );
    set(&house, "MODE", "SLOW").await;
    let told = said(&ended(folder, &["jobs", &id]));
    assert!(
        told.contains(&format!("recipes jobs rerun {id} --version current --plan")),
        "{told}"
    );
    let told = said(&ended(folder, &["jobs", "rerun", &id, "--plan"]));
    assert!(
        told.contains("note: settings have changed (SHOP_WINDOW / MODE) since"),
        "{told}"
    );
    assert!(told.contains("rows that it read of parcels"), "{told}");
    house.engine.shutdown().await;
}
