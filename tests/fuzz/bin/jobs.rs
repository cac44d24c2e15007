//! Bytes to a job and its crashes; see the target of this name.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| recipe_engine_fuzz::jobs::check(bytes));
