//! From recipes as written to recipes that are ready to run.
//!
//! In: recipe files and a catalogue of what they may use. Out: [`Recipe`]s, or diagnostics.
//! Always true: a [`Recipe`] that compiled without errors names only things that exist.

mod catalogue;
pub mod codes;
mod doctor;
mod entry;
mod loops;
mod operation;
mod program;
mod project;
mod recipe;
mod says;
mod scope;
mod steps;
mod transform;
mod trigger;
mod walk;

pub use catalogue::{Catalogue, Signature};
pub use doctor::check_doctor;
pub use entry::compile;
pub use loops::*;
pub use operation::*;
pub use program::program;
pub use project::{Project, check_wiring};
pub use recipe::*;
pub use says::Says;
pub use steps::*;
pub use transform::*;
pub use trigger::*;
