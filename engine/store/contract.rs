//! What every store promises, whatever database is behind it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::data::Value;
use crate::journal::{Decision, Ending, Entry, EntryKey, JobStatus};
use crate::names::{JobId, RecipeName, TableName};
use crate::table::{Operation, Performed};

use super::{AwaitRequest, Awaited};

/// Why the store refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing.
    #[error("{0} not found")]
    NotFound(String),
    /// It contradicts what is stored.
    #[error("{0}")]
    Conflict(String),
    /// Another worker has the job, or it ended.
    #[error("the lease on job {0} is lost")]
    LeaseLost(JobId),
    /// The database cannot do it now: disk full, locked, shut down.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Another server or command works on the database.
    #[error("{0}")]
    InUse(String),
    /// What was read makes no sense.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
}

/// Something that arrived and becomes jobs: one commit, all or nothing.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The recipe that it is for.
    pub recipe: RecipeName,
    /// The raw payload of a webhook, kept for looking at and replaying.
    pub payload: Option<Payload>,
    /// The jobs it becomes; those whose dedupe key is known already are left out.
    pub jobs: Vec<NewJob>,
    /// When it arrived.
    pub at: Moment,
}

/// A webhook delivery as it came in.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The headers, without credentials.
    pub headers: Value,
    /// The parameters of the address.
    pub query: Value,
    /// The raw body.
    pub body: Vec<u8>,
}

/// A job to be queued.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Its name.
    pub id: JobId,
    /// The recipe it runs.
    pub recipe: RecipeName,
    /// The root `trigger` (webhook, schedule, poll), or null.
    pub event: Value,
    /// The root `input`.
    pub input: Value,
    /// Who or what started it: `webhook`, `person:<name>`, `job:<id>`, `schedule`.
    pub started_by: String,
    /// Whether it waits until its recipe is started (what a trigger made), or runs anyway.
    pub needs_started_recipe: bool,
    /// A key under which the same event is known until the given moment.
    pub dedupe: Option<(String, Moment)>,
}

/// What became of an arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// For each job of the arrival, whether it is new (false: known by its dedupe key already).
    pub is_new: Vec<bool>,
}

/// A worker's right to change a job, until it runs out or another worker takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Grows with each claim; a commit under an older number is refused.
    pub number: i64,
}

/// A job that a worker has just claimed, with all that is needed to go on.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The right to change it.
    pub lease: Lease,
    /// What is known of it.
    pub job: JobRecord,
    /// Its journal.
    pub entries: Vec<Entry>,
    /// What people asked of it since it was last loaded.
    pub requests: Vec<JobRequest>,
    /// What it pinned at its first claim.
    pub pinned: Option<Pinned>,
}

/// What a job keeps from its first claim to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Pinned {
    /// The hash of its program; the sources are kept under it.
    pub program: String,
    /// The settings, by project: integration, key, value.
    pub settings: Value,
    /// When it was first claimed.
    pub started_at: Moment,
}

/// One job as it is listed.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRecord {
    /// Its name.
    pub id: JobId,
    /// The recipe it runs.
    pub recipe: RecipeName,
    /// Where it stands.
    pub status: JobStatus,
    /// The root `trigger`, or null.
    pub event: Value,
    /// The root `input`.
    pub input: Value,
    /// Who or what started it.
    pub started_by: String,
    /// When it was queued.
    pub created_at: Moment,
    /// When it was first claimed.
    pub started_at: Option<Moment>,
    /// When it ended.
    pub ended_at: Option<Moment>,
    /// When it goes on by itself, if it waits.
    pub wake_at: Option<Moment>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// How often it was taken over from a dead worker in a row without progress.
    pub recoveries: u32,
    /// How many jobs started one another up to this one; 0 if no job started it.
    pub start_depth: u32,
    /// That its history was removed, if it was: then event, input, output and journal are gone.
    pub pruned: Option<Pruned>,
}

/// That the history of a job was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// When.
    pub at: Moment,
    /// The rule that removed it, in an admin's words.
    pub rule: String,
}

/// What a person asks of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRequest {
    /// Its number, to be named as consumed in a commit.
    pub number: i64,
    /// When it was asked.
    pub at: Moment,
    /// What is asked.
    pub kind: RequestKind,
}

/// The kinds of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RequestKind {
    /// A decision on a call whose end is unknown.
    Decide {
        /// The place that asked.
        key: EntryKey,
        /// The decision.
        decision: Decision,
        /// Who.
        by: String,
    },
    /// To end the job early.
    Cancel {
        /// Who.
        by: String,
    },
}

/// Everything that changes about a job in one commit.
#[derive(Clone, Debug, Default)]
pub struct Advance {
    /// What the job pins, in its first commit.
    pub pinned: Option<Pinned>,
    /// What happened. Of a loop's heads the store keeps the last, and with a new one goes whatever
    /// entry it stands for: [`crate::journal::append`] says exactly what.
    pub entries: Vec<Entry>,
    /// Table operations; the store appends `step_succeeded` or `step_failed` for each.
    pub table_operations: Vec<TableStep>,
    /// Concurrency keys and slots that frames ask for.
    pub holds: Vec<HoldRequest>,
    /// Frames that ended and give theirs back.
    pub released_holds: Vec<EntryKey>,
    /// Jobs that it starts.
    pub children: Vec<NewJob>,
    /// Steps that wait for the ends of jobs; those whose jobs have all ended wake it at once.
    pub awaits: Vec<AwaitRequest>,
    /// Requests that were taken up, by number.
    pub consumed_requests: Vec<i64>,
    /// How often each other recipe was called since the last commit.
    pub calls: Vec<(RecipeName, u64)>,
    /// Where the job stands after this commit.
    pub next: Next,
    /// How soon the disk must have it.
    pub haste: Haste,
}

