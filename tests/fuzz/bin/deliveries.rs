//! Bytes to a delivery; see the target of this name.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| recipe_engine_fuzz::deliveries::check(bytes));
