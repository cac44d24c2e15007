//! `recipes jobs record`: jobs of the bundle become tests that pass and tell of nobody.
//!
//! In: the workspace that `recipes demo` leaves, whose jobs ran against the vendors' stand-ins.
//! Always true: what is recorded is run again by `recipes test`, from the file alone.

use std::fs;

use serde_json::Value;

use super::process::{ended, said};

/// Who takes part in the story, and what must be told of nobody.
const PEOPLE: [&str; 4] = ["lovelace", "@academy", "hopper", "ada."];

#[test]
fn a_job_of_the_bundle_is_recorded_as_a_test_that_passes_and_tells_of_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let house = folder.path().join("demo");
    let arguments = ["demo", "--once", "--folder", house.to_str().unwrap()];
    said(&ended(folder.path(), &arguments));
    let list = said(&ended(&house, &["jobs", "--limit", "100", "--json"]));
    let list: Value = serde_json::from_str(&list).unwrap();
    let jobs = list["jobs"].as_array().unwrap();
    assert!(!jobs.is_empty(), "{list}");
    let mut recorded = 0;
    for (number, job) in jobs.iter().enumerate() {
        let id = job["id"].as_str().unwrap();
        let project = job["recipe"].as_str().unwrap().split('/').next().unwrap();
        let file = house.join(format!(
            "recipes/{project}/tests/recorded-{number}.test.yaml"
        ));
        let to = ["jobs", "record", id, "--to", file.to_str().unwrap()];
        let output = ended(&house, &to);
        let refused = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            assert!(refused.contains("cannot become a test: "), "{refused}");
            assert!(!file.exists());
            continue;
        }
        recorded += 1;
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("requests:"), "{text}");
        for name in PEOPLE {
            assert!(!text.to_lowercase().contains(name), "{name} in\n{text}");
        }
    }
    assert!(recorded > 0, "no job of {} could be recorded", jobs.len());
    let told = said(&ended(&house, &["test", "recorded-"]));
    assert!(
        told.contains(&format!("{recorded} passed, 0 failed")),
        "{told}"
    );
}
