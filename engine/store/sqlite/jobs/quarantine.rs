//! Taking jobs out that crash again and again or cannot be read, and letting them in again.
//!
//! In: jobs whose worker died, and jobs that are damaged. Out: quarantined jobs with their reason.
//! Always true: of the jobs that may be the cause of crashes only one runs at a time, so that an
//! innocent job does not pay for the crashes of another; a quarantined job holds nothing.

use std::time::Duration;

use serde_json::json;
use sqlx::SqliteConnection;

use super::super::error::{corrupt, store_error};
use super::super::pack::{Large, pack_entries};
use super::super::recipes::note;
use super::awaits::wake_waiting;
use super::holds::release_all;
use super::request::leave;
use super::rerun::reruns_of;
use super::{enqueue, fires};
use crate::clock::Moment;
use crate::journal::{Entry, EntryKey, EntryKind, Failure};
use crate::names::JobId;
use crate::store::{AuditEntry, RequestKind, StoreError};

/// How often in a row a job may be taken over from a dead worker without having committed anything
/// in between: a crash that is the job's own fault shows by then, a machine's bad day does not.
pub const RECOVERIES_MAX: u32 = 5;

/// How long a job that may be the cause of crashes waits while another such job runs.
const SUSPECT_WAIT: Duration = Duration::from_secs(1);

/// A job that was claimed and cannot be read.
pub(super) struct Damaged {
    pub(super) number: i64,
    pub(super) lease: i64,
    pub(super) why: String,
}

/// The due jobs whose workers died at least twice in a row, or will have.
const SUSPECTS: &str = "
    SELECT number, recoveries FROM job
    WHERE status = 'running' AND recoveries > 0 AND due <= $1 ORDER BY due, number";

/// Whether one of them is under way: its lease holds. One that committed something is none any more.
const UNDER_WAY: &str = "
    SELECT EXISTS (SELECT 1 FROM job
        WHERE status = 'running' AND recoveries > 0 AND is_alone = 1 AND due > $1)";

/// Takes one of the jobs whose workers died more than once in a row, unless one such job is under
/// way. Those that were taken over too often end here; also answers which jobs wait for them no more.
pub(super) async fn take_suspect(
    connection: &mut SqliteConnection,
    now: Moment,
    lease: Duration,
) -> Result<(Option<(i64, i64)>, Vec<JobId>), StoreError> {
    let due: Vec<(i64, i64)> = sqlx::query_as(SUSPECTS)
        .bind(now.0)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let mut woken = Vec::new();
    if due.is_empty() {
        return Ok((None, woken));
    }
    let (guilty, suspects): (Vec<_>, Vec<_>) = due
        .into_iter()
        .partition(|(_, recoveries)| *recoveries >= i64::from(RECOVERIES_MAX));
    for (job, _) in guilty {
        let message = format!(
            "the job was taken over {RECOVERIES_MAX} times in a row from a worker that died, \
             without any progress; look at the log of the crashes, then release or rerun it"
        );
        let failure = Failure::new("quarantined", message);
        woken.extend(quarantine(connection, job, now, failure).await?);
    }
    let Some((first, _)) = suspects.first() else {
        return Ok((None, woken));
    };
    let is_one_under_way: bool = sqlx::query_scalar(UNDER_WAY)
        .bind(now.0)
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    let first = (!is_one_under_way).then_some(*first);
    sqlx::query(
        "UPDATE job SET due = $2, is_alone = 0
         WHERE status = 'running' AND recoveries > 0 AND due <= $1 AND number IS NOT $3",
    )
    .bind(now.0)
    .bind(now.after(SUSPECT_WAIT).0)
    .bind(first)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    let taken = sqlx::query_as(
        "UPDATE job SET lease = lease + 1, due = $2, has_news = 0, recoveries = recoveries + 1,
            is_alone = 1
         WHERE number = $1 RETURNING number, lease",
    )
    .bind(first)
    .bind(now.after(lease).0)
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    Ok((taken, woken))
}

/// Ends jobs that cannot be read, each with its reason; answers which jobs wait for them no more.
pub(super) async fn take_out(
    connection: &mut SqliteConnection,
    damaged: Vec<Damaged>,
    now: Moment,
) -> Result<Vec<JobId>, StoreError> {
    let mut woken = Vec::new();
    for Damaged { number, lease, why } in damaged {
        let is_ours: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM job
             WHERE number = $1 AND lease = $2 AND status = 'running')",
        )
        .bind(number)
        .bind(lease)
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
        if is_ours {
            tracing::error!(job = number, %why, "a job cannot be read and is quarantined");
            let message = format!(
                "what the database holds of the job is damaged: {why}; restore a backup and \
                 release the job, or rerun it from the start"
            );
            let failure = Failure::new("damaged", message);
            woken.extend(quarantine(connection, number, now, failure).await?);
        }
    }
    Ok(woken)
}

