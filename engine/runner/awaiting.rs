//! Steps that wait for the ends of other jobs.
//!
//! In: such steps as effects. Out: how the jobs ended, once all have.
//! Always true: before the job is left, the store knows what it waits for; nothing that happens
//! between a look and that is missed, since it is looked again after it.

use crate::interpret::{Answer, Effect};
use crate::journal::EntryKey;
use crate::names::JobId;
use crate::store::{AwaitRequest, Awaited, Jobs, StoreError};

use super::run::Run;

/// A step that waits.
pub(super) struct Awaiting {
    number: u64,
    key: EntryKey,
    jobs: Vec<JobId>,
    /// Whether the store knows of it.
    is_registered: bool,
    /// Whether something may have changed since the last look.
    is_due: bool,
}

impl Awaiting {
    /// A step that nobody has looked after yet.
    pub(super) fn new(effect: Effect, jobs: Vec<JobId>) -> Self {
        Self {
            number: effect.number,
            key: effect.key,
            jobs,
            is_registered: false,
            is_due: true,
        }
    }
}

impl Run<'_> {
    /// Forgets the steps that wait no more, because their time is up or the job is cancelled; the
    /// store hears of it with the entries that say so.
    pub(super) fn forget_left(&mut self) {
        for step in std::mem::take(&mut self.awaiting) {
            if self.machine.is_waiting(step.number) {
                self.awaiting.push(step);
            } else {
                self.pending.awaits.push(no_more(step.key));
            }
        }
    }

    /// Has all steps that wait looked after again.
    pub(super) fn look_again(&mut self) {
        for step in &mut self.awaiting {
            step.is_due = true;
        }
    }

    /// Looks where the awaited jobs stand; whether there is something to go on with.
    pub(super) async fn look_at_awaited(&mut self) -> Result<bool, StoreError> {
        let mut has_news = false;
        for mut step in std::mem::take(&mut self.awaiting) {
            if !step.is_due {
                self.awaiting.push(step);
                continue;
            }
            let store = &self.world.store;
            let awaited = store
                .awaited(&self.lease.job, &step.key, &step.jobs)
                .await?;
            if is_over(&awaited) {
                has_news = true;
                // What the jobs gave is kept until the step has it.
                self.pending.awaits.push(no_more(step.key));
                let answer = Answer::Awaited(awaited);
                self.machine
                    .answer(step.number, self.world.clock.now(), answer);
                continue;
            }
            if step.is_registered {
                step.is_due = false;
            } else {
                has_news = true;
                step.is_registered = true;
                self.pending.awaits.push(AwaitRequest {
                    key: step.key.clone(),
                    jobs: step.jobs.clone(),
                });
            }
            self.awaiting.push(step);
        }
        Ok(has_news)
    }
}

/// Tells the store that a step waits no more.
fn no_more(key: EntryKey) -> AwaitRequest {
    let jobs = Vec::new();
    AwaitRequest { key, jobs }
}

/// Whether nothing is left to wait for: all jobs ended, or one of them never will.
fn is_over(awaited: &[Awaited]) -> bool {
    let never_ends = |job: &Awaited| !matches!(job, Awaited::Open | Awaited::Ended(_));
    !awaited.contains(&Awaited::Open) || awaited.iter().any(never_ends)
}
