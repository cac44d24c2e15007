//! What became of a project's jobs lately, and which of them wait for a person.
//!
//! In: the store, and what counts now. Out: one section.
//! Always true: a job that was done again is not told of, only what became of that; what failed
//! names no person: its code and place are told, not what the vendor said; the rerun that is advised
//! counts what was changed since.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Moment;
use crate::journal::JobStatus;
use crate::names::RecipeName;
use crate::store::{JobFilter, JobRecord, Jobs, Store, StoreError};
use crate::trigger::Intake;
use crate::trigger::rerun::{Changed, changed_since};

use super::{Finding, Patient, Section, Topic, advice};

/// Older failures are told of only if nothing has succeeded since.
const LATELY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many of the project's jobs are looked at.
const JOBS_MAX: usize = 1_000;

/// How many jobs, of all projects, are read at a time, and how many times at most.
const PAGE: usize = 1_000;
const PAGES_MAX: usize = 100;

/// How many of a recipe's good ends are looked through for one of its own, not of its callers.
const GOOD_ENDS_MAX: usize = 100;

/// The section about jobs.
pub(super) async fn look(
    house: &Intake,
    patient: &Patient,
    now: Moment,
) -> Result<Section, StoreError> {
    let store = &*house.store;
    let mut findings = Vec::new();
    for (status, count) in waiting(store, patient).await? {
        findings.push(Finding::error(
            format!("{} for a person: `{status}`", jobs_wait(count)),
            format!(
                "`recipes jobs --status {status}` lists them, `recipes jobs ID` says what to do"
            ),
        ));
    }
    for (name, failed) in failed(store, patient).await? {
        findings.extend(of_recipe(house, patient, &name, &failed, now).await?);
    }
    findings.extend(partly_failed(store, patient, now).await?);
    let well = "none failed in the last 24 hours, and none waits for a person";
    Ok(Section::of(Topic::Ran, findings, well))
}

/// How many jobs wait for a person, by their status.
async fn waiting(
    store: &Store,
    patient: &Patient,
) -> Result<BTreeMap<&'static str, usize>, StoreError> {
    let statuses = [JobStatus::NeedsDecision, JobStatus::Quarantined];
    let mut counts = BTreeMap::new();
    for job in jobs(store, patient, &statuses).await? {
        *counts.entry(job.status.as_str()).or_default() += 1;
    }
    Ok(counts)
}

/// The failed jobs of each recipe, newest first.
async fn failed(
    store: &Store,
    patient: &Patient,
) -> Result<BTreeMap<RecipeName, Vec<JobRecord>>, StoreError> {
    let jobs = jobs(store, patient, &[JobStatus::Failed]).await?;
    Ok(by_recipe(jobs))
}

fn by_recipe(jobs: Vec<JobRecord>) -> BTreeMap<RecipeName, Vec<JobRecord>> {
    let mut by_recipe: BTreeMap<RecipeName, Vec<JobRecord>> = BTreeMap::new();
    for job in jobs {
        by_recipe.entry(job.recipe.clone()).or_default().push(job);
    }
    by_recipe
}

/// Jobs of which parts failed and that went on without them: somebody may lack what they were for.
async fn partly_failed(
    store: &Store,
    patient: &Patient,
    now: Moment,
) -> Result<Vec<Finding>, StoreError> {
    let mut jobs = jobs(store, patient, &[JobStatus::SucceededWithErrors]).await?;
    jobs.retain(|job| {
        job.ended_at
            .is_some_and(|ended| ended >= now.before(LATELY))
    });
    let by_recipe = by_recipe(jobs);
    let of_recipe = by_recipe.iter().filter_map(|(name, jobs)| {
        let last = jobs.first()?;
        let title = patient.recipes.get(name).map_or("", |shown| &*shown.title);
        let ended = short(last.ended_at.unwrap_or(last.created_at));
        let text = format!(
            "{} of \"{title}\" succeeded with errors, the last on {ended}",
            count(jobs.len())
        );
        let status = JobStatus::SucceededWithErrors.as_str();
        let all = match jobs.len() {
            1 => String::new(),
            _ => format!("; `recipes jobs --status {status} --recipe {name}` lists all"),
        };
        let help = format!(
            "`recipes jobs {}` shows which of its parts failed, and what does them again{all}",
            last.id
        );
        Some(Finding::warning(text, help))
    });
    Ok(of_recipe.collect())
}

