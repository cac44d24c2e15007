//! How a job ends.
//!
//! In: how its root frame ended. Out: status, output and failure.

use std::sync::Arc;

use crate::clock::Moment;
use crate::data::Value;
use crate::journal::{Ending, Failure, JobStatus};

use super::{Exit, Job, frame};

/// Runs the root frame to the job's end.
pub(super) async fn run(job: Arc<Job>, input: Value, started_at: Moment) -> Ending {
    let outcome = match &job.trouble {
        Some(trouble) => Err(trouble.clone().into()),
        None => frame::run_root(&job, input, started_at).await,
    };
    let good = if job.desk.state().has_failed_elements {
        JobStatus::SucceededWithErrors
    } else {
        JobStatus::Succeeded
    };
    match outcome {
        Ok(output) => Ending {
            status: good,
            output: Some(output),
            failure: None,
        },
        Err(Exit::Returned(output)) => Ending {
            status: good,
            output: Some(output),
            failure: None,
        },
        Err(Exit::Stopped {
            is_success: true,
            reason,
        }) => {
            let failure = (!reason.is_empty()).then(|| Failure::new("stopped", reason));
            Ending {
                status: good,
                output: None,
                failure,
            }
        }
        Err(Exit::Stopped {
            is_success: false,
            reason,
        }) => Ending {
            status: JobStatus::Failed,
            output: None,
            failure: Some(Failure::new("stopped", reason)),
        },
        Err(Exit::Failed(failure)) => Ending {
            status: JobStatus::Failed,
            output: None,
            failure: Some(*failure),
        },
        Err(Exit::Cancelled) => Ending {
            status: JobStatus::Stopped,
            output: None,
            failure: Some(cancelled(job.desk.cancelled_by().as_deref())),
        },
    }
}

/// Why a job is `stopped`.
pub fn cancelled(by: Option<&str>) -> Failure {
    let by = by.unwrap_or("a person");
    Failure::new("cancelled", format!("the job was cancelled by {by}"))
}
