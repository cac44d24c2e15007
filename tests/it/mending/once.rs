//! A rerun makes no call twice that must not be made twice.

use std::sync::atomic::Ordering;

use recipe_engine::journal::JobStatus;
use recipe_engine::runner::{Halt, Point};
use recipe_engine::trigger::rerun::From;
use serde_json::{Value, json};

use super::rerun::{from, ill_at, rerun};
use super::stage::Stage;

const ONCE: &str = r#"
title: Once
trigger: { function: { input: {}, output: {} } }
steps:
  - id: before
    action: vendor.make_thing
    with: { name: before }
  - id: each
    foreach: [11, 12, 13]
    as: number
    at_once: 3
    do:
      - id: made
        action: vendor.make_thing
        with: { name: "thing {{number}}" }
  - id: last
    action: vendor.make_thing
    with: { name: last }
"#;

/// Each try of a call has a place of its own; what a vendor did is counted over all of them.
#[tokio::test]
async fn a_rerun_makes_what_was_not_made_once_wherever_its_worker_dies() {
    for point in [Point::Committed, Point::CommitDone, Point::IntentWritten] {
        for deaths in 1.. {
            let (is_ill, answers) = ill_at(&["each[1]/made"]);
            let stage = Stage::of(&[("once", ONCE)], answers).await;
            let id = stage.run("once", json!({})).await;
            stage.until_quiet().await;
            assert_eq!(stage.status(&id).await, JobStatus::Failed);
            is_ill.store(false, Ordering::SeqCst);
            stage.forget_calls();
            let again = rerun(&stage, &id, &from(From::Failed)).await;
            let died = stage.live(Halt::at(point, deaths)).await;
            stage.until_quiet().await;
            assert_eq!(stage.status(&again).await, JobStatus::Succeeded);
            let names = stage
                .calls()
                .into_iter()
                .map(|sent| sent.input["name"].clone());
            let made: Vec<Value> = names.collect();
            let when = format!("dead at {} {deaths}", point.as_str());
            assert_eq!(made, ["thing 12", "last"], "{when}");
            if !died {
                assert!(deaths > 1, "nobody died: {when}");
                break;
            }
        }
    }
}
