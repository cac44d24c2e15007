//! Queueing what arrived.

use serde_json::json;
use sqlx::SqliteConnection;

use super::super::error::store_error;
use super::super::pack::{Large, Shared, pack};
use super::super::recipes::note;
use super::events::{self, Replay, UNKEPT_REPEATED};
use crate::clock::Moment;
use crate::data::{Object, Value};
use crate::names::RecipeName;
use crate::store::{Arrival, AuditEntry, Enqueued, NewJob, Payload, StoreError};

/// What stands before the name of a person who started a job.
const PERSON: &str = "person:";

/// So many of the jobs that a person had made are named in the audit.
const JOBS_NAMED: usize = 10;

/// Stores the payload and the jobs whose events are not known yet. Each job's event has the shared
/// members beside its own.
pub(super) async fn enqueue(
    connection: &mut SqliteConnection,
    arrival: Arrival,
    shared: Object,
    replay: Option<Replay>,
) -> Result<Enqueued, StoreError> {
    let mut is_new = Vec::with_capacity(arrival.jobs.len());
    for job in &arrival.jobs {
        is_new.push(is_unknown(connection, &arrival.recipe, job, arrival.at).await?);
    }
    let count = is_new.iter().filter(|new| **new).count();
    // A delivery that becomes one job is by far the most frequent.
    if let (Some(payload), [job], 1) = (&arrival.payload, &*arrival.jobs, count) {
        let event = joined(shared, &job.event);
        insert_delivered(connection, job, &event, arrival.at, payload).await?;
        return Ok(Enqueued { is_new });
    }
    if arrival.payload.is_some() && count < is_new.len() {
        events::count(connection, &arrival.recipe, UNKEPT_REPEATED, arrival.at).await?;
    }
    if count == 0 {
        return Ok(Enqueued { is_new });
    }
    let payload = match (&arrival.payload, replay) {
        (Some(payload), _) => Some(keep(connection, &arrival, payload, count).await?),
        (None, Some(replay)) => {
            events::note_replay(connection, &replay, count, arrival.at).await?;
            Some(replay.event)
        }
        (None, None) => None,
    };
    if arrival.payload.is_none() && payload.is_none() {
        note_run(connection, &arrival, &is_new).await?;
    }
    let shared = Shared::store(connection, shared).await?;
    for (job, _) in arrival.jobs.iter().zip(&is_new).filter(|(_, new)| **new) {
        let mut large = Large::default();
        let event = shared.pack(&job.event, &mut large)?;
        insert(connection, job, event, large, arrival.at, payload).await?;
    }
    Ok(Enqueued { is_new })
}

/// Notes that a person had jobs made.
async fn note_run(
    connection: &mut SqliteConnection,
    arrival: &Arrival,
    is_new: &[bool],
) -> Result<(), StoreError> {
    let made = arrival.jobs.iter().zip(is_new).filter(|(_, new)| **new);
    let made: Vec<&NewJob> = made.map(|(job, _)| job).collect();
    let by = |job: &&NewJob| job.started_by.strip_prefix(PERSON).map(str::to_owned);
    let Some(by) = made.first().and_then(by) else {
        return Ok(());
    };
    let named: Vec<&str> = made
        .iter()
        .take(JOBS_NAMED)
        .map(|job| job.id.as_str())
        .collect();
    let entry = AuditEntry {
        at: arrival.at,
        by,
        action: "run".to_owned(),
        subject: format!("recipe:{}", arrival.recipe),
        detail: json!({ "count": made.len(), "jobs": named }),
    };
    note(connection, &entry).await
}

/// A whole event: the shared members and its own.
fn joined(mut shared: Object, own: &Value) -> Value {
    match own {
        Value::Object(own) => {
            shared.extend(own.clone());
            Value::Object(shared)
        }
        other => other.clone(),
    }
}

/// Queues the jobs that another job starts.
pub(super) async fn start_children(
    connection: &mut SqliteConnection,
    parent: i64,
    children: &[NewJob],
    at: Moment,
) -> Result<(), StoreError> {
    for job in children {
        if is_unknown(connection, &job.recipe, job, at).await? {
            queue(connection, job, at).await?;
            deepen(connection, parent, job).await?;
        }
    }
    Ok(())
}

