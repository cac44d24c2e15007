//! Taking jobs that can go on, keeping them, and taking over those of dead workers.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::super::error::{corrupt, store_error};
use super::super::pack::unpack_entries;
use super::enqueue::back_in_line;
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

/// Takes jobs that are due: their numbers and those of their leases; and which jobs wait no more for
/// one that was taken out.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    limit: usize,
    now: Moment,
    lease: Duration,
) -> Result<(Vec<(i64, i64)>, Vec<JobId>), StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut taken: Vec<(i64, i64)> = sqlx::query_as(TAKE)
        .bind(now.after(lease).0)
        .bind(now.0)
        .bind(limit)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let (suspect, woken) = take_suspect(connection, now, lease).await?;
    taken.extend(suspect);
    taken.sort_unstable();
    Ok((taken, woken))
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
            Ok(job) => claimed.push((number, job)),
            // One damaged job must not keep the others from running.
            Err(StoreError::Corrupt(why)) => damaged.push(Damaged { number, lease, why }),
            Err(error) => return Err(error),
        }
    }
    let claimed = attach_requests(connection, claimed, &numbers, &mut damaged).await?;
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

/// Gives each job what people asked of it; a job whose requests cannot be read is damaged.
async fn attach_requests(
    connection: &mut SqliteConnection,
    claimed: Vec<(i64, Claimed)>,
    numbers: &str,
    damaged: &mut Vec<Damaged>,
) -> Result<Vec<Claimed>, StoreError> {
    let mut asked: BTreeMap<i64, Vec<Result<JobRequest, StoreError>>> = BTreeMap::new();
    for (job, request) in requests(connection, numbers).await? {
        asked.entry(job).or_default().push(request);
    }
    let mut whole = Vec::with_capacity(claimed.len());
    for (number, mut job) in claimed {
        let requests = asked.remove(&number).unwrap_or_default();
        let requests: Result<Vec<_>, _> = requests.into_iter().collect();
        match requests {
            Ok(requests) => {
                job.requests = requests;
                whole.push(job);
            }
            Err(why) => damaged.push(Damaged {
                number,
                lease: job.lease.number,
                why: why.to_string(),
            }),
        }
    }
    Ok(whole)
}

/// Gives jobs back that were taken and could not be loaded, as if they had not been taken: so that
/// it is no crash of theirs. Those whose worker had died before stay what they are.
pub(super) async fn give_back(
    connection: &mut SqliteConnection,
    taken: Vec<(i64, i64)>,
    now: Moment,
) -> Result<(), StoreError> {
    for (number, lease) in taken {
        let has_begun: Option<bool> = sqlx::query_scalar(
            "UPDATE job SET
                status = CASE WHEN recoveries > 0 THEN status ELSE 'waiting' END,
                recoveries = MAX(recoveries - 1, 0), due = $3,
                has_news = EXISTS (SELECT 1 FROM job_request WHERE job_request.job = job.number)
             WHERE number = $1 AND lease = $2 AND status = 'running'
             RETURNING pin IS NOT NULL OR status = 'running'",
        )
        .bind(number)
        .bind(lease)
        .bind(now.0)
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
        if has_begun == Some(false) {
            back_in_line(connection, number).await?;
        }
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
