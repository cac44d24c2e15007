//! A workspace with one clock, one store, and as many timekeepers as a case wants.

use std::collections::VecDeque;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use recipe_engine::clock::{Clock, Moment};
use recipe_engine::connector::References;
use recipe_engine::data::Value;
use recipe_engine::interpret::{Call, Verified};
use recipe_engine::journal::{Failure, JobStatus};
use recipe_engine::library::{Library, Shelf};
use recipe_engine::names::RecipeName;
use recipe_engine::runner::{Bell, Halt, World};
use recipe_engine::step::{Asked, Calls, Performed};
use recipe_engine::store::{FireRow, JobFilter, JobRecord, Jobs, Store};
use recipe_engine::trigger::{Given, Intake, Timekeeper, before_start, run};
use recipe_engine::worker::Worker;
use tempfile::TempDir;
use tokio::sync::watch;

const PROJECT: &str = "title: Time\nversion: 1.0.0\n";

/// A vendor with one listing, whose filter is `since` and whose pages go on by number.
const CONNECTOR: &str = "
title: Shop
base_url: https://shop.example
sign_in: { header: { x-key: none } }
actions:
  list_orders:
    title: List orders
    effect: read
    input: { since: any?, state: string? }
    request: { get: /orders, query: { since: $.input.since? } }
    pages: { by: page_number, send: query.page }
    items: $.reply.body.orders
    output: { id: integer, at: any? }
";

/// Pages of a poll, as the vendor answers them one after another.
#[derive(Default)]
pub(super) struct Vendor {
    answers: Mutex<VecDeque<Performed>>,
    asked: Mutex<Vec<Value>>,
}

impl Vendor {
    pub(super) fn will_answer(&self, answer: Performed) {
        self.answers.lock().unwrap().push_back(answer);
    }

    /// The arguments of all questions so far, and the page that was asked for.
    pub(super) fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

impl Calls for Vendor {
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Performed> {
        self.asked.lock().unwrap().push(call.input.clone());
        let answer = self.answers.lock().unwrap().pop_front();
        std::future::ready(answer.expect("the case has an answer for each question")).boxed()
    }

    fn verify<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Asked> {
        let why = Failure::new("no_reply", "nothing is asked about here");
        std::future::ready(Asked::Answered(Verified::Unknown(why))).boxed()
    }
}

struct NoSecrets;

impl References for NoSecrets {
    fn environment(&self, _name: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<String, String> {
        Err(format!("no files, so not `{path}`"))
    }
}

/// One workspace at a moment.
pub(super) struct Rig {
    pub(super) clock: Clock,
    pub(super) store: Arc<Store>,
    pub(super) vendor: Arc<Vendor>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) intake: Intake,
    folder: TempDir,
    world: World,
    _is_stopping: watch::Sender<bool>,
}

/// The recipe that cases are about.
pub(super) fn name() -> RecipeName {
    RecipeName::new("time/it").unwrap()
}

pub(super) fn at(text: &str) -> Moment {
    Moment::parse(text).unwrap_or_else(|why| panic!("{why}"))
}

pub(super) const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// A recipe with this trigger, which does nothing.
pub(super) fn recipe(trigger: &str) -> String {
    format!("title: It\ntrigger: {trigger}\nsteps: [{{ log: done }}]\n")
}

impl Rig {
    /// A workspace with this recipe, not started, in memory.
    pub(super) async fn of(recipe: &str, now: &str) -> Self {
        Self::on(Store::in_memory().await.unwrap(), recipe, at(now))
    }

    pub(super) fn on(store: Store, recipe: &str, now: Moment) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(store);
        let (stopping, is_stopping) = watch::channel(false);
        let (clock, bell) = (Clock::test(now), Arc::new(Bell::default()));
        let vendor = Arc::new(Vendor::default());
        let shelf = Shelf::new(Library::default());
        let world = World {
            store: store.clone(),
            calls: vendor.clone(),
            clock: clock.clone(),
            halt: Arc::new(Halt::default()),
            bell: bell.clone(),
            is_stopping: is_stopping.clone(),
            is_preview: false,
        };
        let intake = Intake {
            store: store.clone(),
            shelf: shelf.clone(),
            references: Arc::new(NoSecrets),
            clock: clock.clone(),
            bell,
            gauge: Arc::default(),
            is_stopping,
        };
        let rig = Self {
            clock,
            store,
            vendor,
            shelf,
            intake,
            folder,
            world,
            _is_stopping: stopping,
        };
        rig.write("recipes/time/project.yaml", PROJECT);
        rig.write("connectors/shop.yaml", CONNECTOR);
        rig.edit(recipe);
        rig
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Saves the recipe and takes it up.
    pub(super) fn edit(&self, recipe: &str) {
        self.write("recipes/time/it.yaml", recipe);
        self.take_up();
        let shown = self.shelf.one(&name()).unwrap();
        let problems: Vec<_> = shown.problems.iter().map(|found| &found.message).collect();
        assert!(shown.program.is_some(), "{problems:?}");
    }

