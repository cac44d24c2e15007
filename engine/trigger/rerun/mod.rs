//! A person wants a job done again, as a whole or from some place on.
//!
//! In: a job that ended, and what is wanted. Out: what that means, then a new job.
//! Always true: the origin is not touched; the new job is linked to it, is no fire of a schedule
//! and takes no event's place; what is kept is not performed, what is done again is a new effect;
//! a call whose end is unknown is never made again unless a person says so.

mod began;
mod carry;
mod changed;
mod many;
mod place;
mod seed;

pub use changed::{Changed, changed_since};
pub use many::{Again, Many, Passed, Reruns, plan_many, rerun_many};

use std::collections::{BTreeMap, BTreeSet};

use self::began::{Began, Seed, Since};
use self::changed::rows_kept;
use super::Intake;
use crate::clock::Moment;
use crate::compile::Program;
use crate::data::Value;
use crate::journal::{Entry, JobStatus};
use crate::library::NoVersion;
use crate::names::{JobId, RecipeName, TableName};
use crate::store::{IfDoneAgain, JobRecord, Jobs, NotQueued, Pinned, Rerun, StoreError};

/// From where on a job is done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// From its beginning.
    Start,
    /// From where it failed.
    Failed,
    /// From a step: its written id, after the ids of the calls around it, joined by `/`.
    Step(String),
}

/// On which version of its recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one that ran, with the settings of then.
    Ran,
    /// The present one, with the present settings.
    Current,
}

/// With which elements of the loop where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elements {
    /// All of them.
    All,
    /// Those that failed.
    Failed,
}

/// What becomes of calls of which nobody knows whether they happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// There is no rerun.
    Refuse,
    /// They are made again.
    Again,
}

/// What a person wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// From where on.
    pub from: From,
    /// On which version.
    pub version: Version,
    /// With which elements.
    pub elements: Elements,
    /// What steps before that place are to give instead of what they gave, by written id.
    pub outputs: BTreeMap<String, Value>,
    /// What becomes of calls whose end is unknown.
    pub unknown: Unknown,
}

/// What a rerun would be, as it is told.
#[derive(Clone, Debug)]
pub struct Outline {
    /// The job that is done again.
    pub origin: JobId,
    /// Its recipe.
    pub recipe: RecipeName,
    /// On which version, as it is written.
    pub version: String,
    /// The places where it begins; none if that is the start.
    pub begins: Vec<String>,
    /// The places whose recorded results are kept, or the first of them.
    pub keeps: Vec<String>,
    /// How many places that are.
    pub kept: usize,
    /// How many elements the loop runs with, if only those that failed.
    pub elements: Option<usize>,
    /// Calls that may have happened already and are made again.
    pub doubtful: Vec<String>,
    /// What has changed since the job began.
    pub changed: Changed,
    /// The tables whose rows were read before the place where it begins: they count as they were.
    pub rows_kept: BTreeSet<TableName>,
}

/// A rerun that can be queued.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it would be.
    pub outline: Outline,
    rerun: Rerun,
}

impl Plan {
    /// The same, of a job that is not to be done again twice.
    pub fn unless_done_again(mut self) -> Self {
        self.rerun.if_done_again = IfDoneAgain::Refuse;
        self
    }
}

