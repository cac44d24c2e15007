//! The queue and the journals on SQLite, one file a concern.
//!
//! In: arrivals, claims and advances. Out: what the contract promises of each.
//! Always true: whatever writes runs inside the group commit; a refused change changed nothing.

mod awaits;
mod cancel;
mod claim;
mod commit;
mod enqueue;
mod events;
mod fires;
mod fold;
mod holds;
mod list;
mod polls;
mod quarantine;
mod queue;
mod record;
mod request;
mod rerun;
mod search;
mod standing;
mod stuck;

pub use cancel::Reach;
pub use events::{
    EventDetail, EventFilter, EventReplayed, Replay, StoredEvent, UNKEPT_DROPPED, UNKEPT_REJECTED,
    UNKEPT_REPEATED, Unkept,
};
pub(super) use fires::forget as forget_fires;
pub use fires::{Fire, FireOutcome, FireRow, Fired, Fires, PassedOver, RuleKept};
pub use list::JobMark;
pub use polls::{Poll, PollEnd, PollKept, Polled, PolledItem};
pub use quarantine::{RECOVERIES_MAX, Release};
pub use queue::Queue;
pub use rerun::{IfDoneAgain, Lineage, NotQueued, Rerun};
pub use search::Found;
pub use standing::{Standing, Tried};

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::tables::Known;
use super::veil::{self, Veil};
use super::{Place, Since, Sqlite};
use crate::clock::Moment;
use crate::data::Object;
use crate::journal::{Entry, EntryKey, JobStatus};
use crate::names::{JobId, RecipeName};
use crate::store::{
    Advance, Arrival, Awaited, Claimed, Committed, Enqueued, Haste, JobFilter, JobRecord,
    JobRequest, Jobs, Lease, Next, Payload, Pinned, RequestKind, StoreError,
};
use crate::table::SETTINGS_TABLE;

impl Jobs for Sqlite {
    async fn enqueue(&self, arrival: Arrival) -> Result<Enqueued, StoreError> {
        self.enqueue_split(arrival, Object::new(), None).await
    }

    async fn claim(
        &self,
        limit: usize,
        now: Moment,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        let (taken, woken) = self
            .writer
            .perform(Haste::Soon, move |connection| {
                Box::pin(claim::take(connection, limit, now, lease))
            })
            .await?;
        self.keep_woken(woken);
        if taken.is_empty() {
            return Ok(Vec::new());
        }
        // Loading is left to the reading connections, so that the writer goes on with others.
        let numbers = taken.clone();
        let loaded = self.with_reader(|connection| Box::pin(claim::load(connection, numbers)));
        let (claimed, damaged) = match loaded.await {
            Ok(loaded) => loaded,
            Err(error) => {
                self.with_writer_soon(move |connection| {
                    Box::pin(claim::give_back(connection, taken, now))
                })
                .await?;
                return Err(error);
            }
        };
        if !damaged.is_empty() {
            let woken = self
                .with_writer(move |connection| {
                    Box::pin(quarantine::take_out(connection, damaged, now))
                })
                .await?;
            self.keep_woken(woken);
        }
        claimed
            .into_iter()
            .map(|claimed| veil::opened_claimed(&self.sealer, claimed))
            .collect()
    }

    async fn renew(&self, leases: Vec<Lease>, until: Moment) -> Result<Vec<Lease>, StoreError> {
        self.writer
            .perform(Haste::Soon, move |connection| {
                Box::pin(claim::renew(connection, leases, until))
            })
            .await
    }

    async fn commit(
        &self,
        lease: &Lease,
        at: Moment,
        advance: Advance,
    ) -> Result<Committed, StoreError> {
        let lease = lease.clone();
        let advance = Veil::of(&self.sealer).advance(advance)?;
        let known = Known {
            tables: self.tables.clone(),
            settings: self.settings.clone(),
        };
        let writes_settings = advance
            .table_operations
            .iter()
            .any(|step| step.table.as_str() == SETTINGS_TABLE && !step.operation.is_read());
        let (haste, ends) = (advance.haste, matches!(advance.next, Next::Ended(_)));
        let committed = self
            .writer
            .perform(haste, move |connection| {
                Box::pin(commit::commit(connection, known, lease, at, advance))
            })
            .await;
        if writes_settings {
            self.settings.forget();
        }
        if ends && committed.is_ok() {
            self.jobs_ended.fetch_add(1, Ordering::Relaxed);
        }
        committed
    }

