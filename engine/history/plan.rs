//! What would go, found out without removing anything.
//!
//! Always true: the choice is that of a sweep, except that what the whole database would still take
//! can only be guessed from the sizes of the jobs.

use super::choice::{Choice, LOOK_AT, next, sizes};
use super::rules::Rules;
use crate::store::{KeptJob, Store, StoreError};

/// What would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// How many jobs would lose their history.
    pub jobs: u64,
    /// About how many bytes that frees.
    pub bytes: u64,
    /// How many of the jobs failed and were not done again, which they cannot be any more then.
    pub unmended: u64,
}

/// What would go, found out as it would be done.
pub(super) async fn plan(store: &Store, rules: &Rules) -> Result<Plan, StoreError> {
    let mut plan = Plan::default();
    let used = store.space().await?.used_bytes();
    let over = rules.bytes.as_ref().filter(|bytes| used > bytes.most);
    let mut choice = Choice::of(store, rules).await?;
    let mut after = 0;
    loop {
        let page = store.kept_jobs(after, LOOK_AT).await?;
        let all: Vec<&KeptJob> = page.iter().collect();
        let sizes = sizes(store, &all).await?;
        let chosen = choice.among(&page).await?;
        for ((job, size), rule) in page.iter().zip(sizes).zip(chosen) {
            let is_too_much = over.is_some_and(|bytes| used.saturating_sub(plan.bytes) > bytes.aim);
            if rule.is_some() || (is_too_much && job.free_since.is_some()) {
                plan.jobs += 1;
                plan.bytes += size;
                plan.unmended += u64::from(job.is_unmended);
            }
        }
        match next(&page) {
            Some(last) if over.is_some() || !choice.is_through(last) => after = last.number,
            _ => return Ok(plan),
        }
    }
}
