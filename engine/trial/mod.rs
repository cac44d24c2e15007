//! Runs recipe tests: real interpreter, store and worker, pretend vendors and time.
//!
//! In: `recipes/<project>/tests/<name>.test.yaml`. Out: what held and what did not.
//! Always true: nothing leaves the machine; time moves only when every job waits.

mod align;
mod change;
mod compare;
mod fill;
mod grammar;
mod judge;
mod pretend;
mod record;
mod renew;
mod rewrite;
mod run;
mod shown;
mod suite;
mod yaml;

pub use change::{Broken, Findings, run_change};
pub use grammar::TEST;
pub use record::{NotRecorded, Story, record};
pub use renew::Difference;
pub use rewrite::{NotRewritten, updated};
pub use run::{CaseResult, run_case};
pub use shown::{Line, Side, side_by_side};
pub use suite::{Case, Suite, codes, read, suites};
