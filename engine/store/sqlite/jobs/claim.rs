//! Taking jobs that can go on, keeping them, and taking over those of dead workers.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::super::error::{corrupt, store_error};
use super::super::pack::unpack_entries;
use super::fold::loops;
use super::quarantine::{Damaged, take_suspect};
use super::record::{COLUMNS_COUNT, Stored, columns, pinned, requests};
use crate::clock::Moment;
use crate::journal::Entry;
use crate::names::JobId;
use crate::store::{Claimed, JobRequest, Lease, Pinned, StoreError};

/// Oldest first: `due` is the moment a job was queued, its wait was over or its lease ran out. Jobs
/// whose workers died more than once are taken one at a time, by [`take_suspect`].
const TAKE: &str = "
    UPDATE job SET
        status = 'running', lease = lease + 1, due = $1, has_news = 0,
        recoveries = recoveries + (status = 'running'), started_at = COALESCE(started_at, $2)
    WHERE number IN (
        SELECT number FROM job WHERE due <= $2 AND NOT (status = 'running' AND recoveries > 0)
        ORDER BY due LIMIT $3)
    RETURNING number, lease";

/// Takes jobs that are due: their numbers and those of their leases.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    limit: usize,
    now: Moment,
    lease: Duration,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut taken: Vec<(i64, i64)> = sqlx::query_as(TAKE)
        .bind(now.after(lease).0)
        .bind(now.0)
        .bind(limit)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    taken.extend(take_suspect(connection, now, lease).await?);
    taken.sort_unstable();
    Ok(taken)
}

/// Loads what was taken, and says what of it cannot be loaded.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    taken: Vec<(i64, i64)>,
) -> Result<(Vec<Claimed>, Vec<Damaged>), StoreError> {
    let numbers: Vec<i64> = taken.iter().map(|(number, _)| *number).collect();
    let numbers = serde_json::to_string(&numbers).map_err(|e| corrupt("job numbers", &e))?;
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        ", event, input FROM job JOIN job_input ON job_input.job = job.number
         WHERE job.number IN (SELECT value FROM json_each($1))"
    ))
    .bind(&numbers)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let mut stored = BTreeMap::new();
    for row in rows {
        let number: i64 = row.try_get(0).map_err(store_error)?;
        stored.insert(number, row);
    }
    let mut pins = BTreeMap::new();
    let mut claimed = Vec::with_capacity(taken.len());
    let mut damaged = Vec::new();
    for (number, lease) in taken {
        let loaded = match stored.remove(&number) {
            Some(row) => load_one(connection, &row, lease, &mut pins).await,
            None => Err(StoreError::Corrupt("its input is missing".to_owned())),
        };
        match loaded {
            Ok(job) => claimed.push(job),
            // One damaged job must not keep the others from running.
            Err(StoreError::Corrupt(why)) => damaged.push(Damaged { number, lease, why }),
            Err(error) => return Err(error),
        }
    }
    attach_requests(connection, &mut claimed, &numbers).await?;
    Ok((claimed, damaged))
}

async fn load_one(
    connection: &mut SqliteConnection,
    row: &SqliteRow,
    lease: i64,
    pins: &mut BTreeMap<i64, Pinned>,
) -> Result<Claimed, StoreError> {
    let job = Stored::read(row)?;
    let event: &str = row.try_get(COLUMNS_COUNT).map_err(store_error)?;
    let input: &str = row.try_get(COLUMNS_COUNT + 1).map_err(store_error)?;
    let entries = if job.has_journal {
        journal(connection, job.number).await?
    } else {
        Vec::new()
    };
    let started_at = job.record.started_at;
    let pinned = match job.pin {
        None => None,
        Some(pin) => match pins.get(&pin) {
            Some(known) => Some(Pinned {
                started_at: started_at.unwrap_or(known.started_at),
                ..known.clone()
            }),
            None => {
                let loaded = pinned(connection, pin, started_at).await?;
                pins.insert(pin, loaded.clone());
                Some(loaded)
            }
        },
    };
    let job = job.into_whole(connection, event, input).await?;
    Ok(Claimed {
        lease: Lease {
            job: job.id.clone(),
            number: lease,
        },
        job,
        entries,
        requests: Vec::new(),
        pinned,
    })
}

/// Gives each job what people asked of it.
async fn attach_requests(
    connection: &mut SqliteConnection,
    claimed: &mut [Claimed],
    numbers: &str,
) -> Result<(), StoreError> {
    let mut asked = group(requests(connection, numbers).await?);
    if asked.is_empty() {
        return Ok(());
    }
    for job in claimed {
        job.requests = asked.remove(&job.lease.job).unwrap_or_default();
    }
    Ok(())
}

/// All entries of a job, in the order of their commits; then what stands for folded loops.
pub(super) async fn journal(
    connection: &mut SqliteConnection,
    job: i64,
) -> Result<Vec<Entry>, StoreError> {
    let chunks: Vec<String> =
        sqlx::query_scalar("SELECT body FROM entry WHERE job = $1 ORDER BY chunk")
            .bind(job)
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
    let mut entries = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        entries.extend(unpack_entries(connection, &chunk).await?);
    }
    entries.extend(loops(connection, job).await?);
    Ok(entries)
}

fn group(requests: Vec<(JobId, JobRequest)>) -> BTreeMap<JobId, Vec<JobRequest>> {
    let mut grouped: BTreeMap<JobId, Vec<JobRequest>> = BTreeMap::new();
    for (job, request) in requests {
        grouped.entry(job).or_default().push(request);
    }
    grouped
}

/// Prolongs leases; answers those that are lost. One whose job was left in order has ended, and
/// is not lost.
pub(super) async fn renew(
    connection: &mut SqliteConnection,
    leases: Vec<Lease>,
    until: Moment,
) -> Result<Vec<Lease>, StoreError> {
    let mut lost = Vec::new();
    for lease in leases {
        let done = sqlx::query(
            "UPDATE job SET due = $3 WHERE id = $1 AND lease = $2 AND status = 'running'",
        )
        .bind(lease.job.as_str())
        .bind(lease.number)
        .bind(until.0)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
        if done.rows_affected() == 0 && !is_left_in_order(connection, &lease).await? {
            lost.push(lease);
        }
    }
    Ok(lost)
}

/// Whether the holder of a lease was the last to have the job, and does not run it any more.
async fn is_left_in_order(
    connection: &mut SqliteConnection,
    lease: &Lease,
) -> Result<bool, StoreError> {
    sqlx::query_scalar("SELECT COUNT(*) FROM job WHERE id = $1 AND lease = $2")
        .bind(lease.job.as_str())
        .bind(lease.number)
        .fetch_one(connection)
        .await
        .map(|held: i64| held == 1)
        .map_err(store_error)
}

/// Lets every lease run out now.
pub(super) async fn recover(
    connection: &mut SqliteConnection,
    now: Moment,
) -> Result<u64, StoreError> {
    let done = sqlx::query("UPDATE job SET due = $1 WHERE due IS NOT NULL AND status = 'running'")
        .bind(now.0)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(done.rows_affected())
}

/// The next moment at which something is due.
pub(super) async fn next_due(
    connection: &mut SqliteConnection,
) -> Result<Option<Moment>, StoreError> {
    let due: Option<i64> =
        sqlx::query_scalar("SELECT due FROM job WHERE due IS NOT NULL ORDER BY due LIMIT 1")
            .fetch_optional(connection)
            .await
            .map_err(store_error)?;
    Ok(due.map(Moment))
}