    async fn request(&self, job: &JobId, at: Moment, kind: RequestKind) -> Result<(), StoreError> {
        let job = job.clone();
        let kind = Veil::of(&self.sealer).request(kind)?;
        self.with_writer(move |connection| Box::pin(request::request(connection, job, at, kind)))
            .await
    }

    async fn requests(&self, job: &JobId) -> Result<Vec<JobRequest>, StoreError> {
        let job = job.clone();
        let requests = self
            .with_reader(|connection| Box::pin(request::open_requests(connection, job)))
            .await?;
        veil::opened_requests(&self.sealer, requests)
    }

    async fn awaited(
        &self,
        waiter: &JobId,
        place: &EntryKey,
        jobs: &[JobId],
    ) -> Result<Vec<Awaited>, StoreError> {
        let (waiter, place, jobs) = (waiter.clone(), place.clone(), jobs.to_vec());
        self.with_reader(|connection| Box::pin(awaits::look(connection, waiter, place, jobs)))
            .await
    }

    async fn next_due(&self) -> Result<Option<Moment>, StoreError> {
        self.with_reader(|connection| Box::pin(claim::next_due(connection)))
            .await
    }

    async fn job(&self, id: &JobId) -> Result<(JobRecord, Vec<Entry>, Option<Pinned>), StoreError> {
        let id = id.clone();
        let (record, entries, pinned) = self
            .with_reader(|connection| Box::pin(list::job(connection, id)))
            .await?;
        Ok((
            veil::opened_record(&self.sealer, record)?,
            veil::opened_entries(&self.sealer, entries)?,
            pinned.map(|pinned| veil::opened_pinned(&self.sealer, pinned)),
        ))
    }

    async fn jobs(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, StoreError> {
        let filter = filter.clone();
        let records = self
            .with_reader(|connection| Box::pin(list::jobs(connection, filter)))
            .await?;
        records
            .into_iter()
            .map(|record| veil::opened_record(&self.sealer, record))
            .collect()
    }
}

impl Sqlite {
    /// The jobs that changed, as they are now, each with the place after its change.
    pub async fn changed(&self, since: &Since) -> Result<Vec<(JobRecord, Place)>, StoreError> {
        let numbers = since.jobs.iter().map(|(number, _)| *number).collect();
        let found = self
            .with_reader(|connection| Box::pin(list::numbered(connection, numbers)))
            .await?;
        let mut found: BTreeMap<i64, JobRecord> = found.into_iter().collect();
        let told = since.jobs.iter();
        let told = told.filter_map(|(number, place)| Some((found.remove(number)?, *place)));
        told.map(|(record, place)| Ok((veil::opened_record(&self.sealer, record)?, place)))
            .collect()
    }

