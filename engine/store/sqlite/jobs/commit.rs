//! The only way a job changes.
//!
//! In: a lease and an advance. Out: what it brought, durable when the caller hears of it.
//! Always true: the lease is checked first; whatever fails later undoes the whole advance.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::super::error::{corrupt, store_error};
use super::super::pack::{Large, NO_JOB, pack, pack_entries};
use super::super::tables::{self, Known};
use super::{awaits, cancel, enqueue, fires, fold, holds, quarantine};
use crate::clock::Moment;
use crate::data::digest;
use crate::journal::{Ending, Entry, EntryKey, EntryKind, Failure, JobStatus};
use crate::store::{Advance, Committed, Lease, Next, Pinned, StoreError};
use crate::table::Performed;

/// Performs an advance.
pub(super) async fn commit(
    connection: &mut SqliteConnection,
    known: Known,
    lease: Lease,
    at: Moment,
    mut advance: Advance,
) -> Result<Committed, StoreError> {
    let mut large = Large::default();
    let job = guard(connection, &lease, at, &advance, &mut large).await?;
    let mut committed = Committed::default();
    let mut entries = std::mem::take(&mut advance.entries);
    let loops = fold::take_loops(&mut entries);
    if !advance.consumed_requests.is_empty() {
        consume(connection, job.number, &advance.consumed_requests).await?;
    }
    for step in &advance.table_operations {
        let by = format!("job:{}", lease.job);
        let performed =
            tables::perform(connection, &known, &by, at, &step.table, &step.operation).await?;
        entries.push(table_entry(&step.key, at, &performed));
        committed.performed.push((step.key.clone(), performed));
    }
    move_holds(connection, &job, at, &advance, &mut committed).await?;
    if !advance.children.is_empty() {
        let children = &advance.children;
        enqueue::start_children(connection, job.number, children, at).await?;
        cancel::reach_children(connection, job.number, children, &entries, at).await?;
        committed
            .woken
            .extend(children.iter().map(|child| child.id.clone()));
    }
    for request in &advance.awaits {
        let woken = awaits::wait_for(connection, job.number, at, request).await?;
        committed.woken.extend(woken);
    }
    append(connection, &job, &advance, entries, &mut large).await?;
    if !loops.is_empty() {
        fold::fold(connection, job.number, job.chunk, loops, &mut large).await?;
    }
    large.store(connection, job.number).await?;
    match &advance.next {
        Next::Ended(ending) => end(connection, &job, at, ending, &mut committed).await?,
        Next::PutOff(_) => enqueue::back_in_line(connection, job.number).await?,
        Next::GivenBack if !job.is_pinned => {
            enqueue::back_in_line(connection, job.number).await?;
        }
        Next::Waiting(None) if job.has_holds || job.is_awaited => {
            let woken = awaits::wake_circle(connection, job.number, at).await?;
            committed.woken.extend(woken);
        }
        _ => {}
    }
    Ok(committed)
}

/// What the guard says of the job.
struct Guarded {
    number: i64,
    chunk: i64,
    has_holds: bool,
    is_awaited: bool,
    is_scheduled: bool,
    /// Whether it has begun: which version of its recipe it runs is settled.
    is_pinned: bool,
}

/// Checks the lease and changes the row of a job that its worker keeps; no index is touched.
const STAY: &str = "
    UPDATE job SET
        chunks = chunks + $3,
        recoveries = CASE $7 WHEN 1 THEN 0 ELSE recoveries END,
        has_holds = MAX(has_holds, $4),
        pin = COALESCE(pin, (SELECT number FROM pin WHERE hash = $5)),
        started_at = COALESCE($6, started_at)
    WHERE id = $1 AND lease = $2 AND status = 'running'
    RETURNING number, chunks, has_holds, is_awaited, pin, started_by = 'schedule'";

/// Checks the lease and changes the row of a job that its worker gives back or has ended. News that
/// the worker has not heard of make it claimable at once.
const LEAVE: &str = "
    UPDATE job SET
        chunks = chunks + $3,
        recoveries = CASE $7 WHEN 1 THEN 0 ELSE recoveries END,
        has_holds = MAX(has_holds, $4),
        pin = COALESCE(pin, (SELECT number FROM pin WHERE hash = $5)),
        started_at = COALESCE($6, started_at),
        status = $8,
        due = CASE WHEN $10 IS NOT NULL THEN NULL WHEN has_news = 1 THEN $11 ELSE $9 END,
        ended_at = $10,
        output = $12,
        failure = $13
    WHERE id = $1 AND lease = $2 AND status = 'running'
    RETURNING number, chunks, has_holds, is_awaited, pin, started_by = 'schedule'";

