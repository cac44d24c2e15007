//! What the clock sets off, as it is seen at the doors: next and last fires, polls and their ends.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use recipe_engine::clock::Clock;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::house::{House, Vendor, workspace};
use super::process::{Server, ended, said};

const HOURLY: &str = "
title: Hourly
trigger: { schedule: { every: 1h, if_still_running: allow } }
steps: [{ return: { to: $.job.covers.to } }]
";

const POLLING: &str = "
title: Polling
trigger:
  poll:
    action: shop.list_orders
    every: 1h
    cursor: { from: $.trigger.item.id, send: since, start: 7 }
steps: [{ return: { id: $.trigger.item.id } }]
";

const SHOP: &str = "
title: Shop
connection: { base_url: string }
base_url: \"{{connection.base_url}}\"
actions:
  list_orders:
    title: List orders
    effect: read
    input: { since: integer? }
    request: { get: /orders, query: { since: $.input.since? } }
    items: $.reply.body.orders
    pages: { by: page_number, send: query.page, next: \"$.reply.body.next?\" }
    output: { id: integer }
";

fn shown(folder: &Path) -> Value {
    let text = said(&ended(folder, &["show", "hourly", "--json"]));
    serde_json::from_str(&text).unwrap()
}

/// The last fires, once there are so many.
fn last_fires(folder: &Path, count: usize) -> Vec<Value> {
    loop {
        let shown = shown(folder);
        let last = shown["schedule"]["last"].as_array().unwrap().clone();
        if last.len() >= count {
            return last;
        }
    }
}

/// The real program: killed, ten days older, killed again, and with a clock that is right again.
#[test]
fn fires_outlive_kills_and_jumps_of_the_clock() {
    let folder = workspace(&[("recipes/stories/hourly.yaml", HOURLY)]);
    let folder = folder.path();
    let server = Server::with(folder, &[]);
    said(&ended(folder, &["start", "hourly"]));
    let first = shown(folder);
    assert_eq!(first["schedule"]["next"].as_array().unwrap().len(), 5);
    assert!(first["schedule"]["last"].as_array().unwrap().is_empty());
    let text = said(&ended(folder, &["show", "hourly"]));
    for part in [
        "schedule:   every 1h",
        "next:       ",
        "status:     started",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Killed without a word.
    drop(server);

    let days = Duration::from_secs(10 * 86_400);
    let since = Clock::real(1.0).now().before(days).to_string();
    let later = [
        ("RECIPES_TIME_SCALE", "2"),
        ("RECIPES_TIME_SINCE", since.as_str()),
    ];
    let server = Server::with(folder, &later);
    let last = last_fires(folder, 2);
    let outcome = |row: &Value| row["outcome"].as_str().unwrap().to_owned();
    let (made_up, missed) = (&last[last.len() - 2], &last[last.len() - 1]);
    assert_eq!([outcome(made_up), outcome(missed)], ["made_up", "missed"]);
    assert!(missed["times"].as_u64().unwrap() >= 237, "{missed}");
    assert!(missed["reason"].is_string() && missed["first"].is_string());
    let job = made_up["job"].as_str().unwrap();
    let text = said(&ended(folder, &["show", "hourly"]));
    assert!(text.contains(&format!("made up  job {job}")), "{text}");
    let listed = said(&ended(folder, &["schedules", "hourly"]));
    let of = |outcome: &str| listed.lines().find(|line| line.contains(outcome)).unwrap();
    assert!(of("\tmade_up\t").contains(job), "{listed}");
    assert!(of("\tmissed\t").contains(" to "), "{listed}");
    assert!(
        of("\tmissed\t").ends_with(missed["reason"].as_str().unwrap()),
        "{listed}"
    );
    drop(server);

    // Again at that time, and then with the wall's own: nothing comes twice.
    for environment in [&later[..], &[]] {
        let server = Server::with(folder, environment);
        let last = last_fires(folder, 2);
        let instants: BTreeSet<_> = last.iter().map(|row| row["at"].to_string()).collect();
        assert_eq!(instants.len(), last.len(), "{last:?}");
        let ups = last.iter().filter(|row| outcome(row) != "fired").count();
        assert_eq!(ups, 2, "{last:?}");
        drop(server);
    }
}

#[tokio::test]
async fn fires_are_listed_page_by_page() {
    let house = House::of(&[("recipes/stories/hourly.yaml", HOURLY)]).await;
    let fires = "/api/recipes/stories/hourly/fires";
    let (status, answer) = house.get(fires).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({ "fires": [] })));
    for wrong in ["?limit=0", "?limit=x", "?before=yesterday", "?after=1"] {
        let (status, _) = house.get(&format!("{fires}{wrong}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let (status, _) = house.get("/api/recipes/stories/nothing/fires").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // By hand it is no fire, and covers the time up to its start.
    let (_, run) = house
        .post("/api/recipes/stories/hourly/run", json!({}))
        .await;
    let job = house.ended(run["jobs"][0].as_str().unwrap()).await;
    assert_eq!(job["output"]["to"], job["started_at"]);
    let (status, problem) = house
        .post(
            "/api/recipes/stories/hourly/run",
            json!({ "event": { "covers": { "since": "2026-01-01T00:00:00Z" } } }),
        )
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let (_, answer) = house.get(fires).await;
    assert_eq!(answer, json!({ "fires": [] }));
}

/// The poll as the recipe shows it, once the last one ended like this.
async fn polled(house: &House, is_good: bool) -> Value {
    let path = "/api/recipes/stories/polling";
    let is_so = |recipe: &Value| recipe["poll"]["last"]["is_good"] == is_good;
    house.until(path, is_so).await["poll"].clone()
}

#[tokio::test]
async fn a_poll_shows_its_failure_and_then_what_it_brought() {
    let vendor = Vendor::open().await;
    let connections = format!(
        "connections:\n  shop: {{ base_url: \"{}\", allow_private: true }}\n",
        vendor.url()
    );
    let house = House::of(&[
        ("recipes/stories/polling.yaml", POLLING),
        ("connectors/shop.yaml", SHOP),
        ("connections.yaml", &connections),
    ])
    .await;
    let path = "/api/recipes/stories/polling";
    let (status, answer) = house.post(&format!("{path}/start"), json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let asked = vendor.asked().await;
    assert!(asked.text.contains("/orders?since=7"), "{}", asked.text);
    asked.hang_up();
    let poll = polled(&house, false).await;
    assert_eq!(poll["last"]["failures"], 1);
    assert!(poll["last"]["failure"]["message"].is_string(), "{poll}");
    assert!(
        poll["next"].is_string() && poll["cursor"].is_null(),
        "{poll}"
    );

    // A start asks at once.
    house.post(&format!("{path}/stop"), json!({})).await;
    house.post(&format!("{path}/start"), json!({})).await;
    vendor
        .asked()
        .await
        .answer("{\"orders\": [{\"id\": 8}], \"next\": 2}")
        .await;
    let asked = vendor.asked().await;
    assert!(asked.text.contains("page=2"), "{}", asked.text);
    asked.answer("{\"orders\": [{\"id\": 9}]}").await;
    let poll = polled(&house, true).await;
    assert_eq!(poll["last_good"]["items"], 2);
    assert_eq!(
        (&poll["last_good"]["jobs"], &poll["cursor"]),
        (&json!(2), &json!(9))
    );
    let (_, jobs) = house.get("/api/jobs?recipe=stories/polling").await;
    for job in jobs["jobs"].as_array().unwrap() {
        assert_eq!(job["started_by"], "poll");
        house.ended(job["id"].as_str().unwrap()).await;
    }
}
