//! What people do about jobs that do not go as they should: cancel, release, rerun.
//!
//! Always true: each case has a database and a clock of its own; vendors answer what the case says.

mod again;
mod awaiting;
mod cancelling;
mod crashing;
mod damaged;
mod decided;
mod durable;
mod long;
mod once;
mod pinned;
mod quarantine;
mod rerun;
mod stage;
mod turns;
mod waiting;
