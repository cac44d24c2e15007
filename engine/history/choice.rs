//! Which history goes by its age, and by what that of its recipe may take.
//!
//! In: rules, and the jobs that have a history, in their order. Out: for each of them the rule by
//! which it goes, if it does.
//! Always true: a plan and a sweep choose alike; of a recipe, what is too old goes first, then the
//! oldest until the rest takes what it may; what another job needs is not chosen.

use std::collections::BTreeMap;

use super::rules::Rules;
use crate::names::RecipeName;
use crate::store::{KeptJob, Store, StoreError};

/// How many jobs are looked at in one go.
pub(super) const LOOK_AT: usize = 1_000;

/// Chooses as it goes through the jobs.
pub(super) struct Choice<'a> {
    store: &'a Store,
    rules: &'a Rules,
    /// How many bytes too many recipes have, beside what is too old.
    excess: BTreeMap<RecipeName, u64>,
}

impl<'a> Choice<'a> {
    /// Measures the history of the recipes that may take only so much.
    pub(super) async fn of(store: &'a Store, rules: &'a Rules) -> Result<Self, StoreError> {
        let mut taken: BTreeMap<RecipeName, u64> = BTreeMap::new();
        let mut after = 0;
        while !rules.recipe_bytes.is_empty() {
            let page = store.kept_jobs(after, LOOK_AT).await?;
            let is_measured = |job: &&KeptJob| {
                rules.recipe_bytes.contains_key(&job.recipe) && too_old(rules, job).is_none()
            };
            let measured: Vec<&KeptJob> = page.iter().filter(is_measured).collect();
            for (job, size) in measured.iter().zip(sizes(store, &measured).await?) {
                *taken.entry(job.recipe.clone()).or_default() += size;
            }
            let Some(last) = next(&page) else { break };
            after = last.number;
        }
        let excess = taken.into_iter().filter_map(|(recipe, taken)| {
            let bytes = rules.recipe_bytes.get(&recipe)?;
            (taken > bytes.most).then(|| (recipe, taken - bytes.aim))
        });
        Ok(Self {
            store,
            rules,
            excess: excess.collect(),
        })
    }

    /// Goes through the next jobs; answers for each the words of the rule by which it goes.
    pub(super) async fn among(
        &mut self,
        page: &[KeptJob],
    ) -> Result<Vec<Option<&'a str>>, StoreError> {
        let is_measured = |job: &&KeptJob| self.excess.get(&job.recipe).is_some_and(|e| *e > 0);
        let measured: Vec<&KeptJob> = page.iter().filter(is_measured).collect();
        let numbers = measured.iter().map(|job| job.number);
        let sizes: BTreeMap<i64, u64> = numbers.zip(sizes(self.store, &measured).await?).collect();
        Ok(page.iter().map(|job| self.rule(job, &sizes)).collect())
    }

    fn rule(&mut self, job: &KeptJob, sizes: &BTreeMap<i64, u64>) -> Option<&'a str> {
        job.free_since?;
        if let Some(words) = too_old(self.rules, job) {
            return Some(words);
        }
        let excess = self.excess.get_mut(&job.recipe).filter(|e| **e > 0)?;
        *excess = excess.saturating_sub(sizes.get(&job.number).copied().unwrap_or(0));
        Some(&self.rules.recipe_bytes.get(&job.recipe)?.words)
    }

    /// Whether none of the jobs after this one goes.
    pub(super) fn is_through(&self, last: &KeptJob) -> bool {
        let newest = self.rules.newest();
        newest.is_none_or(|newest| last.created_at >= newest)
            && self.excess.values().all(|excess| *excess == 0)
    }
}

/// The rule by which a job is too old, if it is.
fn too_old<'a>(rules: &'a Rules, job: &KeptJob) -> Option<&'a str> {
    let age = rules.age(&job.recipe)?;
    (job.free_since? < age.before).then_some(age.words.as_str())
}

/// About how many bytes the history of each of these jobs takes.
pub(super) async fn sizes(store: &Store, jobs: &[&KeptJob]) -> Result<Vec<u64>, StoreError> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let numbers: Vec<i64> = jobs.iter().map(|job| job.number).collect();
    let sizes = store.bytes_of_jobs(numbers.clone()).await?;
    let size = |number: &i64| sizes.get(number).copied().unwrap_or(0);
    Ok(numbers.iter().map(size).collect())
}

/// The last of a page behind which there may be another.
pub(super) fn next(page: &[KeptJob]) -> Option<&KeptJob> {
    page.last().filter(|_| page.len() == LOOK_AT)
}
