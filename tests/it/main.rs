//! The one test binary: stories that cross rooms, one file a subject.
//!
//! In: the files of the repository and the fixtures below `tests/`. Out: passes or differences.
//! Always true: no network beyond this machine, no sleeps, no dependence on the machine's speed.

mod bundle;
mod connectors;
mod differential;
mod documents;
mod golden;
mod hostile;
mod lint;
mod schema;
mod store;
mod tidy;
mod trials;
