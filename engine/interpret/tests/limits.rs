//! Times that run out, and tries that are used up.

use serde_json::json;

use super::super::*;
use super::world::{World, compiled, done, doubtful, refused};

fn world(source: &str, script: Vec<Answer>) -> World {
    World {
        program: compiled(&[("root", source)]),
        input: json!({}),
        script,
    }
}

fn entry(place: &str, at: i64, kind: EntryKind) -> Entry {
    Entry {
        key: EntryKey(place.into()),
        at: Moment(at),
        kind,
    }
}

fn number(place: &str, effects: &[Effect]) -> u64 {
    let found = effects.iter().find(|effect| &*effect.key.0 == place);
    found.unwrap_or_else(|| panic!("nothing at {place}")).number
}

const TWO: &str = "
title: Two
trigger: { function: { output: { outcome: string } } }
steps:
  - try:
      - id: timed
        timeout: 10s
        if: true
        then:
          - set: { seen: inside }
          - id: first
            action: vendor.read_thing
            with: { id: 1 }
          - set: { seen: after first }
          - id: second
            action: vendor.read_thing
            with: { id: 2 }
    catch:
      do:
        - return: { outcome: '{{error.code}} {{default vars.seen? \"nothing\"}} {{is_present steps.first?}}' }
  - return: { outcome: '{{vars.seen}}' }
";

fn began() -> Vec<Entry> {
    let until = Moment(10_000_000);
    let output = json!({ "found": false });
    vec![
        entry("try@0/timed/+timeout", 0, EntryKind::WaitBegan { until }),
        entry("try@0/timed/first", 5, EntryKind::StepSucceeded { output }),
    ]
}

#[test]
fn a_step_that_is_resumed_after_its_time_asks_for_nothing_more() {
    let world = world(TWO, Vec::new());
    let mut machine = Machine::new(world.start(), began());
    let turn = machine.turn(Moment(20_000_000));
    assert!(turn.effects.is_empty(), "{:?}", turn.effects);
    let output = turn.ending.unwrap().output;
    assert_eq!(
        output,
        Some(json!({ "outcome": "timed_out nothing false" }))
    );
}

#[test]
fn a_step_that_had_ended_in_time_has_ended_well_whenever_it_is_resumed() {
    let mut entries = began();
    let output = json!({ "found": false });
    entries.push(entry(
        "try@0/timed/second",
        6,
        EntryKind::StepSucceeded { output },
    ));
    let mut machine = Machine::new(world(TWO, Vec::new()).start(), entries);
    let turn = machine.turn(Moment(20_000_000));
    assert_eq!(
        turn.ending.unwrap().output,
        Some(json!({ "outcome": "after first" }))
    );
}

#[test]
fn a_step_whose_time_is_up_leaves_the_same_behind_now_and_when_resumed() {
    let world = world(TWO, Vec::new());
    let mut machine = Machine::new(world.start(), Vec::new());
    let turn = machine.turn(Moment(0));
    let mut entries = turn.entries;
    let (limit, first) = (
        number("try@0/timed/+timeout", &turn.effects),
        number("try@0/timed/first", &turn.effects),
    );
    machine.answer(limit, Moment(10_000_000), Answer::Fired);
    assert!(
        machine.turn(Moment(10_000_000)).ending.is_none(),
        "the call is under way"
    );
    machine.answer(first, Moment(12_000_000), done(json!({ "found": false })));
    let turn = machine.turn(Moment(12_000_000));
    assert!(turn.effects.is_empty());
    entries.extend(turn.entries);
    let live = turn.ending.unwrap();
    assert_eq!(
        live.output,
        Some(json!({ "outcome": "timed_out nothing false" }))
    );
    for cut in 0..=entries.len() {
        let mut machine = Machine::new(world.start(), entries[..cut].to_vec());
        let turn = machine.turn(Moment(12_000_000));
        if cut == 0 {
            continue;
        }
        assert!(turn.effects.is_empty(), "resumed after {cut} entries");
        assert_eq!(
            turn.ending,
            Some(live.clone()),
            "resumed after {cut} entries"
        );
    }
}

