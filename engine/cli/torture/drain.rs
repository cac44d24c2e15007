//! What is left when the faults are over: worked off, with a person who decides what must be decided.
//!
//! Always true: the person looks at the outside world and at nothing else, as an administrator
//! would.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::json;

use super::api::Api;
use super::plan::SLOW_MS;
use super::vendor::Vendor;
use crate::clock::Clock;
use crate::data::Value;

/// How long nothing may move before what is left counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(120);

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Drained {
    pub(super) took: Duration,
    /// Jobs that are stuck, up to a page of them.
    pub(super) stuck: usize,
    /// What was decided: how often, by action and choice.
    pub(super) decided: BTreeMap<String, usize>,
}

/// Waits until no job has anything left to do, and decides meanwhile.
pub(super) async fn drain(api: &Api, vendor: &Vendor) -> anyhow::Result<Drained> {
    let began = Instant::now();
    // What a killed engine sent may still be at work with the vendor: whoever decides waits for it.
    Clock::rest(Duration::from_millis(2 * SLOW_MS)).await;
    let mut drained = Drained::default();
    let mut known = BTreeSet::new();
    let mut moved = (None, Instant::now());
    loop {
        let undecided = decide(api, vendor, &mut known, &mut drained.decided).await?;
        let open = jobs(api, "queued,running,waiting").await?;
        drained.took = began.elapsed();
        let Some(oldest) = open.last() else {
            if undecided == 0 {
                return Ok(drained);
            }
            Clock::rest(Duration::from_millis(100)).await;
            continue;
        };
        let oldest = oldest["id"].as_str().context("a job has an id")?;
        // A page of jobs may be full of others all the while.
        let calls = vendor.tells("sink").await?["received"].as_u64();
        let now = Some((open.len(), oldest.to_owned(), calls));
        if now != moved.0 {
            moved = (now, Instant::now());
        }
        if moved.1.elapsed() > STUCK_AFTER {
            drained.stuck = open.len();
            return Ok(drained);
        }
        let path = format!("/api/jobs/{oldest}?wait=1s");
        api.ask(Method::GET, &path, None).await?;
        Clock::rest(Duration::from_millis(100)).await;
    }
}

/// Decides on every call whose end is unknown, once: it happened if the vendor has it, else it is
/// to be done again. How many jobs ask for a decision.
async fn decide(
    api: &Api,
    vendor: &Vendor,
    known: &mut BTreeSet<String>,
    decided: &mut BTreeMap<String, usize>,
) -> anyhow::Result<usize> {
    let asking = jobs(api, "needs_decision").await?;
    if asking.is_empty() {
        return Ok(0);
    }
    let held = vendor.tells("sink/ids").await?;
    for job in &asking {
        let id = job["id"].as_str().context("a job has an id")?;
        let path = format!("/api/jobs/{id}");
        // What a webhook brought is personal: to find the record, the person has to look at it.
        let seen = format!("{path}?reveal=personal");
        let whole = api.ask(Method::GET, &seen, None).await?;
        for open in whole["decisions"].as_array().into_iter().flatten() {
            let (key, asked_at) = (&open["key"], &open["asked_at"]);
            if !known.insert(format!("{id} {key} {asked_at}")) {
                continue;
            }
            let record = open["input"]["id"]
                .as_str()
                .context("a call has its record's id")?;
            anyhow::ensure!(!record.contains('*'), "`{record}` is masked");
            let mut wish = json!({ "key": key, "choice": "again" });
            if held[record].as_u64() > Some(0) {
                wish = json!({ "key": key, "choice": "happened", "output": { "ok": true } });
            }
            let path = format!("{path}/decide");
            api.ask(Method::POST, &path, Some(&wish)).await?;
            let action = open["action"].as_str().unwrap_or_default();
            let choice = wish["choice"].as_str().unwrap_or_default();
            *decided.entry(format!("{action} {choice}")).or_default() += 1;
        }
    }
    Ok(asking.len())
}

/// Jobs of these statuses, newest first, up to a page.
async fn jobs(api: &Api, statuses: &str) -> anyhow::Result<Vec<Value>> {
    let path = format!("/api/jobs?status={statuses}&limit=500");
    let mut list = api.ask(Method::GET, &path, None).await?;
    let Value::Array(jobs) = list["jobs"].take() else {
        bail!("the list of jobs has no jobs");
    };
    Ok(jobs)
}
