//! The crash test as a program, in a short form: see `recipes torture --help`.
//!
//! In: a seed. Out: what the outside world holds after kills, faults, full disks and clock jumps.
//! Always true: the same seed does the same things in the same order.

use std::process::Command;

use serde_json::Value;

/// How long the engine is tortured; what is left is worked off afterwards.
const MINUTES: &str = "0.25";

#[test]
fn a_tortured_engine_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_recipes"))
        .args(["torture", "--json", "--seed", "7", "--minutes", MINUTES])
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
    for count in ["kills", "events", "effects"] {
        assert!(report[count].as_u64() > Some(1), "{report:#}");
    }
}