const NESTED: &str = "
title: Nested
trigger: { function: {} }
steps:
  - id: outer
    timeout: 10s
    foreach: [1, 2, 3]
    as: number
    at_once: 2
    do:
      - id: inner
        timeout: 20s
        try:
          - id: thing
            action: vendor.read_thing
            with: { id: $.number }
          - id: pause
            wait: 1h
        finally:
          - id: tidied
            timeout: 3s
            if: true
            then: [{ id: long, wait: 1h }]
";

#[test]
fn of_nested_times_the_outer_one_ends_everything_and_what_cleans_up_has_its_own() {
    let world = world(NESTED, Vec::new());
    let mut machine = Machine::new(world.start(), Vec::new());
    let turn = machine.turn(Moment(0));
    let limit = number("outer/+timeout", &turn.effects);
    let (first, second) = (
        number("outer[0]/inner/thing", &turn.effects),
        number("outer[1]/inner/thing", &turn.effects),
    );
    machine.answer(first, Moment(1_000_000), done(json!({ "found": false })));
    machine.turn(Moment(1_000_000));
    machine.answer(limit, Moment(10_000_000), Answer::Fired);
    let turn = machine.turn(Moment(10_000_000));
    let tidied = number("outer[0]/inner/tidied/+timeout", &turn.effects);
    number("outer[0]/inner/tidied/long", &turn.effects);
    assert!(
        turn.effects
            .iter()
            .all(|e| !e.key.0.starts_with("outer[2]"))
    );
    machine.answer(second, Moment(11_000_000), done(json!({ "found": false })));
    let turn = machine.turn(Moment(11_000_000));
    let other = number("outer[1]/inner/tidied/+timeout", &turn.effects);
    for tidied in [tidied, other] {
        machine.answer(tidied, Moment(14_000_000), Answer::Fired);
    }
    let turn = machine.turn(Moment(14_000_000));
    let failure = turn.ending.unwrap().failure.unwrap();
    assert_eq!(
        (&*failure.code, failure.step.as_deref()),
        ("timed_out", Some("outer"))
    );
    assert_eq!(failure.message, "the step took longer than 10s");
}

const TRIED: &str = "
title: Tried
trigger: { function: { output: { id: integer } } }
steps:
  - id: made
    action: vendor.make_thing
    with: { name: x }
    retry: { tries: 2, delay: 1s }
  - return: { id: $.steps.made.id }
";

fn not_applied() -> Answer {
    Answer::Verified(Verified::NotApplied)
}

#[test]
fn a_doubt_that_was_seen_costs_a_try() {
    let script = vec![
        doubtful(),
        not_applied(),
        not_applied(),
        doubtful(),
        not_applied(),
        not_applied(),
    ];
    let left = world(TRIED, script).check();
    assert_eq!(left.ending.failure.unwrap().code, "not_applied");
    assert_eq!(
        left.asked
            .iter()
            .filter(|place| !place.contains("verify"))
            .count(),
        2
    );
}

#[test]
fn a_call_that_the_engine_cut_off_costs_none() {
    let mut entries: Vec<Entry> = Vec::new();
    for crash in 1..=6 {
        let key = match crash {
            1 => "made".to_owned(),
            crash => format!("made~{crash}"),
        };
        let intent = EntryKind::CallIntended {
            action: "vendor.make_thing".into(),
            input: json!({ "name": "x" }),
        };
        let no = EntryKind::StepFailed {
            failure: Failure::new("not_applied", "no"),
            next_try_at: Some(Moment(crash)),
        };
        entries.push(entry(&key, crash, intent));
        entries.push(entry(&key, crash, no));
    }
    let script = vec![refused(Some(0)), done(json!({ "id": 7 }))];
    let left = world(TRIED, script).run(entries, 0);
    assert_eq!(left.asked, ["made~7", "made~8"], "both tries are left");
    assert_eq!(left.ending.output, Some(json!({ "id": 7 })));
}

