//! Runs one test: the world before, the job, the world after.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::connector::References;
use crate::data::{Object, Value};
use crate::diagnostic::Place;
use crate::journal::{Ending, Entry, EntryKind, Failure, JobStatus};
use crate::library::Shelf;
use crate::names::{JobId, RecipeName};
use crate::runner::{Bell, Halt, Point, World};
use crate::shape::Misfit;
use crate::store::{Jobs, Store, StoreError};
use crate::table::{Operation, Table};
use crate::trigger::{Gauge, Given, Intake, Refusal, run as run_by_hand};
use crate::worker::Worker;

use super::compare::{misses, short};
use super::fill::fill;
use super::pretend::Pretend;
use super::suite::{Case, Expect};

/// How often the clock is moved on at most before a test is given up.
const LEAPS_MAX: usize = 10_000;

/// What a test showed.
#[derive(Debug)]
pub struct CaseResult {
    /// What it is about.
    pub title: String,
    /// Where it stands.
    pub place: Place,
    /// What did not hold; empty if all did.
    pub problems: Vec<String>,
    /// How many commits the job took.
    pub commits: u32,
}

/// What is left when all jobs of a test stand still.
struct Aftermath {
    status: JobStatus,
    ending: Option<Ending>,
    entries: Vec<Entry>,
    requests: Vec<(String, Value)>,
    troubles: Vec<String>,
    tables: BTreeMap<String, Value>,
    commits: u32,
}

/// Runs one test. With `crash_after`, the worker dies after that many commits of the job and
/// another one goes on.
pub async fn run_case(
    shelf: &Arc<Shelf>,
    recipe: &RecipeName,
    case: &Case,
    crash_after: Option<u32>,
) -> CaseResult {
    let (problems, commits) = match play(shelf, recipe, case, crash_after).await {
        Ok(after) => (judge(&case.expect, &after), after.commits),
        Err(why) => (vec![why], 0),
    };
    CaseResult {
        title: case.title.clone(),
        place: case.place.clone(),
        problems,
        commits,
    }
}

async fn play(
    shelf: &Arc<Shelf>,
    recipe: &RecipeName,
    case: &Case,
    crash_after: Option<u32>,
) -> Result<Aftermath, String> {
    let stage = Stage::set(shelf, recipe, case, crash_after).await?;
    let given = match &case.event {
        Some(event) => Given::Event(event.clone()),
        None => Given::Input(case.input.clone()),
    };
    let jobs = match run_by_hand(&stage.intake, recipe, given, "test").await {
        Ok(jobs) => jobs,
        Err(Refusal::WrongInput(misfits)) => return Ok(Aftermath::refused(&misfits)),
        Err(refusal) => return Err(in_words(refusal)),
    };
    stage.until_quiet().await.map_err(in_words)?;
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
        let pretend = Arc::new(Pretend::new(connectors, clock.clone(), &case.replies));
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
            troubles: self.pretend.troubles(),
            tables,
            commits: self.world.halt.committed(),
        })
    }
}

/// What does not hold.
fn judge(expect: &Expect, after: &Aftermath) -> Vec<String> {
    let mut problems = after.troubles.clone();
    let failure = after
        .ending
        .as_ref()
        .and_then(|ending| ending.failure.as_ref());
    if after.status != expect.status {
        let why = failure.map_or(String::new(), |failure| {
            let place = failure.place.as_deref().unwrap_or("?");
            format!(" ({}: {} at {place})", failure.code, failure.message)
        });
        let (wanted, is) = (expect.status.as_str(), after.status.as_str());
        problems.push(format!("status: expected {wanted}, found {is}{why}"));
    }
    let output = after
        .ending
        .as_ref()
        .and_then(|ending| ending.output.as_ref());
    if let Some(wanted) = &expect.output
        && !output.is_some_and(|output| crate::data::same(wanted, output))
    {
        let found = output.map_or("nothing".to_owned(), short);
        problems.push(format!("output: expected {}, found {found}", short(wanted)));
    }
    if let Some(wanted) = &expect.error {
        let found = failure.map(Failure::to_value);
        problems.extend(misses(&loosely(wanted), found.as_ref(), "error"));
    }
    if let Some(wanted) = &expect.requests {
        problems.extend(compare_requests(wanted, &after.requests, expect.in_order));
    }
    for (table, wanted) in &expect.tables {
        problems.extend(misses(
            wanted,
            after.tables.get(table),
            &format!("tables.{table}"),
        ));
    }
    for line in &expect.log {
        let is_there = after.entries.iter().any(|entry| {
            matches!(&entry.kind, EntryKind::LineLogged { message, .. } if message.contains(line))
        });
        if !is_there {
            problems.push(format!("log: no line contains `{line}`"));
        }
    }
    problems
}

/// A message need only be contained.
fn loosely(error: &Value) -> Value {
    let mut error = error.clone();
    if let Some(Value::String(message)) = error.get_mut("message")
        && !message.starts_with('~')
    {
        message.insert(0, '~');
    }
    error
}

fn compare_requests(
    wanted: &[(String, Value)],
    sent: &[(String, Value)],
    in_order: bool,
) -> Vec<String> {
    let shown = |(action, fields): &(String, Value)| format!("  {action} {}", short(fields));
    let misses_of = |wanted: &(String, Value), sent: &(String, Value)| {
        if wanted.0 != sent.0 {
            return vec![format!("expected {}, found {}", wanted.0, sent.0)];
        }
        let fields = if wanted.1.is_null() {
            Value::Object(Object::new())
        } else {
            wanted.1.clone()
        };
        misses(&fields, Some(&sent.1), &wanted.0)
    };
    let mut problems = Vec::new();
    if in_order && wanted.len() == sent.len() {
        for (number, (wanted, sent)) in (1..).zip(wanted.iter().zip(sent)) {
            let missed = misses_of(wanted, sent);
            problems.extend(
                missed
                    .into_iter()
                    .map(|miss| format!("request {number}: {miss}")),
            );
        }
    } else {
        let mut left: Vec<&(String, Value)> = sent.iter().collect();
        for wanted in wanted {
            match left
                .iter()
                .position(|sent| misses_of(wanted, sent).is_empty())
            {
                Some(place) => drop(left.remove(place)),
                None => problems.push(format!("this request was not sent:\n{}", shown(wanted))),
            }
        }
        problems.extend(
            left.iter()
                .map(|sent| format!("this request was sent too:\n{}", shown(sent))),
        );
    }
    problems
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
