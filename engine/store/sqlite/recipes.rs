//! Which recipes are started, the sources that jobs pin, and what people changed.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::Sqlite;
use super::error::{corrupt, store_error};
use super::pack::{compress, decompress};
use crate::clock::Moment;
use crate::data::Value;
use crate::names::RecipeName;
use crate::store::StoreError;

/// Whether a recipe is started, and who said so last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeState {
    /// Whether its trigger makes jobs.
    pub is_started: bool,
    /// Who started or stopped it.
    pub changed_by: String,
    /// When.
    pub changed_at: Moment,
}

/// A version of a recipe that unfinished jobs began with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedVersion {
    /// The hash under which its sources are kept.
    pub program: String,
    /// The recipe.
    pub recipe: RecipeName,
    /// How many jobs.
    pub jobs: u64,
}

/// One change by a person.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: Moment,
    /// Who.
    pub by: String,
    /// What was done: `started`, `stopped`, `row_put`, `rows_imported`...
    pub action: String,
    /// To what: `recipe:<name>`, `table:<name>`, `job:<id>`...
    pub subject: String,
    /// What else is to be known; never a secret.
    pub detail: Value,
}

impl Sqlite {
    /// Lets a recipe's trigger make jobs, and lets its waiting jobs go on. One that is started stays
    /// so since when it was.
    pub async fn start(&self, name: &RecipeName, by: &str, at: Moment) -> Result<(), StoreError> {
        self.change_state(name, by, at, State::Started).await
    }

    /// Keeps a recipe's trigger from making jobs; queued ones stay until it is started again.
    pub async fn stop(&self, name: &RecipeName, by: &str, at: Moment) -> Result<(), StoreError> {
        self.change_state(name, by, at, State::Stopped).await
    }

    /// The states of all recipes that were ever started.
    pub async fn states(&self) -> Result<BTreeMap<RecipeName, RecipeState>, StoreError> {
        self.with_reader(|connection| Box::pin(states(connection)))
            .await
    }

    /// Keeps the sources of a program under its hash; what is there stays.
    pub async fn save_program(
        &self,
        hash: &str,
        sources: &BTreeMap<String, String>,
    ) -> Result<(), StoreError> {
        let hash = hash.to_owned();
        let json = serde_json::to_vec(sources).map_err(|e| corrupt("a program", &e))?;
        let body = compress(&json)?;
        self.with_writer(|connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO program (hash, sources) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                )
                .bind(hash)
                .bind(body)
                .execute(connection)
                .await
                .map_err(store_error)?;
                Ok(())
            })
        })
        .await
    }

    /// The sources kept under a hash, by name; `None` if there are none.
    pub async fn program(
        &self,
        hash: &str,
    ) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        let hash = hash.to_owned();
        let body = self
            .with_reader(|connection| {
                Box::pin(async move {
                    sqlx::query_scalar::<_, Vec<u8>>("SELECT sources FROM program WHERE hash = $1")
                        .bind(hash)
                        .fetch_optional(connection)
                        .await
                        .map_err(store_error)
                })
            })
            .await?;
        let Some(body) = body else {
            return Ok(None);
        };
        let sources = serde_json::from_slice(&decompress(&body)?);
        sources.map(Some).map_err(|e| corrupt("a program", &e))
    }

    /// The versions of recipes that unfinished jobs began with.
    pub async fn unfinished_versions(&self) -> Result<Vec<UnfinishedVersion>, StoreError> {
        self.with_reader(|connection| Box::pin(unfinished_versions(connection)))
            .await
    }

    /// Notes what a person changed.
    pub async fn note(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.with_writer(|connection| Box::pin(async move { note(connection, &entry).await }))
            .await
    }

    /// The latest changes by people, newest first; of one subject if it is named.
    pub async fn audit(
        &self,
        subject: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let subject = subject.map(str::to_owned);
        self.with_reader(move |connection| Box::pin(audit(connection, subject, limit)))
            .await
    }

    async fn change_state(
        &self,
        name: &RecipeName,
        by: &str,
        at: Moment,
        state: State,
    ) -> Result<(), StoreError> {
        let name = name.clone();
        let by = by.to_owned();
        self.with_writer(move |connection| Box::pin(change(connection, name, by, at, state)))
            .await
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Started,
    Stopped,
}

