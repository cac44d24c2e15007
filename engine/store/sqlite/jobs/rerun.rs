//! Jobs that do again what another job did.
//!
//! In: a new job, the entries it begins with and the job they are from. Out: a queued job that is
//! linked to its origin, or why there is none.
//! Always true: job, entries, pin and link are written together; a rerun is no fire of a schedule
//! and takes no event's place. What was found out when it was planned is looked at again in the
//! commit that queues it: that the origin has ended and has its history, and, where it matters,
//! that nobody did it again meanwhile.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::{Row, SqliteConnection};

use super::super::Sqlite;
use super::super::error::store_error;
use super::super::pack::{Large, pack_entries};
use super::super::recipes::note;
use super::super::veil::Veil;
use super::{commit, enqueue, fold, record};
use crate::clock::Moment;
use crate::journal::{Entry, JobStatus};
use crate::names::JobId;
use crate::store::{AuditEntry, NewJob, Pinned, StoreError};

/// A job that does again what another job did.
#[derive(Clone, Debug)]
pub struct Rerun {
    /// The new job.
    pub job: NewJob,
    /// The job that is done again.
    pub origin: JobId,
    /// From where on, as it is shown: `start`, or a place.
    pub place: String,
    /// On which version, as it is shown: `ran` or `current`.
    pub version: String,
    /// What the job pins from the beginning; else it does at its first claim.
    pub pinned: Option<Pinned>,
    /// What is kept of the origin.
    pub entries: Vec<Entry>,
    /// When it may begin.
    pub not_before: Moment,
    /// Who wants it.
    pub by: String,
    /// What holds if the origin was done again already.
    pub if_done_again: IfDoneAgain,
}

/// What holds if a job was done again already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfDoneAgain {
    /// Once is enough.
    Refuse,
    /// It is wanted all the same.
    Allow,
}

/// Why a rerun was not queued, although it could be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotQueued {
    /// The origin was done again already, by this job.
    DoneAgain(JobId),
    /// The origin goes on: it was released from quarantine.
    GoesOn(JobStatus),
    /// The history of the origin was removed.
    HistoryRemoved,
}

/// Where a job comes from, and what was made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// The job that it does again: which, from where on, on which version.
    pub origin: Option<(JobId, String, String)>,
    /// The jobs that do it again, oldest first, and where they stand.
    pub reruns: Vec<(JobId, JobStatus)>,
}

impl Sqlite {
    /// Queues jobs that do again what others did; answers for each in turn why it was not queued,
    /// if it was not.
    pub async fn enqueue_reruns(
        &self,
        reruns: Vec<Rerun>,
        at: Moment,
    ) -> Result<Vec<Option<NotQueued>>, StoreError> {
        let veil = Veil::of(&self.sealer);
        let reruns = reruns.into_iter().map(|rerun| veil.rerun(rerun));
        let reruns = reruns.collect::<Result<Vec<_>, _>>()?;
        self.with_writer(move |connection| Box::pin(enqueue_reruns(connection, reruns, at)))
            .await
    }

    /// Where a job comes from, and what was made of it.
    pub async fn lineage(&self, job: &JobId) -> Result<Lineage, StoreError> {
        let job = job.clone();
        self.with_reader(|connection| Box::pin(lineage(connection, job)))
            .await
    }
}

impl Sqlite {
    /// What the reruns of these jobs came to, those of reruns included: one that succeeded if any
    /// did, else the newest. Jobs that were not done again are left out.
    pub async fn done_again(
        &self,
        jobs: Vec<JobId>,
    ) -> Result<BTreeMap<JobId, (JobId, JobStatus)>, StoreError> {
        self.with_reader(|connection| Box::pin(done_again(connection, jobs)))
            .await
    }
}

/// Queues reruns.
async fn enqueue_reruns(
    connection: &mut SqliteConnection,
    reruns: Vec<Rerun>,
    at: Moment,
) -> Result<Vec<Option<NotQueued>>, StoreError> {
    let mut fates = Vec::with_capacity(reruns.len());
    for rerun in reruns {
        let (number, why_not) = look_at_origin(connection, &rerun).await?;
        if why_not.is_none() {
            queue(connection, rerun, number, at).await?;
        }
        fates.push(why_not);
    }
    Ok(fates)
}

/// The origin's number, and what speaks against a rerun now.
async fn look_at_origin(
    connection: &mut SqliteConnection,
    rerun: &Rerun,
) -> Result<(i64, Option<NotQueued>), StoreError> {
    let row: Option<(i64, String, bool)> =
        sqlx::query_as("SELECT number, status, pruned_at IS NOT NULL FROM job WHERE id = $1")
            .bind(rerun.origin.as_str())
            .fetch_optional(&mut *connection)
            .await
            .map_err(store_error)?;
    let (number, status, is_pruned) =
        row.ok_or_else(|| StoreError::NotFound(format!("job {}", rerun.origin)))?;
    let status = read_status(&status)?;
    let why_not = if !status.is_final() {
        Some(NotQueued::GoesOn(status))
    } else if is_pruned {
        Some(NotQueued::HistoryRemoved)
    } else if rerun.if_done_again == IfDoneAgain::Refuse {
        let last = reruns_of(connection, &rerun.origin).await?.pop();
        last.map(|(job, _)| NotQueued::DoneAgain(job))
    } else {
        None
    };
    Ok((number, why_not))
}

