//! Public suites, run through the engine as its users reach it.
//!
//! In: the suites below `tests/data/conformance/`, each with its licence. Out: every case is right,
//! or refused with a reason that stands in the suite's `outcomes.yaml`; nothing is silently wrong.

mod json_path;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::golden::root;

/// Cases that end otherwise than the suite says, and why.
#[derive(Deserialize)]
struct Group {
    /// What happens to them, in one word of the suite's own.
    outcome: String,
    /// Why, for a reader.
    why: String,
    /// Their names.
    cases: Vec<String>,
}

fn folder(suite: &str) -> PathBuf {
    root().join("tests/data/conformance").join(suite)
}

/// The cases of a suite.
pub(crate) fn cases<T: DeserializeOwned>(suite: &str) -> Vec<T> {
    let text = fs::read_to_string(folder(suite).join("cases.json")).expect("the suite is there");
    serde_json::from_str(&text).expect("it is a list of cases")
}

/// Compares how cases ended (those that are right left out) with what the suite's list says.
pub(crate) fn compare(suite: &str, ended: &BTreeMap<String, (String, String)>) {
    let path = folder(suite).join("outcomes.yaml");
    let text = fs::read_to_string(path).expect("the list is there");
    let groups: Vec<Group> = serde_yaml::from_str(&text).expect("it is a list of groups");
    let mut listed = BTreeSet::new();
    let mut problems = Vec::new();
    for group in &groups {
        assert!(
            group.why.len() > 20,
            "a reason is a sentence: {}",
            group.why
        );
        for case in &group.cases {
            assert!(listed.insert(case.as_str()), "`{case}` is listed twice");
            match ended.get(case) {
                Some((outcome, _)) if *outcome == group.outcome => {}
                Some((outcome, detail)) => problems.push(format!(
                    "{case}: listed as {}, but {outcome}: {detail}",
                    group.outcome
                )),
                None => problems.push(format!("{case}: listed as {}, but right", group.outcome)),
            }
        }
    }
    for (case, (outcome, detail)) in ended {
        if !listed.contains(case.as_str()) {
            problems.push(format!("{case}: {outcome}: {detail}"));
        }
    }
    assert!(problems.is_empty(), "{suite}:\n{}", problems.join("\n"));
}

#[test]
fn every_suite_has_its_licence_beside_it() {
    let data = root().join("tests/data");
    let suites = fs::read_dir(data.join("conformance")).expect("it is there");
    let suites: Vec<PathBuf> = suites
        .map(|suite| suite.expect("it is read").path())
        .collect();
    assert_eq!(suites.len(), 5);
    let licences = suites.iter().map(|suite| suite.join("LICENSE"));
    for licence in licences.chain([data.join("schedules/LICENSES.md")]) {
        let text = fs::read_to_string(&licence);
        let text = text.unwrap_or_else(|_| panic!("{} is missing", licence.display()));
        assert!(
            text.contains("Copyright") || text.contains("Licen"),
            "{text}"
        );
        assert!(text.len() > 500, "{} is no licence", licence.display());
    }
}
