//! Doing jobs again about which a person said something before: a call of which nobody knew, or the
//! elements of a loop.

use recipe_engine::journal::{Decision, JobStatus};
use recipe_engine::names::JobId;
use recipe_engine::trigger::rerun::{Elements, From, Unknown, Wish};
use serde_json::json;

use super::rerun::{from, from_step, ill_at, refused, rerun, thing};
use super::stage::{Reply, Stage};

const NOTED: &str = "
title: Noted
trigger: { function: { input: {}, output: {} } }
steps:
  - id: noted
    action: vendor.send_note
    with: { text: x }
  - id: put
    action: vendor.keep_thing
    with: { id: 1, name: x }
";

/// A stage whose job waited for a person, who decided, and then failed.
async fn decided(decision: Decision) -> (Stage, JobId) {
    let stage = Stage::of(&[("noted", NOTED)], |sent| match sent.place.as_str() {
        "noted" => Reply::Doubt,
        "put" => Reply::Refused,
        _ => Reply::Done(thing()),
    })
    .await;
    let id = stage.run("noted", json!({})).await;
    stage.until_quiet().await;
    assert_eq!(stage.status(&id).await, JobStatus::NeedsDecision);
    stage.decide(&id, "noted", decision).await;
    stage.until_quiet().await;
    assert_eq!(stage.status(&id).await, JobStatus::Failed);
    stage.forget_calls();
    (stage, id)
}

#[tokio::test]
async fn what_a_person_had_done_again_is_known_and_not_done_a_third_time() {
    let (stage, id) = decided(Decision::Again).await;
    for wish in [from_step("put"), from(From::Failed)] {
        stage.forget_calls();
        rerun(&stage, &id, &wish).await;
        stage.until_quiet().await;
        assert_eq!(stage.places(), ["put"]);
    }
}

#[tokio::test]
async fn what_a_person_gave_up_is_not_done_again_unasked() {
    let (stage, id) = decided(Decision::Fail).await;
    for wish in [from(From::Start), from(From::Failed), from_step("noted")] {
        let (code, _, details) = refused(&stage, &id, &wish).await;
        assert_eq!(
            (code, details),
            ("outcome_unknown", vec!["noted".to_owned()])
        );
    }
    let wish = Wish {
        unknown: Unknown::Again,
        ..from(From::Failed)
    };
    rerun(&stage, &id, &wish).await;
    stage.until_quiet().await;
    assert_eq!(stage.places(), ["noted"]);
}

const LENIENT: &str = "
title: Lenient
trigger: { function: { input: {}, output: {} } }
steps:
  - id: each
    foreach: [11, 12, 13, 14]
    as: number
    on_item_error: continue
    do:
      - id: put
        action: vendor.keep_thing
        with: { id: $.number, name: x }
";

#[tokio::test]
async fn elements_that_a_person_chose_stay_those_of_the_loop() {
    let (_, answers) = ill_at(&["each[1]/put", "each[3]/put"]);
    let stage = Stage::of(&[("lenient", LENIENT)], answers).await;
    let id = stage.run("lenient", json!({})).await;
    stage.until_quiet().await;
    let wish = Wish {
        elements: Elements::Failed,
        ..from(From::Failed)
    };
    let chosen = rerun(&stage, &id, &wish).await;
    stage.until_quiet().await;
    stage.forget_calls();
    rerun(&stage, &chosen, &from_step("each")).await;
    stage.until_quiet().await;
    let sent: Vec<_> = stage
        .calls()
        .iter()
        .map(|sent| sent.input["id"].clone())
        .collect();
    assert_eq!(sent, [12, 14]);
}
