//! What lists say of jobs that failed.

use std::path::Path;
use std::time::Duration;

use recipe_engine::clock::Moment;
use recipe_engine::journal::{Ending, Failure, JobStatus};
use recipe_engine::store::{Advance, Jobs, Next};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};

use super::house::House;

const GREET: &str = "
title: Greet
trigger: { function: { input: { name: { type: string, personal: true } }, output: {} } }
steps: [{ log: hello }]
";

/// Claims the only job there is, and ends it so.
async fn end(house: &House, status: JobStatus, message: &str) {
    let store = house.engine.store();
    let now = Moment::parse("2100-01-01T00:00:00Z").unwrap();
    let later = store.counts().jobs_ended;
    let at = now.after(Duration::from_secs(later));
    let claimed = store.claim(1, at, Duration::from_secs(60)).await.unwrap();
    let ending = Ending {
        status,
        output: None,
        failure: Some(Failure::new("broken", message)),
    };
    let advance = Advance {
        next: Next::Ended(ending),
        ..Advance::default()
    };
    store.commit(&claimed[0].lease, at, advance).await.unwrap();
}

async fn told(house: &House) -> Value {
    let (_, listed) = house.get("/api/jobs").await;
    listed["jobs"][0]["failure"]["message"].clone()
}

async fn tamper(folder: &Path, sql: &'static str) {
    let path = folder.join("data").join("recipes.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_tells_why_a_job_failed_the_last_time_and_names_nobody() {
    let house = House::at_rest(&[("recipes/stories/greet.yaml", GREET)]).await;
    let wish = json!({ "input": { "name": "Zsofia" } });
    let id = &house.run("greet", wish).await;
    end(&house, JobStatus::Quarantined, "Zsofia was dropped").await;

    // While nobody can tell who is meant, nothing is said, and that is not remembered.
    let folder = house.folder.path();
    tamper(folder, "ALTER TABLE job_input RENAME TO job_input_away").await;
    let unknown = told(&house).await;
    assert!(
        unknown.as_str().unwrap().contains("at the moment"),
        "{unknown}"
    );
    tamper(folder, "ALTER TABLE job_input_away RENAME TO job_input").await;
    assert_eq!(told(&house).await, "*** was dropped");

    let (_, released) = house
        .post(&format!("/api/jobs/{id}/release"), json!({}))
        .await;
    assert_eq!(released["status"], "released", "{released}");
    end(&house, JobStatus::Failed, "Zsofia was broken").await;
    assert_eq!(told(&house).await, "*** was broken");
}
