//! Looking at jobs: one with its journal, or a page of many without.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::super::error::{corrupt, store_error};
use super::claim::journal;
use super::record::{COLUMNS_COUNT, Stored, columns, pinned};
use crate::journal::{Entry, JobStatus};
use crate::names::JobId;
use crate::store::{JobFilter, JobRecord, Payload, Pinned, StoreError};

/// Jobs that are queued at nearly the same moment may be numbered in another order; this many
/// neighbours are looked at beyond a moment's place.
pub(super) const NEIGHBOURS: i64 = 1000;

/// One job and its journal.
pub(super) async fn job(
    connection: &mut SqliteConnection,
    id: JobId,
) -> Result<(JobRecord, Vec<Entry>, Option<Pinned>), StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        ", event, input FROM job LEFT JOIN job_input ON job_input.job = job.number WHERE id = $1"
    ))
    .bind(id.as_str())
    .fetch_optional(&mut *connection)
    .await
    .map_err(store_error)?
    .ok_or_else(|| StoreError::NotFound(format!("job {id}")))?;
    // A pruned job has neither.
    let event: Option<String> = row.try_get(COLUMNS_COUNT).map_err(store_error)?;
    let input: Option<String> = row.try_get(COLUMNS_COUNT + 1).map_err(store_error)?;
    let (event, input) = (
        event.unwrap_or_else(|| "null".to_owned()),
        input.unwrap_or_else(|| "null".to_owned()),
    );
    let stored = Stored::read(&row)?;
    let entries = journal(connection, stored.number).await?;
    let pinned = match stored.pin {
        Some(pin) => {
            // A rerun may have a pin before it was first claimed.
            let began = stored.record.started_at.unwrap_or(stored.record.created_at);
            Some(pinned(connection, pin, Some(began)).await?)
        }
        None => None,
    };
    let record = stored.into_whole(connection, &event, &input).await?;
    Ok((record, entries, pinned))
}

/// One job without its journal.
pub(super) async fn record_with_input(
    connection: &mut SqliteConnection,
    id: JobId,
) -> Result<JobRecord, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        ", event, input FROM job JOIN job_input ON job_input.job = job.number WHERE id = $1"
    ))
    .bind(id.as_str())
    .fetch_optional(&mut *connection)
    .await
    .map_err(store_error)?
    .ok_or_else(|| StoreError::NotFound(format!("the input of job {id}")))?;
    let event: &str = row.try_get(COLUMNS_COUNT).map_err(store_error)?;
    let input: &str = row.try_get(COLUMNS_COUNT + 1).map_err(store_error)?;
    Stored::read(&row)?
        .into_whole(connection, event, input)
        .await
}

/// How many bytes a job's journal takes, with the large values that the job needs: those of its
/// input and result among them.
pub(super) async fn journal_bytes(
    connection: &mut SqliteConnection,
    id: JobId,
) -> Result<u64, StoreError> {
    let bytes: i64 = sqlx::query_scalar(
        "SELECT COALESCE(SUM(bytes), 0) FROM (
            SELECT LENGTH(CAST(body AS BLOB)) AS bytes FROM entry WHERE job = $1
            UNION ALL SELECT LENGTH(CAST(body AS BLOB)) FROM loop_head WHERE job = $1
            UNION ALL SELECT LENGTH(CAST(body AS BLOB)) FROM loop_chunk WHERE job = $1
            UNION ALL SELECT LENGTH(body) FROM large_value
                JOIN large_use ON large_use.hash = large_value.hash WHERE job = $1)",
    )
    .bind(number(connection, &id).await?)
    .fetch_one(connection)
    .await
    .map_err(store_error)?;
    Ok(u64::try_from(bytes).unwrap_or(0))
}

async fn number(connection: &mut SqliteConnection, id: &JobId) -> Result<i64, StoreError> {
    sqlx::query_scalar("SELECT number FROM job WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await
        .map_err(store_error)?
        .ok_or_else(|| StoreError::NotFound(format!("job {id}")))
}

/// One job as it is listed.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    id: JobId,
) -> Result<JobRecord, StoreError> {
    let row = sqlx::query(concat!("SELECT ", columns!(), " FROM job WHERE id = $1"))
        .bind(id.as_str())
        .fetch_optional(connection)
        .await
        .map_err(store_error)?
        .ok_or_else(|| StoreError::NotFound(format!("job {id}")))?;
    Ok(Stored::read(&row)?.into_listed())
}

