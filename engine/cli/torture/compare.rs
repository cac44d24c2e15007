//! What the outside world holds, beside what it must hold.
//!
//! In: what was sent and accepted. Out: a report.
//! Always true: what must be there follows from the load alone; the engine is asked only how its
//! jobs ended.

use std::collections::BTreeMap;

use reqwest::Method;

use super::api::Api;
use super::load::{ROUNDS, Run, Sent};
use super::plan::Event;
use super::post::Post;
use super::report::{Done, Report};
use super::vendor::{RECORDS, Vendor};
use crate::data::Value;

/// The budget of the connector: calls, and the window as the stand-in takes it.
const BUDGET: (u64, &str) = (120, "60s");

/// Compares everything.
pub(super) async fn compare(
    api: &Api,
    vendor: &Vendor,
    post: &Post,
    seed: u64,
    sent: Sent,
    done: Done,
) -> anyhow::Result<Report> {
    let stuck = done.drained.stuck;
    let mut report = Report::of(seed, &sent, done);
    if stuck > 0 {
        report.trouble(format!("{stuck} jobs or more are stuck"));
    }
    let jobs = all_jobs(api).await?;
    look_at_jobs(&jobs, &mut report);
    let mut held = counts(&vendor.tells("sink/ids").await?);
    let alone = held.iter().filter(|(id, _)| id.ends_with("-alone"));
    report.alone = alone.map(|(_, count)| count).sum();
    let events: Vec<Event> = sent
        .events
        .iter()
        .map(|number| Event::of(seed, *number))
        .collect();
    for event in &events {
        look_at_event(event, &mut held, &mut report);
    }
    for run in &sent.runs {
        look_at_run(run, 1, &mut held, &mut report);
    }
    for run in &sent.doubtful_runs {
        let has_begun = held
            .keys()
            .any(|id| id.starts_with(&format!("{}-", run.id)));
        look_at_run(run, usize::from(has_begun), &mut held, &mut report);
    }
    let ticks = jobs.iter().filter(|job| job["recipe"] == "torture/tick");
    report.expect("ticks", ticks.count(), take(&mut held, "tick-"));
    for (id, count) in held {
        report.trouble(format!(
            "`{id}` was sent {count} times and nobody asked for it"
        ));
    }
    look_at_mails(&events, post, &mut report);
    look_at_tables(api, &events, &sent, &mut report).await?;
    let window = vendor
        .tells(&format!("violations?window={}", BUDGET.1))
        .await?;
    report.overlaps = window["overlaps"].as_u64().unwrap_or(0);
    report.calls = window["load"]["calls"].as_u64().unwrap_or(0);
    report.window_max = window["load"]["window_max"].as_u64().unwrap_or(0);
    if report.overlaps > 0 {
        report.trouble(format!("{} calls overlapped", report.overlaps));
    }
    if report.window_max > BUDGET.0 {
        let (calls, window) = BUDGET;
        let most = report.window_max;
        report.trouble(format!("{most} calls in {window}, of {calls} at most"));
    }
    Ok(report)
}

/// Counts jobs by status; every one has ended well.
fn look_at_jobs(jobs: &[Value], report: &mut Report) {
    for job in jobs {
        let status = job["status"].as_str().unwrap_or_default();
        *report.jobs.entry(status.to_owned()).or_default() += 1;
        // Those that are not at their end are counted as stuck.
        if !["succeeded", "queued", "running", "waiting"].contains(&status) {
            let (id, recipe, why) = (&job["id"], &job["recipe"], &job["failure"]);
            report.trouble(format!("job {id} of {recipe} is {status}: {why}"));
        }
    }
}

/// An event has each of its effects exactly once.
fn look_at_event(event: &Event, held: &mut BTreeMap<String, usize>, report: &mut Report) {
    let mut wanted = vec!["keep", "issue", "file"];
    if event.is_alone {
        wanted.push("alone");
    }
    if event.is_gamble {
        wanted.push("gamble");
    }
    for what in wanted {
        let id = format!("{}-{what}", event.id);
        let count = held.remove(&id).unwrap_or(0);
        report.effect(&id, 1, count);
    }
}

