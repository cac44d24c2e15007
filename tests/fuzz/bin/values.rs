//! Bytes to a value of a recipe; see the target of this name.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| recipe_engine_fuzz::values::check(bytes));
