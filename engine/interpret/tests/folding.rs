//! Folded loops end as unfolded ones do, wherever their driver is killed.

use serde_json::json;

use super::super::fold::Folding;
use super::super::*;
use super::broken::{Came, Habits, run};
use super::world::{World, compiled, done};
use crate::journal::{append, drop_folded};

/// Folds as soon as it can.
const EAGER: Folding = Folding { after: 3, kept: 2 };

/// How often each loop is run with deaths at other moments.
const RUNS: u64 = 60;

/// The steps of loops of every kind; `{{now}}` and `{{uuid}}` show whether time and place hold.
const LOOPS: &[(&str, &str)] = &[
    (
        "parallel",
        "
  - id: each
    foreach: $.input.names
    as: name
    at_once: 4
    on_item_error: continue
    collect: { id: $.steps.read.id, now: '{{now}}', loop: $.loop.index }
    tally: $.steps.read.name
    do:
      - id: read
        action: vendor.read_thing
        with: { id: $.loop.index }
      - action: vendor.keep_thing
        with: { id: $.loop.index, name: $.name }
      - action: vendor.send_note
        with: { text: '{{now}} {{uuid}}' }
  - return: { result: $.steps.each, now: '{{now}}' }
",
    ),
    (
        "serial",
        "
  - set: { sum: 0, seen: [] }
  - id: each
    foreach: $.input.names
    as: name
    on_item_error: continue
    collect: $.vars.sum
    do:
      - id: made
        action: vendor.send_note
        with: { text: '{{name}} {{vars.sum}} {{now}}' }
      - set: { sum: '{{add vars.sum steps.made.id}}', own: $.name }
      - id: kept
        action: vendor.keep_thing
        with: { id: $.vars.sum, name: $.name }
      - if: { $.steps.kept.id: { at_least: 30000 } }
        then:
          - set: { seen: [$.vars.own, $.vars.seen] }
  - return: { result: $.steps.each, sum: $.vars.sum, seen: $.vars.seen, now: '{{now}}' }
",
    ),
    (
        "without-calls",
        "
  - set: { sum: 0 }
  - id: each
    foreach: $.input.names
    as: name
    batch: 2
    collect: '{{join name \"+\"}}{{vars.sum}}'
    do:
      - set: { sum: '{{add vars.sum (count name)}}' }
      - wait: 1s
  - id: kept
    action: vendor.keep_thing
    with: { id: $.vars.sum, name: '{{now}}' }
  - return: { result: $.steps.each, sum: $.vars.sum }
",
    ),
    (
        "pages",
        "
  - id: each
    foreach: { action: vendor.list_things, with: { kind: x } }
    as: thing
    at_once: 3
    collect: '{{thing.id}} {{loop.index}} {{now}}'
    do:
      - action: vendor.send_note
        with: { text: '{{thing.name}} {{now}}' }
      - wait: 3s
      - action: vendor.keep_thing
        with: { id: $.thing.id, name: '{{now}}' }
  - return: { result: $.steps.each, now: '{{now}}' }
",
    ),
    (
        "pages-in-a-row",
        "
  - set: { last: 0 }
  - id: each
    foreach: { action: vendor.list_things, with: { kind: x } }
    as: thing
    batch: 2
    tally: $.vars.last
    do:
      - action: vendor.send_note
        with: { text: '{{count thing}} {{vars.last}} {{now}}' }
      - set: { last: '{{count thing}}' }
  - return: { result: $.steps.each, last: $.vars.last, now: '{{now}}' }
",
    ),
    (
        "nested",
        "
  - set: { total: 0 }
  - id: outer
    foreach: $.input.names
    as: name
    collect: { inner: $.steps.inner.items, total: $.vars.total }
    do:
      - id: inner
        foreach: $.input.names
        as: other
        at_once: 3
        on_item_error: continue
        collect: $.steps.kept.id
        do:
          - id: kept
            action: vendor.keep_thing
            with: { id: $.loop.index, name: $.other }
          - action: vendor.send_note
            with: { text: '{{name}}{{other}}{{now}}{{vars.total}}' }
      - set: { total: '{{add vars.total (sum steps.inner.items)}}' }
  - return: { result: $.steps.outer, total: $.vars.total, now: '{{now}}' }
",
    ),
    (
        "called",
        "
  - id: each
    foreach: $.input.names
    as: name
    at_once: 2
    on_item_error: continue
    collect: $.steps.called.result
    do:
      - id: called
        call: rounds
        with: { name: $.name }
  - return: { result: $.steps.each, now: '{{now}}' }
",
    ),
    (
        "tried",
        "
  - id: tried
    try:
      - id: each
        foreach: $.input.names
        as: name
        at_once: 3
        retry: { tries: 2, delay: 1s }
        do:
          - id: made
            action: vendor.keep_thing
            with: { id: $.loop.index, name: '{{if_else (eq loop.index 9) \"bad\" name}}' }
          - action: vendor.send_note
            with: { text: '{{name}}' }
    catch:
      do:
        - action: vendor.make_thing
          with: { name: '{{error.code}}' }
  - return: { now: '{{count input.names}}' }
",
    ),
];

const ROUNDS: &str = "
title: Rounds
trigger: { function: { input: { name: string }, output: { result: any } } }
concurrency: { limit: 2 }
steps:
  - set: { count: 0 }
  - id: asking
    repeat:
      - id: read
        action: vendor.read_thing
        with: { id: $.vars.count }
      - set: { count: '{{add vars.count 1}}' }
      - action: vendor.send_note
        with: { text: '{{input.name}} {{vars.count}} {{now}}' }
    until: { $.vars.count: { at_least: 7 } }
    every: 5s
    max: 9
  - return: { result: { count: $.vars.count, last: $.steps.read.name, asking: $.steps.asking } }
