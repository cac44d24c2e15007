//! Bytes to a file of a workspace; see the target of this name.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| recipe_engine_fuzz::files::check(bytes));
