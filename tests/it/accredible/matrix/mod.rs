//! The crash matrix of the bundle: every recipe at its full work, struck once in every way.
//!
//! In: `tests/data/accredible-scenarios.yaml`. Out: for each scenario and each way of striking it,
//! whether both vendors, our tables and the ends of the jobs are as after the one clean run.
//! Always true: a recipe, an action or a fault that no scenario reaches fails the test, and so does
//! a job before a person that is not in [`UNDECIDED`].

mod hands;
mod play;
mod scenario;
mod strikes;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use recipe_engine::connector::Effect;

use super::spy::CallEnd;
use hands::Hand;
use play::{End, Strike, play};
use scenario::Scenario;
use strikes::Named;

/// How many threads share the runs, each with stand-ins of its own.
const THREADS: usize = 4;

/// Set to `full`, every call that only reads is struck in every way as well, and not only some.
const EXTENT: &str = "CRASH_MATRIX";

/// Set to a part of a scenario's name, only such scenarios are played.
const ONLY: &str = "CRASH_MATRIX_ONLY";

/// What cannot be made safe: scenario, action, fault. A person decides there, and nowhere else.
const UNDECIDED: [(&str, &str, &str); 0] = [];

/// A scenario after its run without a fault.
struct Played {
    scenario: Scenario,
    clean: End,
    strikes: Vec<Named>,
}

/// What the runs of the matrix have shown.
#[derive(Default)]
struct Shown {
    runs: usize,
    deaths: usize,
    troubles: Vec<String>,
    /// Each changing action with each way in which it was struck.
    struck: BTreeSet<(String, String)>,
    undecided: BTreeSet<(String, String, String)>,
}

#[test]
fn the_bundle_comes_to_the_same_end_whatever_strikes_it() {
    let began = Instant::now();
    let only = std::env::var(ONLY).unwrap_or_default();
    let is_full = std::env::var(EXTENT).is_ok_and(|extent| extent == "full");
    let mut scenarios = scenario::read();
    scenarios.retain(|scenario| scenario.name.contains(&only));
    let mut hands = Hand::some(THREADS);
    let played = hands::share(&mut hands, scenarios, |ground, scenario| async move {
        let clean = play(&ground, &scenario, &Strike::Nothing).await;
        let strikes = strikes::of(&clean, is_full);
        Played {
            scenario,
            clean,
            strikes,
        }
    });
    let mut troubles: Vec<String> = played.iter().flat_map(clean_troubles).collect();
    assert!(troubles.is_empty(), "\n{}", troubles.join("\n"));

    let played: Arc<Vec<Played>> = Arc::new(played);
    let runs = played.iter().enumerate();
    let runs = runs.flat_map(|(at, played)| (0..played.strikes.len()).map(move |n| (at, n)));
    let shared = played.clone();
    let shown = hands::share(&mut hands, runs.collect(), move |ground, (at, n)| {
        let played = shared.clone();
        async move {
            let Played {
                scenario,
                clean,
                strikes,
            } = &played[at];
            let end = play(&ground, scenario, &strikes[n].strike).await;
            judge(scenario, clean, &strikes[n], &end)
        }
    });
    let shown = shown.into_iter().fold(Shown::default(), Shown::with);
    println!(
        "{} scenarios, {} runs, {} of them with a death, {} pairs of action and fault, {:.0} s",
        played.len(),
        shown.runs + played.len(),
        shown.deaths,
        shown.struck.len(),
        began.elapsed().as_secs_f64()
    );
    troubles.extend(shown.troubles.iter().cloned());
    if only.is_empty() {
        troubles.extend(strikes::what_is_missing(&played, &shown.struck));
        let listed = UNDECIDED.map(|(scenario, action, fault)| {
            (scenario.to_owned(), action.to_owned(), fault.to_owned())
        });
        let listed: BTreeSet<_> = listed.into_iter().collect();
        let stale = listed.difference(&shown.undecided);
        troubles.extend(stale.map(|case| format!("{case:?} is listed, and is decided")));
    }
    assert!(troubles.is_empty(), "\n{}", troubles.join("\n"));
}

