//! One way through the history, oldest first.
//!
//! In: rules. Out: how many jobs lost their history, and what room that gave.
//! Always true: jobs are looked for beside the writer, which is only held up for a few milliseconds
//! at a time; between two steps it rests as long as the step took.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::choice::{Choice, LOOK_AT, next};
use super::rules::{Bytes, Rules};
use crate::clock::Clock;
use crate::store::{HistoryStep, KeptJob, Space, Store, StoreError};

/// How many jobs go in one step, at first, at least and at most.
const STEP_FIRST: usize = 50;
const STEP_MIN: usize = 1;
const STEP_MAX: usize = 400;

/// The most rows of journals that go in one step.
const STEP_ROWS_MAX: u64 = 1_000;

/// How long a step may hold the writer up: few enough that a request hardly notices.
const STEP_TIME: Duration = Duration::from_millis(8);

/// Free pages that are given back in one step: half a mebibyte.
const PAGES_AT_ONCE: u32 = 128;

/// After so many steps the log is worked into the file, so that it does not grow: a disk that is
/// nearly full needs room for no more than a few steps.
const STEPS_A_LOG: u32 = 4;

/// What a sweep brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// How many jobs lost their history.
    pub jobs: u64,
    /// The room taken before.
    pub before: Space,
    /// The room taken after.
    pub after: Space,
    /// Whether everything went that the rules say; if not, there was no more time.
    pub is_done: bool,
    /// Whether the database is larger than it should be although nothing is left to go.
    pub is_over: bool,
}

/// A sweep under way.
pub(super) struct Sweep<'a> {
    store: &'a Store,
    clock: &'a Clock,
    is_stopping: &'a watch::Receiver<bool>,
    until: Option<Instant>,
}

/// Jobs on their way out, and how the steps go.
struct Batch {
    jobs: Vec<i64>,
    rows: u64,
    words: String,
    size: usize,
    steps: u32,
    pruned: u64,
    /// Whether some of it was left behind, because there was no more time.
    is_cut: bool,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(
        store: &'a Store,
        clock: &'a Clock,
        is_stopping: &'a watch::Receiver<bool>,
        patience: Option<Duration>,
    ) -> Self {
        Self {
            store,
            clock,
            is_stopping,
            until: patience.map(|patience| Instant::now() + patience),
        }
    }

    /// Removes what the rules say. An error comes with how many jobs had gone before it.
    pub(super) async fn run(&self, rules: &Rules) -> Result<Swept, (u64, StoreError)> {
        let mut batch = Batch {
            jobs: Vec::new(),
            rows: 0,
            words: String::new(),
            size: STEP_FIRST,
            steps: 0,
            pruned: 0,
            is_cut: false,
        };
        let done = self.all(rules, &mut batch).await;
        done.map_err(|error| (batch.pruned, error))
    }

    async fn all(&self, rules: &Rules, batch: &mut Batch) -> Result<Swept, StoreError> {
        // A full disk may have room in the log alone.
        self.store.work_log_in().await?;
        let before = self.store.space().await?;
        let mut is_done = self.leftovers().await?;
        is_done = is_done && self.by_choice(rules, batch).await?;
        if let Some(bytes) = &rules.bytes {
            is_done = is_done && self.by_size(bytes, batch).await?;
        }
        is_done = is_done && self.leftovers().await? && !batch.is_cut;
        let after = self.store.space().await?;
        let is_over = |bytes: &Bytes| after.used_bytes() > bytes.most;
        Ok(Swept {
            jobs: batch.pruned,
            before,
            after,
            is_done,
            is_over: is_done && rules.bytes.as_ref().is_some_and(is_over),
        })
    }

    /// Gives free room back to the file system; false if there was no time for all of it.
    pub(super) async fn give_back(&self) -> Result<bool, StoreError> {
        let mut steps = 0_u32;
        loop {
            let step = self.give_some().await?;
            steps += 1;
            if !step.has_more || self.is_over() {
                self.store.work_log_in().await?;
                return Ok(!step.has_more);
            }
            if steps.is_multiple_of(STEPS_A_LOG) {
                self.store.work_log_in().await?;
            }
            Clock::rest(step.took).await;
        }
    }

    /// Gives some pages back; fewer if the disk has no room to note that they go.
    async fn give_some(&self) -> Result<HistoryStep, StoreError> {
        let mut pages = PAGES_AT_ONCE;
        loop {
            match self.store.give_back(pages).await {
                Err(StoreError::Unavailable(_)) if pages > 1 => pages /= 4,
                given => return given,
            }
            self.store.work_log_in().await?;
        }
    }

