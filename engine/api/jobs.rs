//! Lists of jobs, newest first, paged by key.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::json;

use crate::clock::Moment;
use crate::data::Value;
use crate::diagnostic::did_you_mean;
use crate::journal::JobStatus;
use crate::names::{JobId, RecipeName};
use crate::store::{JobFilter, JobRecord, Jobs};

use super::body::{limit, next_page, parameters, unknown_parameter};
use super::{Problem, Rooms, failures, standing, wire};

/// How many jobs a page holds unless asked otherwise, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 500;

/// The parameters of the list.
const KNOWN: [&str; 6] = ["status", "recipe", "from", "to", "before", "limit"];

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
    let mut jobs = Vec::with_capacity(records.len());
    for record in &records {
        let mut job = wire::job(record);
        failures::mask(&rooms, record, &mut job).await;
        jobs.push(job);
    }
    standing::say_why(&rooms, &records, &mut jobs).await?;
    say_done_again(&rooms, &records, &mut jobs).await?;
    let mut answer = json!({ "jobs": jobs });
    if let (Some(answer), Some(next)) = (answer.as_object_mut(), next) {
        answer.insert("next".into(), next.into());
    }
    Ok(Json(answer))
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
