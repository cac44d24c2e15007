//! The machine by itself: scripted answers, and resumption from every prefix of its journal.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::compile::{Catalogue, Project, Signature, compile, program};
use crate::names::{ConnectorName, JobId};
use crate::recipe::RecipeFile;
use crate::source::parse;

const VENDOR: &str = include_str!("../../tests/recipes/connectors/vendor.yaml");

/// Compiles recipes of one project; the first is the root.
fn compiled(sources: &[(&str, &str)]) -> Arc<Program> {
    let mut catalogue = Catalogue::default();
    let vendor = ConnectorName::new("vendor").unwrap();
    let (document, report) = parse(&Arc::from("vendor.yaml"), VENDOR.as_bytes());
    let mut report = report;
    let connector = crate::connector::read(&vendor, &document.unwrap(), &mut report);
    assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
    catalogue.connectors.insert(vendor, Arc::new(connector));
    catalogue
        .projects
        .insert("p".into(), Arc::new(Project::unwired("p")));
    let mut files = Vec::new();
    for (name, source) in sources {
        let file: Arc<str> = Arc::from(format!("{name}.yaml"));
        let (document, report) = parse(&file, source.as_bytes());
        assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
        let name = RecipeName::of("p", name).unwrap();
        let (file, report) = RecipeFile::read(name.clone(), document.unwrap());
        assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
        catalogue.signatures.insert(name, Signature::of(&file));
        files.push(file);
    }
    let mut recipes = BTreeMap::new();
    for file in &files {
        let (recipe, report) = compile(file, &catalogue);
        let found = report.into_diagnostics();
        recipes.insert(
            file.name.clone(),
            Arc::new(recipe.unwrap_or_else(|| panic!("{found:?}"))),
        );
    }
    Arc::new(program(&files[0].name, &recipes).unwrap())
}

/// A world that answers from a script, in the order of effects.
struct World {
    program: Arc<Program>,
    input: Value,
    script: Vec<Answer>,
}

/// What a run left behind.
#[derive(Debug, PartialEq)]
struct Left {
    ending: Ending,
    entries: Vec<Entry>,
    asked: Vec<String>,
}

impl World {
    fn start(&self) -> Start {
        Start {
            id: JobId::new("0190f5fe-7c00-7a00-8000-000000000001").unwrap(),
            program: self.program.clone(),
            event: Value::Null,
            input: self.input.clone(),
            settings: Value::Null,
            started_at: Moment(0),
            started_by: "person:test".into(),
        }
    }

    /// Runs from some entries, with the part of the script that they have not used up.
    fn run(&self, entries: Vec<Entry>, used: usize) -> Left {
        let mut script: VecDeque<Answer> = self.script.iter().skip(used).cloned().collect();
        let mut machine = Machine::new(self.start(), entries.clone());
        let mut left = entries;
        let mut asked = Vec::new();
        let mut now = left.iter().map(|entry| entry.at.0).max().unwrap_or(0);
        for _ in 0..10_000 {
            let turn = machine.turn(Moment(now));
            left.extend(turn.entries);
            if let Some(ending) = turn.ending {
                return Left {
                    ending,
                    entries: left,
                    asked,
                };
            }
            for effect in turn.effects {
                let answer = match effect.kind {
                    EffectKind::Timer { until } => {
                        now = now.max(until.0);
                        Answer::Fired
                    }
                    EffectKind::Hold(_) => Answer::Granted,
                    _ => {
                        now += 1_000_000;
                        asked.push(effect.key.to_string());
                        script.pop_front().expect("the script is too short")
                    }
                };
                machine.answer(effect.number, Moment(now), answer);
            }
        }
        panic!("the job does not end");
    }

    /// Runs once, then again from every prefix of the journal that ends with an answer: the end
    /// and the journal must be the same, and nothing recorded may be asked again.
    fn check(&self) -> Left {
        let whole = self.run(Vec::new(), 0);
        let outcome = |entry: &&Entry| {
            matches!(
                entry.kind,
                EntryKind::StepSucceeded { .. } | EntryKind::StepFailed { .. }
            )
        };
        for cut in 0..whole.entries.len() {
            let prefix = whole.entries[..cut].to_vec();
            let has_open_intent = prefix.iter().any(|entry| {
                matches!(entry.kind, EntryKind::CallIntended { .. })
                    && !prefix.iter().any(|other| {
                        other.key == entry.key && other.at >= entry.at && outcome(&other)
                    })
            });
            if has_open_intent {
                continue;
            }
            let used = prefix.iter().filter(outcome).count();
            let resumed = self.run(prefix, used);
            assert_eq!(resumed.ending, whole.ending, "resumed after {cut} entries");
            assert_eq!(
                resumed.entries, whole.entries,
                "resumed after {cut} entries"
            );
        }
        whole
    }
}

fn done(output: Value) -> Answer {
    Answer::Called(Called::Done { output })
}

fn refused(retry: Option<u64>) -> Answer {
    let failure = Failure::new("refused", "no");
    Answer::Called(Called::Failed {
        failure,
        retry: retry.map(Duration::from_secs),
    })
}

fn doubtful() -> Answer {
    Answer::Called(Called::Doubtful {
        failure: Failure::new("reset", "connection reset"),
    })
}

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
    machine.cancel();
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
    let trace = Machine::replay(world.start(), left.entries);
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
    machine.cancel();
    let turn = machine.turn(Moment(0));
    assert!(turn.ending.is_none());
    let cleaning = turn.effects[0].number;
    machine.answer(cleaning, Moment(1), done(json!({ "found": false })));
    assert_eq!(
        machine.turn(Moment(0)).ending.unwrap().status,
        JobStatus::Stopped
    );
}

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
    let limit = number("timed/timeout", &turn.effects);
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
