//! Many jobs done again, one after another.
//!
//! In: which jobs, and how many a minute. Out: reruns that begin one by one, and the jobs that were
//! passed over, each with the reason.
//! Always true: a job that was done again already is passed over, so that asking twice changes
//! nothing.

use std::time::Duration;

use super::{NoRerun, Plan, Wish, plan_rerun};
use crate::clock::Moment;
use crate::names::JobId;
use crate::store::{JobFilter, Jobs};
use crate::trigger::Intake;

/// The most jobs that one wish does again.
const JOBS_MAX: usize = 10_000;

/// How many jobs are looked up at once.
const PAGE: usize = 200;

/// Which jobs, and how fast.
#[derive(Clone, Debug)]
pub struct Many {
    /// Which.
    pub filter: JobFilter,
    /// How many begin each minute; all at once if left out.
    pub per_minute: Option<u32>,
    /// What is wanted of each.
    pub wish: Wish,
}

/// A job that is not done again.
#[derive(Clone, Debug)]
pub struct Passed {
    /// Which.
    pub job: JobId,
    /// Why.
    pub why: NoRerun,
}

/// Finds out which jobs would be done again, oldest first, and which not.
pub async fn plan_many(
    intake: &Intake,
    many: &Many,
    by: &str,
) -> Result<(Vec<Plan>, Vec<Passed>), NoRerun> {
    let mut jobs: Vec<JobId> = Vec::new();
    let mut filter = JobFilter {
        limit: PAGE,
        ..many.filter.clone()
    };
    loop {
        let page = intake.store.jobs(&filter).await?;
        filter.before = page.last().map(|job| job.id.clone());
        let of_recipe = page
            .iter()
            .filter(|job| many.filter.recipe.as_ref().is_none_or(|r| job.recipe == *r));
        jobs.extend(of_recipe.map(|job| job.id.clone()));
        if jobs.len() > JOBS_MAX {
            let message =
                format!("more than {JOBS_MAX} jobs match; narrow them down by time or recipe");
            return Err(super::refused("too_many", message));
        }
        if page.len() < PAGE {
            break;
        }
    }
    let (mut plans, mut passed) = (Vec::new(), Vec::new());
    for job in jobs.into_iter().rev() {
        let reruns = intake.store.lineage(&job).await?.reruns;
        if let Some((rerun, _)) = reruns.last() {
            let message = format!("it was done again already: job {rerun}");
            let why = super::refused("done_again", message);
            passed.push(Passed { job, why });
            continue;
        }
        match plan_rerun(intake, &job, &many.wish, by).await {
            Ok(plan) => plans.push(plan),
            Err(NoRerun::Store(error)) => return Err(error.into()),
            Err(why) => passed.push(Passed { job, why }),
        }
    }
    Ok((plans, passed))
}

/// Queues reruns that were planned, each to begin a while after the one before. Answers when.
pub async fn queue_many(
    intake: &Intake,
    plans: Vec<Plan>,
    per_minute: Option<u32>,
) -> Result<Vec<(JobId, Moment)>, NoRerun> {
    let now = intake.clock.now();
    let apart = per_minute.map_or(Duration::ZERO, |count| {
        Duration::from_secs(60) / count.max(1)
    });
    intake
        .gauge
        .make_room(&intake.store, plans.len())
        .await
        .map_err(|why| super::refused("queue_full", why.to_string()))?;
    let mut queued = Vec::with_capacity(plans.len());
    let mut reruns = Vec::with_capacity(plans.len());
    for (number, plan) in (0_u32..).zip(plans) {
        let mut rerun = plan.rerun;
        rerun.not_before = now.after(apart * number);
        queued.push((rerun.job.id.clone(), rerun.not_before));
        reruns.push(rerun);
    }
    intake.store.enqueue_reruns(reruns, now).await?;
    intake.bell.ring_queue();
    Ok(queued)
}
