//! What a run shows, beside the run without a fault.
//!
//! In: how a scenario ended when nothing and when something went wrong. Out: what differs.
//! Always true: a difference in rows, mails or ends is told, whatever struck the run; only a case in
//! [`UNDECIDED`] may wait for a person.

use std::collections::{BTreeMap, BTreeSet};

use recipe_engine::connector::Effect;

use super::super::spy::CallEnd;
use super::Played;
use super::play::End;
use super::scenario::Scenario;
use super::strikes::Named;
use super::world;

/// What cannot be made safe: scenario, action, faults. A person decides there, and nowhere else.
///
/// A tenant without external trainings refuses to list them as well, so that nobody says whether one
/// of them was made before the connection broke.
const UNDECIDED: [(&str, &str, &[&str]); 1] = [(
    "external trainings are not activated, and one mail says so",
    "docebo.create_external_training",
    &[
        "reset before",
        "reset after",
        "500",
        "done but 500",
        "dead after commit",
        "dead before sent",
        "dead between reply and commit",
        "dead once asked",
        "dead once done",
    ],
)];

/// What the runs of the matrix have shown.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) runs: usize,
    pub(super) deaths: usize,
    pub(super) troubles: Vec<String>,
    /// Each changing action with each way in which it was struck.
    pub(super) struck: BTreeSet<(String, String)>,
    pub(super) undecided: BTreeSet<(String, String, String)>,
}

impl Shown {
    /// Both together.
    pub(super) fn with(mut self, other: Self) -> Self {
        self.runs += other.runs;
        self.deaths += other.deaths;
        self.troubles.extend(other.troubles);
        self.struck.extend(other.struck);
        self.undecided.extend(other.undecided);
        self
    }
}

/// Compares a struck run with the clean one.
pub(super) fn judge(scenario: &Scenario, clean: &End, named: &Named, end: &End) -> Shown {
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
        let case = (scenario.name.clone(), action.clone(), named.kind.clone());
        if !listed().contains(&case) {
            shown
                .troubles
                .push(format!("{place}: before a person: {:?}", end.jobs));
        }
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

/// What is not as the file says after the run without a fault.
pub(super) fn clean_troubles(played: &Played) -> Vec<String> {
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
    let mut writes = BTreeMap::new();
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

/// The cases that wait for a person: scenario, action, fault.
pub(super) fn listed() -> BTreeSet<(String, String, String)> {
    let cases = UNDECIDED.iter().flat_map(|(scenario, action, faults)| {
        let case = |fault: &&str| ((*scenario).into(), (*action).into(), (*fault).into());
        faults.iter().map(case)
    });
    cases.collect()
}

/// How the jobs ended. A call that may be repeated is reported as often as Docebo got it: of jobs of
/// the same delivery that end in the same way, one counts. What they leave behind is compared anyway.
fn ends(end: &End) -> BTreeSet<String> {
    let jobs = end.jobs.iter();
    jobs.map(|job| format!("{} {} {} {}", job.recipe, job.status, job.code, job.output))
        .collect()
}
