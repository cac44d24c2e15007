//! Jobs that can never end, because they wait in a circle.
//!
//! In: a job that waits at a place, and the jobs that it waits for. Out: those of them that wait,
//! over however many corners, for that job to give back what it holds around that place.
//! Always true: a job that still may move by itself is never taken for stuck, nor is one behind
//! it; what the waiting job holds elsewhere (in a branch beside the place) it may give back.

use std::collections::{BTreeMap, HashMap};

use sqlx::SqliteConnection;

use super::super::error::store_error;
use crate::journal::EntryKey;
use crate::names::RecipeName;
use crate::store::StoreError;

/// The most jobs that are looked at; whoever waits for more than that is not taken for stuck.
const LOOKED_AT_MAX: usize = 20_000;

/// What a job stands in line for: recipe and key.
type Line = (RecipeName, Option<String>);

/// A job that nothing but others can move, and what it waits for.
struct Still {
    /// Jobs whose ends it waits for, by the place that waits.
    awaits: BTreeMap<String, Vec<i64>>,
    lines: Vec<InLine>,
}

/// A key and slot that a job waits for.
struct InLine {
    line: Line,
    /// Who has the key; none if it waits for a slot only.
    key_holder: Option<Holder>,
    /// Who has all the slots; none if one is free.
    slot_holders: Option<Vec<Holder>>,
}

/// A job and the frame that holds.
type Holder = (i64, String);

/// Finds the stuck ones among the awaited jobs, each with what it waits in line for.
pub(super) async fn behind(
    connection: &mut SqliteConnection,
    waiter: i64,
    place: &EntryKey,
    awaited: &[i64],
) -> Result<HashMap<i64, Option<Line>>, StoreError> {
    let mut still = BTreeMap::new();
    let mut open: Vec<i64> = awaited.to_vec();
    let mut looked_at = std::collections::HashSet::from([waiter]);
    while let Some(job) = open.pop() {
        if !looked_at.insert(job) {
            continue;
        }
        if looked_at.len() > LOOKED_AT_MAX {
            return Ok(HashMap::new());
        }
        if let Some(job_waits) = load(connection, job).await? {
            open.extend(job_waits.leads_to());
            still.insert(job, job_waits);
        }
    }
    settle(&mut still, waiter, place);
    let stuck = awaited.iter().filter_map(|job| {
        let lines = &still.get(job)?.lines;
        Some((*job, lines.first().map(|line| line.line.clone())))
    });
    Ok(stuck.collect())
}

/// Takes out whoever may move, until nobody is left who may.
fn settle(still: &mut BTreeMap<i64, Still>, waiter: i64, place: &EntryKey) {
    loop {
        let holds_on = |(job, frame): &Holder| {
            if *job == waiter {
                is_around(frame, place)
            } else {
                still.contains_key(job)
            }
        };
        let free: Vec<i64> = still
            .iter()
            .filter(|(_, job)| {
                let ends = |job: &i64| *job != waiter && !still.contains_key(job);
                let mut awaits = job.awaits.values();
                awaits.any(|all| all.iter().all(ends))
                    || job.lines.iter().any(|line| line.moves(&holds_on))
            })
            .map(|(job, _)| *job)
            .collect();
        if free.is_empty() {
            return;
        }
        for job in free {
            still.remove(&job);
        }
    }
}

impl Still {
    fn leads_to(&self) -> Vec<i64> {
        let holders = self.lines.iter().flat_map(|line| {
            let slots = line.slot_holders.iter().flatten();
            line.key_holder.iter().chain(slots)
        });
        let mut jobs: Vec<i64> = holders.map(|(job, _)| *job).collect();
        jobs.extend(self.awaits.values().flatten());
        jobs
    }
}

impl InLine {
    /// Whether the turn may come without anything that is still.
    fn moves(&self, holds_on: &dyn Fn(&Holder) -> bool) -> bool {
        let key_stays = self.key_holder.as_ref().is_some_and(holds_on);
        let slots = self.slot_holders.as_ref();
        let slots_stay = slots.is_some_and(|holders| holders.iter().all(holds_on));
        !key_stays && !slots_stay
    }
}

/// Whether what a frame holds is held until a place inside it is done with.
fn is_around(hold: &str, place: &EntryKey) -> bool {
    match hold.rsplit_once('/') {
        None => true,
        Some((frame, _)) => place
            .0
            .strip_prefix(frame)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    }
}

/// What a job waits for, if nothing but other jobs can move it.
async fn load(connection: &mut SqliteConnection, job: i64) -> Result<Option<Still>, StoreError> {
    let is_still: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM job
         WHERE number = $1 AND status = 'waiting' AND due IS NULL AND has_news = 0)",
    )
    .bind(job)
    .fetch_one(&mut *connection)
    .await
    .map_err(store_error)?;
    if !is_still {
        return Ok(None);
    }
    let awaited: Vec<(String, i64)> =
        sqlx::query_as("SELECT place, awaited FROM job_await WHERE waiting = $1 AND has_ended = 0")
            .bind(job)
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
    let mut awaits: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (place, job) in awaited {
        awaits.entry(place).or_default().push(job);
    }
    let waiting: Vec<(String, Option<String>, Option<i64>)> = sqlx::query_as(
        "SELECT recipe, value, most FROM hold WHERE job = $1 AND is_granted = 0 ORDER BY number",
    )
    .bind(job)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let mut lines = Vec::with_capacity(waiting.len());
    for (recipe, value, most) in waiting {
        lines.push(in_line(connection, recipe, value, most).await?);
    }
    let still = Still { awaits, lines };
    Ok((!still.awaits.is_empty() || !still.lines.is_empty()).then_some(still))
}

async fn in_line(
    connection: &mut SqliteConnection,
    recipe: String,
    value: Option<String>,
    most: Option<i64>,
) -> Result<InLine, StoreError> {
    let holders: Vec<(i64, String, Option<String>)> =
        sqlx::query_as("SELECT job, key, value FROM hold WHERE recipe = $1 AND is_granted = 1")
            .bind(&recipe)
            .fetch_all(connection)
            .await
            .map_err(store_error)?;
    let has_key = |holder: &&(i64, String, Option<String>)| value.is_some() && holder.2 == value;
    let key_holder = holders.iter().find(has_key);
    let key_holder = key_holder.map(|(job, frame, _)| (*job, frame.clone()));
    let is_full = most.is_some_and(|most| holders.len() >= usize::try_from(most).unwrap_or(0));
    let slots = || holders.iter().map(|(job, frame, _)| (*job, frame.clone()));
    Ok(InLine {
        key_holder,
        slot_holders: is_full.then(|| slots().collect()),
        line: (
            RecipeName::new(&recipe).map_err(StoreError::Corrupt)?,
            value,
        ),
    })
}