    /// Whether time is up or the server stops.
    pub(super) fn is_over(&self) -> bool {
        *self.is_stopping.borrow() || self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Whether time is up and something was done: each sweep brings the history on.
    fn is_enough(&self, batch: &Batch) -> bool {
        batch.steps > 0 && self.is_over()
    }

    /// Finishes journals that were too long for one step.
    async fn leftovers(&self) -> Result<bool, StoreError> {
        loop {
            let step = self.store.forget_leftovers().await?;
            if !step.has_more {
                return Ok(true);
            }
            if self.is_over() {
                return Ok(false);
            }
            Clock::rest(step.took).await;
        }
    }

    /// What is too old, and the oldest of recipes whose history takes more than it may.
    async fn by_choice(&self, rules: &Rules, batch: &mut Batch) -> Result<bool, StoreError> {
        let mut choice = Choice::of(self.store, rules).await?;
        let mut after = 0;
        loop {
            let page = self.store.kept_jobs(after, LOOK_AT).await?;
            let rules_of = choice.among(&page).await?;
            let with_rule = page.iter().zip(rules_of);
            let mut chosen: Vec<(&KeptJob, &str)> = with_rule
                .filter_map(|(job, rule)| Some((job, rule?)))
                .collect();
            // A step takes jobs of one rule.
            chosen.sort_by_key(|(_, rule)| *rule);
            for (job, rule) in chosen {
                self.add(batch, job, rule).await?;
            }
            self.flush(batch).await?;
            match next(&page) {
                Some(last) if !choice.is_through(last) => after = last.number,
                _ => return Ok(true),
            }
            if self.is_enough(batch) {
                return Ok(false);
            }
        }
    }

    /// The oldest of all, until the database has the size it may have.
    async fn by_size(&self, bytes: &Bytes, batch: &mut Batch) -> Result<bool, StoreError> {
        if self.store.space().await?.used_bytes() <= bytes.most {
            return Ok(true);
        }
        let mut after = 0;
        loop {
            let page = self.store.kept_jobs(after, LOOK_AT).await?;
            for job in page.iter().filter(|job| job.free_since.is_some()) {
                if self.add(batch, job, &bytes.words).await?
                    && self.store.space().await?.used_bytes() <= bytes.aim
                {
                    return Ok(true);
                }
            }
            self.flush(batch).await?;
            let Some(last) = next(&page) else {
                return Ok(true);
            };
            after = last.number;
            if self.is_enough(batch) {
                return Ok(false);
            }
        }
    }

    /// Adds a job to the next step; true if the step was taken.
    async fn add(&self, batch: &mut Batch, job: &KeptJob, words: &str) -> Result<bool, StoreError> {
        if batch.words != words {
            self.flush(batch).await?;
            batch.words = words.to_owned();
        }
        batch.jobs.push(job.number);
        batch.rows += job.rows;
        if batch.jobs.len() < batch.size && batch.rows < STEP_ROWS_MAX {
            return Ok(false);
        }
        self.flush(batch).await?;
        Ok(true)
    }

    /// Takes the step, and another of half its size if the disk has no room for it.
    async fn flush(&self, batch: &mut Batch) -> Result<(), StoreError> {
        let mut rest = std::mem::take(&mut batch.jobs);
        batch.rows = 0;
        while !rest.is_empty() && !self.is_enough(batch) {
            let size = batch.size.min(rest.len());
            let jobs = rest[..size].to_vec();
            let now = self.clock.now();
            match self.store.forget_jobs(jobs, &batch.words, now).await {
                Ok(step) => {
                    rest.drain(..size);
                    self.after(batch, step).await?;
                }
                Err(StoreError::Unavailable(_)) if size > STEP_MIN => {
                    batch.size = (size / 4).max(STEP_MIN);
                    self.store.work_log_in().await?;
                }
                Err(error) => return Err(error),
            }
        }
        batch.is_cut |= !rest.is_empty();
        Ok(())
    }

    async fn after(&self, batch: &mut Batch, step: HistoryStep) -> Result<(), StoreError> {
        batch.pruned += step.count;
        batch.steps += 1;
        batch.size = match step.took {
            took if took > STEP_TIME => (batch.size / 2).max(STEP_MIN),
            took if took < STEP_TIME / 2 => (batch.size + batch.size / 4 + 1).min(STEP_MAX),
            _ => batch.size,
        };
        if batch.steps.is_multiple_of(STEPS_A_LOG) {
            let step = self.give_some().await?;
            self.store.work_log_in().await?;
            Clock::rest(step.took).await;
        }
        Clock::rest(step.took).await;
        Ok(())
    }
}