const WITHIN: &str = "
title: Within
trigger: { function: { output: { id: integer } } }
steps:
  - id: thing
    action: vendor.read_thing
    with: {}
    retry: { tries: 10, for: 150s, delay: 1m, backoff: 1 }
";

#[test]
fn no_try_begins_after_the_time_for_all_tries() {
    let script = (0..10).map(|_| refused(Some(0))).collect();
    let left = world(WITHIN, script).check();
    assert_eq!(left.asked.len(), 3, "at 0, after one minute, after two");
    assert_eq!(left.ending.failure.unwrap().message, "no");
}

#[test]
fn a_vendor_that_asks_for_a_longer_wait_than_allowed_is_quoted() {
    let left = world(WITHIN, vec![refused(Some(86_400))]).check();
    let message = left.ending.failure.unwrap().message;
    assert!(message.contains("asks to wait 86400s"), "{message}");
}

const AGAIN: &str = "
title: Again
trigger: { function: { output: { rounds: integer, seen: boolean } } }
steps:
  - set: { rounds: 0 }
  - id: both
    retry: { tries: 3, delay: 1s }
    if: true
    then:
      - set: { rounds: '{{add vars.rounds 1}}' }
      - id: once
        when: { $.vars.rounds: { equals: 1 } }
        action: vendor.read_thing
        with: { id: 1 }
      - id: thing
        action: vendor.read_thing
        with: { id: 2 }
        retry: { tries: 1 }
  - return: { rounds: $.vars.rounds, seen: '{{is_present steps.once?}}' }
";

#[test]
fn a_further_try_begins_with_the_variables_and_without_the_results_of_the_one_before() {
    let found = || done(json!({ "found": false }));
    let left = world(AGAIN, vec![found(), refused(None), found()]).run(Vec::new(), 0);
    assert_eq!(
        left.ending.output,
        Some(json!({ "rounds": 2, "seen": false }))
    );
    assert_eq!(left.asked, ["both/once", "both/thing", "both~2/thing"]);
}

const START: &str = "
title: Start
trigger: { function: { output: { id: string } } }
steps:
  - id: both
    retry: { tries: 2, delay: 1s }
    if: true
    then:
      - id: child
        start: root
      - id: thing
        action: vendor.read_thing
        with: {}
        retry: { tries: 1 }
  - return: { id: $.steps.child.job_id }
";

#[test]
fn a_start_that_was_not_durable_starts_the_same_job_and_a_further_try_another() {
    let world = world(START, Vec::new());
    let first = |entries: Vec<Entry>| {
        let mut machine = Machine::new(world.start(), entries);
        let turn = machine.turn(Moment(0));
        (machine, turn)
    };
    let (_, lost) = first(Vec::new());
    let (mut machine, turn) = first(Vec::new());
    assert_eq!(lost.children[0].id, turn.children[0].id);
    let (_, resumed) = first(turn.entries.clone());
    assert!(
        resumed.children.is_empty(),
        "what is durable is not started again"
    );
    machine.answer(
        number("both/thing", &turn.effects),
        Moment(1),
        refused(None),
    );
    let wait = machine.turn(Moment(1));
    machine.answer(
        number("both", &wait.effects),
        Moment(2_000_000),
        Answer::Fired,
    );
    let again = machine.turn(Moment(2_000_000));
    assert_ne!(again.children[0].id, turn.children[0].id);
    assert_eq!(
        again.children[0].started_by,
        format!("job:{}", world.start().id)
    );
}

#[test]
fn a_chain_of_starts_has_an_end() {
    let mut start = world(START, Vec::new()).start();
    start.start_depth = START_DEPTH_MAX;
    let mut machine = Machine::new(start, Vec::new());
    for at in [0, 3_000_000] {
        let turn = machine.turn(Moment(at));
        assert!(turn.children.is_empty());
        for effect in turn.effects {
            machine.answer(effect.number, Moment(at), Answer::Fired);
        }
        if let Some(ending) = turn.ending {
            assert_eq!(ending.failure.unwrap().code, "starts_too_deep");
            return;
        }
    }
    panic!("the job does not end");
}
