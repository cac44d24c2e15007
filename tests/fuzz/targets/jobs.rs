//! Bytes as a job and its crashes.
//!
//! In: bytes: what the vendors' answers hang on, then what a recipe is made of. Out: nothing.
//! Always true: a job ends; resumed after every commit, with the calls under way sent or not, it
//! ends again; no call that must not happen twice happens twice; if nothing was under way that may
//! have happened, it ends as it would have, with the same requests.

use std::sync::Arc;

use recipe_engine::clock::Moment;
use recipe_engine::compile::Program;
use recipe_engine::data::Value;
use recipe_engine::diagnostic::Severity;
use recipe_engine::interpret::{Effect, EffectKind, Machine, Start};
use recipe_engine::journal::{Ending, Entry, EntryKind, append, drop_folded};
use recipe_engine::names::JobId;
use recipe_engine::source::parse;

use super::dice::Dice;
use super::vendors::Vendors;
use super::workspace::{compiled, program_of};

/// The most turns a job may take.
const TURNS_MAX: usize = 4_000;
/// How many commits of a job are crashed at most.
const CRASHES_MAX: usize = 60;

/// Runs a job and resumes it after each commit.
pub fn check(bytes: &[u8]) {
    let (seed, rest) = bytes.split_at(bytes.len().min(2));
    let seed = seed
        .iter()
        .fold(1_u64, |seed, byte| seed * 256 + u64::from(*byte));
    let recipes = Dice::new(rest).recipes();
    let program = program(&recipes);
    let mut commits = Vec::new();
    let whole = run(
        &program,
        Vec::new(),
        Vendors::new(seed),
        Moment(0),
        &mut commits,
    );
    whole.vendors.check();
    check_journal(&whole.journal);
    // Of many, some: evenly spread.
    let every = commits.len().div_ceil(CRASHES_MAX).max(1);
    for (number, commit) in commits.into_iter().enumerate().step_by(every) {
        let is_in_doubt = has_open_intent(&commit.journal);
        for vendors in [commit.unsent, commit.sent] {
            let journal = commit.journal.clone();
            let again = run(&program, journal, vendors, commit.at, &mut Vec::new());
            again.vendors.check();
            check_journal(&again.journal);
            if !is_in_doubt {
                let told = || format!("resumed after commit {number} of {recipes:?}");
                assert_eq!(again.ending, whole.ending, "{}", told());
                again.vendors.compare(&whole.vendors, &told());
            }
        }
    }
}

/// What a job was at one of its commits.
struct Commit {
    journal: Vec<Entry>,
    at: Moment,
    /// The vendors, if the worker died at once.
    unsent: Vendors,
    /// The vendors, if it died with all answers in its hands.
    sent: Vendors,
}

/// What a job left behind.
struct Left {
    ending: Ending,
    journal: Vec<Entry>,
    vendors: Vendors,
}

fn program(recipes: &[(&'static str, String)]) -> Arc<Program> {
    let documents = recipes.iter().map(|(name, text)| {
        let (document, report) = parse(&Arc::from(*name), text.as_bytes());
        assert!(!report.has_errors(), "{text}");
        (*name, document.expect("it is sound"))
    });
    let compiled = compiled(documents.collect());
    for compiled in compiled.values() {
        let error = compiled
            .found
            .iter()
            .find(|found| found.severity == Severity::Error);
        assert!(error.is_none(), "{error:?} in {recipes:?}");
    }
    program_of("root", &compiled).expect("all recipes are there")
}

/// Runs a job to its end from what its journal holds, committing after every turn.
fn run(
    program: &Arc<Program>,
    mut journal: Vec<Entry>,
    mut vendors: Vendors,
    now: Moment,
    commits: &mut Vec<Commit>,
) -> Left {
    let mut machine = match vendors.folding() {
        Some((after, kept)) => Machine::folding(start(program), journal.clone(), after, kept),
        None => Machine::new(start(program), journal.clone()),
    };
    let mut timers: Vec<(Moment, Effect)> = Vec::new();
    let mut now = now;
    for _ in 0..TURNS_MAX {
        let turn = machine.turn(now);
        let (mut entries, folded) = (turn.entries, machine.fold());
        drop_folded(&mut entries, &folded);
        entries.extend(folded);
        append(&mut journal, entries);
        if let Some(ending) = turn.ending {
            return Left {
                ending,
                journal,
                vendors,
            };
        }
        let unsent = vendors.clone();
        let mut answers = Vec::new();
        for effect in turn.effects {
            match &effect.kind {
                EffectKind::Timer { until } => timers.push((*until, effect)),
                _ => {
                    now = Moment(now.0 + 1_000_000);
                    let (answer, entry) = vendors.answer(&effect, now);
                    append(&mut journal, entry.into_iter().collect());
                    answers.push((effect.number, now, answer));
                }
            }
        }
        if !turn.has_more_work {
            let journal = journal.clone();
            let sent = vendors.clone();
            commits.push(Commit {
                journal,
                at: now,
                unsent,
                sent,
            });
        }
        if answers.is_empty() && !turn.has_more_work {
            timers.sort_by_key(|(until, effect)| (*until, effect.number));
            assert!(!timers.is_empty(), "the job waits for nothing");
            let (until, effect) = timers.remove(0);
            now = now.max(until);
            answers.push((effect.number, now, recipe_engine::interpret::Answer::Fired));
        }
        for (number, at, answer) in answers {
            machine.answer(number, at, answer);
        }
    }
    panic!("the job does not end");
}

fn start(program: &Arc<Program>) -> Start {
    Start {
        id: JobId::new("0190f5fe-7c00-7a00-8000-000000000001").expect("it is a job's name"),
        program: program.clone(),
        event: Value::Null,
        input: Value::Object(Default::default()),
        settings: Value::Null,
        started_at: Moment(0),
        started_by: "person:fuzz".to_owned(),
        start_depth: 0,
        is_preview: false,
    }
}

/// Whether a call may have been sent of which the journal holds no end.
fn has_open_intent(journal: &[Entry]) -> bool {
    journal.iter().any(|intent| {
        let is_end = |entry: &&Entry| {
            let is_end = matches!(
                entry.kind,
                EntryKind::StepSucceeded { .. } | EntryKind::StepFailed { .. }
            );
            is_end && entry.key == intent.key
        };
        matches!(intent.kind, EntryKind::CallIntended { .. }) && !journal.iter().any(|e| is_end(&e))
    })
}

/// One end a place, one line a log.
fn check_journal(journal: &[Entry]) {
    let mut seen = std::collections::BTreeSet::new();
    for entry in journal {
        let kind = match entry.kind {
            EntryKind::StepSucceeded { .. } | EntryKind::StepFailed { .. } => "end",
            EntryKind::LineLogged { .. } => "line",
            EntryKind::CallIntended { .. } => "intent",
            EntryKind::WaitBegan { .. } => "wait",
            EntryKind::HoldGranted => "hold",
            _ => continue,
        };
        assert!(
            seen.insert((&entry.key, kind)),
            "a second {kind} at {}",
            entry.key
        );
    }
}
