//! What keeps jobs from going on.
//!
//! In: jobs that have not ended. Out: whom each waits for, where it stands in line, whether its recipe
//! must be started first, and which step it tries again.
//! Always true: nothing but what a list of jobs may show.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use super::super::Sqlite;
use super::super::error::{corrupt, store_error};
use super::super::pack::unpack_small;
use super::record::{job_id, recipe_name};
use crate::data::Value;
use crate::journal::EntryKey;
use crate::names::{JobId, RecipeName};
use crate::store::StoreError;

/// What keeps a job from going on, as far as the store knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether it is held back until its recipe is started.
    pub needs_started_recipe: bool,
    /// Whether the version that it runs is settled.
    pub is_pinned: bool,
    /// Whether somebody cancelled it: it finishes what is under way and cleans up.
    pub is_cancelling: bool,
    /// The jobs whose ends it waits for, oldest first.
    pub awaited: Vec<JobId>,
    /// The recipes at whose concurrency key or slot it stands in line.
    pub in_line_at: Vec<RecipeName>,
    /// The failed try of a step that it waits to try again.
    pub tried: Option<Tried>,
}

/// A try of a step that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Its place.
    pub place: EntryKey,
    /// The code of its failure.
    pub code: String,
}

impl Sqlite {
    /// What keeps each of these jobs from going on.
    pub async fn standing(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Standing>, StoreError> {
        if jobs.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ids = serde_json::to_string(jobs).map_err(|e| corrupt("job ids", &e))?;
        self.with_reader(|connection| Box::pin(standing(connection, ids)))
            .await
    }
}

async fn standing(
    connection: &mut SqliteConnection,
    ids: String,
) -> Result<BTreeMap<JobId, Standing>, StoreError> {
    let rows: Vec<(String, bool, bool, bool)> = sqlx::query_as(
        "SELECT id, needs_start, pin IS NOT NULL, EXISTS (SELECT 1 FROM audit
            WHERE subject = 'job:' || job.id AND action = 'cancelled') FROM job
         WHERE id IN (SELECT value FROM json_each($1))",
    )
    .bind(&ids)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let mut found = BTreeMap::new();
    for (id, needs_started_recipe, is_pinned, is_cancelling) in rows {
        let standing = Standing {
            needs_started_recipe,
            is_pinned,
            is_cancelling,
            ..Standing::default()
        };
        found.insert(job_id(&id)?, standing);
    }
    let awaited: Vec<(String, String)> = sqlx::query_as(
        "SELECT DISTINCT job.id, awaited.id FROM job
         JOIN job_await ON job_await.waiting = job.number
         JOIN job AS awaited ON awaited.number = job_await.awaited
         WHERE job.id IN (SELECT value FROM json_each($1)) ORDER BY awaited.number",
    )
    .bind(&ids)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    for (id, awaited) in awaited {
        if let Some(standing) = found.get_mut(&job_id(&id)?) {
            standing.awaited.push(job_id(&awaited)?);
        }
    }
    let lines: Vec<(String, String)> = sqlx::query_as(
        "SELECT DISTINCT job.id, hold.recipe FROM job
         JOIN hold ON hold.job = job.number AND hold.is_granted = 0
         WHERE job.id IN (SELECT value FROM json_each($1)) ORDER BY hold.number",
    )
    .bind(&ids)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    for (id, recipe) in lines {
        if let Some(standing) = found.get_mut(&job_id(&id)?) {
            standing.in_line_at.push(recipe_name(&recipe)?);
        }
    }
    for (id, tried) in tried(connection, &ids).await? {
        if let Some(standing) = found.get_mut(&id) {
            standing.tried = Some(tried);
        }
    }
    Ok(found)
}

/// Which failed try each of these jobs waits to repeat, as far as its last commit tells.
async fn tried(
    connection: &mut SqliteConnection,
    ids: &str,
) -> Result<Vec<(JobId, Tried)>, StoreError> {
    let rows: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT job.id, job.due, entry.body FROM job JOIN entry ON entry.job = job.number
         AND entry.chunk = (SELECT max(chunk) FROM entry AS last WHERE last.job = job.number)
         WHERE job.id IN (SELECT value FROM json_each($1)) AND job.status = 'waiting'
         AND job.due IS NOT NULL",
    )
    .bind(ids)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    let mut found = Vec::new();
    for (id, due, body) in rows {
        let entries = unpack_small(&body)?;
        let mut entries = entries.as_array().into_iter().flatten();
        let Some(failed) = entries.find(|entry| entry["next_try_at"] == due) else {
            continue;
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let tried = Tried {
            place: EntryKey(text(&failed["key"]).into()),
            code: text(&failed["failure"]["code"]),
        };
        found.push((job_id(&id)?, tried));
    }
    Ok(found)
}
