//! Loops that are taken up again after their time, or after a cancel: what is left of them must
//! not pass for done.

use serde_json::json;

use super::super::*;
use super::world::{World, compiled, done, doubtful};
use crate::journal::JobStatus;

fn world(source: &str) -> World {
    World {
        program: compiled(&[("root", source)]),
        input: json!({}),
        script: Vec::new(),
    }
}

fn entry(place: &str, at: i64, kind: EntryKind) -> Entry {
    Entry {
        key: EntryKey(place.into()),
        at: Moment(at),
        kind,
    }
}

fn succeeded(place: &str, at: i64, output: Value) -> Entry {
    entry(place, at, EntryKind::StepSucceeded { output })
}

/// The deadline of the loop `each` after ten seconds.
fn deadline() -> Entry {
    let until = Moment(10_000_000);
    entry("each/+timeout", 0, EntryKind::WaitBegan { until })
}

/// How a job ends that is taken up after the deadline, with nothing asked for.
fn ended_late(source: &str, entries: Vec<Entry>) -> Ending {
    let mut machine = Machine::new(world(source).start(), entries);
    let turn = machine.turn(Moment(20_000_000));
    assert!(turn.effects.is_empty(), "{:?}", turn.effects);
    turn.ending.expect("an end")
}

fn code(ending: &Ending) -> Option<&str> {
    ending.failure.as_ref().map(|failure| &*failure.code)
}

const READ_ALL: &str = "
title: Read all
trigger: { function: { output: { count: integer } } }
steps:
  - id: each
    timeout: 10s
    foreach: [1, 2, 3]
    as: number
    at_once: 2
    do:
      - id: thing
        action: vendor.read_thing
        with: { id: $.number }
  - return: { count: $.steps.each.count }
";

#[test]
fn a_loop_whose_elements_did_not_begin_in_time_has_not_ended_in_time() {
    let found = json!({ "found": false });
    for source in [READ_ALL, &READ_ALL.replace("    at_once: 2\n", "")] {
        let mut entries = vec![deadline()];
        for element in 0..3 {
            let ending = ended_late(source, entries.clone());
            assert_eq!(code(&ending), Some("timed_out"), "after {element} elements");
            let place = format!("each[{element}]/thing");
            entries.push(succeeded(&place, 5 + element, found.clone()));
        }
        let ending = ended_late(source, entries.clone());
        assert_eq!(ending.output, Some(json!({ "count": 3 })));
        // The second was put off, so that nothing tells of it.
        entries.remove(2);
        assert_eq!(code(&ended_late(source, entries)), Some("timed_out"));
    }
}

#[test]
fn a_loop_that_asked_for_nothing_is_the_same_however_late() {
    let whole = "
title: Sums
trigger: { function: { output: { sums: [any] } } }
steps:
  - id: each
    timeout: 10s
    foreach: [1, 2, 3]
    as: number
    at_once: 2
    collect: '{{add number 1}}'
    do:
      - set: { seen: $.number }
  - id: thing
    action: vendor.read_thing
    with: { id: 1 }
  - return: { sums: $.steps.each.items }
";
    for source in [whole, &whole.replace("    at_once: 2\n", "")] {
        let world = world(source);
        let mut machine = Machine::new(world.start(), vec![deadline()]);
        let turn = machine.turn(Moment(20_000_000));
        let [thing] = &turn.effects[..] else {
            panic!("one effect: {turn:?}");
        };
        let found = done(json!({ "found": false }));
        machine.answer(thing.number, Moment(20_000_001), found);
        let ending = machine.turn(Moment(20_000_001)).ending.unwrap();
        assert_eq!(ending.output, Some(json!({ "sums": [2, 3, 4] })));
    }
}

const LIST_ALL: &str = "
title: List all
trigger: { function: { output: { count: integer } } }
steps:
  - id: each
    timeout: 10s
    foreach: { action: vendor.list_things, with: { kind: x } }
    as: thing
    do:
      - set: { last: $.thing.id }
  - return: { count: $.steps.each.count }
";

#[test]
fn a_listing_whose_next_page_did_not_come_in_time_has_not_ended_in_time() {
    let items = json!([{ "id": 1, "name": "a" }, { "id": 2, "name": "b" }]);
    let more = json!({ "items": items, "next": "2" });
    let mut entries = vec![deadline(), succeeded("each/page[1]", 5, more)];
    assert_eq!(
        code(&ended_late(LIST_ALL, entries.clone())),
        Some("timed_out")
    );
    let last = json!({ "items": items });
    entries.push(succeeded("each/page[2]", 6, last));
    let ending = ended_late(LIST_ALL, entries);
    assert_eq!(ending.output, Some(json!({ "count": 4 })));
}

/// What is left over of a replay must not let the job pass for one that is still on its way back.
#[test]
fn a_cancelled_loop_does_not_end_well_with_a_part_of_its_elements() {
    let source = READ_ALL.replace("    timeout: 10s\n", "");
    let by = "person:ada".to_owned();
    for source in [source.clone(), source.replace("    at_once: 2\n", "")] {
        let left_over = json!({ "found": false });
        let entries = vec![
            succeeded("each[0]/thing", 5, json!({ "found": false })),
            succeeded("each[0]/thing/verify[1]", 6, left_over),
            entry("", 7, EntryKind::CancelRequested { by: by.clone() }),
        ];
        let mut machine = Machine::new(world(&source).start(), entries);
        let turn = machine.turn(Moment(10));
        assert!(turn.effects.is_empty(), "{:?}", turn.effects);
        assert_eq!(turn.ending.unwrap().status, JobStatus::Stopped);
    }
}

/// Whatever the worker died after, cleaning up included.
#[test]
fn a_job_that_was_cancelled_undecided_is_stopped_and_not_failed() {
    let source = "
title: Note
trigger: { function: {} }
steps:
  - try:
      - id: note
        action: vendor.send_note
        with: { text: x }
    finally:
      - id: tidied
        action: vendor.read_thing
        with: { id: 1 }
";
    let world = world(source);
    let mut machine = Machine::new(world.start(), Vec::new());
    let turn = machine.turn(Moment(0));
    let mut entries = turn.entries;
    machine.answer(turn.effects[0].number, Moment(1), doubtful());
    entries.extend(machine.turn(Moment(1)).entries);
    machine.cancel("person:ada", Moment(2));
    let turn = machine.turn(Moment(2));
    entries.extend(turn.entries);
    let mut resumed = Machine::new(world.start(), entries);
    let again = resumed.turn(Moment(3));
    for (machine, turn) in [(&mut machine, turn.effects), (&mut resumed, again.effects)] {
        let [tidied] = &turn[..] else {
            panic!("one effect: {turn:?}");
        };
        let found = done(json!({ "found": false }));
        machine.answer(tidied.number, Moment(4), found);
        let ending = machine.turn(Moment(4)).ending.unwrap();
        assert_eq!(ending.status, JobStatus::Stopped, "{ending:?}");
    }
}
