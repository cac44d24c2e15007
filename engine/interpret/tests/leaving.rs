//! What is under way when a loop fails, a time is up, or a job is left.

use serde_json::json;

use super::super::*;
use super::world::{World, compiled, done, doubtful};

const MAKE_ALL: &str = "
title: Make all
trigger: { function: { input: { names: [string] } } }
steps:
  - id: each
    foreach: $.input.names
    as: name
    at_once: 2
    do:
      - id: made
        action: vendor.make_thing
        with: { name: '{{name}} {{now}}' }
";

fn make_all() -> World {
    World {
        program: compiled(&[("make-all", MAKE_ALL)]),
        input: json!({ "names": ["a", "b", "c"] }),
        script: Vec::new(),
    }
}

fn intent(place: &str, name: &str) -> Entry {
    let kind = EntryKind::CallIntended {
        action: "vendor.make_thing".into(),
        input: json!({ "name": name }),
    };
    Entry {
        key: EntryKey(place.into()),
        at: Moment(0),
        kind,
    }
}

#[test]
fn a_loop_that_fails_still_clears_up_what_was_under_way_when_the_engine_stopped() {
    let failed = Entry {
        key: EntryKey("each[0]/made".into()),
        at: Moment(5),
        kind: EntryKind::StepFailed {
            failure: Failure::new("refused", "no"),
            next_try_at: None,
        },
    };
    let entries = vec![
        intent("each[0]/made", "a"),
        intent("each[1]/made", "b"),
        failed,
    ];
    let mut machine = Machine::new(make_all().start(), entries);
    let turn = machine.turn(Moment(10));
    assert!(turn.ending.is_none(), "the second call is in doubt");
    let places: Vec<String> = turn.effects.iter().map(|e| e.key.to_string()).collect();
    assert_eq!(
        places,
        ["each[1]/made/verify[1]"],
        "and the third is not begun"
    );
    machine.answer(turn.effects[0].number, Moment(20), Answer::Fired);
    let turn = machine.turn(Moment(20));
    let EffectKind::Verify(call) = &turn.effects[0].kind else {
        panic!("expected a question");
    };
    assert_eq!(
        call.input,
        json!({ "name": "b" }),
        "what was sent is asked about"
    );
    let applied = Answer::Verified(Verified::Applied(json!({ "id": 2 })));
    machine.answer(turn.effects[0].number, Moment(30), applied);
    let ending = machine.turn(Moment(30)).ending.unwrap();
    assert_eq!(ending.failure.unwrap().code, "refused");
}

#[test]
fn elements_at_once_begin_at_the_time_of_their_loop_whatever_ends_first() {
    let mut machine = Machine::new(make_all().start(), Vec::new());
    let turn = machine.turn(Moment(1));
    let answer = done(json!({ "id": 2 }));
    machine.answer(turn.effects[1].number, Moment(60_000_000), answer);
    let turn = machine.turn(Moment(60_000_000));
    let EffectKind::Call(call) = &turn.effects[0].kind else {
        panic!("expected the third call");
    };
    assert_eq!(call.input, json!({ "name": "c 1970-01-01T00:00:00Z" }));
}

const TIMED: &str = "
title: Timed
trigger: { function: {} }
steps:
  - id: timed
    timeout: 10s
    if: true
    then:
      - id: made
        action: vendor.send_note
        with: { text: x }
";

#[test]
fn a_time_limit_waits_for_a_call_in_doubt_below_it() {
    let world = World {
        program: compiled(&[("timed", TIMED)]),
        input: json!({}),
        script: Vec::new(),
    };
    let mut machine = Machine::new(world.start(), Vec::new());
    let turn = machine.turn(Moment(0));
    let number = |place: &str, effects: &[Effect]| {
        let found = effects.iter().find(|effect| &*effect.key.0 == place);
        found.map(|effect| effect.number).unwrap()
    };
    let limit = number("timed/+timeout", &turn.effects);
    let call = number("timed/made", &turn.effects);
    machine.answer(limit, Moment(10_000_000), Answer::Fired);
    assert!(machine.turn(Moment(10_000_000)).ending.is_none());
    machine.answer(call, Moment(11_000_000), doubtful());
    let turn = machine.turn(Moment(11_000_000));
    assert!(turn.ending.is_none(), "a person must decide first");
    let decision = Answer::Decided {
        decision: crate::journal::Decision::Happened {
            output: json!({ "id": 1 }),
        },
        by: "ada".into(),
    };
    machine.answer(turn.effects[0].number, Moment(12_000_000), decision);
    let ending = machine.turn(Moment(12_000_000)).ending.unwrap();
    assert_eq!(ending.failure.unwrap().code, "timed_out");
}
