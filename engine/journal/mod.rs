//! The entries of one job, and the only way they come to be.
//!
//! In: what happened to a job. Out: [`Entry`]s, keyed by place and never by order.
//! Always true: an entry is written once and never changed, and goes only when a loop's head has
//! come to stand for it; a job that ended has no entry after.

mod failure;
mod fold;
mod status;

pub use failure::Failure;
pub use fold::{Heads, LoopHead, PageHead, PagesHead, append, drop_folded};
pub use status::{Ending, JobStatus};

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::data::{Value, weight};

/// The code of a call in doubt that the vendor says it has not applied.
pub const NOT_APPLIED: &str = "not_applied";

/// The place of an entry in its job: the steps from the root frame down, joined by `/`, each with
/// its index in brackets where a loop surrounds it and its attempt after `~` from the second on:
/// `learners[3]/plan[1]/look/held~2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryKey(pub Arc<str>);

impl Entry {
    /// Whether the entry brings its job further. What only prepares a call or finds out what
    /// became of it comes again after every crash, and so is no progress.
    pub fn is_progress(&self) -> bool {
        let own = self.key.0.rsplit('/').next().unwrap_or_default();
        if own.starts_with("verify[") {
            return false;
        }
        match &self.kind {
            EntryKind::CallIntended { .. }
            | EntryKind::CallDoubted { .. }
            | EntryKind::CallWithdrawn => false,
            EntryKind::StepFailed { failure, .. } => failure.code != NOT_APPLIED,
            _ => true,
        }
    }
}

impl EntryKey {
    /// The place of what concerns the job as a whole.
    pub fn of_job() -> Self {
        Self(Arc::from(""))
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something that happened to a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Where.
    pub key: EntryKey,
    /// When it was complete.
    pub at: Moment,
    /// What.
    #[serde(flatten)]
    pub kind: EntryKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryKind {
    /// A step, page or question came to a good end.
    StepSucceeded {
        /// What it gave.
        output: Value,
    },
    /// A try of a step failed for certain.
    StepFailed {
        /// Why.
        failure: Failure,
        /// When it is tried again, if it is.
        next_try_at: Option<Moment>,
    },
    /// A call that must not happen twice is about to be sent.
    CallIntended {
        /// The connector's action.
        action: String,
        /// The arguments.
        input: Value,
    },
    /// A call ended in doubt; it is being cleared up.
    CallDoubted {
        /// What is known.
        failure: Failure,
    },
    /// The call that was about to be sent never left; it is asked for again.
    CallWithdrawn,
    /// A wait began.
    WaitBegan {
        /// When it is over.
        until: Moment,
    },
    /// A line was written into the job's log.
    LineLogged {
        /// How grave: `debug`, `info`, `warn`, `error`.
        level: String,
        /// The line.
        message: String,
        /// Data beside it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    /// A call ended in doubt that nothing could clear up: a person must decide.
    DecisionAsked {
        /// What is known.
        failure: Failure,
    },
    /// A person decided.
    DecisionMade {
        /// What.
        decision: Decision,
        /// Who.
        by: String,
    },
    /// A frame got the concurrency key and slot it needs.
    HoldGranted,
    /// A frame lost its key and slot, because its job was quarantined: it asks for them again.
    HoldLost,
    /// Iterations of a loop were folded: their entries are gone, and this stands for them.
    LoopFolded {
        /// How far the loop is.
        head: Box<LoopHead>,
    },
    /// What iterations gave that are folded in the same commit.
    LoopGathered {
        /// `collected`: a list of number and value; `errors`: the failed elements, as they stand
        /// in the loop's result.
        given: Value,
    },
    /// The job does again, from some place on, what another job did: the entries before this one
    /// are from there.
    RerunBegan {
        /// When that job began, which `now` shows at the beginning.
        started_at: Moment,
    },
    /// A rerun begins here: from here on `now` is its own.
    RerunFrom,
    /// A person gave what the step gives; it is not run.
    OutputGiven {
        /// What it gives.
        output: Value,
        /// Who.
        by: String,
    },
    /// The loop runs with these elements only.
    ElementsGiven {
        /// The elements, as a list.
        items: Value,
    },
    /// A person wants the job to end early. Whatever happens to its worker afterwards, it does.
    CancelRequested {
        /// Who.
        by: String,
    },
}

impl EntryKind {
    /// About how many bytes the values of what steps write take as JSON.
    pub fn weight(&self) -> usize {
        let value = match self {
            Self::StepSucceeded { output } | Self::OutputGiven { output, .. } => Some(output),
            Self::CallIntended { input, .. } => Some(input),
            Self::LineLogged { data, .. } => data.as_ref(),
            Self::StepFailed { failure, .. } => failure.body.as_ref(),
            _ => None,
        };
        value.map_or(0, weight)
    }
}

/// What a person says of a call whose end is unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "choice", rename_all = "snake_case")]
pub enum Decision {
    /// It happened, and gave this.
    Happened {
        /// The action's output.
        output: Value,
    },
    /// It did not happen: do it again.
    Again,
    /// Give up: the step fails.
    Fail,
}
