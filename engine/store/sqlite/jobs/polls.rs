//! Where poll triggers stand, and what they found.
//!
//! In: the items of a whole poll, or its failure. Out: jobs and the new cursor.
//! Always true: jobs, keys and cursor are written together or not at all; of two polls that began
//! at the same place, the second to end writes nothing.

use serde::de::DeserializeOwned;
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::super::Sqlite;
use super::super::error::{corrupt, store_error};
use super::super::veil::{self, Veil};
use super::enqueue;
use crate::clock::Moment;
use crate::data::Value;
use crate::journal::Failure;
use crate::names::{JobId, RecipeName};
use crate::store::{NewJob, StoreError};

/// Where a recipe's poll trigger stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Poll {
    /// Grows with each poll that ended.
    pub version: i64,
    /// What the cursor is a cursor of.
    pub meaning: String,
    /// How far the last good poll got.
    pub cursor: Option<Value>,
    /// Why that cannot be read, if it cannot.
    pub damage: Option<String>,
    /// When the last poll ended.
    pub polled_at: Moment,
    /// When the last good one did.
    pub good_at: Option<Moment>,
    /// When it is asked again, out of turn.
    pub retry_at: Option<Moment>,
    /// How many polls in a row failed.
    pub failures: u32,
    /// Why the last one did, or why it has not been sent.
    pub failure: Option<Failure>,
    /// How many items the last good poll found.
    pub items: u64,
    /// How many jobs it made.
    pub jobs: u64,
}

/// A poll that ended.
#[derive(Clone, Debug)]
pub struct Polled {
    /// The recipe.
    pub recipe: RecipeName,
    /// The version at which it began; 0 before the first poll.
    pub version: i64,
    /// What the cursor is a cursor of.
    pub meaning: String,
    /// The present moment.
    pub at: Moment,
    /// What it found.
    pub found: PollEnd,
}

/// How a poll ended.
#[derive(Clone, Debug)]
pub enum PollEnd {
    /// All pages came.
    Good {
        /// How far it got.
        cursor: Option<Value>,
        /// What is new by the cursor, in order.
        items: Vec<PolledItem>,
        /// How many items it saw.
        seen: u64,
        /// Whether one job takes all of them.
        is_batch: bool,
    },
    /// It failed, or was not sent.
    Bad {
        /// Why.
        failure: Failure,
        /// How many polls in a row have failed now.
        failures: u32,
        /// When it is asked again.
        retry_at: Moment,
    },
}

/// An item that a poll found.
#[derive(Clone, Debug)]
pub struct PolledItem {
    /// The item.
    pub item: Value,
    /// A key under which it is known until the given moment.
    pub dedupe: Option<(String, Moment)>,
}

/// What became of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollKept {
    /// It counts, and made these jobs.
    Kept(Vec<JobId>),
    /// Another poll ended first, or the recipe is stopped: nothing was written.
    Overtaken,
}

impl Sqlite {
    /// Where a recipe's poll trigger stands; `None` before its first poll.
    pub async fn poll(&self, recipe: &RecipeName) -> Result<Option<Poll>, StoreError> {
        let recipe = recipe.clone();
        let found = self
            .with_reader(|connection| Box::pin(poll(connection, recipe)))
            .await?;
        Ok(found.map(|found| Poll {
            cursor: found
                .cursor
                .map(|cursor| veil::opened(&self.sealer, cursor)),
            ..found
        }))
    }

    /// Writes down how a poll ended: jobs, keys and cursor in one commit.
    pub async fn end_poll(&self, mut polled: Polled) -> Result<PollKept, StoreError> {
        let veil = Veil::of(&self.sealer);
        if let PollEnd::Good { cursor, items, .. } = &mut polled.found {
            *cursor = cursor.take().map(|cursor| veil.value(cursor)).transpose()?;
            for found in items {
                found.item = veil.value(std::mem::take(&mut found.item))?;
                found.dedupe = found
                    .dedupe
                    .take()
                    .map(|(key, until)| (veil.name(key), until));
            }
        }
        self.with_writer(|connection| Box::pin(end_poll(connection, polled)))
            .await
    }
}

async fn poll(
    connection: &mut SqliteConnection,
    recipe: RecipeName,
) -> Result<Option<Poll>, StoreError> {
    let row = sqlx::query(
        "SELECT version, meaning, cursor, polled_at, good_at, retry_at, failures, failure, items,
            jobs FROM poll WHERE recipe = $1",
    )
    .bind(recipe.as_str())
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    let Some(row) = row else { return Ok(None) };
    let (cursor, damage) = match json_at(&row, 2) {
        Ok(cursor) => (cursor, None),
        Err(why) => (None, Some(why)),
    };
    let failure = match json_at(&row, 7) {
        Ok(failure) => failure,
        Err(why) => Some(Failure::new("unreadable", why)),
    };
    let moment = |index: usize| -> Result<Option<Moment>, StoreError> {
        let micros: Option<i64> = row.try_get(index).map_err(store_error)?;
        Ok(micros.map(Moment))
    };
    let count = |index: usize| -> Result<u64, StoreError> {
        let count: i64 = row.try_get(index).map_err(store_error)?;
        Ok(count.unsigned_abs())
    };
    Ok(Some(Poll {
        version: row.try_get(0).map_err(store_error)?,
        meaning: row.try_get(1).map_err(store_error)?,
        cursor,
        damage,
        polled_at: moment(3)?.unwrap_or_default(),
        good_at: moment(4)?,
        retry_at: moment(5)?,
        failures: u32::try_from(count(6)?).unwrap_or(u32::MAX),
        failure,
        items: count(8)?,
        jobs: count(9)?,
    }))
}

