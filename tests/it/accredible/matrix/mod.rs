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

/// Set to a part of a scenario's name, or to several between bars, only such scenarios are played.
const ONLY: &str = "CRASH_MATRIX_ONLY";

/// What cannot be made safe: scenario, action, fault. A person decides there, and nowhere else.
///
/// A tenant without external trainings refuses to list them as well, so that nobody says whether one
/// of them was made before the connection broke.
const UNDECIDED: [(&str, &str, &str); 9] = [
    (
        NOT_ACTIVATED,
        "docebo.create_external_training",
        "reset before",
    ),
    (
        NOT_ACTIVATED,
        "docebo.create_external_training",
        "reset after",
    ),
    (NOT_ACTIVATED, "docebo.create_external_training", "500"),
    (
        NOT_ACTIVATED,
        "docebo.create_external_training",
        "done but 500",
    ),
    (
        NOT_ACTIVATED,
        "docebo.create_external_training",
        "dead after commit",
    ),
    (
        NOT_ACTIVATED,
        "docebo.create_external_training",
        "dead before sent",
    ),
    (
        NOT_ACTIVATED,
        "docebo.create_external_training",
        "dead between reply and commit",
    ),
    (
        NOT_ACTIVATED,
        "docebo.create_external_training",
        "dead once asked",
    ),
    (
        NOT_ACTIVATED,
        "docebo.create_external_training",
        "dead once done",
    ),
];

/// The scenario of such a tenant.
const NOT_ACTIVATED: &str = "external trainings are not activated, and one mail says so";

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
    let is_meant = |scenario: &Scenario| only.split('|').any(|part| scenario.name.contains(part));
    scenarios.retain(is_meant);
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
    for action in &end.undecided {
        let is_listed = UNDECIDED.contains(&(&*scenario.name, &**action, &*named.kind));
        if !is_listed {
            shown
                .troubles
                .push(format!("{place}: before a person: {:?}", end.jobs));
        }
        let case = (scenario.name.clone(), action.clone(), named.kind.clone());
        shown.undecided.insert(case);
    }
    if !end.undecided.is_empty() {
        return shown;
    }
    if ends(end) != ends(clean) {
        let must = ends(clean);
        shown
            .troubles
            .push(format!("{place}: ends {:?}, not {must:?}", end.jobs));
    }
    if end.world != clean.world {
        let wrong = world::differences(&clean.world, &end.world);
        shown.troubles.push(format!("{place}: {wrong}"));
    }
    shown
}

/// How the jobs ended. A call that may be repeated is reported as often as Docebo got it: of jobs of
/// the same delivery that end in the same way, one counts. What they leave behind is compared anyway.
fn ends(end: &End) -> BTreeSet<String> {
    let jobs = end.jobs.iter();
    jobs.map(|job| format!("{} {} {} {}", job.recipe, job.status, job.code, job.output))
        .collect()
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
