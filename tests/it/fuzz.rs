//! The fuzz targets on what fuzzers found and what they began with.
//!
//! In: the inputs below `tests/data/fuzz/<target>/`. Out: passes, or the promise that is broken.
//! Always true: what was found once is tried again at every run of the tests.

#[path = "../fuzz/targets/mod.rs"]
#[allow(unreachable_pub, reason = "for the fuzzers this is a library")]
mod targets;

use std::fs;

use sha2::{Digest, Sha256};

use crate::golden::{files_below, root};

fn replay(target: &str, check: fn(&[u8])) {
    let files = files_below(&root().join("tests/data/fuzz").join(target));
    assert!(!files.is_empty(), "there is nothing to try");
    for file in files {
        let bytes = fs::read(&file).expect("it can be read");
        let tried = std::panic::catch_unwind(|| check(&bytes));
        assert!(tried.is_ok(), "{} does harm", file.display());
    }
}

#[test]
fn files_that_were_found_do_no_harm() {
    replay("files", targets::files::check);
}

#[test]
fn values_that_were_found_do_no_harm() {
    replay("values", targets::values::check);
}

#[test]
fn jobs_that_were_found_end_the_same() {
    replay("jobs", targets::jobs::check);
}

/// What fuzzers try without an end, for a few seconds: jobs that follow from numbers.
#[test]
fn random_jobs_end_the_same_from_every_commit() {
    for number in 0_u64..60 {
        let mut bytes = Vec::new();
        for part in 0_u64..12 {
            bytes.extend(Sha256::digest((number * 1_000 + part).to_be_bytes()));
        }
        let tried = std::panic::catch_unwind(|| targets::jobs::check(&bytes));
        assert!(tried.is_ok(), "job {number} ends otherwise");
    }
}

#[test]
fn deliveries_that_were_found_are_read_or_refused() {
    replay("deliveries", targets::deliveries::check);
}
