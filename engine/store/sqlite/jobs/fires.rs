//! The fires of schedules.
//!
//! In: instants that a schedule's rule names. Out: at most one job for each, ever.
//! Always true: fire and job are written together; a fire is good once its job ended well.

use sqlx::SqliteConnection;

use super::super::error::store_error;
use super::enqueue;
use crate::clock::Moment;
use crate::data::Object;
use crate::names::RecipeName;
use crate::store::{Arrival, Enqueued, StoreError};

/// Where a recipe's schedule stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fires {
    /// The last instant that was taken up.
    pub last: Option<Moment>,
    /// The last instant whose job ended well, failed elements or not.
    pub last_good: Option<Moment>,
}

/// Queues the job of a fire, unless the instant was taken up before. Without jobs, the instant is
/// only passed over.
pub(super) async fn enqueue_fire(
    connection: &mut SqliteConnection,
    arrival: Arrival,
    instant: Moment,
) -> Result<Enqueued, StoreError> {
    let done = sqlx::query(
        "INSERT INTO fire (recipe, instant) VALUES ($1, $2) ON CONFLICT (recipe, instant) DO NOTHING",
    )
    .bind(arrival.recipe.as_str())
    .bind(instant.0)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    if done.rows_affected() == 0 {
        let is_new = vec![false; arrival.jobs.len()];
        return Ok(Enqueued { is_new });
    }
    let recipe = arrival.recipe.clone();
    let job = arrival.jobs.first().map(|job| job.id.clone());
    let enqueued = enqueue::enqueue(connection, arrival, Object::new(), None).await?;
    if let Some(job) = job {
        sqlx::query(
            "UPDATE fire SET job = (SELECT number FROM job WHERE id = $3)
             WHERE recipe = $1 AND instant = $2",
        )
        .bind(recipe.as_str())
        .bind(instant.0)
        .bind(job.as_str())
        .execute(connection)
        .await
        .map_err(store_error)?;
    }
    Ok(enqueued)
}

/// Says that the job of a fire ended well.
pub(super) async fn mark_good(
    connection: &mut SqliteConnection,
    job: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE fire SET is_good = 1 WHERE job = $1")
        .bind(job)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// Where a recipe's schedule stands.
pub(super) async fn fires(
    connection: &mut SqliteConnection,
    recipe: RecipeName,
) -> Result<Fires, StoreError> {
    let (last, last_good): (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT (SELECT MAX(instant) FROM fire WHERE recipe = $1),
                (SELECT MAX(instant) FROM fire WHERE recipe = $1 AND is_good = 1)",
    )
    .bind(recipe.as_str())
    .fetch_one(connection)
    .await
    .map_err(store_error)?;
    Ok(Fires {
        last: last.map(Moment),
        last_good: last_good.map(Moment),
    })
}

/// Forgets fires from before a moment; the last good one and all after it stay.
pub(in crate::store::sqlite) async fn forget(
    connection: &mut SqliteConnection,
    before: Moment,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM fire WHERE instant < $1 AND instant < (
            SELECT MAX(instant) FROM fire AS good
            WHERE good.recipe = fire.recipe AND good.is_good = 1)",
    )
    .bind(before.0)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}
