//! The crash test as a program, in a short form: see `recipes torture --help`.
//!
//! In: a seed. Out: what the outside world holds after kills, faults, full disks and clock jumps.
//! Always true: the same seed does the same things in the same order.

use std::process::Command;

use serde_json::Value;

/// How long the engine is tortured; what is left is worked off afterwards.
const MINUTES: &str = "0.35";

/// Within its first four lives, this seed sets the clock ahead twice and back once, fills the disk
/// once, and lets the vendor fail.
const SEED: &str = "3741";

#[test]
fn a_tortured_engine_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_recipes"))
        .args(["torture", "--json", "--seed", SEED, "--minutes", MINUTES])
        .arg("--workspace")
        .arg(folder.path())
        .env_remove("RECIPES_WORKSPACE")
        .output()
        .expect("the program runs");
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}{errors}"));
    assert_eq!(report["troubles"], serde_json::json!([]), "{report:#}");
    assert!(output.status.success(), "{report:#}");
    for count in ["lost", "doubled", "overlaps"] {
        assert_eq!(report[count], 0, "{report:#}");
    }
    // Nothing of this is worth anything if nothing was done to the engine, or by it.
    let at_least = |name: &str, least: u64| {
        let count = report[name].as_u64().unwrap_or(0);
        assert!(count >= least, "only {count} {name}: {report:#}");
        count
    };
    at_least("kills", 3);
    at_least("events", 10);
    at_least("effects", 20);
    at_least("clock_jumps_ahead", 1);
    at_least("clock_jumps_back", 1);
    at_least("ticks", 2);
    at_least("calls_alone", 1);
    let full = report["full_disks"].as_u64() > Some(0);
    assert!(full || at_least("starts_refused_by_a_full_disk", 1) > 0);
    let faults = report["faults"].as_object().expect("by their kinds");
    let struck: u64 = faults.values().filter_map(Value::as_u64).sum();
    assert!(struck > 0, "no fault struck: {report:#}");
}