async fn quarantine(
    connection: &mut SqliteConnection,
    job: i64,
    now: Moment,
    failure: Failure,
) -> Result<Vec<JobId>, StoreError> {
    let failure = serde_json::to_string(&failure).map_err(|e| corrupt("a failure", &e))?;
    sqlx::query(
        "UPDATE job SET status = 'quarantined', due = NULL, ended_at = $2, failure = $3
         WHERE number = $1",
    )
    .bind(job)
    .bind(now.0)
    .bind(failure)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    lose_holds(connection, job, now).await?;
    fires::mark_ended(connection, job, false).await?;
    let mut woken = release_all(connection, job, now).await?;
    woken.extend(wake_waiting(connection, job, now).await?);
    Ok(woken)
}

/// Records which keys and slots a job is about to lose, so that it asks for them again if it is
/// ever released.
pub(super) async fn lose_holds(
    connection: &mut SqliteConnection,
    job: i64,
    at: Moment,
) -> Result<(), StoreError> {
    let held: Vec<String> =
        sqlx::query_scalar("SELECT key FROM hold WHERE job = $1 AND is_granted = 1")
            .bind(job)
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
    let lost = held.into_iter().map(|key| Entry {
        key: EntryKey(key.into()),
        at,
        kind: EntryKind::HoldLost,
    });
    append(connection, job, lost.collect()).await
}

/// Appends entries to the journal of a job that no worker has.
async fn append(
    connection: &mut SqliteConnection,
    job: i64,
    entries: Vec<Entry>,
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut large = Large::default();
    sqlx::query(
        "UPDATE job SET chunks = chunks + 1 WHERE number = $1;
         INSERT INTO entry (job, chunk, body) SELECT number, chunks, $2 FROM job WHERE number = $1",
    )
    .bind(job)
    .bind(pack_entries(entries, &mut large)?)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    large.store(connection, job).await
}

/// What a quarantined job is released for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// To go on where it was; refused if it was done again meanwhile, since all that is left of it
    /// would be done twice.
    ToGoOn,
    /// To go on, although it was done again.
    ToGoOnAnyway,
    /// To clean up and end: nothing new starts.
    ToCancel,
}

/// Lets a quarantined job go on where it was.
pub(super) async fn release(
    connection: &mut SqliteConnection,
    job: JobId,
    at: Moment,
    by: String,
    release: Release,
) -> Result<(), StoreError> {
    let row: Option<(i64, String, bool, bool)> = sqlx::query_as(
        "SELECT number, status, EXISTS (SELECT 1 FROM job_input WHERE job = number),
            pin IS NOT NULL
         FROM job WHERE id = $1",
    )
    .bind(job.as_str())
    .fetch_optional(&mut *connection)
    .await
    .map_err(store_error)?;
    let (number, status, has_input, has_begun) =
        row.ok_or_else(|| StoreError::NotFound(format!("job {job}")))?;
    if status != "quarantined" {
        return Err(StoreError::Conflict(format!(
            "job {job} is not quarantined ({status}); only such a job can be released"
        )));
    }
    if !has_input {
        return Err(StoreError::Conflict(format!(
            "what job {job} was given has been removed with its history; it cannot go on"
        )));
    }
    if release == Release::ToGoOn
        && let Some((rerun, status)) = reruns_of(connection, &job).await?.pop()
    {
        return Err(StoreError::Conflict(format!(
            "job {job} was done again: job {rerun} ({}); if it went on as well, what is left of it \
             would be done twice. Cancel it, or say that it is to go on although it was done again",
            status.as_str()
        )));
    }
    sqlx::query(
        "UPDATE job SET status = 'waiting',
            due = $2, ended_at = NULL, failure = NULL, output = NULL, recoveries = 0
         WHERE number = $1",
    )
    .bind(number)
    .bind(at.0)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    fires::mark_open(connection, number).await?;
    if !has_begun {
        enqueue::back_in_line(connection, number).await?;
    }
    let line = Entry {
        key: EntryKey::of_job(),
        at,
        kind: EntryKind::LineLogged {
            level: "info".to_owned(),
            message: format!("{by} released the job from quarantine"),
            data: None,
        },
    };
    append(connection, number, vec![line]).await?;
    if release == Release::ToCancel {
        let kind = RequestKind::Cancel { by: by.clone() };
        leave(connection, number, at, &kind).await?;
    }
    let entry = AuditEntry {
        at,
        by,
        action: "released".to_owned(),
        subject: format!("job:{job}"),
        detail: json!(null),
    };
    note(connection, &entry).await
}