/// What is not as the file says after the run without a fault.
fn clean_troubles(played: &Played) -> Vec<String> {
    let Played {
        scenario, clean, ..
    } = played;
    let name = &scenario.name;
    let mut troubles = Vec::new();
    let ends: Vec<&str> = clean.jobs.iter().map(|job| job.status.as_str()).collect();
    let must: Vec<&str> = match scenario.ends.is_empty() {
        true => vec!["succeeded"; ends.len()],
        false => scenario.ends.iter().map(String::as_str).collect(),
    };
    if ends != must || ends.is_empty() {
        troubles.push(format!(
            "{name}: ends {ends:?}, not {must:?}: {:?}",
            clean.jobs
        ));
    }
    let mut writes = std::collections::BTreeMap::new();
    for made in clean.made.iter().filter(|made| made.effect != Effect::Read) {
        *writes.entry(made.action.clone()).or_insert(0) += 1;
    }
    if writes != scenario.writes {
        troubles.push(format!(
            "{name}: calls {writes:?}, not {:?}: {:?}",
            scenario.writes, clean.jobs
        ));
    }
    let changed = world::changes(&clean.before, &clean.world);
    if changed != scenario.changes.iter().cloned().collect() {
        troubles.push(format!(
            "{name}: changes {changed:?}, not {:?}",
            scenario.changes
        ));
    }
    if clean.commits == 0 {
        troubles.push(format!("{name}: nothing is committed"));
    }
    troubles
}

/// Compares a struck run with the clean one.
fn judge(scenario: &Scenario, clean: &End, named: &Named, end: &End) -> Shown {
    let place = format!("{}, {}", scenario.name, named.name);
    let mut shown = Shown {
        runs: 1,
        deaths: usize::from(end.has_died),
        ..Shown::default()
    };
    if named.must_die() && !end.has_died {
        shown
            .troubles
            .push(format!("{place}: the process did not die"));
    }
    let struck = end
        .made
        .iter()
        .filter(|made| made.effect != Effect::Read && made.end != CallEnd::Done);
    let struck = struck.map(|made| (made.action.clone(), named.kind.clone()));
    shown.struck.extend(struck);
    let undecided = end.jobs.iter().any(|job| job.status == "needs_decision");
    if undecided {
        let action = end.made.iter().rev().find(|made| made.end != CallEnd::Done);
        let action = action.map(|made| made.action.clone()).unwrap_or_default();
        let case = (scenario.name.clone(), action, named.kind.clone());
        let is_listed = UNDECIDED.iter().any(|(scenario, action, fault)| {
            case.0 == *scenario && case.1 == *action && case.2 == *fault
        });
        if !is_listed {
            shown
                .troubles
                .push(format!("{place}: before a person: {:?}", end.jobs));
        }
        shown.undecided.insert(case);
        return shown;
    }
    let told = |end: &End| -> Vec<String> {
        let jobs = end.jobs.iter();
        jobs.map(|job| format!("{} {} {}", job.status, job.code, job.output))
            .collect()
    };
    if told(end) != told(clean) {
        shown.troubles.push(format!(
            "{place}: ends {:?}, not {:?}",
            end.jobs,
            told(clean)
        ));
    }
    if end.world != clean.world {
        let wrong = world::differences(&clean.world, &end.world);
        shown.troubles.push(format!("{place}: {wrong}"));
    }
    shown
}

impl Shown {
    fn with(mut self, other: Self) -> Self {
        self.runs += other.runs;
        self.deaths += other.deaths;
        self.troubles.extend(other.troubles);
        self.struck.extend(other.struck);
        self.undecided.extend(other.undecided);
        self
    }
}
