//! Forgetting what old jobs held, in steps so short that the work goes on in between.
//!
//! In: numbers of jobs, moments. Out: a smaller database.
//! Always true: a job that has not ended is never touched; a line for each job stays, with how it
//! ended, when its history was removed and by which rule; what another job still needs stays.

mod changes;
mod find;
mod forget;
mod pins;
mod space;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::Sqlite;
use crate::clock::Moment;
use crate::names::RecipeName;
use crate::store::StoreError;

/// A job whose history is kept, as it is looked at to find what may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptJob {
    /// Its number: jobs are numbered in the order in which they were queued.
    pub number: i64,
    /// Its recipe.
    pub recipe: RecipeName,
    /// When it was queued.
    pub created_at: Moment,
    /// When it ended; none if it has not, or if another job still needs what it holds.
    pub free_since: Option<Moment>,
    /// How many rows its journal has.
    pub rows: u64,
    /// Whether it failed or was taken out, and was not done again.
    pub is_unmended: bool,
}

/// How much room the database takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// The file, in bytes; what is in the log beside it counts as if it were in the file.
    pub file_bytes: u64,
    /// Of these, what is free inside the file.
    pub free_bytes: u64,
}

impl Space {
    /// What is in use.
    pub fn used_bytes(&self) -> u64 {
        self.file_bytes.saturating_sub(self.free_bytes)
    }
}

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// How many things it forgot.
    pub count: u64,
    /// Whether there is more to do of the same.
    pub has_more: bool,
    /// How long the writer was held up.
    pub took: Duration,
}

impl Sqlite {
    /// The next jobs after a number that have their history, in their order.
    pub async fn kept_jobs(&self, after: i64, limit: usize) -> Result<Vec<KeptJob>, StoreError> {
        self.with_reader(move |connection| Box::pin(find::kept_jobs(connection, after, limit)))
            .await
    }

    /// About how many bytes the history of these jobs takes; what several share counts for each.
    pub async fn bytes_of_jobs(&self, jobs: Vec<i64>) -> Result<BTreeMap<i64, u64>, StoreError> {
        self.with_reader(move |connection| Box::pin(find::bytes_of_jobs(connection, jobs)))
            .await
    }

    /// Removes the history of these jobs, of those that ended and still have theirs. A very long
    /// journal is left to [`Sqlite::forget_leftovers`].
    pub async fn forget_jobs(
        &self,
        jobs: Vec<i64>,
        rule: &str,
        at: Moment,
    ) -> Result<Step, StoreError> {
        let rule = rule.to_owned();
        self.with_writer(move |connection| {
            Box::pin(async move {
                let begin = Instant::now();
                let count = forget::jobs(connection, &jobs, &rule, at).await?;
                Ok(step(begin, count, false))
            })
        })
        .await
    }

    /// Removes the next piece of a journal that was too long to go at once.
    pub async fn forget_leftovers(&self) -> Result<Step, StoreError> {
        self.with_writer(|connection| {
            Box::pin(async move {
                let begin = Instant::now();
                let (count, has_more) = forget::leftovers(connection).await?;
                Ok(step(begin, count, has_more))
            })
        })
        .await
    }

    /// Removes dedupe keys whose window is over.
    pub async fn forget_keys(&self, now: Moment) -> Result<Step, StoreError> {
        self.with_writer(move |connection| {
            Box::pin(async move {
                let begin = Instant::now();
                let count = forget::keys(connection, now).await?;
                Ok(step(begin, count, count >= forget::ROWS_AT_ONCE))
            })
        })
        .await
    }

    /// Removes fires of schedules from before a moment, but those that still count.
    pub async fn forget_fires(&self, before: Moment) -> Result<Step, StoreError> {
        self.with_writer(move |connection| {
            Box::pin(async move {
                let begin = Instant::now();
                super::jobs::forget_fires(connection, before).await?;
                Ok(step(begin, 0, false))
            })
        })
        .await
    }

    /// Removes audit entries from before a moment.
    pub async fn forget_audit(&self, before: Moment) -> Result<Step, StoreError> {
        self.with_writer(move |connection| {
            Box::pin(async move {
                let begin = Instant::now();
                let count = changes::audit(connection, before).await?;
                Ok(step(begin, count, count >= forget::ROWS_AT_ONCE))
            })
        })
        .await
    }

    /// Removes what rows of lookup tables were before a moment; what they are now stays.
    pub async fn forget_row_versions(&self, before: Moment) -> Result<Step, StoreError> {
        let old = self
            .with_reader(move |connection| Box::pin(changes::old_versions(connection, before)))
            .await?;
        if old.is_empty() {
            return Ok(Step::default());
        }
        self.with_writer(move |connection| {
            Box::pin(async move {
                let begin = Instant::now();
                let has_more = u64::try_from(old.len()).unwrap_or(0) >= forget::ROWS_AT_ONCE;
                let count = changes::remove_versions(connection, old).await?;
                Ok(step(begin, count, has_more))
            })
        })
        .await
    }

    /// Removes pins that no job with a history has.
    ///
    /// They are given up first, so that no job can take one up any more, and removed only if they
    /// are still unused then.
    pub async fn forget_pins(&self) -> Result<u64, StoreError> {
        let unused = self
            .with_reader(|connection| Box::pin(pins::unused(connection)))
            .await?;
        if unused.is_empty() {
            return Ok(0);
        }
        self.with_writer(|connection| Box::pin(pins::give_up(connection, unused)))
            .await?;
        let unused = self
            .with_reader(|connection| Box::pin(pins::unused(connection)))
            .await?;
        self.with_writer(|connection| Box::pin(pins::remove(connection, unused)))
            .await
    }

    /// The programs that no pin names.
    pub async fn unpinned_programs(&self) -> Result<BTreeSet<String>, StoreError> {
        self.with_reader(|connection| Box::pin(pins::unpinned_programs(connection)))
            .await
    }

    /// Removes the sources of these programs, of those that no pin names.
    pub async fn forget_programs(&self, hashes: Vec<String>) -> Result<u64, StoreError> {
        self.with_writer(|connection| Box::pin(pins::remove_programs(connection, hashes)))
            .await
    }

    /// Gives free pages back to the file system, so many at most. The file is cut when the log is
    /// worked into it.
    pub async fn give_back(&self, pages: u32) -> Result<Step, StoreError> {
        self.with_writer(move |connection| {
            Box::pin(async move {
                let begin = Instant::now();
                let (given, left) = space::give_back(connection, pages).await?;
                Ok(step(begin, given, left > 0 && given > 0))
            })
        })
        .await
    }

    /// Works the log into the file as far as nobody is in the way, beside the writer.
    pub async fn work_log_in(&self) -> Result<(), StoreError> {
        if self.readers.is_none() {
            return Ok(());
        }
        self.with_reader(|connection| Box::pin(space::work_log_in(connection)))
            .await
    }

    /// How much room the database takes.
    pub async fn space(&self) -> Result<Space, StoreError> {
        self.with_reader(|connection| Box::pin(space::space(connection)))
            .await
    }
}

fn step(begin: Instant, count: u64, has_more: bool) -> Step {
    Step {
        count,
        has_more,
        took: begin.elapsed(),
    }
}
