//! From an instant to its row and its job.
//!
//! Always true: the check and the writing are one transaction, so that two servers that look at the
//! same instant make one job.

use serde_json::json;
use sqlx::SqliteConnection;

use super::super::super::error::store_error;
use super::super::enqueue;
use super::{Fire, FireOutcome, PassedOver};
use crate::clock::Moment;
use crate::compile::IfStillRunning;
use crate::names::{JobId, RecipeName};
use crate::store::{NewJob, StoreError};

/// The most fires of a recipe that wait for their turn.
const WAITING_MAX: i64 = 1_000;

/// What came of an instant that was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fired {
    /// It has this job.
    Made(JobId),
    /// It waits, or was passed over, with this reason.
    Put(FireOutcome),
    /// It had been taken up before.
    TakenUp,
    /// The recipe is stopped: nothing was written.
    Stopped,
}

/// Takes an instant up.
pub(super) async fn take_up(
    connection: &mut SqliteConnection,
    fire: Fire,
) -> Result<Fired, StoreError> {
    if !is_started(connection, &fire.recipe).await? {
        return Ok(Fired::Stopped);
    }
    if is_taken_up(connection, &fire.recipe, fire.instant, fire.at).await? {
        return Ok(Fired::TakenUp);
    }
    let (open, waiting) = before_it(connection, &fire.recipe).await?;
    let outcome = match fire.if_still_running {
        _ if !open && waiting == 0 => FireOutcome::Fired,
        IfStillRunning::Allow => FireOutcome::Fired,
        IfStillRunning::Skip => FireOutcome::StillRunning,
        IfStillRunning::Queue if waiting < WAITING_MAX => FireOutcome::Waiting,
        IfStillRunning::Queue => FireOutcome::TooManyWaiting,
    };
    let outcome = match outcome {
        FireOutcome::Fired if fire.is_made_up => FireOutcome::MadeUp,
        outcome => outcome,
    };
    sqlx::query(
        "INSERT OR REPLACE INTO fire (recipe, instant, outcome, taken_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(fire.recipe.as_str())
    .bind(fire.instant.0)
    .bind(outcome.as_str())
    .bind(fire.at.0)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    match outcome {
        FireOutcome::Fired | FireOutcome::MadeUp => {
            let job = make_job(connection, &fire.recipe, fire.instant, fire.at).await?;
            Ok(Fired::Made(job))
        }
        outcome => Ok(Fired::Put(outcome)),
    }
}

/// Makes the job of the fire that waited longest, if its turn has come.
pub(super) async fn let_waiting(
    connection: &mut SqliteConnection,
    recipe: RecipeName,
    at: Moment,
) -> Result<Option<JobId>, StoreError> {
    let (open, waiting) = before_it(connection, &recipe).await?;
    if open || waiting == 0 || !is_started(connection, &recipe).await? {
        return Ok(None);
    }
    let instant: Option<i64> = sqlx::query_scalar(
        "UPDATE fire SET outcome = 'fired' WHERE recipe = $1 AND instant = (
            SELECT MIN(instant) FROM fire WHERE recipe = $1 AND outcome = 'waiting')
         RETURNING instant",
    )
    .bind(recipe.as_str())
    .fetch_optional(&mut *connection)
    .await
    .map_err(store_error)?;
    match instant {
        Some(instant) => make_job(connection, &recipe, Moment(instant), at)
            .await
            .map(Some),
        None => Ok(None),
    }
}

/// Writes down that instants were missed.
pub(super) async fn pass_over(
    connection: &mut SqliteConnection,
    passed: PassedOver,
) -> Result<bool, StoreError> {
    if !is_started(connection, &passed.recipe).await?
        || is_taken_up(connection, &passed.recipe, passed.last, passed.at).await?
    {
        return Ok(false);
    }
    sqlx::query(
        "INSERT OR REPLACE INTO fire (recipe, instant, first, times, outcome, taken_at)
         VALUES ($1, $2, $3, $4, 'missed', $5)",
    )
    .bind(passed.recipe.as_str())
    .bind(passed.last.0)
    .bind((passed.times > 1).then_some(passed.first.0))
    .bind(i64::try_from(passed.times).unwrap_or(i64::MAX))
    .bind(passed.at.0)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(true)
}

async fn is_started(
    connection: &mut SqliteConnection,
    recipe: &RecipeName,
) -> Result<bool, StoreError> {
    let is_started: Option<i64> =
        sqlx::query_scalar("SELECT is_started FROM recipe_state WHERE name = $1")
            .bind(recipe.as_str())
            .fetch_optional(connection)
            .await
            .map_err(store_error)?;
    Ok(is_started == Some(1))
}

/// Whether a row stands for the instant. One without a job that a clock ahead of time wrote does
/// not count: its instant had not come.
async fn is_taken_up(
    connection: &mut SqliteConnection,
    recipe: &RecipeName,
    instant: Moment,
    now: Moment,
) -> Result<bool, StoreError> {
    let row: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM fire WHERE recipe = $1 AND instant >= $2
            AND COALESCE(first, instant) <= $2
            AND (job IS NOT NULL OR taken_at <= $3) LIMIT 1",
    )
    .bind(recipe.as_str())
    .bind(instant.0)
    .bind(now.0)
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    Ok(row.is_some())
}

/// Whether a fire's job has not ended, and how many fires wait.
async fn before_it(
    connection: &mut SqliteConnection,
    recipe: &RecipeName,
) -> Result<(bool, i64), StoreError> {
    sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM fire JOIN job ON job.number = fire.job
                WHERE fire.recipe = $1 AND fire.is_open = 1 AND job.ended_at IS NULL),
            (SELECT COUNT(*) FROM fire WHERE recipe = $1 AND outcome = 'waiting')",
    )
    .bind(recipe.as_str())
    .fetch_one(connection)
    .await
    .map_err(store_error)
}

/// Queues the job of a fire; it covers the time since the last good one.
async fn make_job(
    connection: &mut SqliteConnection,
    recipe: &RecipeName,
    instant: Moment,
    at: Moment,
) -> Result<JobId, StoreError> {
    let good: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(instant) FROM fire WHERE recipe = $1 AND is_good = 1 AND instant < $2",
    )
    .bind(recipe.as_str())
    .bind(instant.0)
    .fetch_one(&mut *connection)
    .await
    .map_err(store_error)?;
    let mut covers = json!({ "to": instant.to_string() });
    if let Some(good) = good {
        covers["from"] = Moment(good).to_string().into();
    }
    let job = NewJob {
        id: JobId::fresh(),
        recipe: recipe.clone(),
        event: json!({ "scheduled_at": instant.to_string(), "covers": covers }),
        input: json!({}),
        started_by: "schedule".to_owned(),
        needs_started_recipe: true,
        dedupe: None,
    };
    enqueue::queue(connection, &job, at).await?;
    sqlx::query(
        "UPDATE fire SET is_open = 1, job = (SELECT number FROM job WHERE id = $3)
         WHERE recipe = $1 AND instant = $2",
    )
    .bind(recipe.as_str())
    .bind(instant.0)
    .bind(job.id.as_str())
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(job.id)
}