async fn guard(
    connection: &mut SqliteConnection,
    lease: &Lease,
    at: Moment,
    advance: &Advance,
    large: &mut Large,
) -> Result<Guarded, StoreError> {
    let writes = !advance.entries.is_empty() || !advance.table_operations.is_empty();
    let pin = advance
        .pinned
        .as_ref()
        .map(|pinned| (pin_hash(pinned), pinned));
    let (sql, leaving) = match &advance.next {
        Next::Running => (STAY, None),
        next => (LEAVE, Some(leave(next, at, large)?)),
    };
    let mut query = sqlx::query(sql)
        .bind(lease.job.as_str())
        .bind(lease.number)
        .bind(i64::from(writes))
        .bind(i64::from(!advance.holds.is_empty()))
        .bind(pin.as_ref().map(|(hash, _)| hash.as_str()))
        .bind(pin.as_ref().map(|(_, pinned)| pinned.started_at.0))
        .bind(i64::from(is_progress(advance)));
    if let Some(leaving) = leaving {
        query = query
            .bind(leaving.status.as_str())
            .bind(leaving.due)
            .bind(leaving.ended_at)
            .bind(at.0)
            .bind(leaving.output)
            .bind(leaving.failure);
    }
    let row = query
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?
        .ok_or_else(|| StoreError::LeaseLost(lease.job.clone()))?;
    let mut job = read_guard(&row).map_err(store_error)?;
    if let Some((hash, pinned)) = pin
        && !job.is_pinned
    {
        keep_pin(connection, job.number, &hash, pinned).await?;
        job.is_pinned = true;
    }
    Ok(job)
}

/// Whether a commit ends a row of crashes: it brings the job further, or gives it back in order.
fn is_progress(advance: &Advance) -> bool {
    !advance.table_operations.is_empty()
        || !advance.children.is_empty()
        || advance.entries.iter().any(Entry::is_progress)
        || matches!(advance.next, Next::GivenBack | Next::Ended(_))
}

fn read_guard(row: &SqliteRow) -> Result<Guarded, sqlx::Error> {
    Ok(Guarded {
        number: row.try_get(0)?,
        chunk: row.try_get(1)?,
        has_holds: row.try_get::<i64, _>(2)? == 1,
        is_awaited: row.try_get::<i64, _>(3)? == 1,
        is_scheduled: row.try_get::<i64, _>(5)? == 1,
        is_pinned: row.try_get::<Option<i64>, _>(4)?.is_some(),
    })
}

/// The new columns of a job that leaves its worker.
struct Leaving {
    status: JobStatus,
    due: Option<i64>,
    ended_at: Option<i64>,
    output: Option<String>,
    failure: Option<String>,
}

fn leave(next: &Next, at: Moment, large: &mut Large) -> Result<Leaving, StoreError> {
    let (status, due) = match next {
        Next::Running => (JobStatus::Running, None),
        Next::Waiting(wake_at) => (JobStatus::Waiting, wake_at.map(|moment| moment.0)),
        Next::NeedsDecision(wake_at) => (JobStatus::NeedsDecision, wake_at.map(|moment| moment.0)),
        Next::PutOff(until) => (JobStatus::Queued, Some(until.0)),
        Next::GivenBack => (JobStatus::Waiting, Some(at.0)),
        Next::Ended(ending) => return ended(ending, at, large),
    };
    Ok(Leaving {
        status,
        due,
        ended_at: None,
        output: None,
        failure: None,
    })
}

fn ended(ending: &Ending, at: Moment, large: &mut Large) -> Result<Leaving, StoreError> {
    if !ending.status.is_final() {
        return Err(StoreError::Conflict(format!(
            "`{}` is no status that a job can end with",
            ending.status.as_str()
        )));
    }
    let output = match &ending.output {
        Some(output) => Some(pack(output, large)?),
        None => None,
    };
    let failure = match &ending.failure {
        Some(failure) => {
            let failure = serde_json::to_value(failure).map_err(|e| corrupt("a failure", &e))?;
            Some(pack(&failure, large)?)
        }
        None => None,
    };
    Ok(Leaving {
        status: ending.status,
        due: None,
        ended_at: Some(at.0),
        output,
        failure,
    })
}

/// Under which hash something pinned is kept.
pub(super) fn pin_hash(pinned: &Pinned) -> String {
    digest(format!("{}\n{}", pinned.program, pinned.settings).as_bytes())
}

