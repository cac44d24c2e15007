//! The one test binary: what the engine says, beside what it should say.
//!
//! In: the files of the repository and the fixtures below `tests/`. Out: passes or differences.
//! Always true: no network, no sleeps, no dependence on the machine's speed.

mod differential;
mod golden;
mod hostile;
mod lint;
mod schema;
mod tidy;