";

fn world(steps: &str, names: Value) -> World {
    let recipe = format!(
        "title: Loop\ntrigger: {{ function: {{ input: {{ names: [string] }}, output: {{ result: any?, \
         now: any?, sum: any?, seen: any?, last: any?, total: any? }} }} }}\nsteps:{steps}"
    );
    World {
        program: compiled(&[("loop", &recipe), ("rounds", ROUNDS)]),
        input: json!({ "names": names }),
        script: Vec::new(),
    }
}

fn names() -> Value {
    json!([
        "a", "b", "bad", "c", "d", "e", "bad", "f", "g", "h", "i", "j"
    ])
}

/// How a run compares with one that nobody broke and that never folded.
fn check(name: &str, world: &World, whole: &Came, seed: u64, habits: Habits) -> Came {
    let came = run(world, seed, habits, EAGER);
    assert_eq!(came.ending, whole.ending, "{name}, seed {seed}");
    let twice: Vec<&String> = came
        .applied
        .iter()
        // A loop that is tried again does its elements again.
        .filter(|(_, count)| **count > 1 + u64::from(name == "tried"))
        .map(|(key, _)| key)
        .collect();
    assert!(twice.is_empty(), "{name}, seed {seed}: twice {twice:?}");
    came
}

#[test]
fn a_folded_loop_ends_as_an_unfolded_one_wherever_it_is_killed() {
    let unbroken = Habits {
        commits: 30,
        folds: 0,
        dies: 0,
    };
    for (name, steps) in LOOPS {
        let world = world(steps, names());
        let whole = run(&world, 0, unbroken, Folding::NEVER);
        let status = whole.ending.as_ref().unwrap().status;
        assert!(
            matches!(
                status,
                JobStatus::Succeeded | JobStatus::SucceededWithErrors
            ),
            "{name}: {:?}",
            whole.ending
        );
        let (mut deaths, mut folds) = (0, 0);
        for seed in 1..=RUNS {
            let habits = Habits {
                commits: 10 + (seed as usize * 7) % 60,
                folds: 30 + (seed as usize * 13) % 70,
                dies: (seed as usize) % 12,
            };
            let came = check(name, &world, &whole, seed, habits);
            // A loop that fails begins other elements, depending on which end first.
            if *name != "tried" {
                assert_eq!(came.asked, whole.asked, "{name}, seed {seed}");
            }
            deaths += came.deaths;
            folds += came.folds;
        }
        assert!(folds > 20, "{name} was folded only {folds} times");
        assert!(deaths > 20, "{name} was killed only {deaths} times");
    }
}

const MANY: &str = "
  - id: each
    foreach: $.input.names
    as: name
    at_once: 16
    tally: '{{if_else (gt loop.index 1000) \"late\" \"early\"}}'
    do:
      - id: kept
        action: vendor.keep_thing
        with: { id: $.loop.index, name: $.name }
  - return: { result: $.steps.each.tally, sum: $.steps.each.count }
";

/// How many elements the long loop has.
const ELEMENTS: u64 = 300_000;

/// How many calls end between two commits of it.
const CALLS_A_COMMIT: usize = 1_000;

#[test]
fn a_loop_of_300_000_elements_leaves_a_small_journal_and_keeps_little() {
    let names: Vec<Value> = (0..ELEMENTS).map(|_| json!("x")).collect();
    let world = world(MANY, names.into());
    let mut machine = Machine::new(world.start(), Vec::new());
    let (mut journal, mut pending) = (Vec::new(), Vec::new());
    let (mut calls, mut in_flight_max, mut entries_max) = (0_usize, 0, 0);
    let ending = loop {
        let turn = machine.turn(Moment(0));
        pending.extend(turn.entries);
        in_flight_max = in_flight_max.max(turn.effects.len());
        for effect in turn.effects {
            calls += 1;
            let answer = done(json!({ "id": calls }));
            machine.answer(effect.number, Moment(0), answer);
        }
        if pending.len() >= CALLS_A_COMMIT || turn.ending.is_some() {
            let folded = machine.fold();
            drop_folded(&mut pending, &folded);
            pending.extend(folded);
            append(&mut journal, std::mem::take(&mut pending));
            entries_max = entries_max.max(journal.len());
            assert!(machine.job.desk.held() < 200, "{}", machine.job.desk.held());
            if calls as u64 > ELEMENTS / 2 && (calls as u64) < ELEMENTS / 2 + 2_000 {
                machine = Machine::new(world.start(), journal.clone());
            }
        }
        if let Some(ending) = turn.ending {
            break ending;
        }
    };
    let output = ending.output.unwrap();
    assert_eq!(output["sum"], json!(ELEMENTS));
    assert_eq!(output["result"]["late"], json!(ELEMENTS - 1_001));
    assert!(in_flight_max <= 16, "{in_flight_max} at once");
    assert!(calls < ELEMENTS as usize + 2 * CALLS_A_COMMIT, "{calls}");
    assert!(entries_max < 1_000 + 100, "{entries_max} entries");
    assert!(journal.len() < 100, "{} entries at the end", journal.len());
    let bytes = serde_json::to_string(&journal).unwrap().len();
    assert!(bytes < 10_000, "{bytes} bytes");
}