/// Why there is no rerun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRerun {
    /// It does not go together with how things stand.
    #[error("{message}")]
    Refused {
        /// The kind as a stable word.
        code: &'static str,
        /// What is wrong, and what can be done.
        message: String,
        /// Each thing that does not fit, where there may be several.
        details: Vec<String>,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn refused(code: &'static str, message: impl Into<String>) -> NoRerun {
    NoRerun::Refused {
        code,
        message: message.into(),
        details: Vec::new(),
    }
}

impl std::convert::From<NotQueued> for NoRerun {
    fn from(why: NotQueued) -> Self {
        match why {
            NotQueued::DoneAgain(rerun) => refused(
                "done_again",
                format!("it was done again already: job {rerun}"),
            ),
            NotQueued::GoesOn(status) => job_not_ended(status),
            NotQueued::HistoryRemoved => history_removed(),
        }
    }
}

fn job_not_ended(status: JobStatus) -> NoRerun {
    let message = format!(
        "the job has not ended ({}); wait for its end or cancel it, then rerun it",
        status.as_str()
    );
    refused("job_not_ended", message)
}

fn history_removed() -> NoRerun {
    let message = "what the job was given and what it did has been removed with its history, so \
                   nothing of it can be done again; run the recipe anew, or have the event sent \
                   once more";
    refused("history_removed", message)
}

/// Finds out what a rerun would be, and does nothing.
pub async fn plan_rerun(
    intake: &Intake,
    id: &JobId,
    wish: &Wish,
    by: &str,
) -> Result<Plan, NoRerun> {
    let now = intake.clock.now();
    let (origin, journal, pinned) = load(intake, id, wish).await?;
    check_origin(&origin)?;
    let current = intake.shelf.program(&origin.recipe);
    let ran = match &pinned {
        Some(pinned) => {
            let found = intake.shelf.pinned(&intake.store, pinned).await?;
            Some((found.map_err(sources_missing), pinned))
        }
        None => None,
    };
    let changed = changed_since(intake, &origin.recipe, pinned.as_ref()).await?;
    let mut seed = match (&wish.from, &ran) {
        (From::Start, _) if wish.outputs.is_empty() => Seed::of_start(&journal),
        (_, Some((Ok(program), pinned))) => {
            let began = Began {
                origin: &origin,
                journal: &journal,
                program,
                pinned,
            };
            began.seed(wish, now, by)?
        }
        (_, Some((Err(why), _))) => return Err(why.clone()),
        (_, None) => {
            let why = "the job never began, so there is nothing to keep; rerun it from the start";
            return Err(refused("never_began", why));
        }
    };
    if !seed.doubtful.is_empty() && wish.unknown == Unknown::Refuse {
        return Err(NoRerun::Refused {
            code: "outcome_unknown",
            message: "nobody knows whether these calls happened, and the rerun would make them \
                      again: look at the vendor first, then say that they are to be made again \
                      with `--again-if-unknown` (over the API: `\"unknown\": \"again\"`)"
                .to_owned(),
            details: seed.doubtful,
        });
    }
    let rows_kept = match &ran {
        Some((Ok(program), _)) => rows_kept(program, &seed.entries),
        _ => BTreeSet::new(),
    };
    let pinned = match wish.version {
        Version::Ran => match ran {
            Some((Ok(_), pinned)) => Some(pinned.clone()),
            Some((Err(why), _)) => return Err(why),
            None => None,
        },
        Version::Current => {
            let current = current.ok_or_else(|| {
                let why = format!("there is no usable recipe `{}` now", origin.recipe);
                refused("no_recipe", why)
            })?;
            if let Some((Ok(ran), _)) = &ran
                && changed.recipe
            {
                seed.carry_over(ran, &current)?;
            }
            match seed.entries.is_empty() {
                true => None,
                false => Some(pin(intake, &current, now).await?),
            }
        }
    };
    let since = Since { changed, rows_kept };
    Ok(seed.plan(origin, pinned, since, wish, by, now))
}

/// Queues a rerun that was planned.
pub async fn queue_rerun(intake: &Intake, plan: Plan) -> Result<JobId, NoRerun> {
    let id = plan.rerun.job.id.clone();
    let now = intake.clock.now();
    let fates = intake.store.enqueue_reruns(vec![plan.rerun], now).await?;
    if let Some(why) = fates.into_iter().flatten().next() {
        return Err(why.into());
    }
    intake.bell.ring_queue();
    Ok(id)
}

/// A job and its journal. If that is damaged, the job can still be done again as a whole.
async fn load(
    intake: &Intake,
    id: &JobId,
    wish: &Wish,
) -> Result<(JobRecord, Vec<Entry>, Option<Pinned>), NoRerun> {
    let why = match intake.store.job(id).await {
        Err(StoreError::Corrupt(why)) => why,
        loaded => return Ok(loaded?),
    };
    let damaged = |why: String, help: &str| {
        let message = format!("what the database holds of the job is damaged: {why}; {help}");
        refused("damaged", message)
    };
    if (&wish.from, wish.version) != (&From::Start, Version::Current) {
        return Err(damaged(
            why,
            "rerun it from the start on the current version",
        ));
    }
    if wish.unknown == Unknown::Refuse {
        let help = "so nobody knows which calls it made; `--again-if-unknown` makes them again";
        return Err(damaged(why, help));
    }
    match intake.store.record_with_input(id).await {
        Err(StoreError::Corrupt(why)) => Err(damaged(why, "nothing of it can be done again")),
        record => Ok((record?, Vec::new(), None)),
    }
}

fn check_origin(origin: &JobRecord) -> Result<(), NoRerun> {
    if !origin.status.is_final() {
        return Err(job_not_ended(origin.status));
    }
    if origin.pruned.is_some() {
        return Err(history_removed());
    }
    Ok(())
}

fn sources_missing(why: NoVersion) -> NoRerun {
    let help = "rerun the job from the start on the current version";
    refused("sources_missing", format!("{why}; {help}"))
}

/// What a job that begins now on the present version keeps.
async fn pin(intake: &Intake, program: &Program, now: Moment) -> Result<Pinned, NoRerun> {
    let (store, shelf) = (&intake.store, &intake.shelf);
    let sources = shelf.sources(program);
    store.save_program(&program.hash, &sources).await?;
    let settings = store.settings(&shelf.settings_of(program)).await?;
    Ok(Pinned {
        program: program.hash.clone(),
        settings: settings.map_err(|why| refused("wrong_settings", why))?,
        started_at: now,
    })
}
