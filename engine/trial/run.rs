//! Runs one test: the world before, the job, the world after.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::connector::References;
use crate::data::Value;
use crate::diagnostic::Place;
use crate::journal::{Ending, Entry, Failure, JobStatus};
use crate::library::Shelf;
use crate::names::{JobId, RecipeName};
use crate::runner::{Bell, Halt, Point, World};
use crate::shape::Misfit;
use crate::store::{Jobs, Store, StoreError};
use crate::table::{Operation, Table};
use crate::trigger::{Gauge, Given, Intake, Refusal, run as run_by_hand};
use crate::worker::Worker;

use super::fill::fill;
use super::judge::{judge, why_it_failed};
use super::pretend::{Pretend, Told};
use super::renew::{Difference, differences, renewed};
use super::suite::{Case, Expect, ReplyKind};

/// How often the clock is moved on at most before a test is given up.
const LEAPS_MAX: usize = 10_000;

/// How long a test works, in real time: most take milliseconds.
const TIME_MAX: Duration = Duration::from_secs(120);

/// What a test showed.
#[derive(Debug)]
pub struct CaseResult {
    /// What it is about.
    pub title: String,
    /// Where it stands.
    pub place: Place,
    /// What did not hold, in words; empty if all did.
    pub problems: Vec<String>,
    /// Of these, what no other expectations would mend: what the test itself lacks.
    pub troubles: Vec<String>,
    /// Why the job failed, if it did and was not to.
    pub failure: Option<String>,
    /// What was expected beside what there is, part by part.
    pub differences: Vec<Difference>,
    /// The expectations as they would hold; none if the test lacks something.
    pub renewed: Option<Value>,
    /// How many commits the job took.
    pub commits: u32,
}

/// What is left when all jobs of a test stand still.
pub(super) struct Aftermath {
    pub(super) status: JobStatus,
    pub(super) ending: Option<Ending>,
    pub(super) entries: Vec<Entry>,
    pub(super) requests: Vec<(String, Value)>,
    /// What was answered, of what was told by place.
    pub(super) given: Vec<(String, ReplyKind)>,
    pub(super) troubles: Vec<String>,
    pub(super) tables: BTreeMap<String, Value>,
    pub(super) commits: u32,
}

/// Runs one test. With `crash_after`, the worker dies after that many commits of the job and
/// another one goes on.
pub async fn run_case(
    shelf: &Arc<Shelf>,
    recipe: &RecipeName,
    case: &Case,
    crash_after: Option<u32>,
) -> CaseResult {
    let mut result = CaseResult {
        title: case.title.clone(),
        place: case.place.clone(),
        problems: Vec::new(),
        troubles: Vec::new(),
        failure: None,
        differences: Vec::new(),
        renewed: None,
        commits: 0,
    };
    match play(shelf, recipe, case, crash_after, None).await {
        Ok(after) => result.take(&case.expect, after),
        Err(why) => {
            result.problems.push(why.clone());
            result.troubles.push(why);
        }
    }
    result
}

impl CaseResult {
    fn take(&mut self, expect: &Expect, after: Aftermath) {
        self.problems = judge(expect, &after);
        self.commits = after.commits;
        if self.problems.is_empty() {
            return;
        }
        let new = renewed(expect, &after);
        self.differences = differences(&expect.written, &new);
        if after.status != expect.status {
            let failure = after.ending.and_then(|ending| ending.failure);
            self.failure = failure.map(|failure| why_it_failed(&failure));
        }
        self.troubles = after.troubles;
        self.renewed = self.troubles.is_empty().then(|| new.into());
    }
}

/// Runs a test and says what is left; with what each place is told, instead of its replies.
pub(super) async fn play(
    shelf: &Arc<Shelf>,
    recipe: &RecipeName,
    case: &Case,
    crash_after: Option<u32>,
    told: Option<Told>,
) -> Result<Aftermath, String> {
    let stage = Stage::set(shelf, recipe, case, crash_after, told).await?;
    let given = match &case.event {
        Some(event) => Given::Event(event.clone()),
        None => Given::Input(case.input.clone()),
    };
    let jobs = match run_by_hand(&stage.intake, recipe, given, "test").await {
        Ok(jobs) => jobs,
        Err(Refusal::WrongInput(misfits)) => return Ok(Aftermath::refused(&misfits)),
        Err(refusal) => return Err(in_words(refusal)),
    };
    let is_quiet = Clock::within(TIME_MAX, stage.until_quiet()).await;
    let is_quiet = is_quiet.ok_or_else(|| {
        let seconds = TIME_MAX.as_secs();
        format!("it was given up after {seconds} s of work: is there a loop without an end?")
    })?;
    is_quiet.map_err(in_words)?;
    stage.aftermath(&jobs, case).await.map_err(in_words)
}

