//! Taking jobs out that crash again and again.

use sqlx::SqliteConnection;

use super::super::error::{corrupt, store_error};
use super::holds::release_all;
use crate::clock::Moment;
use crate::journal::Failure;
use crate::store::StoreError;

/// How often in a row a job may be taken over from a dead worker without having committed anything
/// in between: a crash that is the job's own fault shows by then, a machine's bad day does not.
pub const RECOVERIES_MAX: u32 = 5;

/// Ends the due jobs that were recovered too often, so that they never block the others.
pub(super) async fn quarantine_due(
    connection: &mut SqliteConnection,
    now: Moment,
) -> Result<(), StoreError> {
    let failure = Failure::new(
        "quarantined",
        format!(
            "the job was taken over {RECOVERIES_MAX} times in a row from a worker that died, \
             without any progress; look at the log of the crashes, then rerun it"
        ),
    );
    let failure = serde_json::to_string(&failure).map_err(|e| corrupt("a failure", &e))?;
    let taken_out: Vec<(i64, i64)> = sqlx::query_as(
        "UPDATE job SET status = 'quarantined', due = NULL, ended_at = $1, failure = $2
         WHERE due <= $1 AND status = 'running' AND recoveries >= $3
         RETURNING number, has_holds",
    )
    .bind(now.0)
    .bind(failure)
    .bind(i64::from(RECOVERIES_MAX))
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    for (job, _) in taken_out {
        release_all(connection, job, now).await?;
        super::awaits::wake_waiting(connection, job, now).await?;
    }
    Ok(())
}
