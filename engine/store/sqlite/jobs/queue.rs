//! How long the line is.
//!
//! Always true: only jobs that have not begun are looked at, in an index of them.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;

use super::super::Sqlite;
use super::super::error::store_error;
use crate::names::RecipeName;
use crate::store::StoreError;

/// The jobs in line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// How many wait for a worker.
    pub waiting: u64,
    /// How many wait until their recipe is started, by recipe.
    pub held_back: BTreeMap<RecipeName, u64>,
    /// The recipes that are started.
    pub started: BTreeSet<RecipeName>,
}

impl Sqlite {
    /// How many jobs are queued: those that wait for their recipe to be started among them.
    pub async fn queue_length(&self) -> Result<u64, StoreError> {
        self.with_reader(|connection| Box::pin(length(connection)))
            .await
    }

    /// How many jobs are in line, and which of them wait for their recipe to be started.
    pub async fn queue(&self) -> Result<Queue, StoreError> {
        self.with_reader(|connection| Box::pin(queue(connection)))
            .await
    }
}

async fn length(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM job WHERE ended_at IS NULL AND status = 'queued'")
            .fetch_one(connection)
            .await
            .map_err(store_error)?;
    Ok(count.unsigned_abs())
}

async fn queue(connection: &mut SqliteConnection) -> Result<Queue, StoreError> {
    let all = length(connection).await?;
    let started: Vec<String> =
        sqlx::query_scalar("SELECT name FROM recipe_state WHERE is_started = 1")
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
    let needing: Vec<(String, i64)> = sqlx::query_as(
        "SELECT recipe, COUNT(*) FROM job WHERE status = 'queued' AND needs_start = 1
         GROUP BY recipe",
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    let name = |text: &String| RecipeName::new(text).ok();
    let started: BTreeSet<RecipeName> = started.iter().filter_map(name).collect();
    let held_back: BTreeMap<RecipeName, u64> = needing
        .iter()
        .filter_map(|(recipe, count)| Some((name(recipe)?, count.unsigned_abs())))
        .filter(|(recipe, _)| !started.contains(recipe))
        .collect();
    let held: u64 = held_back.values().sum();
    Ok(Queue {
        waiting: all.saturating_sub(held),
        held_back,
        started,
    })
}