/// What stands in a column as JSON, or why it cannot be read.
fn json_at<T: DeserializeOwned>(row: &SqliteRow, index: usize) -> Result<Option<T>, String> {
    let text: Option<String> = row.try_get(index).map_err(|why| why.to_string())?;
    let read = text.map(|text| serde_json::from_str(&text)).transpose();
    read.map_err(|why| why.to_string())
}

async fn end_poll(
    connection: &mut SqliteConnection,
    polled: Polled,
) -> Result<PollKept, StoreError> {
    if !step_on(connection, &polled).await? {
        return Ok(PollKept::Overtaken);
    }
    let Polled {
        recipe,
        meaning,
        at,
        found,
        ..
    } = polled;
    match found {
        PollEnd::Bad {
            failure,
            failures,
            retry_at,
        } => {
            let failure = serde_json::to_string(&failure).map_err(|e| corrupt("a failure", &e))?;
            sqlx::query(
                "UPDATE poll SET failures = $2, failure = $3, retry_at = $4 WHERE recipe = $1",
            )
            .bind(recipe.as_str())
            .bind(i64::from(failures))
            .bind(failure)
            .bind(retry_at.0)
            .execute(connection)
            .await
            .map_err(store_error)?;
            Ok(PollKept::Kept(Vec::new()))
        }
        PollEnd::Good {
            cursor,
            items,
            seen,
            is_batch,
        } => {
            let jobs = make_jobs(connection, &recipe, items, is_batch, at).await?;
            sqlx::query(
                "UPDATE poll SET cursor = $2, good_at = $3, items = $4, jobs = $5, failures = 0,
                    failure = NULL, retry_at = NULL, meaning = $6 WHERE recipe = $1",
            )
            .bind(recipe.as_str())
            .bind(cursor.map(|cursor| cursor.to_string()))
            .bind(at.0)
            .bind(i64::try_from(seen).unwrap_or(i64::MAX))
            .bind(i64::try_from(jobs.len()).unwrap_or(i64::MAX))
            .bind(meaning)
            .execute(connection)
            .await
            .map_err(store_error)?;
            Ok(PollKept::Kept(jobs))
        }
    }
}

/// Makes the poll the latest one; false if another ended since it began, or the recipe is stopped.
async fn step_on(connection: &mut SqliteConnection, polled: &Polled) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO poll (recipe, version, meaning, polled_at, failures, items, jobs)
         SELECT $1, 1, $2, $3, 0, 0, 0 WHERE $4 IN (
                SELECT COALESCE(MAX(version), 0) FROM poll WHERE recipe = $1)
            AND EXISTS (SELECT 1 FROM recipe_state WHERE name = $1 AND is_started = 1)
         ON CONFLICT (recipe) DO UPDATE SET version = version + 1,
            polled_at = excluded.polled_at",
    )
    .bind(polled.recipe.as_str())
    .bind(&polled.meaning)
    .bind(polled.at.0)
    .bind(polled.version)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(done.rows_affected() > 0)
}

/// Queues the jobs of the items that are not known by their keys.
async fn make_jobs(
    connection: &mut SqliteConnection,
    recipe: &RecipeName,
    items: Vec<PolledItem>,
    is_batch: bool,
    at: Moment,
) -> Result<Vec<JobId>, StoreError> {
    let mut new = Vec::with_capacity(items.len());
    for PolledItem { item, dedupe } in items {
        let is_new = match &dedupe {
            Some(dedupe) => enqueue::is_unknown_key(connection, recipe, dedupe, at).await?,
            None => true,
        };
        if is_new {
            new.push(item);
        }
    }
    let events: Vec<Value> = match is_batch {
        true if new.is_empty() => Vec::new(),
        true => vec![json!({ "item": new, "index": 0 })],
        false => (0..)
            .zip(new)
            .map(|(index, item): (u64, Value)| json!({ "item": item, "index": index }))
            .collect(),
    };
    let mut jobs = Vec::with_capacity(events.len());
    for event in events {
        let job = NewJob {
            id: JobId::fresh(),
            recipe: recipe.clone(),
            event,
            input: json!({}),
            started_by: "poll".to_owned(),
            needs_started_recipe: true,
            dedupe: None,
        };
        enqueue::queue(connection, &job, at).await?;
        jobs.push(job.id);
    }
    Ok(jobs)
}