async fn change(
    connection: &mut SqliteConnection,
    name: RecipeName,
    by: String,
    at: Moment,
    state: State,
) -> Result<(), StoreError> {
    let is_started = state == State::Started;
    sqlx::query(
        "INSERT INTO recipe_state (name, is_started, changed_by, changed_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET is_started = excluded.is_started,
            changed_by = excluded.changed_by, changed_at = excluded.changed_at
            WHERE is_started <> excluded.is_started;
         UPDATE job SET due = CASE WHEN $2 = 1 THEN created_at WHEN has_news = 1 THEN due END
         WHERE recipe = $1 AND status = 'queued' AND needs_start = 1",
    )
    .bind(name.as_str())
    .bind(i64::from(is_started))
    .bind(&by)
    .bind(at.0)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    let entry = AuditEntry {
        at,
        by,
        action: if is_started { "started" } else { "stopped" }.to_owned(),
        subject: format!("recipe:{name}"),
        detail: Value::Null,
    };
    note(connection, &entry).await
}

async fn unfinished_versions(
    connection: &mut SqliteConnection,
) -> Result<Vec<UnfinishedVersion>, StoreError> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT pin.program, job.recipe, COUNT(*) FROM job JOIN pin ON pin.number = job.pin
         WHERE job.ended_at IS NULL GROUP BY pin.program, job.recipe
         ORDER BY job.recipe, pin.program",
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    rows.into_iter()
        .map(|(program, recipe, jobs)| {
            Ok(UnfinishedVersion {
                program,
                recipe: RecipeName::new(&recipe).map_err(StoreError::Corrupt)?,
                jobs: u64::try_from(jobs).unwrap_or(u64::MAX),
            })
        })
        .collect()
}

async fn states(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<RecipeName, RecipeState>, StoreError> {
    let rows = sqlx::query("SELECT name, is_started, changed_by, changed_at FROM recipe_state")
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let read = |row: &SqliteRow| -> Result<(RecipeName, RecipeState), StoreError> {
        let name: &str = row.try_get(0).map_err(store_error)?;
        let state = RecipeState {
            is_started: row.try_get::<i64, _>(1).map_err(store_error)? == 1,
            changed_by: row.try_get(2).map_err(store_error)?,
            changed_at: Moment(row.try_get(3).map_err(store_error)?),
        };
        Ok((RecipeName::new(name).map_err(StoreError::Corrupt)?, state))
    };
    let mut states = BTreeMap::new();
    for row in &rows {
        match read(row) {
            Ok((name, state)) => {
                states.insert(name, state);
            }
            // All other recipes go on.
            Err(why) => tracing::error!(%why, "whether a recipe is started cannot be read"),
        }
    }
    Ok(states)
}

/// Notes what a person changed, in the transaction that changes it.
pub(super) async fn note(
    connection: &mut SqliteConnection,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO audit (at, by, action, subject, detail) VALUES ($1, $2, $3, $4, $5)")
        .bind(entry.at.0)
        .bind(&entry.by)
        .bind(&entry.action)
        .bind(&entry.subject)
        .bind(entry.detail.to_string())
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn audit(
    connection: &mut SqliteConnection,
    subject: Option<String>,
    limit: usize,
) -> Result<Vec<AuditEntry>, StoreError> {
    let sql = match subject {
        None => "SELECT at, by, action, subject, detail FROM audit ORDER BY number DESC LIMIT $2",
        Some(_) => {
            "SELECT at, by, action, subject, detail FROM audit WHERE subject = $1
             ORDER BY number DESC LIMIT $2"
        }
    };
    let rows = sqlx::query(sql)
        .bind(subject)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    rows.iter()
        .map(|row| {
            let detail: &str = row.try_get(4).map_err(store_error)?;
            Ok(AuditEntry {
                at: Moment(row.try_get(0).map_err(store_error)?),
                by: row.try_get(1).map_err(store_error)?,
                action: row.try_get(2).map_err(store_error)?,
                subject: row.try_get(3).map_err(store_error)?,
                detail: serde_json::from_str(detail).map_err(|e| corrupt("an audit entry", &e))?,
            })
        })
        .collect()
}
