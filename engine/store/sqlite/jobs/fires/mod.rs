//! The fires of schedules.
//!
//! In: instants that a schedule's rule names. Out: at most one job for each, ever.
//! Always true: fire and job are written together; an instant that any row stands for is taken up;
//! what was passed over has a row with its reason; a fire is good once its job ended well.

mod ledger;
mod make;

pub use make::Fired;

use sqlx::SqliteConnection;

use super::super::Sqlite;
use super::super::error::store_error;
use crate::clock::Moment;
use crate::compile::IfStillRunning;
use crate::names::{JobId, RecipeName};
use crate::store::StoreError;

/// An instant of a schedule that is due.
#[derive(Clone, Debug)]
pub struct Fire {
    /// The recipe.
    pub recipe: RecipeName,
    /// The instant that the rule names.
    pub instant: Moment,
    /// The present moment.
    pub at: Moment,
    /// What happens if the job of an earlier fire has not ended.
    pub if_still_running: IfStillRunning,
    /// Whether it makes up for having been missed.
    pub is_made_up: bool,
}

/// Instants that nobody was there for, one or several in a row.
#[derive(Clone, Debug)]
pub struct PassedOver {
    /// The recipe.
    pub recipe: RecipeName,
    /// The first instant.
    pub first: Moment,
    /// The last instant.
    pub last: Moment,
    /// How many.
    pub times: u64,
    /// The present moment.
    pub at: Moment,
}

/// Where a recipe's schedule stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fires {
    /// The last instant up to now that was taken up.
    pub last: Option<Moment>,
    /// The last instant whose job ended well, failed elements or not.
    pub last_good: Option<Moment>,
    /// Whether fires wait for the job of an earlier one to end.
    pub has_waiting: bool,
}

/// What became of an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FireOutcome {
    /// It has a job, in time.
    Fired,
    /// It has a job, after having been missed.
    MadeUp,
    /// Its job is made once that of an earlier fire has ended.
    Waiting,
    /// Nobody was there.
    Missed,
    /// The job of an earlier fire had not ended.
    StillRunning,
    /// Too many fires waited already.
    TooManyWaiting,
}

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FireRow {
    /// The instant; of several, the last.
    pub instant: Moment,
    /// Of several, the first.
    pub first: Option<Moment>,
    /// How many it stands for.
    pub times: u64,
    /// What became of it.
    pub outcome: FireOutcome,
    /// When it was taken up.
    pub taken_at: Moment,
    /// Its job.
    pub job: Option<JobId>,
}

/// By which rule a schedule fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleKept {
    /// The rule, as it writes itself down; empty if the recipe was gone.
    pub rule: String,
    /// Since when.
    pub since: Moment,
}

impl FireOutcome {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Fired,
        Self::MadeUp,
        Self::Waiting,
        Self::Missed,
        Self::StillRunning,
        Self::TooManyWaiting,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::MadeUp => "made_up",
            Self::Waiting => "waiting",
            Self::Missed => "missed",
            Self::StillRunning => "still_running",
            Self::TooManyWaiting => "too_many_waiting",
        }
    }
}

impl Sqlite {
    /// Takes an instant of a schedule up, unless it was before: with a job, or with the reason why
    /// it has none.
    pub async fn take_up(&self, fire: Fire) -> Result<Fired, StoreError> {
        self.with_writer(|connection| Box::pin(make::take_up(connection, fire)))
            .await
    }

    /// Makes the job of the fire that waited longest, if no other of the recipe's fires has a job
    /// that has not ended.
    pub async fn let_waiting_fire(
        &self,
        recipe: &RecipeName,
        at: Moment,
    ) -> Result<Option<JobId>, StoreError> {
        let recipe = recipe.clone();
        self.with_writer(move |connection| Box::pin(make::let_waiting(connection, recipe, at)))
            .await
    }

    /// Writes down that instants were missed; false if they were taken up before.
    pub async fn pass_over(&self, passed: PassedOver) -> Result<bool, StoreError> {
        self.with_writer(|connection| Box::pin(make::pass_over(connection, passed)))
            .await
    }

    /// Where a recipe's schedule stands.
    pub async fn fires(&self, recipe: &RecipeName, now: Moment) -> Result<Fires, StoreError> {
        let recipe = recipe.clone();
        self.with_reader(move |connection| Box::pin(ledger::fires(connection, recipe, now)))
            .await
    }

    /// The latest rows of a recipe's ledger, newest first; before an instant, if one is given.
    pub async fn fire_rows(
        &self,
        recipe: &RecipeName,
        before: Option<Moment>,
        limit: usize,
    ) -> Result<Vec<FireRow>, StoreError> {
        let recipe = recipe.clone();
        self.with_reader(move |connection| {
            Box::pin(ledger::rows(connection, recipe, before, limit))
        })
        .await
    }

    /// The rules by which schedules fire, with the recipes.
    pub async fn schedule_rules(&self) -> Result<Vec<(RecipeName, RuleKept)>, StoreError> {
        self.with_reader(|connection| Box::pin(ledger::rules(connection)))
            .await
    }

    /// Says by which rule a recipe's schedule fires from now on.
    pub async fn keep_schedule_rule(
        &self,
        recipe: &RecipeName,
        kept: RuleKept,
    ) -> Result<(), StoreError> {
        let recipe = recipe.clone();
        self.with_writer(move |connection| Box::pin(ledger::keep_rule(connection, recipe, kept)))
            .await
    }
}

/// Says that the job of a fire ended, and whether well.
pub(super) async fn mark_ended(
    connection: &mut SqliteConnection,
    job: i64,
    is_good: bool,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE fire SET is_open = 0, is_good = $2 WHERE job = $1")
        .bind(job)
        .bind(i64::from(is_good))
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// Says that the job of a fire goes on after all: it was released from quarantine.
pub(super) async fn mark_open(
    connection: &mut SqliteConnection,
    job: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE fire SET is_open = 1 WHERE job = $1")
        .bind(job)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// Forgets fires from before a moment. The last good one stays, since the next run covers what
/// comes after it, and the last one, since all before it are done with.
pub(in crate::store::sqlite) async fn forget(
    connection: &mut SqliteConnection,
    before: Moment,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM fire WHERE instant < $1 AND outcome <> 'waiting' AND is_open = 0
            AND instant < (SELECT MAX(instant) FROM fire AS other
                WHERE other.recipe = fire.recipe)
            AND NOT (is_good = 1 AND instant = (SELECT MAX(instant) FROM fire AS good
                WHERE good.recipe = fire.recipe AND good.is_good = 1))",
    )
    .bind(before.0)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}
