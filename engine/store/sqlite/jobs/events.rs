//! Webhook deliveries as they were stored: looking at them, and making jobs of them once more.
//!
//! In: filters, numbers. Out: events, and the jobs that were made of each.
//! Always true: an event has the number of the first job that was made of it, and the jobs made
//! together are numbered in a row; a list reads no body.

use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::super::Sqlite;
use super::super::error::store_error;
use super::super::recipes::note;
use super::super::veil::opened_payload;
use super::list::{NEIGHBOURS, number_at, read_payload};
use super::record::job_id;
use crate::clock::Moment;
use crate::names::{JobId, RecipeName};
use crate::store::{AuditEntry, Haste, Payload, StoreError};

/// A delivery that came while its recipe was stopped, and was accepted and forgotten as it says.
pub const UNKEPT_DROPPED: &str = "dropped";
/// A delivery that came while its recipe was stopped, and was refused as it says.
pub const UNKEPT_REJECTED: &str = "rejected";
/// A delivery with events that were known already.
pub const UNKEPT_REPEATED: &str = "repeated";

/// A stored event as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number.
    pub number: i64,
    /// The recipe it came for.
    pub recipe: RecipeName,
    /// When it came.
    pub at: Moment,
    /// How long its body is.
    pub bytes: u64,
    /// How many jobs were made of it that still have their history, replays among them.
    pub jobs: u64,
}

/// A stored event with all that is kept of it.
#[derive(Clone, Debug)]
pub struct EventDetail {
    /// What is listed.
    pub event: StoredEvent,
    /// What came.
    pub payload: Payload,
    /// The jobs made of it when it came that still have their history.
    pub jobs: Vec<JobId>,
    /// What people had made of it later, oldest first.
    pub replays: Vec<EventReplayed>,
}

/// That a person had jobs made of a stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventReplayed {
    /// When.
    pub at: Moment,
    /// Who.
    pub by: String,
    /// The jobs that still have their history.
    pub jobs: Vec<JobId>,
}

/// A wish to make jobs of a stored event once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The event.
    pub event: i64,
    /// Who wishes it.
    pub by: String,
}

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only those for this recipe.
    pub recipe: Option<RecipeName>,
    /// Only those that came at or after.
    pub from: Option<Moment>,
    /// Only those that came before.
    pub to: Option<Moment>,
    /// Only older than this event (the last of the page before).
    pub before: Option<i64>,
    /// How many at most.
    pub limit: usize,
}

/// How many deliveries left nothing, or less than they held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unkept {
    /// The recipe they came for.
    pub recipe: RecipeName,
    /// What became of them: [`UNKEPT_DROPPED`], [`UNKEPT_REJECTED`] or [`UNKEPT_REPEATED`].
    pub fate: String,
    /// How many.
    pub count: u64,
    /// When the last came.
    pub last_at: Moment,
}

impl Sqlite {
    /// A page of stored events, newest first, without their bodies.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        let filter = filter.clone();
        self.with_reader(|connection| Box::pin(page(connection, filter)))
            .await
    }

    /// One stored event.
    pub async fn event(&self, number: i64) -> Result<EventDetail, StoreError> {
        let mut detail = self
            .with_reader(move |connection| Box::pin(detail(connection, number)))
            .await?;
        detail.payload = opened_payload(&self.sealer, detail.payload);
        Ok(detail)
    }

    /// The stored event that a job was made of, if it was made of one.
    pub async fn event_of(&self, job: &JobId) -> Result<Option<i64>, StoreError> {
        let job = job.clone();
        self.with_reader(|connection| {
            Box::pin(async move {
                let event: Option<Option<i64>> = sqlx::query_scalar(
                    "SELECT payload FROM job JOIN job_input ON job_input.job = job.number
                     WHERE id = $1",
                )
                .bind(job.as_str())
                .fetch_optional(connection)
                .await
                .map_err(store_error)?;
                Ok(event.flatten())
            })
        })
        .await
    }

    /// Counts a delivery of which nothing is kept.
    pub async fn count_unkept(
        &self,
        recipe: &RecipeName,
        fate: &'static str,
        at: Moment,
    ) -> Result<(), StoreError> {
        let recipe = recipe.clone();
        self.writer
            .perform(Haste::Soon, move |connection| {
                Box::pin(async move { count(connection, &recipe, fate, at).await })
            })
            .await
    }

    /// How many deliveries left nothing, by recipe and fate.
    pub async fn unkept(&self) -> Result<Vec<Unkept>, StoreError> {
        self.with_reader(|connection| Box::pin(unkept(connection)))
            .await
    }
}

/// Counts a delivery of which nothing, or not all, is kept.
pub(super) async fn count(
    connection: &mut SqliteConnection,
    recipe: &RecipeName,
    fate: &str,
    at: Moment,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO unkept_delivery (recipe, fate, count, last_at) VALUES ($1, $2, 1, $3)
         ON CONFLICT (recipe, fate) DO UPDATE
         SET count = count + 1, last_at = excluded.last_at",
    )
    .bind(recipe.as_str())
    .bind(fate)
    .bind(at.0)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// Notes that the next so many jobs are made of a stored event, and who wished it; refused if it is