/// A run has each of its effects so many times: once, or not at all.
fn look_at_run(run: &Run, times: usize, held: &mut BTreeMap<String, usize>, report: &mut Report) {
    let (first, last) = if run.is_listing {
        (1, RECORDS)
    } else {
        (0, ROUNDS - 1)
    };
    let numbers = (first..=last).map(|number| number.to_string());
    let alone = run.is_listing.then(|| "alone".to_owned());
    for what in numbers.chain(alone) {
        let id = format!("{}-{what}", run.id);
        let count = held.remove(&id).unwrap_or(0);
        report.effect(&id, times, count);
    }
}

/// Each mail that was due came, and came as one mail: a repeat bears the same `Message-ID`.
fn look_at_mails(events: &[Event], post: &Post, report: &mut Report) {
    let mut mails = post.mails();
    for event in events.iter().filter(|event| event.has_mail) {
        let (ids, count) = mails.remove(&event.id).unwrap_or_default();
        report.effect(&format!("mail of {}", event.id), 1, ids.len());
        report.mail_repeats += count.saturating_sub(ids.len());
    }
    for subject in mails.keys() {
        report.trouble(format!("the mail `{subject}` came and nobody asked for it"));
    }
}

/// Each event has its row, and each end its line in the log.
async fn look_at_tables(
    api: &Api,
    events: &[Event],
    sent: &Sent,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut rows = BTreeMap::new();
    for row in all_rows(api, "torture-events").await? {
        let event = row["event"].as_str().unwrap_or_default().to_owned();
        if row["state"] != "filed" {
            report.trouble(format!("the row of {event} says {}", row["state"]));
        }
        *rows.entry(event).or_default() += 1;
    }
    let mut log = BTreeMap::new();
    for row in all_rows(api, "torture-log").await? {
        let event = row["event"].as_str().unwrap_or_default().to_owned();
        *log.entry(event).or_default() += 1;
    }
    for event in events {
        report.effect(
            &format!("row of {}", event.id),
            1,
            rows.remove(&event.id).unwrap_or(0),
        );
        report.effect(
            &format!("line of {}", event.id),
            1,
            log.remove(&event.id).unwrap_or(0),
        );
    }
    for run in &sent.runs {
        let count = log.remove(&run.id).unwrap_or(0);
        report.effect(&format!("line of {}", run.id), 1, count);
    }
    Ok(())
}

async fn all_jobs(api: &Api) -> anyhow::Result<Vec<Value>> {
    pages(api, "/api/jobs?limit=500", "jobs").await
}

async fn all_rows(api: &Api, table: &str) -> anyhow::Result<Vec<Value>> {
    let first = format!("/api/lookup-tables/{table}/rows?limit=1000");
    pages(api, &first, "rows").await
}

/// All elements of a paged list.
async fn pages(api: &Api, first: &str, name: &str) -> anyhow::Result<Vec<Value>> {
    let (mut all, mut page) = (Vec::new(), Some(first.to_owned()));
    while let Some(path) = page {
        let list = api.ask(Method::GET, &path, None).await?;
        all.extend(list[name].as_array().cloned().unwrap_or_default());
        page = list["next"].as_str().map(str::to_owned);
    }
    Ok(all)
}

fn counts(ids: &Value) -> BTreeMap<String, usize> {
    let counts = ids.as_object().into_iter().flatten();
    counts
        .filter_map(|(id, count)| Some((id.clone(), usize::try_from(count.as_u64()?).ok()?)))
        .collect()
}

/// Takes out what begins so: how often each came.
fn take(held: &mut BTreeMap<String, usize>, beginning: &str) -> Vec<(String, usize)> {
    let ids: Vec<String> = held
        .keys()
        .filter(|id| id.starts_with(beginning))
        .cloned()
        .collect();
    ids.into_iter()
        .filter_map(|id| held.remove_entry(&id))
        .collect()
}