/// Stores what the first job of this program and these settings pins.
pub(super) async fn keep_pin(
    connection: &mut SqliteConnection,
    job: i64,
    hash: &str,
    pinned: &Pinned,
) -> Result<(), StoreError> {
    let mut large = Large::default();
    sqlx::query(
        "INSERT INTO pin (hash, program, settings) VALUES ($2, $3, $4);
         UPDATE job SET pin = last_insert_rowid() WHERE number = $1",
    )
    .bind(job)
    .bind(hash)
    .bind(pinned.program.as_str())
    .bind(pack(&pinned.settings, &mut large)?)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    large.store(connection, NO_JOB).await
}

async fn consume(
    connection: &mut SqliteConnection,
    job: i64,
    numbers: &[i64],
) -> Result<(), StoreError> {
    let numbers = serde_json::to_string(numbers).map_err(|e| corrupt("requests", &e))?;
    sqlx::query(
        "DELETE FROM job_request
         WHERE job = $1 AND number IN (SELECT value FROM json_each($2))",
    )
    .bind(job)
    .bind(numbers)
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// The entry that says how a table operation ended.
fn table_entry(key: &EntryKey, at: Moment, performed: &Performed) -> Entry {
    let kind = match performed {
        Ok(output) => EntryKind::StepSucceeded {
            output: output.clone(),
        },
        Err(refused) => EntryKind::StepFailed {
            failure: Failure::new(refused.code, refused.message.clone()),
            next_try_at: None,
        },
    };
    Entry {
        key: key.clone(),
        at,
        kind,
    }
}

/// Gives holds back and asks for others.
async fn move_holds(
    connection: &mut SqliteConnection,
    job: &Guarded,
    at: Moment,
    advance: &Advance,
    committed: &mut Committed,
) -> Result<(), StoreError> {
    if !advance.released_holds.is_empty() {
        let woken = holds::release(connection, job.number, &advance.released_holds, at).await?;
        committed.woken.extend(woken);
    }
    for request in &advance.holds {
        let is_granted = holds::ask(connection, job.number, request).await?;
        committed.granted.push(is_granted);
    }
    Ok(())
}

/// Counts the calls of other recipes.
macro_rules! count {
    () => {
        "INSERT INTO job_call (recipe, job, calls)
         SELECT value ->> 0, $1, value ->> 1 FROM json_each($2) WHERE true
         ON CONFLICT (recipe, job) DO UPDATE SET calls = calls + excluded.calls"
    };
}
const COUNT: &str = count!();

/// Writes the entries of one commit.
macro_rules! write {
    () => {
        "INSERT INTO entry (job, chunk, body) VALUES ($1, $3, $4)"
    };
}
const WRITE: &str = write!();

/// Both at once: each way to the database's thread and back costs as much as a small write.
const COUNT_AND_WRITE: &str = concat!(count!(), ";\n", write!());

/// Appends what happened to the journal, and counts calls.
async fn append(
    connection: &mut SqliteConnection,
    job: &Guarded,
    advance: &Advance,
    entries: Vec<Entry>,
    large: &mut Large,
) -> Result<(), StoreError> {
    let sql = match (advance.calls.is_empty(), entries.is_empty()) {
        (true, true) => return Ok(()),
        (false, true) => COUNT,
        (true, false) => WRITE,
        (false, false) => COUNT_AND_WRITE,
    };
    let calls = serde_json::to_string(&advance.calls).map_err(|e| corrupt("calls", &e))?;
    sqlx::query(sql)
        .bind(job.number)
        .bind(calls)
        .bind(job.chunk)
        .bind(pack_entries(entries, large)?)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// Gives back what a job that ended still held, and wakes those that waited for its end.
async fn end(
    connection: &mut SqliteConnection,
    job: &Guarded,
    at: Moment,
    ending: &Ending,
    committed: &mut Committed,
) -> Result<(), StoreError> {
    let is_good = matches!(
        ending.status,
        JobStatus::Succeeded | JobStatus::SucceededWithErrors
    );
    if job.is_scheduled {
        fires::mark_ended(connection, job.number, is_good).await?;
    }
    if job.has_holds {
        if ending.status == JobStatus::Quarantined {
            quarantine::lose_holds(connection, job.number, at).await?;
        }
        let woken = holds::release_all(connection, job.number, at).await?;
        committed.woken.extend(woken);
    }
    if job.is_awaited {
        let woken = awaits::wake_waiting(connection, job.number, at).await?;
        committed.woken.extend(woken);
    }
    Ok(())
}
