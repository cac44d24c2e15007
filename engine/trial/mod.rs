//! Runs recipe tests: real interpreter, store and worker, pretend vendors and time.
//!
//! In: `recipes/<project>/tests/<name>.test.yaml`. Out: what held and what did not.
//! Always true: nothing leaves the machine; time moves only when every job waits.

mod change;
mod compare;
mod fill;
mod grammar;
mod pretend;
mod run;
mod suite;

pub use change::{Broken, Findings, run_change};
pub use grammar::TEST;
pub use run::{CaseResult, run_case};
pub use suite::{Case, Suite, codes, read, suites};