    /// Saves another recipe beside it and takes it up.
    pub(super) fn add(&self, name: &str, recipe: &str) {
        self.write(&format!("recipes/time/{name}.yaml"), recipe);
        self.take_up();
    }

    /// Takes the recipe's file away.
    pub(super) fn remove(&self) {
        fs::remove_file(self.folder.path().join("recipes/time/it.yaml")).unwrap();
        self.take_up();
    }

    fn take_up(&self) {
        let library = Library::read(self.folder.path()).unwrap();
        self.shelf.replace(library);
        self.store.declare_settings(self.shelf.settings());
    }

    pub(super) async fn start(&self) {
        let now = self.clock.now();
        before_start(&self.intake, &name(), now).await.unwrap();
        self.store.start(&name(), "ann", now).await.unwrap();
    }

    pub(super) async fn stop(&self) {
        self.store
            .stop(&name(), "ann", self.clock.now())
            .await
            .unwrap();
    }

    /// A server that has just been started.
    pub(super) fn server(&self) -> Arc<Timekeeper> {
        Timekeeper::new(self.intake.clone(), self.vendor.clone())
    }

    /// A recipe that is started, and a server.
    pub(super) async fn started(recipe: &str, now: &str) -> (Self, Arc<Timekeeper>) {
        let rig = Self::of(recipe, now).await;
        rig.start().await;
        let server = rig.server();
        server.look().await.unwrap();
        (rig, server)
    }

    /// Moves the clock on in steps of a minute, with a look after each.
    pub(super) async fn pass(&self, server: &Timekeeper, to: &str) {
        while self.clock.now() < at(to) {
            self.clock
                .advance(minutes(1).min(at(to).since(self.clock.now())));
            server.look().await.unwrap();
        }
    }

    /// Runs all jobs to their ends.
    pub(super) async fn work(&self) -> usize {
        Worker::new(self.world.clone(), self.shelf.clone())
            .work_off()
            .await
    }

    /// Runs the recipe by hand, with an event unless it is null.
    pub(super) async fn by_hand(&self, event: Value) {
        let given = match event {
            Value::Null => Given::Nothing,
            event => Given::Event(event),
        };
        run(&self.intake, &name(), given, "ann").await.unwrap();
    }

    /// The ledger, oldest first.
    pub(super) async fn ledger(&self) -> Vec<FireRow> {
        let mut rows = self.store.fire_rows(&name(), None, 100_000).await.unwrap();
        rows.reverse();
        rows
    }

    /// The ledger in short: time of day and outcome, with the number of instants if several.
    pub(super) async fn told(&self) -> Vec<String> {
        let rows = self.ledger().await;
        let told = rows.iter().map(|row| {
            let times = match row.times {
                1 => String::new(),
                times => format!(" {times} times"),
            };
            let instant = row.instant.to_string();
            let time = &instant[instant.find('T').unwrap() + 1..instant.len() - 4];
            format!("{time} {}{times}", row.outcome.as_str())
        });
        told.collect()
    }

    /// All jobs, oldest first, with their events.
    pub(super) async fn jobs(&self) -> Vec<JobRecord> {
        let filter = JobFilter {
            limit: 100_000,
            ..JobFilter::default()
        };
        let listed = self.store.jobs(&filter).await.unwrap();
        let mut jobs = Vec::new();
        for job in listed.iter().rev() {
            jobs.push(self.store.job(&job.id).await.unwrap().0);
        }
        jobs
    }

    /// The outputs of all jobs, oldest first; null for those that did not end well.
    pub(super) async fn outputs(&self) -> Vec<Value> {
        let jobs = self.jobs().await;
        let outputs = jobs.into_iter().map(|job| match (job.status, job.ending) {
            (JobStatus::Succeeded, Some(ending)) => ending.output.unwrap_or(Value::Null),
            _ => Value::Null,
        });
        outputs.collect()
    }
}
