//! Folded loops end as unfolded ones do, wherever their driver is killed.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::keeping::Folding;
use super::super::*;
use super::broken::{Came, Habits, run};
use super::loops::{LOOPS, MANY, loop_of, names};
use super::world::{World, done};
use crate::journal::JobStatus;
use crate::journal::{LoopHead, append, drop_folded};

/// Folds as soon as it can.
const EAGER: Folding = Folding {
    after: 3,
    after_bytes: usize::MAX,
    kept: 2,
    kept_bytes: usize::MAX,
};

/// Keeps more, until the first of them turns out to be too much.
const HEAVY: Folding = Folding {
    kept: 5,
    kept_bytes: 100,
    ..EAGER
};

/// How often each loop is run with deaths at other moments.
const RUNS: u64 = 60;

/// How a run compares with one that nobody broke and that never folded.
fn check(
    name: &str,
    world: &World,
    whole: &Came,
    (seed, rule): (u64, Folding),
    habits: Habits,
) -> Came {
    let came = run(world, seed, habits, rule);
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

/// What the job logged, decisions apart.
fn lines(came: &Came) -> BTreeSet<String> {
    let lines = came.journal.iter().filter_map(|entry| match &entry.kind {
        EntryKind::LineLogged { message, .. } if !entry.key.0.ends_with("/decision") => {
            Some(format!("{} {message}", entry.key))
        }
        _ => None,
    });
    lines.collect()
}

#[test]
fn a_folded_loop_ends_as_an_unfolded_one_wherever_it_is_killed() {
    let unbroken = Habits {
        commits: 30,
        folds: 0,
        dies: 0,
    };
    for (name, steps) in LOOPS {
        let world = loop_of(steps, names());
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
        let runs = (1..=RUNS).flat_map(|seed| [(seed, EAGER), (seed, HEAVY)]);
        for (seed, rule) in runs {
            let habits = Habits {
                commits: 10 + (seed as usize * 7) % 60,
                folds: 30 + (seed as usize * 13) % 70,
                dies: (seed as usize) % 12,
            };
            let came = check(name, &world, &whole, (seed, rule), habits);
            // A loop that fails begins other elements, depending on which end first.
            if *name != "tried" {
                assert_eq!(came.asked, whole.asked, "{name}, seed {seed}");
                assert_eq!(lines(&came), lines(&whole), "{name}, seed {seed}");
            }
            deaths += came.deaths;
            folds += came.folds;
        }
        assert!(folds > 20, "{name} was folded only {folds} times");
        assert!(deaths > 10, "{name} was killed only {deaths} times");
    }
}

/// How many elements the long loop has.
const ELEMENTS: u64 = 300_000;

/// How many calls end between two commits of it.
const CALLS_A_COMMIT: usize = 1_000;

#[test]
fn a_loop_of_300_000_elements_leaves_a_small_journal_and_keeps_little() {
    let names: Vec<Value> = (0..ELEMENTS).map(|_| json!("x")).collect();
    let world = loop_of(MANY, names.into());
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

#[test]
fn a_loop_of_large_elements_leaves_a_small_journal_however_few_they_are() {
    const FEW: usize = 200;
    let names: Vec<Value> = (0..FEW).map(|_| json!("x")).collect();
    let world = loop_of(MANY, names.into());
    let mut machine = Machine::new(world.start(), Vec::new());
    let (mut journal, mut bytes_max, mut turns) = (Vec::new(), 0, 0);
    let ending = loop {
        let mut turn = machine.turn(Moment(0));
        turns += 1;
        assert!(turns < 4 * FEW, "the job does not end");
        for effect in turn.effects {
            let answer = done(json!({ "id": 1, "text": "x".repeat(50_000) }));
            machine.answer(effect.number, Moment(0), answer);
        }
        let folded = machine.fold();
        drop_folded(&mut turn.entries, &folded);
        turn.entries.extend(folded);
        append(&mut journal, turn.entries);
        bytes_max = bytes_max.max(serde_json::to_string(&journal).unwrap().len());
        if let Some(ending) = turn.ending {
            break ending;
        }
        // The worker dies now and then, with answers that are not in the journal.
        if turns % 5 == 4 {
            machine = Machine::new(world.start(), journal.clone());
        }
    };
    assert_eq!(ending.output.unwrap()["sum"], json!(FEW));
    assert!(bytes_max < 3 << 20, "{bytes_max} bytes");
    let bytes = serde_json::to_string(&journal).unwrap().len();
    // A few are kept to be looked at, not all twenty: that would be a mebibyte.
    assert!(
        bytes > 50_000 && bytes < 512 << 10,
        "{bytes} bytes at the end"
    );
}

#[test]
fn a_replay_of_a_folded_loop_shows_its_first_iterations_and_its_result() {
    let (_, steps) = LOOPS[0];
    let world = loop_of(steps, names());
    let habits = Habits {
        commits: 50,
        folds: 100,
        dies: 0,
    };
    let came = run(&world, 1, habits, EAGER);
    let shown = |entries: Vec<Entry>| -> Vec<(String, Option<Value>)> {
        let traced = Machine::replay(world.start(), entries, None);
        let shown = traced.into_iter();
        shown
            .map(|step| (step.key.to_string(), step.output))
            .collect()
    };
    let whole = shown(came.journal.clone());
    let ending = came.ending.unwrap().output.unwrap();
    let output = whole.iter().find(|(key, _)| key == "each");
    assert_eq!(output.unwrap().1.as_ref(), Some(&ending["result"]));
    let folded: Vec<&String> = whole.iter().map(|(key, _)| key).collect();
    assert!(
        folded.iter().any(|key| key.starts_with("each[1]/")),
        "{folded:?}"
    );
    assert!(
        !folded.iter().any(|key| key.starts_with("each[2]/")),
        "{folded:?}"
    );
    // A replay of a loop under way does not run ahead of what the journal knows for long.
    let mut head = LoopHead {
        kept: 2,
        vars: json!({ "sum": 6 }),
        ..LoopHead::default()
    };
    head.fold(2);
    let kind = EntryKind::LoopFolded {
        head: Box::new(head),
    };
    let entry = Entry {
        key: EntryKey("each".into()),
        at: Moment(0),
        kind,
    };
    let many = World {
        input: json!({ "names": vec!["x"; 5_000] }),
        ..loop_of(
            LOOPS[2]
                .1
                .replace("- wait: 1s", "- set: { own: 1 }")
                .as_str(),
            json!([]),
        )
    };
    let traced = Machine::replay(many.start(), vec![entry], None);
    assert!((100..400).contains(&traced.len()), "{}", traced.len());
    assert!(traced.iter().all(|step| &*step.key.0 != "each"));
}

#[test]
fn a_loop_ends_after_10_000_failed_elements_wherever_it_was_resumed() {
    let steps = "
  - id: each
    foreach: $.input.names
    as: name
    on_item_error: continue
    do:
      - set: { number: '{{to_integer name}}' }
  - return: { result: $.steps.each.failed }
";
    let run = |count: usize| {
        let names: Vec<Value> = (0..count).map(|_| json!("none")).collect();
        let world = loop_of(steps, names.into());
        let mut machine = Machine::new(world.start(), Vec::new());
        let (mut journal, mut turns) = (Vec::new(), 0);
        loop {
            let turn = machine.turn(Moment(0));
            append(&mut journal, machine.fold());
            if let Some(ending) = turn.ending {
                return ending;
            }
            turns += 1;
            if turns % 2 == 0 {
                machine = Machine::new(world.start(), journal.clone());
            }
        }
    };
    assert_eq!(run(10_000).output, Some(json!({ "result": 10_000 })));
    assert_eq!(run(10_001).failure.unwrap().code, "too_many_failures");
}

#[test]
fn a_look_at_a_job_tells_how_far_its_loops_are_folded_or_not() {
    let steps = "
  - id: outer
    foreach: $.input.names
    as: name
    do:
      - id: inner
        foreach: [1, 2, 3]
        as: number
        batch: 2
        do:
          - id: thing
            action: vendor.read_thing
            with: { id: 1 }
";
    let world = loop_of(steps, json!(vec!["x"; 40]));
    // Each element of the outer loop makes two rounds of the inner one.
    for answered in [0, 1, 5, 61] {
        for folds in [2, 1_000] {
            let mut machine = Machine::folding(world.start(), Vec::new(), folds, 1);
            let mut journal = Vec::new();
            let mut calls = 0;
            loop {
                let turn = machine.turn(Moment(0));
                append(&mut journal, turn.entries);
                append(&mut journal, machine.fold());
                let Some(effect) = turn.effects.first() else {
                    break;
                };
                if calls == answered {
                    break;
                }
                calls += 1;
                let output = json!({ "found": true, "id": 1, "name": "one" });
                machine.answer(
                    effect.number,
                    Moment(0),
                    Answer::Called(Called::Done { output }),
                );
            }
            let look = Machine::look(world.start(), journal, None);
            let told: Vec<_> = look
                .loops
                .iter()
                .map(|progress| (progress.done, progress.failed, progress.total))
                .collect();
            let wanted = [(answered / 2, 0, Some(40)), (answered % 2, 0, Some(2))];
            assert_eq!(told, wanted, "{answered} answered, {folds}");
            assert_eq!(look.calls.len(), 1, "{:?}", look.calls);
        }
    }
}

#[test]
fn of_a_loop_inside_another_fewer_iterations_are_kept() {
    let steps = "
  - id: outer
    foreach: $.input.names
    as: name
    do:
      - id: inner
        foreach: $.input.names
        as: other
        do:
          - id: thing
            action: vendor.read_thing
            with: { id: 1 }
";
    let world = loop_of(steps, json!(vec!["x"; 8]));
    let mut machine = Machine::folding(world.start(), Vec::new(), 1, 6);
    let mut journal = Vec::new();
    while journal.len() < 1_000 {
        let turn = machine.turn(Moment(0));
        append(&mut journal, turn.entries);
        append(&mut journal, machine.fold());
        let Some(effect) = turn.effects.first() else {
            break;
        };
        let output = json!({ "found": true, "id": 1, "name": "one" });
        machine.answer(
            effect.number,
            Moment(0),
            Answer::Called(Called::Done { output }),
        );
    }
    let kept = |outer: usize| {
        let below = format!("outer[{outer}]/inner[");
        journal
            .iter()
            .filter(|entry| entry.key.0.starts_with(&below))
            .count()
    };
    // The very first inner loop ends before anything is folded.
    assert_eq!((1..8).map(kept).collect::<Vec<_>>(), [4, 4, 4, 4, 4, 0, 0]);
}
