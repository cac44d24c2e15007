//! One recipe whose row is damaged: all others go on, and it says what is wrong.

use recipe_engine::names::RecipeName;
use recipe_engine::store::Store;
use serde_json::json;
use sqlx::{Connection, Executor};
use tempfile::TempDir;

use super::rig::{Rig, at, minutes, name, recipe};

const POLL: &str = "
title: Other
trigger:
  poll:
    action: shop.list_orders
    every: 10m
    cursor: { from: $.trigger.item.at, send: since }
steps: [{ log: done }]
";

/// A workspace with a schedule and a poll, both started and looked at; then this is done to it.
async fn damaged_by(sql: &str) -> (Rig, RecipeName, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recipes.db");
    let store = Store::open(&path).await.unwrap();
    let schedule = recipe("{ schedule: { every: 10m } }");
    let rig = Rig::on(store, &schedule, at("2026-03-01T10:00:00Z"));
    rig.add("other", POLL);
    let other = RecipeName::new("time/other").unwrap();
    let now = rig.clock.now();
    rig.store.start(&other, "ann", now).await.unwrap();
    rig.start().await;
    rig.vendor.will_answer(listing(1));
    rig.server().look().await.unwrap();
    assert_eq!(rig.vendor.asked().len(), 1);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
    (rig, other, folder)
}

fn listing(id: i64) -> recipe_engine::step::Performed {
    let output = json!({ "items": [{ "id": id, "at": id }] });
    let done = recipe_engine::interpret::Called::Done { output };
    recipe_engine::step::Performed::Ended(done)
}

#[tokio::test]
async fn a_poll_whose_place_cannot_be_read_fails_by_itself() {
    for cursor in ["'[1]'", "x'ff00'"] {
        let (rig, other, _folder) = damaged_by(&format!("UPDATE poll SET cursor = {cursor}")).await;
        rig.clock.advance(minutes(10));
        rig.server().look().await.unwrap();
        assert_eq!(rig.told().await, ["10:10 fired"], "{cursor}");
        // Nothing was asked: what is new is not known.
        assert_eq!(rig.vendor.asked().len(), 1);
        let poll = rig.store.poll(&other).await.unwrap().unwrap();
        let failure = poll.failure.unwrap();
        assert_eq!((failure.code.as_str(), poll.failures), ("damaged", 1));
        assert!(failure.message.contains("cursor.start"), "{failure:?}");
        // Another cursor begins anew.
        rig.add("other", &POLL.replace("item.at,", "item.id,"));
        rig.vendor.will_answer(listing(2));
        rig.clock.advance(minutes(10));
        rig.server().look().await.unwrap();
        assert_eq!(rig.vendor.asked().len(), 2);
        let poll = rig.store.poll(&other).await.unwrap().unwrap();
        assert_eq!((poll.failure, poll.damage), (None, None));
    }
}

#[tokio::test]
async fn a_damaged_row_of_one_recipe_stops_no_other() {
    for sql in [
        "UPDATE recipe_state SET name = 'no name' WHERE name = 'time/other'",
        "UPDATE poll SET version = 'many';
         INSERT INTO schedule_rule (recipe, rule, since) VALUES ('no name', '', 1);
         INSERT INTO schedule_rule (recipe, rule, since) VALUES ('time/other', '', 'then')",
    ] {
        let (rig, _, _folder) = damaged_by(sql).await;
        rig.vendor.will_answer(listing(2));
        rig.clock.advance(minutes(10));
        rig.server().look().await.unwrap();
        assert_eq!(rig.told().await, ["10:10 fired"], "{sql}");
    }
    // Its own rule counts from when it is seen.
    let (rig, _, _folder) = damaged_by("UPDATE schedule_rule SET since = 'then'").await;
    rig.vendor.will_answer(listing(2));
    let server = rig.server();
    server.look().await.unwrap();
    rig.clock.advance(minutes(10));
    server.look().await.unwrap();
    assert_eq!(rig.told().await, ["10:10 fired"]);
    assert_eq!(name().as_str(), "time/it");
}
