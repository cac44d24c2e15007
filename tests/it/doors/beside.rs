//! A call under way holds nothing up: the database is free for whoever wants to write.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};

use super::house::{House, Vendor, taken};

/// A call between changes of a table, inside a recipe with a key.
const ASKS: &str = "
title: Asks
trigger: { function: { input: {}, output: {} } }
concurrency: { key: one }
steps:
  - table: seen
    insert: { id: 1 }
  - id: asked
    action: http.request
    with: { method: POST, path: /slow, body: { a: 1 } }
  - table: seen
    insert: { id: 2 }
";
const SEEN: &str = "title: Seen\ncolumns: { id: { type: integer, required: true } }\nkey: [id]\n";
const HOOK: &str = "title: Hook\ntrigger: { webhook: { auth: none } }\nsteps: [{ log: hello }]\n";

#[tokio::test(flavor = "multi_thread")]
async fn no_transaction_is_open_while_a_call_is_under_way() {
    let vendor = Vendor::open().await;
    let house = House::of(&[
        ("recipes/stories/asks.yaml", ASKS),
        ("recipes/stories/hook.yaml", HOOK),
        ("lookup-tables/seen.yaml", SEEN),
        ("connections.yaml", &vendor.connections()),
    ])
    .await;
    let (_, run) = house.post("/api/recipes/stories/asks/run", json!({})).await;
    let id = run["jobs"][0].as_str().unwrap_or_else(|| panic!("{run}"));
    let asked = vendor.asked().await;

    // Somebody else gets the whole database to write in, for as long as they like.
    let file = house.folder.path().join("data/recipes.db");
    let options = SqliteConnectOptions::new().filename(file);
    let options = options.busy_timeout(Duration::from_secs(20));
    let mut other = options.connect().await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    // A delivery is taken in, and what was done before the call is seen.
    let request = house.request(Method::POST, "/webhooks/stories/hook");
    let (status, answer) = taken(request.body("{}").send().await.unwrap()).await;
    assert_eq!(status.as_u16(), 202, "{answer}");
    let (_, rows) = house.get("/api/lookup-tables/seen/rows").await;
    assert_eq!(rows["rows"][0]["id"], 1, "{rows}");
    assert_eq!(rows["rows"].as_array().unwrap().len(), 1, "{rows}");
    let (_, job) = house.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(job["status"], "running", "{job}");

    asked.answer("{}").await;
    assert_eq!(house.ended(id).await["status"], "succeeded");
    house.engine.shutdown().await;
}
