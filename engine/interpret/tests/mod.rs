//! The machine by itself: scripted answers, and resumption from every prefix of its journal.

mod broken;
mod folding;
mod late;
mod leaving;
mod limits;
mod loops;
mod retrying;
mod world;

use serde_json::json;

use super::*;
use crate::journal::JobStatus;
use world::{World, compiled, done, doubtful, refused};

const LOOP: &str = "
title: Loop
trigger: { function: { input: { ids: [integer] }, output: { names: [string], failed: integer } } }
steps:
  - id: each
    foreach: $.input.ids
    as: id
    on_item_error: continue
    collect: $.steps.thing.name?
    do:
      - id: thing
        call: one
        with: { id: $.id }
  - return: { names: $.steps.each.items, failed: $.steps.each.failed }
";

const ONE: &str = "
title: One
trigger: { function: { input: { id: integer }, output: { name: string? } } }
steps:
  - id: thing
    action: vendor.read_thing
    with: { id: $.input.id }
    retry: { tries: 2, delay: 1s }
  - wait: 10s
  - return: { name: $.steps.thing.name? }
";

#[test]
fn a_job_ends_the_same_from_every_prefix_of_its_journal() {
    let world = World {
        program: compiled(&[("loop", LOOP), ("one", ONE)]),
        input: json!({ "ids": [1, 2, 3] }),
        script: vec![
            done(json!({ "found": true, "id": 1, "name": "one" })),
            refused(Some(0)),
            refused(Some(0)),
            done(json!({ "found": true, "id": 3, "name": "three" })),
        ],
    };
    let left = world.check();
    assert_eq!(left.ending.status, JobStatus::SucceededWithErrors);
    assert_eq!(
        left.ending.output,
        Some(json!({ "names": ["one", "three"], "failed": 1 }))
    );
    let asked = [
        "each[0]/thing/thing",
        "each[1]/thing/thing",
        "each[1]/thing/thing~2",
    ];
    assert_eq!(left.asked[..3], asked);
}

const MAKE: &str = "
title: Make
trigger: { function: { output: { id: integer } } }
steps:
  - id: made
    action: vendor.make_thing
    with: { name: x }
  - return: { id: $.steps.made.id }
";

fn make(script: Vec<Answer>) -> World {
    World {
        program: compiled(&[("make", MAKE)]),
        input: json!({}),
        script,
    }
}

#[test]
fn a_doubtful_call_is_asked_about_and_not_sent_again() {
    let applied = Answer::Verified(Verified::Applied(json!({ "id": 5 })));
    let left = make(vec![
        doubtful(),
        Answer::Verified(Verified::NotApplied),
        applied,
    ])
    .check();
    assert_eq!(left.ending.output, Some(json!({ "id": 5 })));
    assert_eq!(left.asked, ["made", "made/verify[1]", "made/verify[2]"]);
}

#[test]
fn an_intent_without_an_outcome_is_a_doubtful_call() {
    let world = make(vec![Answer::Verified(Verified::Applied(
        json!({ "id": 6 }),
    ))]);
    let intent = EntryKind::CallIntended {
        action: "vendor.make_thing".into(),
        input: json!({}),
    };
    let entry = Entry {
        key: EntryKey("made".into()),
        at: Moment(0),
        kind: intent,
    };
    let left = world.run(vec![entry], 0);
    assert_eq!(left.ending.output, Some(json!({ "id": 6 })));
    assert_eq!(left.asked, ["made/verify[1]"]);
}

#[test]
fn a_person_decides_what_nothing_clears_up() {
    let unknown = || Answer::Verified(Verified::Unknown(Failure::new("down", "no answer")));
    let decided = |decision| Answer::Decided {
        decision,
        by: "ada".into(),
    };
    let again = decided(crate::journal::Decision::Again);
    let script = vec![
        doubtful(),
        unknown(),
        unknown(),
        again,
        done(json!({ "id": 7 })),
    ];
    let left = make(script).run(Vec::new(), 0);
    assert_eq!(left.ending.output, Some(json!({ "id": 7 })));
    assert_eq!(left.asked.last().map(String::as_str), Some("made~2"));
    let fail = decided(crate::journal::Decision::Fail);
    let left = make(vec![doubtful(), unknown(), unknown(), fail]).run(Vec::new(), 0);
    assert_eq!(left.ending.failure.unwrap().code, "decided_to_fail");
}

#[test]
fn a_cancelled_job_lets_its_call_finish_and_records_it() {
    let world = make(Vec::new());
    let mut machine = Machine::new(world.start(), Vec::new());
    let turn = machine.turn(Moment(0));
    machine.cancel("ada", Moment(0));
    assert!(
        machine.turn(Moment(0)).ending.is_none(),
        "the call is under way"
    );
    machine.answer(turn.effects[0].number, Moment(1), done(json!({ "id": 1 })));
    let turn = machine.turn(Moment(0));
    assert_eq!(turn.ending.unwrap().status, JobStatus::Stopped);
    assert!(matches!(
        turn.entries[0].kind,
        EntryKind::StepSucceeded { .. }
    ));
}

#[test]
fn a_replay_shows_every_step() {
    let world = make(vec![done(json!({ "id": 8 }))]);
    let left = world.run(Vec::new(), 0);
    let trace = Machine::replay(world.start(), left.entries, None);
    let kinds: Vec<&str> = trace.iter().map(|step| step.kind.as_str()).collect();
    assert_eq!(kinds, ["action vendor.make_thing", "return"]);
    assert_eq!(trace[0].output, Some(json!({ "id": 8 })));
}

const CLEAN: &str = "
title: Clean
trigger: { function: { output: { id: integer? } } }
steps:
  - try:
      - wait: 1h
    finally:
      - id: cleaned
        action: vendor.read_thing
        with: {}
";

#[test]
fn a_cancelled_job_still_cleans_up() {
    let world = World {
        program: compiled(&[("clean", CLEAN)]),
        input: json!({}),
        script: Vec::new(),
    };
    let mut machine = Machine::new(world.start(), Vec::new());
    assert!(matches!(
        machine.turn(Moment(0)).effects[0].kind,
        EffectKind::Timer { .. }
    ));
    machine.cancel("ada", Moment(0));
    let turn = machine.turn(Moment(0));
    assert!(turn.ending.is_none());
    let cleaning = turn.effects[0].number;
    machine.answer(cleaning, Moment(1), done(json!({ "found": false })));
    assert_eq!(
        machine.turn(Moment(0)).ending.unwrap().status,
        JobStatus::Stopped
    );
}
