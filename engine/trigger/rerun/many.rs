//! Many jobs done again, one after another.
//!
//! In: which jobs, and how many a minute. Out: reruns that begin one by one, and the jobs that were
//! passed over, each with the reason.
//! Always true: a job that was done again already is passed over, so that asking twice changes
//! nothing, even at the same time; what is planned is queued page by page, so that neither memory
//! nor the time for which the writer is held up grows with the number of jobs.

use std::time::Duration;

use super::{NoRerun, Outline, Plan, Wish, plan_rerun, refused};
use crate::clock::Moment;
use crate::names::JobId;
use crate::store::{JobFilter, Jobs, NotQueued, Rerun};
use crate::trigger::Intake;

/// The most jobs that one wish does again.
const JOBS_MAX: usize = 10_000;

/// How many jobs are looked up at once.
const LOOK_UP: usize = 200;

/// How many reruns are queued in one commit, and how many entries they may keep together: the last
/// of them may exceed that.
const PAGE: usize = 50;
const PAGE_ENTRIES: usize = 2_000;

/// How many kept places the outline of one of many names.
const KEEPS_SHOWN_MAX: usize = 20;

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

/// What becomes of the jobs that match.
#[derive(Debug, Default)]
pub struct Reruns {
    /// Those that are done again, oldest first.
    pub again: Vec<Again>,
    /// Those that are not.
    pub passed: Vec<Passed>,
}

/// A job that is done again.
#[derive(Debug)]
pub struct Again {
    /// What its rerun is.
    pub outline: Outline,
    /// The new job and when it may begin, once there is one.
    pub queued: Option<(JobId, Moment)>,
}

/// A job that is not done again.
#[derive(Clone, Debug)]
pub struct Passed {
    /// Which.
    pub job: JobId,
    /// Why.
    pub why: NoRerun,
}

/// Finds out which jobs would be done again, and does nothing.
pub async fn plan_many(intake: &Intake, many: &Many, by: &str) -> Result<Reruns, NoRerun> {
    let mut reruns = Reruns::default();
    for job in matching(intake, &many.filter).await? {
        match plan_one(intake, &job, &many.wish, by).await? {
            Ok(plan) => reruns.again.push(Again {
                outline: plan.outline,
                queued: None,
            }),
            Err(why) => reruns.passed.push(Passed { job, why }),
        }
    }
    Ok(reruns)
}

/// Does the jobs that match again, each to begin a while after the one before. Once the queue is
/// full, the rest is passed over.
pub async fn rerun_many(intake: &Intake, many: &Many, by: &str) -> Result<Reruns, NoRerun> {
    let mut reruns = Reruns::default();
    let mut pace = Pace {
        begin: intake.clock.now(),
        apart: many.per_minute.map_or(Duration::ZERO, |count| {
            Duration::from_secs(60) / count.max(1)
        }),
        begun: 0,
    };
    let mut page = Vec::new();
    let mut entries = 0;
    let mut jobs = matching(intake, &many.filter).await?.into_iter();
    for job in jobs.by_ref() {
        match plan_one(intake, &job, &many.wish, by).await? {
            Ok(plan) => {
                entries += plan.rerun.entries.len();
                page.push(plan);
            }
            Err(why) => reruns.passed.push(Passed { job, why }),
        }
        if page.len() < PAGE && entries < PAGE_ENTRIES {
            continue;
        }
        entries = 0;
        if !queue(intake, std::mem::take(&mut page), &mut pace, &mut reruns).await? {
            break;
        }
    }
    queue(intake, page, &mut pace, &mut reruns).await?;
    let why = queue_full();
    reruns.passed.extend(jobs.map(|job| Passed {
        job,
        why: why.clone(),
    }));
    Ok(reruns)
}

/// The jobs that match, oldest first.
async fn matching(intake: &Intake, wanted: &JobFilter) -> Result<Vec<JobId>, NoRerun> {
    let mut jobs: Vec<JobId> = Vec::new();
    let mut filter = JobFilter {
        limit: LOOK_UP,
        ..wanted.clone()
    };
    loop {
        let page = intake.store.jobs(&filter).await?;
        filter.before = page.last().map(|job| job.id.clone());
        let of_recipe = page
            .iter()
            .filter(|job| wanted.recipe.as_ref().is_none_or(|r| job.recipe == *r));
        jobs.extend(of_recipe.map(|job| job.id.clone()));
        if jobs.len() > JOBS_MAX {
            let message =
                format!("more than {JOBS_MAX} jobs match; narrow them down by time or recipe");
            return Err(refused("too_many", message));
        }
        if page.len() < LOOK_UP {
            break;
        }
    }
    jobs.reverse();
    Ok(jobs)
}

/// One of many, unless there is a reason to pass it over.
async fn plan_one(
    intake: &Intake,
    job: &JobId,
    wish: &Wish,
    by: &str,
) -> Result<Result<Plan, NoRerun>, NoRerun> {
    // The commit that queues it looks again; here it spares the work of planning.
    if let Some((rerun, _)) = intake.store.lineage(job).await?.reruns.pop() {
        return Ok(Err(NotQueued::DoneAgain(rerun).into()));
    }
    let mut plan = match plan_rerun(intake, job, wish, by).await {
        Ok(plan) => plan,
        Err(NoRerun::Store(error)) => return Err(error.into()),
        Err(why) => return Ok(Err(why)),
    };
    plan.outline.keeps.truncate(KEEPS_SHOWN_MAX);
    Ok(Ok(plan.unless_done_again()))
}

/// When reruns begin.
struct Pace {
    begin: Moment,
    apart: Duration,
    begun: u32,
}

/// Queues a page of reruns; false if there is no room for it. That is an error if nothing was
/// queued before.
async fn queue(
    intake: &Intake,
    plans: Vec<Plan>,
    pace: &mut Pace,
    reruns: &mut Reruns,
) -> Result<bool, NoRerun> {
    if plans.is_empty() {
        return Ok(true);
    }
    let room = intake.gauge.make_room(&intake.store, plans.len()).await;
    if room.is_err() {
        if reruns.again.is_empty() {
            return Err(queue_full());
        }
        reruns.passed.extend(plans.into_iter().map(|plan| Passed {
            job: plan.outline.origin,
            why: queue_full(),
        }));
        return Ok(false);
    }
    let (mut outlines, mut page) = (Vec::with_capacity(plans.len()), Vec::new());
    for (number, plan) in (pace.begun..).zip(plans) {
        outlines.push(plan.outline);
        page.push(Rerun {
            not_before: pace.begin.after(pace.apart * number),
            ..plan.rerun
        });
    }
    let queued: Vec<(JobId, Moment)> = page
        .iter()
        .map(|rerun| (rerun.job.id.clone(), rerun.not_before))
        .collect();
    pace.begun += u32::try_from(page.len()).unwrap_or(u32::MAX);
    let now = intake.clock.now();
    let fates = intake.store.enqueue_reruns(page, now).await?;
    intake.bell.ring_queue();
    for ((outline, queued), fate) in outlines.into_iter().zip(queued).zip(fates) {
        match fate {
            None => reruns.again.push(Again {
                outline,
                queued: Some(queued),
            }),
            Some(why) => reruns.passed.push(Passed {
                job: outline.origin,
                why: why.into(),
            }),
        }
    }
    Ok(true)
}

fn queue_full() -> NoRerun {
    let message = "too many jobs are waiting already; ask again once some of them are done: what \
                   was done again by then is passed over";
    refused("queue_full", message)
}