/// Counts the jobs that started one another up to this one.
async fn deepen(
    connection: &mut SqliteConnection,
    parent: i64,
    child: &NewJob,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE job SET start_depth = 1 + (SELECT start_depth FROM job WHERE number = $1)
         WHERE id = $2",
    )
    .bind(parent)
    .bind(child.id.as_str())
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// Remembers the job's dedupe key; false if it was known already.
async fn is_unknown(
    connection: &mut SqliteConnection,
    recipe: &RecipeName,
    job: &NewJob,
    at: Moment,
) -> Result<bool, StoreError> {
    match &job.dedupe {
        Some(dedupe) => is_unknown_key(connection, recipe, dedupe, at).await,
        None => Ok(true),
    }
}

/// Remembers a key until a moment; false if it was known already.
pub(super) async fn is_unknown_key(
    connection: &mut SqliteConnection,
    recipe: &RecipeName,
    (key, known_until): &(String, Moment),
    at: Moment,
) -> Result<bool, StoreError> {
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
    arrival: &Arrival,
    payload: &Payload,
    jobs: usize,
) -> Result<i64, StoreError> {
    let done = sqlx::query(
        "INSERT INTO payload (number, recipe, at, headers, query, body, jobs, made)
         VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM job), $1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(arrival.recipe.as_str())
    .bind(arrival.at.0)
    .bind(payload.headers.to_string())
    .bind(payload.query.to_string())
    .bind(payload.body.as_slice())
    .bind(i64::try_from(jobs).unwrap_or(i64::MAX))
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(done.last_insert_rowid())
}

/// A job that waits for its recipe to be started is not due at all, so that a long line of them
/// never slows the others down.
macro_rules! insert_job {
    () => {
        "INSERT INTO job (id, recipe, status, started_by, needs_start, created_at, due)
    VALUES ($1, $2, 'queued', $3, $4, $5, CASE
        WHEN $4 = 0 OR EXISTS (SELECT 1 FROM recipe_state WHERE name = $2 AND is_started = 1)
        THEN $5 END);
    INSERT INTO job_input (job, event, input, payload) VALUES (last_insert_rowid(), $6, $7, "
    };
}
const INSERT: &str = concat!(insert_job!(), "$8)");

/// With the payload, which has the job's number. One string, since each way to the database's
/// thread and back costs as much as a small write.
const INSERT_DELIVERED: &str = concat!(
    "INSERT INTO payload (number, recipe, at, headers, query, body, jobs)
     VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM job), $2, $5, $8, $9, $10, 1);\n",
    insert_job!(),
    "last_insert_rowid())"
);

/// Puts a job that never began back in line, where a recipe that is stopped keeps it.
pub(super) async fn back_in_line(
    connection: &mut SqliteConnection,
    job: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE job SET status = 'queued', started_at = NULL, due = CASE
            WHEN needs_start = 0 OR has_news = 1 OR EXISTS (
                SELECT 1 FROM recipe_state WHERE name = job.recipe AND is_started = 1)
            THEN due END
         WHERE number = $1",
    )
    .bind(job)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(store_error)
}

async fn insert_delivered(
    connection: &mut SqliteConnection,
    job: &NewJob,
    event: &Value,
    at: Moment,
    payload: &Payload,
) -> Result<(), StoreError> {
    let mut large = Large::default();
    let done = sqlx::query(INSERT_DELIVERED)
        .bind(job.id.as_str())
        .bind(job.recipe.as_str())
        .bind(job.started_by.as_str())
        .bind(i64::from(job.needs_started_recipe))
        .bind(at.0)
        .bind(pack(event, &mut large)?)
        .bind(pack(&job.input, &mut large)?)
        .bind(payload.headers.to_string())
        .bind(payload.query.to_string())
        .bind(payload.body.as_slice())
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    large.store(connection, done.last_insert_rowid()).await
}

/// Queues one job by itself.
pub(super) async fn queue(
    connection: &mut SqliteConnection,
    job: &NewJob,
    at: Moment,
) -> Result<(), StoreError> {
    let mut large = Large::default();
    let event = pack(&job.event, &mut large)?;
    insert(connection, job, event, large, at, None).await
}

async fn insert(
    connection: &mut SqliteConnection,
    job: &NewJob,
    event: String,
    mut large: Large,
    at: Moment,
    payload: Option<i64>,
) -> Result<(), StoreError> {
    let done = sqlx::query(INSERT)
        .bind(job.id.as_str())
        .bind(job.recipe.as_str())
        .bind(job.started_by.as_str())
        .bind(i64::from(job.needs_started_recipe))
        .bind(at.0)
        .bind(event)
        .bind(pack(&job.input, &mut large)?)
        .bind(payload)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    large.store(connection, done.last_insert_rowid()).await
}