/// The project's jobs in these statuses that nobody has done again, newest first.
async fn jobs(
    store: &Store,
    patient: &Patient,
    statuses: &[JobStatus],
) -> Result<Vec<JobRecord>, StoreError> {
    let mut filter = JobFilter {
        statuses: statuses.to_vec(),
        limit: PAGE,
        ..JobFilter::default()
    };
    let mut jobs = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = store.jobs(&filter).await?;
        let is_last = page.len() < PAGE;
        filter.before = page.last().map(|job| job.id.clone());
        let own = |job: &JobRecord| patient.recipes.contains_key(&job.recipe);
        jobs.extend(page.into_iter().filter(own));
        if is_last || jobs.len() >= JOBS_MAX {
            break;
        }
    }
    jobs.truncate(JOBS_MAX);
    let again = jobs.iter().map(|job| job.id.clone()).collect();
    let again = store.done_again(again).await?;
    jobs.retain(|job| !again.contains_key(&job.id));
    Ok(jobs)
}

/// What is to be told of a recipe's failed jobs.
async fn of_recipe(
    house: &Intake,
    patient: &Patient,
    name: &RecipeName,
    failed: &[JobRecord],
    now: Moment,
) -> Result<Option<Finding>, StoreError> {
    let success = last_success(&house.store, name).await?;
    let is_told = |job: &&JobRecord| {
        let ended = job.ended_at.unwrap_or(job.created_at);
        ended >= now.before(LATELY) || success.is_none_or(|success| ended > success)
    };
    let told: Vec<&JobRecord> = failed.iter().filter(is_told).collect();
    let Some(last) = told.first() else {
        return Ok(None);
    };
    let title = patient.recipes.get(name).map_or("", |shown| &*shown.title);
    let ended = last.ended_at.unwrap_or(last.created_at);
    let failure = last.ending.as_ref().and_then(|end| end.failure.as_ref());
    let why = failure.map_or(String::new(), |failure| match &failure.step {
        Some(step) => format!(": `{}` at step `{step}`", failure.code),
        None => format!(": `{}`", failure.code),
    });
    let text = format!(
        "{} of \"{title}\" failed, the last on {}{why}",
        count(told.len()),
        short(ended)
    );
    // A job that its recipe ended itself has no failed step to begin at.
    let from = match failure.and_then(|failure| failure.step.as_ref()) {
        Some(_) => "",
        None => " --from start",
    };
    let version = match has_changed(house, last).await? {
        true => " --version current",
        false => "",
    };
    let id = &last.id;
    let what = failure.and_then(|failure| advice(&failure.code, None));
    let what = what.map_or(String::new(), |what| format!("{what}; "));
    let all = match told.len() {
        1 => String::new(),
        _ => format!("; `recipes jobs --status failed --recipe {name}` lists all"),
    };
    let help = format!(
        "{what}`recipes jobs {id}` shows where and why; once the cause is mended, `recipes jobs \
         rerun {id}{from}{version}` does it again{all}"
    );
    let is_over = success.is_some_and(|success| success > ended);
    Ok(Some(match is_over {
        true => Finding::warning(format!("{text}; later ones succeeded"), help),
        false => Finding::error(text, help),
    }))
}

/// Whether its recipe or a setting has changed since a job began, so that a rerun of what ran then
/// would fail again.
async fn has_changed(house: &Intake, job: &JobRecord) -> Result<bool, StoreError> {
    let pinned = match house.store.job(&job.id).await {
        Ok((_, _, pinned)) => pinned,
        // What is damaged tells nothing; looking at the job says so.
        Err(StoreError::Corrupt(_)) => None,
        Err(why) => return Err(why),
    };
    let changed = changed_since(house, &job.recipe, pinned.as_ref()).await?;
    Ok(changed != Changed::default())
}

/// When a job of this recipe, not one that merely calls it, last came to a good end.
async fn last_success(store: &Store, name: &RecipeName) -> Result<Option<Moment>, StoreError> {
    let filter = JobFilter {
        recipe: Some(name.clone()),
        statuses: vec![JobStatus::Succeeded, JobStatus::SucceededWithErrors],
        limit: GOOD_ENDS_MAX,
        ..JobFilter::default()
    };
    let good = store.jobs(&filter).await?.into_iter();
    let own = good.filter(|job| job.recipe == *name);
    Ok(own.filter_map(|job| job.ended_at).max())
}

fn jobs_wait(count: usize) -> String {
    match count {
        1 => "one job waits".to_owned(),
        count => format!("{count} jobs wait"),
    }
}

fn count(count: usize) -> String {
    match count {
        1 => "a job".to_owned(),
        count => format!("{count} jobs"),
    }
}

/// A moment to the second.
fn short(moment: Moment) -> String {
    let text = moment.to_string();
    match text.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => text,
    }
}