/// How soon the disk must have what is committed. Either survives the end of the process; they
/// differ when the machine loses its power. What the disk has is always a whole beginning of all
/// commits: never a later one without an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Haste {
    /// Before the commit is acknowledged, with everything that was committed earlier.
    #[default]
    Now,
    /// With the next commit that must, within a second at the latest: for what the outside has not
    /// been told of, and which would be done again in the same way.
    Soon,
}

/// A table operation of a step.
#[derive(Clone, Debug)]
pub struct TableStep {
    /// The step.
    pub key: EntryKey,
    /// The table.
    pub table: TableName,
    /// What to do.
    pub operation: Operation,
}

/// A frame that needs its recipe's concurrency key and slot.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldRequest {
    /// The frame.
    pub key: EntryKey,
    /// The recipe whose rule it is.
    pub recipe: RecipeName,
    /// The value of the key, if the rule has one.
    pub value: Option<String>,
    /// The most frames of the recipe at once, over all keys.
    pub limit: Option<u32>,
}

/// Where a job stands after a commit.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each commit, and most jobs end in their first"
)]
pub enum Next {
    /// Its worker goes on.
    #[default]
    Running,
    /// It is given back until this moment, or until something wakes it.
    Waiting(Option<Moment>),
    /// It is given back until a person decides; other branches may wake it earlier.
    NeedsDecision(Option<Moment>),
    /// It never began, and is in line again; nobody looks at it before this moment.
    PutOff(Moment),
    /// It is given back as it is, to be claimed again at once (orderly shutdown).
    GivenBack,
    /// It ended.
    Ended(Ending),
}

/// What a commit brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Committed {
    /// The results of the table operations, in their order, with the moment of the commit.
    pub performed: Vec<(EntryKey, Performed)>,
    /// For each hold asked for, in order, whether it was granted; the others wait in line. Asking
    /// again for the same frame answers whether its turn has come.
    pub granted: Vec<bool>,
    /// Jobs that can go on now: those whose turn for a hold came (the committed one may be among
    /// them), those that waited for the end of this one, and its children.
    pub woken: Vec<JobId>,
}

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only of this recipe, as root or called.
    pub recipe: Option<RecipeName>,
    /// Only in one of these statuses; all if empty.
    pub statuses: Vec<JobStatus>,
    /// Only queued at or after.
    pub from: Option<Moment>,
    /// Only queued before.
    pub to: Option<Moment>,
    /// Only older than this job (the last of the page before).
    pub before: Option<JobId>,
    /// Only jobs whose id begins so.
    pub id_prefix: Option<String>,
    /// How many at most.
    pub limit: usize,
}

/// The queue and the journals.
pub trait Jobs: Send + Sync {
    /// Queues what arrived.
    fn enqueue(
        &self,
        arrival: Arrival,
    ) -> impl Future<Output = Result<Enqueued, StoreError>> + Send;

    /// Takes jobs that can go on: queued ones, waiting ones whose moment came, those with requests,
    /// and those whose worker's lease ran out; oldest first.
    fn claim(
        &self,
        limit: usize,
        now: Moment,
        lease: Duration,
    ) -> impl Future<Output = Result<Vec<Claimed>, StoreError>> + Send;

    /// Prolongs leases; answers those that are lost: somebody else has the job, or it is gone.
    /// A lease whose job has ended or waits is left alone.
    fn renew(
        &self,
        leases: Vec<Lease>,
        until: Moment,
    ) -> impl Future<Output = Result<Vec<Lease>, StoreError>> + Send;

    /// Changes a job: the only way to.
    fn commit(
        &self,
        lease: &Lease,
        at: Moment,
        advance: Advance,
    ) -> impl Future<Output = Result<Committed, StoreError>> + Send;

    /// Leaves a request for a job and makes it claimable.
    fn request(
        &self,
        job: &JobId,
        at: Moment,
        kind: RequestKind,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What people asked of a job and no commit has taken up yet.
    fn requests(
        &self,
        job: &JobId,
    ) -> impl Future<Output = Result<Vec<JobRequest>, StoreError>> + Send;

    /// Where the jobs stand that a job waits for at this place, in their order.
    fn awaited(
        &self,
        waiter: &JobId,
        place: &EntryKey,
        jobs: &[JobId],
    ) -> impl Future<Output = Result<Vec<Awaited>, StoreError>> + Send;

    /// The next moment at which a waiting job or an expired lease can be claimed.
    fn next_due(&self) -> impl Future<Output = Result<Option<Moment>, StoreError>> + Send;

    /// One job and its journal.
    fn job(
        &self,
        id: &JobId,
    ) -> impl Future<Output = Result<(JobRecord, Vec<Entry>, Option<Pinned>), StoreError>> + Send;

    /// A page of jobs, newest first, without their journals.
    fn jobs(
        &self,
        filter: &JobFilter,
    ) -> impl Future<Output = Result<Vec<JobRecord>, StoreError>> + Send;
}
