//! History at the doors: budgets of a server, pruning by API and command line, a kill in between.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use recipe_engine::clock::Moment;
use recipe_engine::history::Budgets;
use recipe_engine::names::RecipeName;
use recipe_engine::settings::Settings;
use recipe_engine::store::{JobFilter, Jobs, Store};
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::house::{House, workspace, write};
use super::process::{ended, refused, said};

const FAILS: &str = "
title: Fails
trigger: { manual: { input: { who: string } } }
steps: [{ stop: { status: failure, reason: \"sorry {{input.who}}\" } }]
";

/// A day long ago.
const LONG_AGO: Moment = Moment(1_600_000_000_000_000);

async fn fill(folder: &Path, jobs: u64) {
    std::fs::create_dir_all(folder.join("data")).unwrap();
    let store = Store::open(&folder.join("data/recipes.db")).await.unwrap();
    let recipe = RecipeName::new("stories/old").unwrap();
    store.fill_history(&recipe, jobs, LONG_AGO).await.unwrap();
    store.close().await;
}

/// How many jobs have their history, and how many do not; each is whole or a line.
async fn kept(folder: &Path) -> (usize, usize) {
    let store = Store::open(&folder.join("data/recipes.db")).await.unwrap();
    let filter = JobFilter {
        limit: 100_000,
        ..JobFilter::default()
    };
    let jobs = store.jobs(&filter).await.unwrap();
    let total = jobs.len();
    let mut kept = 0;
    for job in jobs {
        let (job, entries, _) = store.job(&job.id).await.unwrap();
        let payload = store.payload(&job.id).await.unwrap();
        match job.pruned {
            None => {
                kept += 1;
                assert_eq!(entries.len(), 2, "a whole journal");
                assert!(job.event.is_object() && payload.is_some());
            }
            Some(_) => {
                assert!(entries.is_empty() && job.event.is_null() && payload.is_none());
            }
        }
    }
    store.close().await;
    (kept, total - kept)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pruned_job_is_a_line_that_says_why() {
    let folder = Arc::new(workspace(&[("recipes/stories/fails.yaml", FAILS)]));
    let house = House::open(folder.clone()).await;
    let wish = json!({ "input": { "who": "ann@example.com" } });
    let id = house.run("fails", wish).await;
    house.ended(&id).await;
    let (status, _) = house
        .post("/api/history/prune", json!({ "older_than": "soon" }))
        .await;
    assert_eq!(status, 422);
    let (_, plan) = house
        .post(
            "/api/history/prune",
            json!({ "older_than": "0s", "plan": true }),
        )
        .await;
    assert_eq!((&plan["jobs"], &plan["unmended"]), (&json!(1), &json!(1)));
    let (_, pruned) = house
        .post("/api/history/prune", json!({ "older_than": "0s" }))
        .await;
    assert_eq!(
        (&pruned["jobs"], &pruned["is_done"]),
        (&json!(1), &json!(true)),
        "{pruned}"
    );
    let (_, job) = house.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(job["status"], "failed");
    let why = job["steps_missing_because"].as_str().unwrap();
    assert!(why.contains("cli removed what ended more than"), "{why}");
    assert!(!job.to_string().contains("ann@example.com"), "{job}");
    let (_, list) = house.get("/api/jobs").await;
    assert_eq!(
        list["jobs"][0]["history_removed"]["at"],
        job["history_removed"]["at"]
    );
    let (status, _) = house.get("/api/history").await;
    assert_eq!(status, 200);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_keeps_its_budget_while_it_answers() {
    let folder = Arc::new(workspace(&[("recipes/stories/fails.yaml", FAILS)]));
    fill(folder.path(), 3_000).await;
    let settings = Settings {
        history: Budgets {
            age: Some(Duration::from_secs(86_400)),
            ..Budgets::UNBOUNDED
        },
        ..Settings::private(folder.path())
    };
    let house = House::with(folder.clone(), settings).await;
    let history = house.engine.history().clone();
    let mut jobs = Vec::new();
    while history.pruned() < 3_000 {
        let wish = json!({ "input": { "who": "ann" } });
        let (status, run) = house.post("/api/recipes/stories/fails/run", wish).await;
        assert_eq!(status, 202, "{run}");
        jobs.push(run["jobs"][0].as_str().unwrap().to_owned());
    }
    for id in &jobs {
        assert_eq!(house.ended(id).await["status"], "failed");
    }
    let kept = house.engine.store().kept_jobs(0, 10_000).await.unwrap();
    assert_eq!(kept.len(), jobs.len());
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_prunes_where_no_server_runs() {
    let folder = workspace(&[("recipes/stories/fails.yaml", FAILS)]);
    fill(folder.path(), 500).await;
    let path = folder.path();
    let plan = said(&ended(path, &["prune", "--plan"]));
    assert!(
        plan.starts_with("the history of 500 jobs would go"),
        "{plan}"
    );
    assert_eq!(kept(path).await, (500, 0));
    write(path, "settings.yaml", "history_age: unlimited\n");
    let told: Value = serde_json::from_str(&said(&ended(path, &["prune", "--json"]))).unwrap();
    assert_eq!(told["jobs"], 0);
    let told = said(&ended(path, &["prune", "--older-than", "30d"]));
    assert!(
        told.starts_with("the history of 500 jobs was removed"),
        "{told}"
    );
    assert_eq!(kept(path).await, (0, 500));
    let list = said(&ended(path, &["jobs", "--limit", "1"]));
    assert!(list.contains("history removed"), "{list}");
    let wrong = refused(&ended(path, &["prune", "--to-size", "much"]), 1);
    assert!(wrong.contains("is not a size"), "{wrong}");
    write(path, "settings.yaml", "history_size: huge\n");
    let wrong = refused(&ended(path, &["prune"]), 1);
    assert!(wrong.contains("history_size"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_pruning_leaves_each_job_whole_or_a_line() {
    let folder = workspace(&[("recipes/stories/fails.yaml", FAILS)]);
    let path = folder.path();
    let mut jobs = 0;
    // A kill that came when all was done is none.
    loop {
        jobs += 20_000;
        fill(path, 20_000).await;
        kill_while_pruning(path).await;
        let check = recipe_engine::store::check_integrity(&path.join("data/recipes.db")).await;
        assert_eq!(check.unwrap(), "ok");
        let (left, gone) = kept(path).await;
        assert_eq!(left + gone, jobs);
        assert!(gone > 0, "something had gone before the kill");
        if left > 0 {
            break;
        }
    }
    said(&ended(path, &["prune", "--older-than", "1d"]));
    assert_eq!(kept(path).await, (0, jobs));
}

/// Starts to prune and kills that as soon as some of what was there has gone.
async fn kill_while_pruning(folder: &Path) {
    let options = SqliteConnectOptions::new().filename(folder.join("data/recipes.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let mut left = async || -> i64 {
        let left = "SELECT count(*) FROM job WHERE pruned_at IS NULL";
        sqlx::query_scalar(left)
            .fetch_one(&mut database)
            .await
            .unwrap()
    };
    let before = left().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_recipes"));
    command
        .arg("-w")
        .arg(folder)
        .args(["prune", "--older-than", "1d"]);
    let mut pruning = command.spawn().unwrap();
    while left().await == before && pruning.try_wait().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let _ = pruning.kill();
    pruning.wait().unwrap();
}