async fn queue(
    connection: &mut SqliteConnection,
    rerun: Rerun,
    origin: i64,
    at: Moment,
) -> Result<(), StoreError> {
    enqueue::queue(connection, &rerun.job, at).await?;
    let chunks = i64::from(!rerun.entries.is_empty());
    let number: i64 = sqlx::query_scalar(
        "UPDATE job SET due = MAX(COALESCE(due, $2), $2), chunks = $3,
            start_depth = (SELECT start_depth FROM job WHERE number = $4)
         WHERE id = $1 RETURNING number",
    )
    .bind(rerun.job.id.as_str())
    .bind(rerun.not_before.0)
    .bind(chunks)
    .bind(origin)
    .fetch_one(&mut *connection)
    .await
    .map_err(store_error)?;
    sqlx::query("INSERT INTO job_origin (job, origin, place, version) VALUES ($1, $2, $3, $4)")
        .bind(number)
        .bind(origin)
        .bind(&rerun.place)
        .bind(&rerun.version)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if let Some(pinned) = &rerun.pinned {
        pin(connection, number, pinned).await?;
    }
    if chunks > 0 {
        write(connection, number, rerun.entries).await?;
    }
    let entry = AuditEntry {
        at,
        by: rerun.by,
        action: "rerun".to_owned(),
        subject: format!("job:{}", rerun.origin),
        detail: json!({ "job": rerun.job.id.as_str(), "from": rerun.place }),
    };
    note(connection, &entry).await
}

/// Gives a job that no worker has what it pins.
async fn pin(
    connection: &mut SqliteConnection,
    job: i64,
    pinned: &Pinned,
) -> Result<(), StoreError> {
    let hash = commit::pin_hash(pinned);
    let done = sqlx::query(
        "UPDATE job SET pin = (SELECT number FROM pin WHERE hash = $2)
         WHERE number = $1 AND EXISTS (SELECT 1 FROM pin WHERE hash = $2)",
    )
    .bind(job)
    .bind(&hash)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    match done.rows_affected() {
        0 => commit::keep_pin(connection, job, &hash, pinned).await,
        _ => Ok(()),
    }
}

async fn write(
    connection: &mut SqliteConnection,
    job: i64,
    mut entries: Vec<Entry>,
) -> Result<(), StoreError> {
    let mut large = Large::default();
    let loops = fold::take_loops(&mut entries);
    sqlx::query("INSERT INTO entry (job, chunk, body) VALUES ($1, 1, $2)")
        .bind(job)
        .bind(pack_entries(entries, &mut large)?)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if !loops.is_empty() {
        fold::fold(connection, job, 1, loops, &mut large).await?;
    }
    large.store(connection, job).await
}

/// Where a job comes from, and what was made of it.
async fn lineage(connection: &mut SqliteConnection, job: JobId) -> Result<Lineage, StoreError> {
    let origin = sqlx::query(
        "SELECT origin.id, job_origin.place, job_origin.version FROM job
         JOIN job_origin ON job_origin.job = job.number
         JOIN job AS origin ON origin.number = job_origin.origin WHERE job.id = $1",
    )
    .bind(job.as_str())
    .fetch_optional(&mut *connection)
    .await
    .map_err(store_error)?;
    let mut lineage = Lineage {
        origin: None,
        reruns: reruns_of(connection, &job).await?,
    };
    if let Some(row) = origin {
        let id = record::job_id(row.try_get(0).map_err(store_error)?)?;
        let place = row.try_get(1).map_err(store_error)?;
        lineage.origin = Some((id, place, row.try_get(2).map_err(store_error)?));
    }
    Ok(lineage)
}

/// The jobs that do a job again, oldest first.
pub(super) async fn reruns_of(
    connection: &mut SqliteConnection,
    job: &JobId,
) -> Result<Vec<(JobId, JobStatus)>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT rerun.id, rerun.status FROM job
         JOIN job_origin ON job_origin.origin = job.number
         JOIN job AS rerun ON rerun.number = job_origin.job
         WHERE job.id = $1 ORDER BY rerun.number",
    )
    .bind(job.as_str())
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    rows.iter()
        .map(|(id, status)| Ok((record::job_id(id)?, read_status(status)?)))
        .collect()
}

async fn done_again(
    connection: &mut SqliteConnection,
    jobs: Vec<JobId>,
) -> Result<BTreeMap<JobId, (JobId, JobStatus)>, StoreError> {
    let ids: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "WITH RECURSIVE again (root, job) AS (
            SELECT job.id, job_origin.job FROM json_each($1) AS wanted
            JOIN job ON job.id = wanted.value
            JOIN job_origin ON job_origin.origin = job.number
            UNION
            SELECT again.root, job_origin.job FROM again
            JOIN job_origin ON job_origin.origin = again.job)
         SELECT again.root, job.id, job.status FROM again
         JOIN job ON job.number = again.job ORDER BY job.number",
    )
    .bind(json!(ids).to_string())
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    let mut ends: BTreeMap<JobId, (JobId, JobStatus)> = BTreeMap::new();
    for (root, id, status) in rows {
        let (root, end) = (
            record::job_id(&root)?,
            (record::job_id(&id)?, read_status(&status)?),
        );
        let has_succeeded = ends.get(&root).is_some_and(|(_, status)| status.is_good());
        if !has_succeeded || end.1.is_good() {
            ends.insert(root, end);
        }
    }
    Ok(ends)
}

fn read_status(status: &str) -> Result<JobStatus, StoreError> {
    JobStatus::parse(status)
        .ok_or_else(|| StoreError::Corrupt(format!("a job's status is `{status}`")))
}
