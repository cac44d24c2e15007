//! A long history made up, to measure and to test how it is removed.

use sqlx::SqliteConnection;

use super::Sqlite;
use super::error::store_error;
use crate::clock::Moment;
use crate::names::RecipeName;
use crate::store::StoreError;

/// How many jobs are written in one transaction.
const AT_ONCE: u64 = 5_000;

/// The jobs of one transaction, as a list of numbers.
macro_rules! numbers {
    () => {
        "WITH RECURSIVE made (n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM made WHERE n + 1 < $2) "
    };
}

/// Each as a webhook made it: delivery, job, event and a journal of two commits.
const FILL: [&str; 4] = [
    concat!(
        numbers!(),
        "INSERT INTO payload (number, recipe, at, headers, body, jobs)
         SELECT n, $3, $4, '{\"content-type\":\"application/json\"}',
            CAST(printf('{\"learner\":%d,\"name\":\"Learner %d\",\"note\":\"%0400d\"}', n, n, n)
                AS BLOB), 1 FROM made"
    ),
    concat!(
        numbers!(),
        "INSERT INTO job (number, id, recipe, status, started_by, needs_start, created_at, chunks,
            started_at, ended_at, output)
         SELECT n, printf('00000000-0000-7000-8000-%012x', n), $3, 'succeeded', 'webhook', 1, $4, 2,
            $4, $4, printf('{\"learner\":%d}', n) FROM made"
    ),
    concat!(
        numbers!(),
        "INSERT INTO job_input (job, event, input, payload)
         SELECT n, printf('{\"body\":{\"learner\":%d,\"name\":\"Learner %d\",\"note\":\"%0400d\"},'
            || '\"headers\":{},\"query\":{},\"index\":0}', n, n, n), '{}', n FROM made
         WHERE $3 <> '' AND $4 IS NOT NULL"
    ),
    concat!(
        numbers!(),
        "INSERT INTO entry (job, chunk, body)
         SELECT n, chunk.value, printf('[{\"key\":\"s%d\",\"at\":%d,\"kind\":\"step_succeeded\",'
            || '\"output\":{\"learner\":%d,\"text\":\"%0500d\"}}]', chunk.value, $4, n, n)
         FROM made, json_each('[1,2]') AS chunk WHERE $3 <> ''"
    ),
];

impl Sqlite {
    /// Writes so many jobs of a recipe that all ended well at a moment, of about 2.5 KB each.
    pub async fn fill_history(
        &self,
        recipe: &RecipeName,
        count: u64,
        ended_at: Moment,
    ) -> Result<(), StoreError> {
        let mut left = count;
        while left > 0 {
            let now = left.min(AT_ONCE);
            let recipe = recipe.clone();
            self.with_writer(move |connection| Box::pin(fill(connection, recipe, now, ended_at)))
                .await?;
            left -= now;
        }
        Ok(())
    }
}

async fn fill(
    connection: &mut SqliteConnection,
    recipe: RecipeName,
    count: u64,
    ended_at: Moment,
) -> Result<(), StoreError> {
    let first: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) + 1 FROM job")
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    let end = first.saturating_add(i64::try_from(count).unwrap_or(0));
    for sql in FILL {
        sqlx::query(sql)
            .bind(first)
            .bind(end)
            .bind(recipe.as_str())
            .bind(ended_at.0)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}
