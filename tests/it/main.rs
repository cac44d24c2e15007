//! The one test binary: stories that cross rooms, one file a subject.
//!
//! In: the files of the repository and the fixtures below `tests/`. Out: passes or differences.
//! Always true: no network beyond this machine, no sleeps, no dependence on the machine's speed.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod accredible;
mod bundle;
mod conformance;
mod connectors;
mod differential;
mod documents;
mod doors;
mod fuzz;
mod golden;
mod graph;
mod history;
mod hostile;
mod kill;
mod library;
mod lint;
mod mending;
mod page;
mod safety;
mod schema;
mod scoping;
mod store;
mod tidy;
mod timed;
mod torture;
mod trials;
mod upgrades;
