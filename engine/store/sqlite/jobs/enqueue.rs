//! Queueing what arrived.

use sqlx::SqliteConnection;

use super::super::error::store_error;
use super::super::pack::{Large, pack};
use crate::clock::Moment;
use crate::names::RecipeName;
use crate::store::{Arrival, Enqueued, NewJob, Payload, StoreError};

/// Stores the payload and the jobs whose events are not known yet.
pub(super) async fn enqueue(
    connection: &mut SqliteConnection,
    arrival: Arrival,
) -> Result<Enqueued, StoreError> {
    let mut is_new = Vec::with_capacity(arrival.jobs.len());
    for job in &arrival.jobs {
        is_new.push(is_unknown(connection, &arrival.recipe, job, arrival.at).await?);
    }
    let payload = match &arrival.payload {
        Some(payload) if is_new.contains(&true) => {
            Some(keep(connection, &arrival.recipe, payload, arrival.at).await?)
        }
        _ => None,
    };
    let mut large = Large::default();
    for (job, _) in arrival.jobs.iter().zip(&is_new).filter(|(_, new)| **new) {
        insert(connection, job, arrival.at, payload, &mut large).await?;
    }
    large.store(connection).await?;
    Ok(Enqueued { is_new })
}

/// Queues the jobs that another job starts.
pub(super) async fn start_children(
    connection: &mut SqliteConnection,
    children: &[NewJob],
    at: Moment,
    large: &mut Large,
) -> Result<(), StoreError> {
    for job in children {
        if is_unknown(connection, &job.recipe, job, at).await? {
            insert(connection, job, at, None, large).await?;
        }
    }
    Ok(())
}

/// Remembers the job's dedupe key; false if it was known already.
async fn is_unknown(
    connection: &mut SqliteConnection,
    recipe: &RecipeName,
    job: &NewJob,
    at: Moment,
) -> Result<bool, StoreError> {
    let Some((key, known_until)) = &job.dedupe else {
        return Ok(true);
    };
    let done = sqlx::query(
        "INSERT INTO dedupe (recipe, key, known_until) VALUES ($1, $2, $3)
         ON CONFLICT (recipe, key) DO UPDATE SET known_until = excluded.known_until
         WHERE dedupe.known_until <= $4",
    )
    .bind(recipe.as_str())
    .bind(key)
    .bind(known_until.0)
    .bind(at.0)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(done.rows_affected() > 0)
}

async fn keep(
    connection: &mut SqliteConnection,
    recipe: &RecipeName,
    payload: &Payload,
    at: Moment,
) -> Result<i64, StoreError> {
    let done =
        sqlx::query("INSERT INTO payload (recipe, at, headers, body) VALUES ($1, $2, $3, $4)")
            .bind(recipe.as_str())
            .bind(at.0)
            .bind(payload.headers.to_string())
            .bind(payload.body.as_slice())
            .execute(connection)
            .await
            .map_err(store_error)?;
    Ok(done.last_insert_rowid())
}

/// A job that waits for its recipe to be started is not due at all, so that a long line of them
/// never slows the others down.
const INSERT: &str = "
    INSERT INTO job (id, recipe, status, started_by, needs_start, created_at, due)
    VALUES ($1, $2, 'queued', $3, $4, $5, CASE
        WHEN $4 = 0 OR EXISTS (SELECT 1 FROM recipe_state WHERE name = $2 AND is_started = 1)
        THEN $5 END);
    INSERT INTO job_input (job, event, input, payload)
    VALUES (last_insert_rowid(), $6, $7, $8)";

async fn insert(
    connection: &mut SqliteConnection,
    job: &NewJob,
    at: Moment,
    payload: Option<i64>,
    large: &mut Large,
) -> Result<(), StoreError> {
    sqlx::query(INSERT)
        .bind(job.id.as_str())
        .bind(job.recipe.as_str())
        .bind(job.started_by.as_str())
        .bind(i64::from(job.needs_started_recipe))
        .bind(at.0)
        .bind(pack(&job.event, large)?)
        .bind(pack(&job.input, large)?)
        .bind(payload)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}
