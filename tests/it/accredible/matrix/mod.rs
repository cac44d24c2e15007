//! The crash matrix of the bundle: every recipe at its full work, struck once in every way.
//!
//! In: `tests/data/accredible-scenarios.yaml`. Out: for each scenario and each way of striking it,
//! whether both vendors, the mails, our tables and the ends of the jobs are as after the one run in
//! which nothing went wrong.
//! Always true: a recipe, an action or a fault that no scenario reaches fails the test, and so does
//! a job before a person that is not named in `judge.rs`.

mod hands;
mod judge;
mod play;
mod scenario;
mod strikes;
mod world;

use std::time::Instant;

use hands::Hand;
use judge::Shown;
use play::{End, Strike, play};
use scenario::Scenario;
use strikes::Named;

/// How many threads share the runs, each with stand-ins of its own.
const THREADS: usize = 4;

/// A scenario after its run without a fault.
struct Played {
    scenario: Scenario,
    clean: End,
    strikes: Vec<Named>,
}

/// What is broken on purpose, and what the matrix must say of it.
struct Broken {
    file: &'static str,
    /// This in the file becomes that.
    from: &'static str,
    to: &'static str,
    scenario: &'static str,
    /// How it is struck.
    kind: &'static str,
    told: &'static str,
}

/// Each must be seen.
const BROKEN: [Broken; 3] = [
    Broken {
        file: "connectors/docebo.yaml",
        from: "$.item.ended_on?: { equals: $.input.ended_on }",
        to: "$.item.ended_on?: { not_equals: $.input.ended_on }",
        scenario: "credentials become external trainings, one is brought up to date",
        kind: "reset after",
        told: "docebo.external_trainings: missing [], surplus [{",
    },
    Broken {
        file: "connectors/docebo.yaml",
        from: "        $.item.status?: { not_equals: archived }\n      output: {}",
        to: "      output: {}",
        scenario: "a credential becomes a certification again whose first award was archived",
        kind: "reset before",
        told: "docebo.awards: missing [{",
    },
    Broken {
        file: "connectors/accredible.yaml",
        from: "retry: { tries: 6,",
        to: "retry: { tries: 1,",
        scenario: "a learner completes a course",
        kind: "429",
        told: "accredible.credentials: missing [{",
    },
];

#[test]
fn the_bundle_comes_to_the_same_end_whatever_strikes_it() {
    let began = Instant::now();
    let mut hands = Hand::some(THREADS, &[]);
    let played = clean_runs(&mut hands, scenario::read());
    let mut troubles: Vec<String> = played.iter().flat_map(judge::clean_troubles).collect();
    assert!(troubles.is_empty(), "\n{}", troubles.join("\n"));
    let shown = struck_runs(&mut hands, &played);
    println!(
        "{} scenarios, {} runs, {} of them with a death, {} pairs of action and fault, {:.0} s",
        played.len(),
        shown.runs + played.len(),
        shown.deaths,
        shown.struck.len(),
        began.elapsed().as_secs_f64()
    );
    troubles.extend(shown.troubles.iter().cloned());
    troubles.extend(strikes::what_is_missing(&played, &shown.struck));
    let listed = judge::listed();
    let stale = listed.difference(&shown.undecided);
    troubles.extend(stale.map(|case| format!("{case:?} is listed, and is decided")));
    assert!(troubles.is_empty(), "\n{}", troubles.join("\n"));
}

#[test]
fn what_is_broken_on_purpose_is_seen() {
    for broken in BROKEN {
        let text = std::fs::read_to_string(broken.file).expect("a file");
        assert!(
            text.contains(broken.from),
            "{}: {}",
            broken.file,
            broken.from
        );
        let text = text.replacen(broken.from, broken.to, 1);
        let mut hands = Hand::some(1, &[(broken.file, &text)]);
        let mut scenarios = scenario::read();
        scenarios.retain(|scenario| scenario.name == broken.scenario);
        let mut played = clean_runs(&mut hands, scenarios);
        let troubles: Vec<String> = played.iter().flat_map(judge::clean_troubles).collect();
        assert!(troubles.is_empty(), "\n{}", troubles.join("\n"));
        for played in &mut played {
            played.strikes.retain(|named| named.kind == broken.kind);
        }
        let troubles = struck_runs(&mut hands, &played).troubles;
        let is_seen = troubles.iter().any(|trouble| trouble.contains(broken.told));
        assert!(
            is_seen,
            "{} without `{}`: {troubles:?}",
            broken.file, broken.from
        );
    }
}

/// Plays each scenario once without a fault.
fn clean_runs(hands: &mut [Hand], scenarios: Vec<Scenario>) -> Vec<Played> {
    hands::share(hands, scenarios, |ground, scenario| async move {
        let clean = play(&ground, &scenario, &Strike::Nothing).await;
        let strikes = strikes::of(&clean);
        Played {
            scenario,
            clean,
            strikes,
        }
    })
}

/// Plays each of them once for every strike.
fn struck_runs(hands: &mut [Hand], played: &[Played]) -> Shown {
    let runs = played.iter();
    let runs = runs.flat_map(|played| played.strikes.iter().map(move |named| (played, named)));
    let shown = hands::share(
        hands,
        runs.collect(),
        |ground, (played, named)| async move {
            let end = play(&ground, &played.scenario, &named.strike).await;
            judge::judge(&played.scenario, &played.clean, named, &end)
        },
    );
    shown.into_iter().fold(Shown::default(), Shown::with)
}
