//! From recipes as written to recipes that are ready to run.
//!
//! In: recipe files and a catalogue of what they may use. Out: [`Recipe`]s, or diagnostics.
//! Always true: a [`Recipe`] that compiled without errors names only things that exist.

mod recipe;

pub use recipe::*;