impl Aftermath {
    /// Nothing happened, because the input does not fit.
    fn refused(misfits: &[Misfit]) -> Self {
        let why: Vec<String> = misfits.iter().map(ToString::to_string).collect();
        let failure = Some(Failure::new("wrong_input", why.join("; ")));
        Self {
            status: JobStatus::Failed,
            ending: Some(Ending {
                status: JobStatus::Failed,
                output: None,
                failure,
            }),
            entries: Vec::new(),
            requests: Vec::new(),
            given: Vec::new(),
            troubles: Vec::new(),
            tables: BTreeMap::new(),
            commits: 0,
        }
    }
}

/// Store, clock, vendors and worker of one test.
struct Stage {
    recipe: RecipeName,
    intake: Intake,
    world: World,
    pretend: Arc<Pretend>,
    /// Keeps the sign that nothing is stopping alive.
    _is_stopping: watch::Sender<bool>,
}

impl Stage {
    async fn set(
        shelf: &Arc<Shelf>,
        recipe: &RecipeName,
        case: &Case,
        crash_after: Option<u32>,
        told: Option<Told>,
    ) -> Result<Self, String> {
        let clock = Clock::test(case.now);
        let store = Arc::new(Store::in_memory().await.map_err(in_words)?);
        let tables: Vec<Table> = shelf
            .tables()
            .values()
            .map(|table| Table::clone(table))
            .collect();
        store.declare(&tables, case.now).await.map_err(in_words)?;
        fill(&store, shelf, recipe, case).await?;
        let (connectors, _) = shelf.accounts();
        let pretend = Pretend::new(connectors, clock.clone(), &case.replies).telling(told);
        let pretend = Arc::new(pretend);
        let (stopping, is_stopping) = watch::channel(false);
        let bell = Arc::new(Bell::default());
        let halt = match crash_after {
            Some(commits) => Halt::at(Point::Committed, commits),
            None => Halt::default(),
        };
        let world = World {
            is_preview: false,
            store: store.clone(),
            calls: pretend.clone(),
            clock: clock.clone(),
            halt: Arc::new(halt),
            bell: bell.clone(),
            is_stopping: is_stopping.clone(),
        };
        let intake = Intake {
            store,
            shelf: shelf.clone(),
            references: Arc::new(NoSecrets),
            clock,
            bell,
            gauge: Arc::new(Gauge::default()),
            is_stopping,
        };
        Ok(Self {
            recipe: recipe.clone(),
            intake,
            world,
            pretend,
            _is_stopping: stopping,
        })
    }

    /// Works, and moves the clock on when everything waits, until nothing goes on by itself.
    async fn until_quiet(&self) -> Result<(), StoreError> {
        let mut worker = Worker::new(self.world.clone(), self.intake.shelf.clone());
        for _ in 0..LEAPS_MAX {
            let is_alive = tokio::select! {
                biased;
                () = self.world.halt.tripped() => false,
                _ = worker.work_off() => true,
            };
            if !is_alive {
                // The dead worker's jobs are found by their leases.
                self.world.store.recover(self.world.clock.now()).await?;
                worker = Worker::new(self.world.clone(), self.intake.shelf.clone());
                continue;
            }
            if !worker.leap().await? {
                break;
            }
        }
        Ok(())
    }

    async fn aftermath(&self, jobs: &[JobId], case: &Case) -> Result<Aftermath, StoreError> {
        let mut entries = Vec::new();
        let mut last = None;
        for id in jobs {
            let (job, journal, _) = self.world.store.job(id).await?;
            entries.extend(journal);
            // Of several jobs the worst one counts.
            if last.as_ref().is_none_or(|(status, _)| *status < job.status) {
                last = Some((job.status, job.ending));
            }
        }
        let (status, ending) = last.unwrap_or((JobStatus::Queued, None));
        let mut tables = BTreeMap::new();
        for name in case.expect.tables.keys() {
            let shelf = &self.intake.shelf;
            let Ok(table) = shelf.table_named(self.recipe.project(), name) else {
                continue;
            };
            let all = Operation::Find {
                filter: None,
                sort_by: Vec::new(),
                limit: None,
            };
            let found = self.world.store.read(&table, &all).await?;
            let rows = found
                .ok()
                .and_then(|mut found| found.get_mut("items").map(Value::take));
            tables.insert(name.clone(), rows.unwrap_or(Value::Null));
        }
        Ok(Aftermath {
            status,
            ending,
            entries,
            requests: self.pretend.requests(),
            given: self.pretend.given(),
            troubles: self.pretend.troubles(),
            tables,
            commits: self.world.halt.committed(),
        })
    }
}

/// Tests have no secrets.
struct NoSecrets;

impl References for NoSecrets {
    fn environment(&self, _name: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<String, String> {
        Err(format!("a test reads no files, so not `{path}`"))
    }
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