    /// The jobs of a filter that hold this value somewhere, letter for letter but for capitals.
    pub async fn jobs_holding(&self, value: &str, filter: &JobFilter) -> Result<Found, StoreError> {
        let (value, filter) = (value.to_owned(), filter.clone());
        let mut found = self
            .with_reader(|connection| Box::pin(search::holding(connection, value, filter)))
            .await?;
        let records = std::mem::take(&mut found.jobs).into_iter();
        found.jobs = records
            .map(|record| veil::opened_record(&self.sealer, record))
            .collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// The jobs that claims have woken since this was asked last: they waited for jobs that were taken
    /// out.
    pub fn woken(&self) -> Vec<JobId> {
        std::mem::take(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep_woken(&self, jobs: Vec<JobId>) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        woken.extend(jobs);
    }

    /// Lets every lease run out now: for the start of the only server, whose workers of before are
    /// gone. Answers how many jobs will be taken up again.
    pub async fn recover(&self, now: Moment) -> Result<u64, StoreError> {
        self.with_writer(move |connection| Box::pin(claim::recover(connection, now)))
            .await
    }

    /// Queues what arrived, whose events have these members in common; a replay adds its jobs to
    /// those of the stored event.
    pub async fn enqueue_split(
        &self,
        arrival: Arrival,
        shared: Object,
        replay: Option<Replay>,
    ) -> Result<Enqueued, StoreError> {
        let veil = Veil::of(&self.sealer);
        let (arrival, shared) = (veil.arrival(arrival)?, veil.members(shared)?);
        self.with_writer(|connection| {
            Box::pin(enqueue::enqueue(connection, arrival, shared, replay))
        })
        .await
    }

    /// Lets a quarantined job go on where it was, or end in order.
    pub async fn release(
        &self,
        job: &JobId,
        at: Moment,
        by: &str,
        release: Release,
    ) -> Result<(), StoreError> {
        let (job, by) = (job.clone(), by.to_owned());
        self.with_writer(move |connection| {
            Box::pin(quarantine::release(connection, job, at, by, release))
        })
        .await
    }

    /// Asks these jobs to end early, all in one commit; answers which have not ended.
    pub async fn cancel(
        &self,
        jobs: Vec<JobId>,
        at: Moment,
        by: &str,
        reach: Reach,
    ) -> Result<Vec<JobId>, StoreError> {
        let by = by.to_owned();
        self.with_writer(move |connection| {
            Box::pin(cancel::cancel(connection, jobs, at, by, reach))
        })
        .await
    }

    /// Cancels the jobs of a recipe that have begun and not ended; answers which. Those in line
    /// stay there.
    pub async fn cancel_begun(
        &self,
        recipe: &RecipeName,
        at: Moment,
        by: &str,
    ) -> Result<Vec<JobId>, StoreError> {
        let (recipe, by) = (recipe.clone(), by.to_owned());
        self.with_writer(move |connection| {
            Box::pin(request::cancel_begun(connection, recipe, at, by))
        })
        .await
    }

    /// The jobs that a job started and that have not ended, those that these started among them.
    pub async fn open_descendants(&self, job: &JobId) -> Result<Vec<JobId>, StoreError> {
        let job = job.clone();
        self.with_reader(|connection| Box::pin(request::open_descendants(connection, job)))
            .await
    }

    /// How many bytes a job's journal takes, with the large values that the job needs: those of its
    /// input and result among them.
    pub async fn journal_bytes(&self, id: &JobId) -> Result<u64, StoreError> {
        let id = id.clone();
        self.with_reader(|connection| Box::pin(list::journal_bytes(connection, id)))
            .await
    }

    /// Where a job stands, without anything else of it.
    pub async fn status(&self, id: &JobId) -> Result<JobStatus, StoreError> {
        let id = id.clone();
        self.with_reader(|connection| Box::pin(list::status(connection, id)))
            .await
    }

    /// How far a job is: the same as long as nothing happens to it.
    pub async fn mark(&self, id: &JobId) -> Result<JobMark, StoreError> {
        let id = id.clone();
        self.with_reader(|connection| Box::pin(list::mark(connection, id)))
            .await
    }

    /// One job without its journal, and without what may be large: to be had even if that is damaged.
    pub async fn record(&self, id: &JobId) -> Result<JobRecord, StoreError> {
        let id = id.clone();
        let record = self
            .with_reader(|connection| Box::pin(list::record(connection, id)))
            .await?;
        veil::opened_record(&self.sealer, record)
    }

    /// One job without its journal, with what it was given.
    pub async fn record_with_input(&self, id: &JobId) -> Result<JobRecord, StoreError> {
        let id = id.clone();
        let record = self
            .with_reader(|connection| Box::pin(list::record_with_input(connection, id)))
            .await?;
        veil::opened_record(&self.sealer, record)
    }

    /// The webhook delivery that a job was made of, as it came in.
    pub async fn payload(&self, job: &JobId) -> Result<Option<Payload>, StoreError> {
        let job = job.clone();
        let payload = self
            .with_reader(|connection| Box::pin(list::payload(connection, job)))
            .await?;
        Ok(payload.map(|payload| veil::opened_payload(&self.sealer, payload)))
    }
}
