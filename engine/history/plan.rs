//! What would go, found out without removing anything.

use super::rules::Rules;
use super::sweep::{LOOK_AT, is_old, next};
use crate::store::{KeptJob, Store, StoreError};

/// What would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// How many jobs would lose their history.
    pub jobs: u64,
    /// About how many bytes that frees.
    pub bytes: u64,
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

/// About how many bytes the history of some jobs takes.
pub(super) async fn total(
    store: &Store,
    which: impl Fn(&KeptJob) -> bool,
) -> Result<u64, StoreError> {
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