/// The webhook delivery that a job was made of.
pub(super) async fn payload(
    connection: &mut SqliteConnection,
    id: JobId,
) -> Result<Option<Payload>, StoreError> {
    let row = sqlx::query(
        "SELECT headers, query, body FROM job
         JOIN job_input ON job_input.job = job.number
         JOIN payload ON payload.number = job_input.payload
         WHERE job.id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    let Some(row) = row else {
        return Ok(None);
    };
    read_payload(&row).map(Some)
}

/// Reads headers, query and body, the first columns of a row.
pub(super) fn read_payload(row: &SqliteRow) -> Result<Payload, StoreError> {
    let headers: &str = row.try_get(0).map_err(store_error)?;
    let query: &str = row.try_get(1).map_err(store_error)?;
    Ok(Payload {
        headers: serde_json::from_str(headers).map_err(|e| corrupt("headers", &e))?,
        query: serde_json::from_str(query).map_err(|e| corrupt("a query", &e))?,
        body: row.try_get(2).map_err(store_error)?,
    })
}

/// Where a job stands.
pub(super) async fn status(
    connection: &mut SqliteConnection,
    id: JobId,
) -> Result<JobStatus, StoreError> {
    let status: Option<String> = sqlx::query_scalar("SELECT status FROM job WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    let status = status.ok_or_else(|| StoreError::NotFound(format!("job {id}")))?;
    JobStatus::parse(&status)
        .ok_or_else(|| StoreError::Corrupt(format!("a job's status is `{status}`")))
}

/// How far a job is, as far as one row tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobMark {
    /// Where it stands.
    pub status: JobStatus,
    /// How often something happened to it.
    pub commits: i64,
}

pub(super) async fn mark(
    connection: &mut SqliteConnection,
    id: JobId,
) -> Result<JobMark, StoreError> {
    let row: Option<(String, i64)> = sqlx::query_as("SELECT status, chunks FROM job WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    let (status, commits) = row.ok_or_else(|| StoreError::NotFound(format!("job {id}")))?;
    let status = JobStatus::parse(&status)
        .ok_or_else(|| StoreError::Corrupt(format!("a job's status is `{status}`")))?;
    Ok(JobMark { status, commits })
}

/// A page of jobs, newest first.
pub(super) async fn jobs(
    connection: &mut SqliteConnection,
    filter: JobFilter,
) -> Result<Vec<JobRecord>, StoreError> {
    let bounds = bounds(connection, &filter).await?;
    let tests = tests(&filter);
    let mut found = Vec::new();
    let sources: &[&str] = match &filter.recipe {
        None => &["FROM job WHERE true"],
        // Two streams, each in the order of its own index, are merged below.
        Some(_) => &[
            "FROM job WHERE recipe = $6",
            "FROM job_call JOIN job ON job.number = job_call.job
             WHERE job_call.recipe = $6 AND job.recipe <> $6",
        ],
    };
    for source in sources {
        let (number, limited) = if source.contains("job_call") {
            ("job_call.job", "job_call.job")
        } else {
            ("job.number", "job.number")
        };
        let sql = format!(
            "SELECT {} {source} AND {number} >= $1 AND {number} < $2
                AND created_at >= $3 AND created_at < $4
                AND ($7 IS NULL OR substr(job.id, 1, length($7)) = $7) {tests}
             ORDER BY {limited} DESC LIMIT $5",
            columns!(),
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(bounds.0)
            .bind(bounds.1)
            .bind(filter.from.map_or(i64::MIN, |moment| moment.0))
            .bind(filter.to.map_or(i64::MAX, |moment| moment.0))
            .bind(i64::try_from(filter.limit).unwrap_or(i64::MAX))
            .bind(filter.recipe.as_ref().map(|recipe| recipe.as_str()))
            .bind(filter.id_prefix.as_deref())
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
        for row in &rows {
            match Stored::read(row) {
                Ok(job) => found.push(job),
                Err(why) => tracing::error!(%why, "the line of a job is damaged"),
            }
        }
    }
    found.sort_unstable_by_key(|job| std::cmp::Reverse(job.number));
    found.truncate(filter.limit);
    Ok(found.into_iter().map(Stored::into_listed).collect())
}

/// The jobs of these numbers, as far as they are there, with their numbers.
pub(super) async fn numbered(
    connection: &mut SqliteConnection,
    numbers: Vec<i64>,
) -> Result<Vec<(i64, JobRecord)>, StoreError> {
    let numbers = serde_json::to_string(&numbers).map_err(|e| corrupt("numbers of jobs", &e))?;
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM job WHERE number IN (SELECT value FROM json_each($1))"
    ))
    .bind(numbers)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    let mut found = Vec::new();
    for row in &rows {
        match Stored::read(row) {
            Ok(job) => found.push((job.number, job.into_listed())),
            Err(why) => tracing::error!(%why, "the line of a job is damaged"),
        }
    }
    Ok(found)
}

/// The numbers between which the page lies: jobs are numbered in the order they were queued.
async fn bounds(
    connection: &mut SqliteConnection,
    filter: &JobFilter,
) -> Result<(i64, i64), StoreError> {
    let mut first = i64::MIN;
    let mut end = i64::MAX;
    if let Some(from) = filter.from {
        let number = number_at(connection, from.0).await?;
        first = number.map_or(first, |number| number - NEIGHBOURS);
    }
    if let Some(to) = filter.to
        && let Some(number) = number_at(connection, to.0).await?
    {
        end = number + NEIGHBOURS;
    }
    if let Some(before) = &filter.before {
        let number: Option<i64> = sqlx::query_scalar("SELECT number FROM job WHERE id = $1")
            .bind(before.as_str())
            .fetch_optional(&mut *connection)
            .await
            .map_err(store_error)?;
        let number = number.ok_or_else(|| StoreError::NotFound(format!("job {before}")))?;
        end = end.min(number);
    }
    if let Some(prefix) = &filter.id_prefix {
        let (least, most) = numbers_of(connection, prefix).await?;
        (first, end) = (first.max(least), end.min(most.saturating_add(1)));
    }
    Ok((first, end))
}

/// The least and the greatest number of jobs whose ids begin so; an empty range if there is none.
async fn numbers_of(
    connection: &mut SqliteConnection,
    prefix: &str,
) -> Result<(i64, i64), StoreError> {
    let (least, most): (Option<i64>, Option<i64>) =
        sqlx::query_as("SELECT min(number), max(number) FROM job WHERE id >= $1 AND id < $2")
            .bind(prefix)
            .bind(format!("{prefix}\u{10ffff}"))
            .fetch_one(connection)
            .await
            .map_err(store_error)?;
    Ok((least.unwrap_or(0), most.unwrap_or(-1)))
}

/// The first job that was queued at this moment or later.
pub(super) async fn number_at(
    connection: &mut SqliteConnection,
    moment: i64,
) -> Result<Option<i64>, StoreError> {
    sqlx::query_scalar(
        "SELECT number FROM job WHERE created_at >= $1 ORDER BY created_at, number LIMIT 1",
    )
    .bind(moment)
    .fetch_optional(connection)
    .await
    .map_err(store_error)
}

/// The statuses that `job_notable` lists, letter for letter as in its definition: SQLite uses a
/// partial index only for a query that repeats its condition.
const NOTABLE: &str =
    "status IN ('failed', 'succeeded_with_errors', 'stopped', 'quarantined', 'needs_decision')";

/// The test for the statuses asked for, with the condition of an index that has them all.
fn tests(filter: &JobFilter) -> String {
    if filter.statuses.is_empty() {
        return String::new();
    }
    let named: Vec<String> = filter
        .statuses
        .iter()
        .map(|status| format!("'{}'", status.as_str()))
        .collect();
    let is_notable = |status: &JobStatus| {
        *status == JobStatus::NeedsDecision
            || (status.is_final() && *status != JobStatus::Succeeded)
    };
    let index = if filter.statuses.iter().all(is_notable) {
        format!(" AND {NOTABLE}")
    } else if filter.statuses.iter().all(|status| !status.is_final()) {
        " AND ended_at IS NULL".to_owned()
    } else {
        String::new()
    };
    format!(" AND status IN ({}){index}", named.join(", "))
}
