//! Jobs that wait for the ends of others.
//!
//! In: steps that wait, and jobs that end. Out: who is woken, and where the awaited ones stand.
//! Always true: a step is woken once, by the end of the last job that it waits for, however many
//! they are; besides, once it turns out that one of them can never end. Until the step is done,
//! none of them loses its history.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use super::super::error::{corrupt, store_error};
use super::record::{Stored, columns};
use super::request::wake;
use super::stuck;
use crate::clock::Moment;
use crate::journal::EntryKey;
use crate::names::JobId;
use crate::store::{AwaitRequest, Awaited, JobRecord, StoreError};

/// Registers a step that waits; if all its jobs ended already, its own job is woken at once. A step
/// without jobs waits no more.
pub(super) async fn wait_for(
    connection: &mut SqliteConnection,
    job: i64,
    at: Moment,
    request: &AwaitRequest,
) -> Result<Option<JobId>, StoreError> {
    if request.jobs.is_empty() {
        sqlx::query("DELETE FROM job_await WHERE waiting = $1 AND place = $2")
            .bind(job)
            .bind(&*request.key.0)
            .execute(connection)
            .await
            .map_err(store_error)?;
        return Ok(None);
    }
    let mut is_over = true;
    for id in &request.jobs {
        is_over &= !need(connection, job, &request.key, id).await?;
    }
    if is_over {
        return wake(connection, job, at).await;
    }
    Ok(None)
}

/// Notes that a place needs the result of a job, whether that has ended or not; answers whether it
/// will end yet. One that is gone, or never was, has no end to wait for.
async fn need(
    connection: &mut SqliteConnection,
    job: i64,
    place: &EntryKey,
    awaited: &JobId,
) -> Result<bool, StoreError> {
    sqlx::query("UPDATE job SET is_awaited = 1 WHERE id = $1 AND ended_at IS NULL")
        .bind(awaited.as_str())
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    let has_ended: Option<bool> = sqlx::query_scalar(
        "INSERT INTO job_await (awaited, waiting, place, has_ended)
         SELECT number, $2, $3, ended_at IS NOT NULL FROM job WHERE id = $1
         ON CONFLICT DO UPDATE SET has_ended = excluded.has_ended
         RETURNING has_ended",
    )
    .bind(awaited.as_str())
    .bind(job)
    .bind(&*place.0)
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    Ok(has_ended == Some(false))
}

/// Wakes the jobs of which a step waited for nothing but the end of this one.
pub(super) async fn wake_waiting(
    connection: &mut SqliteConnection,
    ended: i64,
    at: Moment,
) -> Result<Vec<JobId>, StoreError> {
    let waiting: Vec<(i64, String)> = sqlx::query_as(
        "UPDATE job_await SET has_ended = 1 WHERE awaited = $1 AND has_ended = 0
             RETURNING waiting, place",
    )
    .bind(ended)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let mut woken = Vec::with_capacity(waiting.len());
    for (job, place) in waiting {
        let has_more: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM job_await
                WHERE waiting = $1 AND place = $2 AND has_ended = 0)",
        )
        .bind(job)
        .bind(place)
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
        if !has_more {
            woken.extend(wake(connection, job, at).await?);
        }
    }
    Ok(woken)
}

/// The jobs that wait for the end of this one, or of one that stands in line behind it, and so on;
/// those that hold something first.
const ABOVE: &str = "
    WITH RECURSIVE above (job) AS (
        VALUES ($1)
        UNION
        SELECT waiting FROM job_await JOIN above ON awaited = above.job
        UNION
        SELECT behind.job FROM above
        JOIN hold ON hold.job = above.job AND hold.is_granted = 1
        JOIN hold AS behind ON behind.recipe = hold.recipe AND behind.is_granted = 0
    )
    SELECT waiting, place, json_group_array(awaited) FROM job_await JOIN above ON waiting = job
    WHERE has_ended = 0
    GROUP BY waiting, place
    ORDER BY EXISTS (SELECT 1 FROM hold WHERE hold.job = waiting AND is_granted = 1) DESC, waiting";

/// Whether anybody waits for a job or stands in line behind it.
const IS_WAITED_FOR: &str = "
    SELECT EXISTS (SELECT 1 FROM job_await)
        AND (EXISTS (SELECT 1 FROM job_await WHERE awaited = $1)
            OR EXISTS (SELECT 1 FROM hold
                JOIN hold AS behind ON behind.recipe = hold.recipe AND behind.is_granted = 0
                WHERE hold.job = $1 AND hold.is_granted = 1))";

/// A job has come to a stand: if that closes a circle, one of those that wait in it is woken, to
/// see that it waits for itself.
pub(super) async fn wake_circle(
    connection: &mut SqliteConnection,
    job: i64,
    at: Moment,
) -> Result<Option<JobId>, StoreError> {
    let is_waited_for: bool = sqlx::query_scalar(IS_WAITED_FOR)
        .bind(job)
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    if !is_waited_for {
        return Ok(None);
    }
    let waiting: Vec<(i64, String, String)> = sqlx::query_as(ABOVE)
        .bind(job)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    for (job, place, awaited) in waiting {
        let place = EntryKey(place.into());
        let awaited: Vec<i64> =
            serde_json::from_str(&awaited).map_err(|e| corrupt("job numbers", &e))?;
        let stuck = stuck::behind(connection, job, &place, &awaited).await?;
        if !stuck.is_empty()
            && let Some(woken) = wake(connection, job, at).await?
        {
            return Ok(Some(woken));
        }
    }
    Ok(None)
}

/// Where awaited jobs stand, in their order.
pub(super) async fn look(
    connection: &mut SqliteConnection,
    waiter: JobId,
    place: EntryKey,
    jobs: Vec<JobId>,
) -> Result<Vec<Awaited>, StoreError> {
    let ids = serde_json::to_string(&jobs).map_err(|e| corrupt("job ids", &e))?;
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM job WHERE job.id IN (SELECT value FROM json_each($1)) OR job.id = $2"
    ))
    .bind(ids)
    .bind(waiter.as_str())
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let mut found = HashMap::new();
    let mut open = Vec::new();
    let mut waiter_number = 0;
    for row in &rows {
        let stored = Stored::read(row)?;
        let (id, number) = (stored.record.id.clone(), stored.number);
        let stands = if id == waiter {
            waiter_number = number;
            Awaited::Stuck { behind: None }
        } else {
            match stored.into_whole(connection, "null", "null").await? {
                JobRecord {
                    pruned: Some(_), ..
                } => Awaited::HistoryRemoved,
                JobRecord {
                    ending: Some(ending),
                    ..
                } => Awaited::Ended(ending),
                _ => {
                    open.push((id.clone(), number));
                    Awaited::Open
                }
            }
        };
        found.insert(id, stands);
    }
    let numbers: Vec<i64> = open.iter().map(|(_, number)| *number).collect();
    let stuck = stuck::behind(connection, waiter_number, &place, &numbers).await?;
    for (id, number) in open {
        if let Some(behind) = stuck.get(&number) {
            let behind = behind.clone();
            found.insert(id, Awaited::Stuck { behind });
        }
    }
    let stands = |id: &JobId| found.get(id).cloned().unwrap_or(Awaited::Unknown);
    Ok(jobs.iter().map(stands).collect())
}
