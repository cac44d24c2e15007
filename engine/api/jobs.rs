//! Lists of jobs, newest first, paged by key; all of them, or those that hold a value.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header;
use serde::Deserialize;
use serde_json::json;

use crate::clock::Moment;
use crate::data::Value;
use crate::diagnostic::did_you_mean;
use crate::journal::JobStatus;
use crate::names::{JobId, RecipeName};
use crate::store::{JobFilter, JobRecord, Jobs};

use super::body::{self, limit, next_page, parameters, unknown_parameter};
use super::{Problem, Rooms, failures, standing, wire};

/// How many jobs a page holds unless asked otherwise, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 500;

/// The parameters of the list.
const KNOWN: [&str; 7] = ["status", "recipe", "id", "from", "to", "before", "limit"];

/// The shortest value that is looked for: each letter less finds more that is not meant.
const VALUE_CHARS_MIN: usize = 3;
/// The longest one.
const VALUE_CHARS_MAX: usize = 1_000;

/// What is looked for, and in which jobs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    value: String,
    recipe: Option<String>,
    status: Option<String>,
    from: Option<String>,
    to: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/jobs`
pub(super) async fn list(
    State(rooms): State<Arc<Rooms>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let given = parameters(query.as_deref());
    let mut filter = filter_of(&given)?;
    let page = filter.limit;
    // One more than asked for tells whether there is a next page.
    filter.limit += 1;
    let mut records = rooms.intake.store.jobs(&filter).await?;
    let has_more = records.len() > page;
    records.truncate(page);
    let next = records
        .last()
        .filter(|_| has_more)
        .map(|last| next_page("/api/jobs", &given, ("before", last.id.as_str())));
    let mut answer = json!({ "jobs": cards(&rooms, &records).await? });
    if let (Some(answer), Some(next)) = (answer.as_object_mut(), next) {
        answer.insert("next".into(), next.into());
    }
    Ok(Json(answer))
}

/// `POST /api/jobs/search`: what is sought is often personal, and an address is written down in many
/// places; so it comes as a body.
pub(super) async fn search(
    State(rooms): State<Arc<Rooms>>,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    let wish: Wish = body::json(&bytes)?;
    let value = wish.value.trim();
    if !(VALUE_CHARS_MIN..=VALUE_CHARS_MAX).contains(&value.chars().count()) {
        let why = format!(
            "`value` is what the jobs must hold: {VALUE_CHARS_MIN} to {VALUE_CHARS_MAX} letters"
        );
        return Err(Problem::bad_request(why));
    }
    let given = [
        ("recipe", wish.recipe),
        ("status", wish.status),
        ("from", wish.from),
        ("to", wish.to),
        ("before", wish.before),
        ("limit", wish.limit.map(|limit| limit.to_string())),
    ];
    let given: Vec<_> = given
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    let filter = filter_of(&given)?;
    // It reads much, with the connections that everybody reads with.
    let _alone = rooms.searches.try_acquire().map_err(|_| {
        let title = "A search is running, and one runs at a time.";
        Problem::new(429, "search_running", title).header(header::RETRY_AFTER, "5")
    })?;
    let found = rooms.intake.store.jobs_holding(value, &filter).await?;
    let mut answer = json!({
        "jobs": cards(&rooms, &found.jobs).await?,
        "looked_at": found.looked_at,
    });
    if let Some(last) = found.last {
        answer["before"] = last.as_str().into();
    }
    Ok(Json(answer))
}

/// Jobs as they are listed.
pub(super) async fn cards(rooms: &Rooms, records: &[JobRecord]) -> Result<Vec<Value>, Problem> {
    let mut jobs = Vec::with_capacity(records.len());
    for record in records {
        let mut job = wire::job(record);
        failures::mask(rooms, record, &mut job).await;
        jobs.push(job);
    }
    standing::say_why(rooms, records, &mut jobs).await?;
    say_done_again(rooms, records, &mut jobs).await?;
    Ok(jobs)
}

/// Says of jobs that did not end well what their reruns came to.
async fn say_done_again(
    rooms: &Rooms,
    records: &[JobRecord],
    jobs: &mut [Value],
) -> Result<(), Problem> {
    let ended = records.iter().filter(|record| record.status.is_final());
    let bad = ended.filter(|record| record.status != JobStatus::Succeeded);
    let bad: Vec<JobId> = bad.map(|record| record.id.clone()).collect();
    if bad.is_empty() {
        return Ok(());
    }
    let again = rooms.intake.store.done_again(bad).await?;
    for (record, job) in records.iter().zip(jobs) {
        if let Some((rerun, status)) = again.get(&record.id) {
            job["done_again"] = json!({ "job": rerun.as_str(), "status": status });
        }
    }
    Ok(())
}

fn filter_of(given: &[(String, String)]) -> Result<JobFilter, Problem> {
    let mut filter = JobFilter {
        limit: PAGE,
        ..JobFilter::default()
    };
    for (name, value) in given {
        match name.as_str() {
            "status" => {
                for word in value
                    .split(',')
                    .map(str::trim)
                    .filter(|word| !word.is_empty())
                {
                    filter.statuses.push(status_of(word)?);
                }
            }
            "recipe" => filter.recipe = Some(RecipeName::new(value).map_err(Problem::bad_request)?),
            "id" => filter.id_prefix = Some(value.clone()),
            "from" => filter.from = Some(Moment::parse(value).map_err(Problem::bad_request)?),
            "to" => filter.to = Some(Moment::parse(value).map_err(Problem::bad_request)?),
            "before" => filter.before = Some(JobId::new(value).map_err(Problem::bad_request)?),
            "limit" => filter.limit = limit(name, value, PAGE_MAX)?,
            _ => return Err(unknown_parameter(name, &KNOWN)),
        }
    }
    Ok(filter)
}

fn status_of(word: &str) -> Result<JobStatus, Problem> {
    JobStatus::parse(word).ok_or_else(|| {
        let known: Vec<&str> = JobStatus::ALL
            .iter()
            .map(|status| status.as_str())
            .collect();
        let meant = match word {
            "cancelled" | "canceled" => Some(JobStatus::Stopped.as_str()),
            _ => did_you_mean(word, known.iter().copied()),
        };
        Problem::bad_request(match meant {
            Some(meant) => format!("`{word}` is no status; did you mean `{meant}`?"),
            None => format!("`{word}` is no status; known are: {}", known.join(", ")),
        })
    })
}
