//! Reading the ledger of fires, and the rules by which they come.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::super::super::error::store_error;
use super::super::record;
use super::{FireOutcome, FireRow, Fires, RuleKept};
use crate::clock::Moment;
use crate::names::RecipeName;
use crate::store::StoreError;

/// Where a recipe's schedule stands.
pub(super) async fn fires(
    connection: &mut SqliteConnection,
    recipe: RecipeName,
    now: Moment,
) -> Result<Fires, StoreError> {
    let (last, last_good, has_waiting): (Option<i64>, Option<i64>, bool) = sqlx::query_as(
        "SELECT (SELECT MAX(instant) FROM fire WHERE recipe = $1 AND instant <= $2
                    AND (job IS NOT NULL OR taken_at <= $2)),
                (SELECT MAX(instant) FROM fire WHERE recipe = $1 AND is_good = 1),
                EXISTS (SELECT 1 FROM fire WHERE recipe = $1 AND outcome = 'waiting')",
    )
    .bind(recipe.as_str())
    .bind(now.0)
    .fetch_one(connection)
    .await
    .map_err(store_error)?;
    Ok(Fires {
        last: last.map(Moment),
        last_good: last_good.map(Moment),
        has_waiting,
    })
}

/// The latest rows, newest first.
pub(super) async fn rows(
    connection: &mut SqliteConnection,
    recipe: RecipeName,
    before: Option<Moment>,
    limit: usize,
) -> Result<Vec<FireRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT fire.instant, fire.first, fire.times, fire.outcome, fire.taken_at, job.id
         FROM fire LEFT JOIN job ON job.number = fire.job
         WHERE fire.recipe = $1 AND fire.instant < $2
         ORDER BY fire.instant DESC LIMIT $3",
    )
    .bind(recipe.as_str())
    .bind(before.map_or(i64::MAX, |moment| moment.0))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    rows.iter()
        .map(|row| {
            let word: &str = row.try_get(3).map_err(store_error)?;
            let outcome = FireOutcome::ALL
                .into_iter()
                .find(|outcome| outcome.as_str() == word)
                .ok_or_else(|| StoreError::Corrupt(format!("`{word}` is no end of a fire")))?;
            let job: Option<&str> = row.try_get(5).map_err(store_error)?;
            let times: i64 = row.try_get(2).map_err(store_error)?;
            Ok(FireRow {
                instant: Moment(row.try_get(0).map_err(store_error)?),
                first: row
                    .try_get::<Option<i64>, _>(1)
                    .map_err(store_error)?
                    .map(Moment),
                times: times.unsigned_abs(),
                outcome,
                taken_at: Moment(row.try_get(4).map_err(store_error)?),
                job: job.map(record::job_id).transpose()?,
            })
        })
        .collect()
}

/// The rules by which schedules fire, as far as they can be read.
pub(super) async fn rules(
    connection: &mut SqliteConnection,
) -> Result<Vec<(RecipeName, RuleKept)>, StoreError> {
    let rows = sqlx::query("SELECT recipe, rule, since FROM schedule_rule")
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let kept = |row: &SqliteRow| -> Result<(RecipeName, RuleKept), StoreError> {
        let recipe: &str = row.try_get(0).map_err(store_error)?;
        let recipe = RecipeName::new(recipe).map_err(StoreError::Corrupt)?;
        let rule = row.try_get(1).map_err(store_error)?;
        let since = Moment(row.try_get(2).map_err(store_error)?);
        Ok((recipe, RuleKept { rule, since }))
    };
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        match kept(row) {
            Ok(kept) => found.push(kept),
            // The rules of all others count; a recipe without one has its rule count from now on.
            Err(why) => tracing::error!(%why, "since when a schedule counts cannot be read"),
        }
    }
    Ok(found)
}

/// Says by which rule a recipe's schedule fires; one that is known already keeps its beginning, if
/// that can be read.
pub(super) async fn keep_rule(
    connection: &mut SqliteConnection,
    recipe: RecipeName,
    kept: RuleKept,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO schedule_rule (recipe, rule, since) VALUES ($1, $2, $3)
         ON CONFLICT (recipe) DO UPDATE SET rule = excluded.rule, since = excluded.since
         WHERE rule <> excluded.rule OR typeof(since) <> 'integer'",
    )
    .bind(recipe.as_str())
    .bind(kept.rule)
    .bind(kept.since.0)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}
