//! Where a job stands.

use serde::{Deserialize, Serialize};

use crate::data::Value;

use super::Failure;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Waits for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// Waits for a moment or for another job, without a worker.
    Waiting,
    /// Waits for a person.
    NeedsDecision,
    /// Ended well.
    Succeeded,
    /// Ended, but elements failed under `continue`.
    SucceededWithErrors,
    /// Ended with a failure.
    Failed,
    /// Ended by a person.
    Stopped,
    /// Taken out after repeated crashes without progress.
    Quarantined,
}

impl JobStatus {
    /// All statuses, in the order of a job's life.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::NeedsDecision,
        Self::Succeeded,
        Self::SucceededWithErrors,
        Self::Failed,
        Self::Stopped,
        Self::Quarantined,
    ];

    /// The status as it is written in files, tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::NeedsDecision => "needs_decision",
            Self::Succeeded => "succeeded",
            Self::SucceededWithErrors => "succeeded_with_errors",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Quarantined => "quarantined",
        }
    }

    /// Reads a status as it is written.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether the job has ended; such a status is final.
    pub fn is_final(self) -> bool {
        self >= Self::Succeeded
    }

    /// Whether the job came to the end of its recipe.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Succeeded | Self::SucceededWithErrors)
    }
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// A final status.
    pub status: JobStatus,
    /// What the recipe returned.
    pub output: Option<Value>,
    /// Why it failed, or the reason given to `stop`.
    pub failure: Option<Failure>,
}