/// gone.
pub(super) async fn note_replay(
    connection: &mut SqliteConnection,
    replay: &Replay,
    jobs: usize,
    at: Moment,
) -> Result<(), StoreError> {
    let jobs = i64::try_from(jobs).unwrap_or(i64::MAX);
    let done = sqlx::query("UPDATE payload SET jobs = jobs + $2 WHERE number = $1")
        .bind(replay.event)
        .bind(jobs)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound(format!("event {}", replay.event)));
    }
    sqlx::query(
        "INSERT INTO event_replay (event, first_job, made, at, by)
         VALUES ($1, (SELECT COALESCE(MAX(number), 0) + 1 FROM job), $2, $3, $4)",
    )
    .bind(replay.event)
    .bind(jobs)
    .bind(at.0)
    .bind(&replay.by)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    let entry = AuditEntry {
        at,
        by: replay.by.clone(),
        action: "event_replayed".to_owned(),
        subject: format!("event:{}", replay.event),
        detail: json!({ "jobs": jobs }),
    };
    note(connection, &entry).await
}

/// What a listed event is made of, for a `payload` in the query.
const LISTED: &str =
    "payload.number, payload.recipe, payload.at, LENGTH(payload.body), payload.jobs";

fn listed(row: &SqliteRow, first: usize) -> Result<StoredEvent, StoreError> {
    let count = |index: usize| -> Result<u64, StoreError> {
        let count: i64 = row.try_get(first + index).map_err(store_error)?;
        Ok(u64::try_from(count).unwrap_or(0))
    };
    let recipe: &str = row.try_get(first + 1).map_err(store_error)?;
    Ok(StoredEvent {
        number: row.try_get(first).map_err(store_error)?,
        recipe: RecipeName::new(recipe).map_err(StoreError::Corrupt)?,
        at: Moment(row.try_get(first + 2).map_err(store_error)?),
        bytes: count(3)?,
        jobs: count(4)?,
    })
}

async fn page(
    connection: &mut SqliteConnection,
    filter: EventFilter,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut first = i64::MIN;
    let mut end = filter.before.unwrap_or(i64::MAX);
    if let Some(from) = filter.from {
        // Of nothing since then, there is nothing to list either.
        let number = number_at(connection, from.0).await?;
        first = number.map_or(i64::MAX, |number| number.saturating_sub(NEIGHBOURS));
    }
    if let Some(to) = filter.to
        && let Some(number) = number_at(connection, to.0).await?
    {
        end = end.min(number.saturating_add(NEIGHBOURS));
    }
    // Of one recipe: the jobs of that recipe are walked, for whose numbers there is an index.
    let source = match &filter.recipe {
        None => "FROM payload WHERE $6 IS NULL AND payload.number >= $1 AND payload.number < $2",
        Some(_) => {
            "FROM job CROSS JOIN payload ON payload.number = job.number
             WHERE job.recipe = $6 AND job.number >= $1 AND job.number < $2"
        }
    };
    let order = match &filter.recipe {
        None => "payload.number",
        Some(_) => "job.number",
    };
    let sql = format!(
        "SELECT {LISTED} {source} AND payload.at >= $3 AND payload.at < $4
         ORDER BY {order} DESC LIMIT $5"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(first)
        .bind(end)
        .bind(filter.from.map_or(i64::MIN, |moment| moment.0))
        .bind(filter.to.map_or(i64::MAX, |moment| moment.0))
        .bind(i64::try_from(filter.limit).unwrap_or(i64::MAX))
        .bind(filter.recipe.as_ref().map(|recipe| recipe.as_str()))
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    rows.iter().map(|row| listed(row, 0)).collect()
}

async fn detail(connection: &mut SqliteConnection, number: i64) -> Result<EventDetail, StoreError> {
    let sql = format!("SELECT headers, query, body, made, {LISTED} FROM payload WHERE number = $1");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(number)
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?
        .ok_or_else(|| StoreError::NotFound(format!("event {number}")))?;
    let made: i64 = row.try_get(3).map_err(store_error)?;
    let replayed: Vec<(i64, i64, i64, String)> = sqlx::query_as(
        "SELECT first_job, made, at, by FROM event_replay WHERE event = $1 ORDER BY first_job",
    )
    .bind(number)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let mut replays = Vec::with_capacity(replayed.len());
    for (first, made, at, by) in replayed {
        replays.push(EventReplayed {
            at: Moment(at),
            by,
            jobs: jobs(connection, number, first, made).await?,
        });
    }
    Ok(EventDetail {
        event: listed(&row, 4)?,
        payload: read_payload(&row)?,
        jobs: jobs(connection, number, number, made).await?,
        replays,
    })
}

/// The jobs of an event among these numbers.
async fn jobs(
    connection: &mut SqliteConnection,
    event: i64,
    first: i64,
    made: i64,
) -> Result<Vec<JobId>, StoreError> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT job.id FROM job_input CROSS JOIN job ON job.number = job_input.job
         WHERE job_input.job >= $2 AND job_input.job < $2 + $3 AND job_input.payload = $1
         ORDER BY job_input.job",
    )
    .bind(event)
    .bind(first)
    .bind(made)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    ids.iter().map(|id| job_id(id)).collect()
}

async fn unkept(connection: &mut SqliteConnection) -> Result<Vec<Unkept>, StoreError> {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT recipe, fate, count, last_at FROM unkept_delivery ORDER BY recipe, fate",
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    rows.into_iter()
        .map(|(recipe, fate, count, last_at)| {
            Ok(Unkept {
                recipe: RecipeName::new(&recipe).map_err(StoreError::Corrupt)?,
                fate,
                count: u64::try_from(count).unwrap_or(0),
                last_at: Moment(last_at),
            })
        })
        .collect()
}
