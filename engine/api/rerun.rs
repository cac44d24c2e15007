//! A person wants jobs done again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::clock::Moment;
use crate::data::Value;
use crate::journal::JobStatus;
use crate::names::{JobId, RecipeName};
use crate::store::{JobFilter, Lineage, Pinned};
use crate::trigger::rerun::{
    Again, Changed, Elements, From, Many, NoRerun, Outline, Passed, Reruns, Unknown, Version, Wish,
    changed_since, plan_many, plan_rerun, queue_rerun, rerun_many,
};

use super::job::job_id;
use super::{Person, Problem, Rooms, body, wire};

/// What is wanted, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    /// `start`, `failed`, or the id of a step.
    from: Option<String>,
    /// To be said if anything has changed since the job began.
    version: Option<WrittenVersion>,
    elements: WrittenElements,
    outputs: BTreeMap<String, Value>,
    unknown: WrittenUnknown,
    /// Whether it is to be done although it was done again before.
    though_done_again: bool,
    /// Whether to show only what would be done.
    plan: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenVersion {
    Ran,
    Current,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenElements {
    #[default]
    All,
    Failed,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenUnknown {
    #[default]
    Refuse,
    Again,
}

/// Which jobs, and what is wanted of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMany {
    recipe: Option<String>,
    /// The statuses of the jobs; `failed` if left out.
    #[serde(default)]
    status: Vec<JobStatus>,
    since: Option<String>,
    until: Option<String>,
    /// How many begin each minute.
    per_minute: Option<u32>,
    #[serde(default)]
    from: Option<String>,
    version: Option<WrittenVersion>,
    #[serde(default)]
    elements: WrittenElements,
    #[serde(default)]
    unknown: WrittenUnknown,
    /// Whether really all are meant, if neither recipe nor time is named.
    #[serde(default)]
    all: bool,
    #[serde(default)]
    plan: bool,
}

/// `POST /api/jobs/{id}/rerun`
pub(super) async fn one(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let id = job_id(&id)?;
    let written: Written = body::json(&bytes)?;
    let (only_shown, is_once_more) = (written.plan, written.though_done_again);
    let is_said = written.version.is_some();
    let mut plan = plan_rerun(&rooms.intake, &id, &wish(written), &by).await?;
    if !is_once_more {
        let lineage = rooms.intake.store.lineage(&id).await?;
        if let Some((rerun, status)) = lineage.reruns.last() {
            return Err(done_before(rerun, *status));
        }
        plan = plan.unless_done_again();
    }
    let mut answer = shown(&plan.outline);
    if only_shown {
        return Ok(Json(answer).into_response());
    }
    if !is_said {
        check_unchanged([&plan.outline])?;
    }
    let job = queue_rerun(&rooms.intake, plan).await?;
    answer["job"] = job.as_str().into();
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// `POST /api/jobs/rerun`
pub(super) async fn many(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let written: WrittenMany = body::json(&bytes)?;
    let only_shown = written.plan;
    let is_wide = written.recipe.is_none() && written.since.is_none() && written.until.is_none();
    let (is_meant, is_said) = (written.all, written.version.is_some());
    let many = many_of(written)?;
    if is_wide && !is_meant && !only_shown {
        return Err(too_wide(&plan_many(&rooms.intake, &many, &by).await?));
    }
    if !is_said && !only_shown {
        let found = plan_many(&rooms.intake, &many, &by).await?;
        check_unchanged(found.again.iter().map(|again| &again.outline))?;
    }
    let (status, found) = match only_shown {
        true => (StatusCode::OK, plan_many(&rooms.intake, &many, &by).await?),
        false => (
            StatusCode::ACCEPTED,
            rerun_many(&rooms.intake, &many, &by).await?,
        ),
    };
    let answer = Json(json!({
        "reruns": found.again.iter().map(done_again).collect::<Vec<_>>(),
        "passed_over": found.passed.iter().map(passed_over).collect::<Vec<_>>(),
    }));
    Ok((status, answer).into_response())
}

/// Which recipe and settings count is to be said where they are others than those of then: what was
/// mended since would not count.
fn check_unchanged<'a>(reruns: impl IntoIterator<Item = &'a Outline>) -> Result<(), Problem> {
    let mut changes = reruns
        .into_iter()
        .filter_map(|rerun| Some((&rerun.origin, rerun.changed.in_words()?)));
    let Some((job, changed)) = changes.next() else {
        return Ok(());
    };
    let others = match changes.count() {
        0 => String::new(),
        1 => " (and the like for another job)".to_owned(),
        count => format!(" (and the like for {count} other jobs)"),
    };
    let message = format!(
        "{changed} since job {job} began{others}, so say what counts: `--version current` (over the \
         API: `\"version\": \"current\"`) takes the recipe and settings of now, `--version ran` \
         (`\"version\": \"ran\"`) those of then, as if nothing was changed; nothing was done"
    );
    Err(Problem::conflict("version_not_said", message))
}

fn done_before(rerun: &JobId, status: JobStatus) -> Problem {
    let message = format!(
        "the job was done again already, by job {rerun} ({}): if that failed, rerun that one, \
         which keeps what it has done; to do this one once more, add `--though-done-again` (over \
         the API: `\"though_done_again\": true`)",
        status.as_str()
    );
    Problem::conflict("done_again", message)
}

/// Why all failed jobs of all times are not done again by a slip.
fn too_wide(found: &Reruns) -> Problem {
    let recipes: BTreeSet<&RecipeName> = found
        .again
        .iter()
        .map(|again| &again.outline.recipe)
        .collect();
    let message = format!(
        "this would do {} jobs of {} recipes again: name a recipe (`--recipe`) or a time \
         (`--since`, `--until`), or say that all of them are meant with `--yes` (over the API: \
         `\"all\": true`); `--plan` shows them",
        found.again.len(),
        recipes.len()
    );
    Problem::conflict("too_wide", message)
}

fn wish(written: Written) -> Wish {
    Wish {
        from: from(written.from),
        version: version(written.version),
        elements: match written.elements {
            WrittenElements::All => Elements::All,
            WrittenElements::Failed => Elements::Failed,
        },
        outputs: written.outputs,
        unknown: match written.unknown {
            WrittenUnknown::Refuse => Unknown::Refuse,
            WrittenUnknown::Again => Unknown::Again,
        },
    }
}

fn many_of(written: WrittenMany) -> Result<Many, Problem> {
    let moment = |written: Option<String>| {
        let moment = written.map(|text| Moment::parse(&text)).transpose();
        moment.map_err(Problem::bad_request)
    };
    let recipe = written.recipe.map(|name| RecipeName::new(&name));
    let statuses = match written.status.is_empty() {
        true => vec![JobStatus::Failed],
        false => written.status,
    };
    if let Some(status) = statuses.iter().find(|status| !status.is_final()) {
        let message = format!("jobs that are `{}` have not ended", status.as_str());
        return Err(Problem::bad_request(message));
    }
    if written.per_minute == Some(0) {
        return Err(Problem::bad_request("`per_minute` is a number from 1"));
    }
    Ok(Many {
        filter: JobFilter {
            recipe: recipe.transpose().map_err(Problem::bad_request)?,
            statuses,
            from: moment(written.since)?,
            to: moment(written.until)?,
            ..JobFilter::default()
        },
        per_minute: written.per_minute,
        wish: wish(Written {
            from: written.from,
            version: written.version,
            elements: written.elements,
            unknown: written.unknown,
            ..Written::default()
        }),
    })
}

fn from(written: Option<String>) -> From {
    match written.as_deref() {
        None | Some("failed") => From::Failed,
        Some("start") => From::Start,
        Some(step) => From::Step(step.to_owned()),
    }
}

fn version(written: Option<WrittenVersion>) -> Version {
    match written {
        // Then nothing has changed, or it is only shown.
        None | Some(WrittenVersion::Ran) => Version::Ran,
        Some(WrittenVersion::Current) => Version::Current,
    }
}

fn done_again(again: &Again) -> Value {
    let mut shown = shown(&again.outline);
    if let Some((job, at)) = &again.queued {
        shown["job"] = job.as_str().into();
        shown["not_before"] = wire::moment(*at);
    }
    shown
}

/// What a rerun is, as it is shown.
fn shown(plan: &Outline) -> Value {
    let mut shown = json!({
        "origin": plan.origin.as_str(),
        "recipe": plan.recipe.as_str(),
        "from": match plan.begins.is_empty() {
            true => json!(["start"]),
            false => json!(plan.begins),
        },
        "version": plan.version,
        "keeps": plan.keeps,
        "keeps_count": plan.kept,
        "recipe_has_changed": plan.changed.recipe,
    });
    if !plan.changed.settings.is_empty() {
        shown["settings_that_changed"] = json!(plan.changed.settings);
    }
    if !plan.rows_kept.is_empty() {
        shown["rows_kept_of"] = plan.rows_kept.iter().map(|name| name.as_str()).collect();
    }
    if let Some(elements) = plan.elements {
        shown["elements"] = elements.into();
    }
    if !plan.doubtful.is_empty() {
        shown["made_again_though_unknown"] = json!(plan.doubtful);
    }
    shown
}

fn passed_over(passed: &Passed) -> Value {
    json!({ "job": passed.job.as_str(), "why": passed.why.to_string() })
}

/// Shows what has changed since a job began, if it is one to be done again: a rerun on the version
/// that ran does not see it.
pub(super) async fn show_changes(
    rooms: &Rooms,
    to_mend: Option<(&RecipeName, &Pinned)>,
    job: &mut Value,
) -> Result<(), Problem> {
    let Some((recipe, pinned)) = to_mend else {
        return Ok(());
    };
    let changed = changed_since(&rooms.intake, recipe, Some(pinned)).await?;
    if changed != Changed::default() {
        job["changed_since"] = json!({ "recipe": changed.recipe, "settings": changed.settings });
    }
    Ok(())
}

/// Where a job comes from and what was made of it, as a job shows it.
pub(super) fn show_lineage(lineage: &Lineage, job: &mut Value) {
    if let Some((origin, place, version)) = &lineage.origin {
        job["origin"] = json!({ "job": origin.as_str(), "from": place, "version": version });
    }
    if !lineage.reruns.is_empty() {
        let rerun =
            |(id, status): &(JobId, JobStatus)| json!({ "job": id.as_str(), "status": status });
        job["reruns"] = lineage.reruns.iter().map(rerun).collect();
    }
}

impl std::convert::From<NoRerun> for Problem {
    fn from(why: NoRerun) -> Self {
        match why {
            NoRerun::Store(error) => error.into(),
            NoRerun::Refused {
                code,
                message,
                details,
            } => {
                let problem = Problem::conflict(code, message);
                problem.errors(
                    details
                        .into_iter()
                        .map(|message| json!({ "message": message })),
                )
            }
        }
    }
}
