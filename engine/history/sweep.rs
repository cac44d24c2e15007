//! One way through the history, oldest first.
//!
//! In: rules. Out: how many jobs lost their history, and what room that gave.
//! Always true: jobs are looked for beside the writer, which is only held up for a few milliseconds
//! at a time; between two steps it rests as long as the step took.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::rules::{Age, Bytes, Rules};
use crate::clock::Clock;
use crate::names::RecipeName;
use crate::store::{HistoryStep, KeptJob, Space, Store, StoreError};

/// How many jobs are looked at in one go.
const LOOK_AT: usize = 1_000;

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

/// After so many steps the log is worked into the file, so that it does not grow.
const STEPS_A_LOG: u32 = 16;

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

/// What would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// How many jobs would lose their history.
    pub jobs: u64,
    /// About how many bytes that frees.
    pub bytes: u64,
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
        };
        let done = self.all(rules, &mut batch).await;
        done.map_err(|error| (batch.pruned, error))
    }

    async fn all(&self, rules: &Rules, batch: &mut Batch) -> Result<Swept, StoreError> {
        // A full disk may have room in the log alone.
        self.store.work_log_in().await?;
        let before = self.store.space().await?;
        let mut is_done = self.leftovers().await?;
        is_done = is_done && self.by_age(rules, batch).await?;
        for (recipe, bytes) in &rules.recipe_bytes {
            is_done = is_done && self.of_recipe(recipe, bytes, batch).await?;
        }
        if let Some(bytes) = &rules.bytes {
            is_done = is_done && self.by_size(bytes, batch).await?;
        }
        is_done = is_done && self.leftovers().await?;
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

    /// Gives free room back to the file system.
    pub(super) async fn give_back(&self) -> Result<(), StoreError> {
        let mut steps = 0_u32;
        loop {
            let step = self.store.give_back(PAGES_AT_ONCE).await?;
            steps += 1;
            if !step.has_more || self.is_over() {
                break;
            }
            if steps.is_multiple_of(STEPS_A_LOG) {
                self.store.work_log_in().await?;
            }
            Clock::rest(step.took).await;
        }
        self.store.work_log_in().await
    }

    /// Whether time is up or the server stops.
    fn is_over(&self) -> bool {
        *self.is_stopping.borrow() || self.until.is_some_and(|until| Instant::now() >= until)
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

    async fn by_age(&self, rules: &Rules, batch: &mut Batch) -> Result<bool, StoreError> {
        let Some(newest) = rules.newest() else {
            return Ok(true);
        };
        let mut after = 0;
        loop {
            let page = self.store.kept_jobs(after, LOOK_AT).await?;
            for job in page.iter().filter(|job| job.created_at < newest) {
                if let Some(age) = rules.age(&job.recipe)
                    && is_old(job, age)
                {
                    self.add(batch, job, &age.words).await?;
                }
            }
            self.flush(batch).await?;
            match next(&page) {
                Some(last) if last.created_at < newest => after = last.number,
                _ => return Ok(true),
            }
            if self.is_over() {
                return Ok(false);
            }
        }
    }

    /// The oldest of a recipe, until its history takes what it may.
    async fn of_recipe(
        &self,
        recipe: &RecipeName,
        bytes: &Bytes,
        batch: &mut Batch,
    ) -> Result<bool, StoreError> {
        let taken = total(self.store, |job| job.recipe == *recipe).await?;
        if taken <= bytes.most {
            return Ok(true);
        }
        let mut excess = taken - bytes.aim;
        let mut after = 0;
        loop {
            let page = self.store.kept_jobs(after, LOOK_AT).await?;
            let own: Vec<&KeptJob> = page.iter().filter(|job| job.recipe == *recipe).collect();
            let sizes = sizes(self.store, &own).await?;
            for (job, size) in own.into_iter().zip(sizes) {
                if excess == 0 {
                    break;
                }
                if job.free_since.is_some() {
                    excess = excess.saturating_sub(size);
                    self.add(batch, job, &bytes.words).await?;
                }
            }
            self.flush(batch).await?;
            match next(&page) {
                Some(last) if excess > 0 => after = last.number,
                _ => return Ok(true),
            }
            if self.is_over() {
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
            if self.is_over() {
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
        while !rest.is_empty() && !self.is_over() {
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
            let step = self.store.give_back(PAGES_AT_ONCE).await?;
            self.store.work_log_in().await?;
            Clock::rest(step.took).await;
        }
        Clock::rest(step.took).await;
        Ok(())
    }
}

/// What would go, found out as it would be done.
pub(super) async fn plan(store: &Store, rules: &Rules) -> Result<Plan, StoreError> {
    let mut plan = Plan::default();
    let used = store.space().await?.used_bytes();
    let over = rules.bytes.as_ref().filter(|bytes| used > bytes.most);
    let mut excess = std::collections::BTreeMap::new();
    for (recipe, bytes) in &rules.recipe_bytes {
        let taken = total(store, |job| job.recipe == *recipe).await?;
        if taken > bytes.most {
            excess.insert(recipe.clone(), taken - bytes.aim);
        }
    }
    let mut after = 0;
    loop {
        let page = store.kept_jobs(after, LOOK_AT).await?;
        let all: Vec<&KeptJob> = page.iter().collect();
        for (job, size) in page.iter().zip(sizes(store, &all).await?) {
            let is_too_old = rules.age(&job.recipe).is_some_and(|age| is_old(job, age));
            let of_recipe = excess.get_mut(&job.recipe).filter(|excess| **excess > 0);
            let is_too_much = over.is_some_and(|bytes| used - plan.bytes.min(used) > bytes.aim);
            let goes = is_too_old || is_too_much || of_recipe.is_some();
            if job.free_since.is_none() || !goes {
                continue;
            }
            if let Some(excess) = of_recipe {
                *excess = excess.saturating_sub(size);
            }
            plan.jobs += 1;
            plan.bytes += size;
        }
        let Some(last) = next(&page) else {
            return Ok(plan);
        };
        after = last.number;
    }
}

fn is_old(job: &KeptJob, age: &Age) -> bool {
    job.free_since.is_some_and(|ended| ended < age.before)
}

/// The last of a page behind which there may be another.
fn next(page: &[KeptJob]) -> Option<&KeptJob> {
    page.last().filter(|_| page.len() == LOOK_AT)
}

/// About how many bytes the history of some jobs takes.
async fn total(store: &Store, which: impl Fn(&KeptJob) -> bool) -> Result<u64, StoreError> {
    let mut total = 0;
    let mut after = 0;
    loop {
        let page = store.kept_jobs(after, LOOK_AT).await?;
        let own: Vec<&KeptJob> = page.iter().filter(|job| which(job)).collect();
        total += sizes(store, &own).await?.iter().sum::<u64>();
        let Some(last) = next(&page) else {
            return Ok(total);
        };
        after = last.number;
    }
}

async fn sizes(store: &Store, jobs: &[&KeptJob]) -> Result<Vec<u64>, StoreError> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let numbers: Vec<i64> = jobs.iter().map(|job| job.number).collect();
    let sizes = store.bytes_of_jobs(numbers.clone()).await?;
    let size = |number: &i64| sizes.get(number).copied().unwrap_or(0);
    Ok(numbers.iter().map(size).collect())
}
