//! Store, clock, vendor and workers of one case.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use recipe_engine::clock::{Clock, Moment};
use recipe_engine::connector::References;
use recipe_engine::data::Value;
use recipe_engine::interpret::{Call, Called, Verified};
use recipe_engine::journal::{Decision, Entry, EntryKey, EntryKind, Failure, JobStatus};
use recipe_engine::library::{Library, Shelf};
use recipe_engine::names::{JobId, RecipeName};
use recipe_engine::runner::{Bell, Halt, Point, World};
use recipe_engine::step::{Asked, Calls, Performed};
use recipe_engine::store::{JobRecord, Jobs, RequestKind, Store};
use recipe_engine::trigger::{Gauge, Given, Intake, run};
use recipe_engine::worker::Worker;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;

pub(super) const VENDOR: &str = include_str!("../../recipes/connectors/vendor.yaml");

/// What the vendor does with a call.
pub(super) enum Reply {
    /// Does it.
    Done(Value),
    /// Does it after a while, in which others come first.
    Slow(Value),
    /// Refuses it for good.
    Refused,
    /// Is busy: it may be tried again.
    Busy,
    /// Does it, but nobody can tell.
    Doubt,
    /// Takes the worker down.
    Panics,
    /// Never answers: the process is as good as dead.
    Dies,
}

type Answers = dyn Fn(&Sent) -> Reply + Send + Sync;

/// A call as the vendor got it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sent {
    pub(super) action: String,
    pub(super) input: Value,
    pub(super) place: String,
    call_key: String,
}

/// A vendor that answers what the case says, and keeps what it got.
pub(super) struct Vendor {
    answers: Box<Answers>,
    sent: Mutex<Vec<Sent>>,
    died: tokio::sync::Notify,
}

impl Calls for Vendor {
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Performed> {
        let sent = Sent {
            action: call.action.action.clone(),
            input: call.input.clone(),
            place: call.place.to_string(),
            call_key: call.call_key.clone(),
        };
        async move {
            let reply = (self.answers)(&sent);
            self.sent.lock().unwrap().push(sent);
            Performed::Ended(match reply {
                Reply::Done(output) => Called::Done { output },
                Reply::Slow(output) => {
                    for _ in 0..1_000 {
                        tokio::task::yield_now().await;
                    }
                    Called::Done { output }
                }
                Reply::Refused => Called::Failed {
                    failure: Failure::new("refused", "the vendor says no"),
                    retry: None,
                },
                Reply::Busy => Called::Failed {
                    failure: Failure::new("busy", "the vendor is busy"),
                    retry: Some(Duration::ZERO),
                },
                Reply::Doubt => Called::Doubtful {
                    failure: Failure::new("interrupted", "connection reset"),
                },
                Reply::Panics => panic!("this job panics"),
                Reply::Dies => {
                    self.died.notify_one();
                    std::future::pending().await
                }
            })
        }
        .boxed()
    }

    fn verify<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Asked> {
        let sent = self.sent.lock().unwrap();
        let is_done = sent.iter().any(|sent| sent.call_key == call.call_key);
        let verified = match is_done {
            true => Verified::Applied(json!({ "id": 1 })),
            false => Verified::NotApplied,
        };
        async move { Asked::Answered(verified) }.boxed()
    }
}

/// Everything of one case.
pub(super) struct Stage {
    pub(super) store: Arc<Store>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) clock: Clock,
    pub(super) vendor: Arc<Vendor>,
    pub(super) intake: Intake,
    is_stopping: watch::Receiver<bool>,
    _stopping: watch::Sender<bool>,
    _folder: TempDir,
}

impl Stage {
    /// A workspace with these recipes of project `p`, and a vendor that answers like this.
    pub(super) async fn of(
        recipes: &[(&str, &str)],
        answers: impl Fn(&Sent) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::with(Store::in_memory().await.unwrap(), recipes, answers).await
    }

    pub(super) async fn with(
        store: Store,
        recipes: &[(&str, &str)],
        answers: impl Fn(&Sent) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(library(folder.path(), recipes));
        let clock = Clock::test(Moment(1_800_000_000_000_000));
        let (stopping, is_stopping) = watch::channel(false);
        let store = Arc::new(store);
        let intake = Intake {
            store: store.clone(),
            shelf: shelf.clone(),
            references: Arc::new(Nothing),
            clock: clock.clone(),
            bell: Arc::new(Bell::default()),
            gauge: Arc::new(Gauge::default()),
            is_stopping: is_stopping.clone(),
        };
        let vendor = Arc::new(Vendor {
            answers: Box::new(answers),
            sent: Mutex::default(),
            died: tokio::sync::Notify::new(),
        });
        Self {
            store,
            shelf,
            clock,
            vendor,
            intake,
            is_stopping,
            _stopping: stopping,
            _folder: folder,
        }
    }

    /// Puts other versions of the recipes in place.
    pub(super) fn edit(&self, recipes: &[(&str, &str)]) {
        self.shelf.replace(library(self._folder.path(), recipes));
    }

    /// Queues a run by hand.
    pub(super) async fn run(&self, name: &str, input: Value) -> JobId {
        let name = RecipeName::of("p", name).unwrap();
        let jobs = run(&self.intake, &name, Given::Input(input), "ada").await;
        jobs.unwrap().remove(0)
    }

    /// Works until nothing is due; `false` if the worker died on the way.
    pub(super) async fn work(&self) -> bool {
        self.work_until(&Arc::default()).await
    }

    /// Works with other vendors until nothing is due; how many jobs were claimed.
    pub(super) async fn work_with(&self, calls: Arc<dyn Calls>) -> usize {
        self.worker(calls, Arc::default()).work_off().await
    }

    fn worker(&self, calls: Arc<dyn Calls>, halt: Arc<Halt>) -> Arc<Worker> {
        let world = World {
            is_preview: false,
            store: self.store.clone(),
            calls,
            clock: self.clock.clone(),
            halt,
            bell: self.intake.bell.clone(),
            is_stopping: self.is_stopping.clone(),
        };
        Worker::new(world, self.shelf.clone())
    }

    async fn work_until(&self, halt: &Arc<Halt>) -> bool {
        let worker = self.worker(self.vendor.clone(), halt.clone());
        let is_alive = tokio::select! {
            biased;
            () = halt.tripped() => false,
            () = self.vendor.died.notified() => false,
            _ = worker.work_off() => true,
        };
        if !is_alive {
            self.store.recover(self.clock.now()).await.unwrap();
        }
        is_alive
    }

    /// Works and moves the clock on, over deaths of workers, until nothing goes on by itself.
    pub(super) async fn until_quiet(&self) {
        self.until_quiet_over(Halt::default()).await;
    }

    /// Like [`Self::until_quiet`], with a worker that dies after so many commits; whether it did.
    pub(super) async fn until_quiet_over_death(&self, commits: u32) -> bool {
        self.until_quiet_over(Halt::at(Point::Committed, commits))
            .await
    }

    /// One life of a worker: works and moves the clock on until it dies where this says (`true`),
    /// or until nothing goes on by itself.
    pub(super) async fn live(&self, halt: Halt) -> bool {
        let halt = Arc::new(halt);
        while self.work_until(&halt).await {
            let Some(due) = self.store.next_due().await.unwrap() else {
                return false;
            };
            self.clock.advance(due.since(self.clock.now()));
        }
        true
    }

    async fn until_quiet_over(&self, halt: Halt) -> bool {
        let halt = Arc::new(halt);
        let mut has_died = false;
        for _ in 0..10_000 {
            if !self.work_until(&halt).await {
                has_died = true;
                continue;
            }
            let Some(due) = self.store.next_due().await.unwrap() else {
                return has_died;
            };
            self.clock.advance(due.since(self.clock.now()));
        }
        panic!("the jobs do not come to rest");
    }

    pub(super) async fn cancel(&self, id: &JobId) {
        let kind = RequestKind::Cancel { by: "ada".into() };
        let now = self.clock.now();
        self.store.request(id, now, kind).await.unwrap();
    }

    /// Has a person decide about the call at a place.
    pub(super) async fn decide(&self, id: &JobId, place: &str, decision: Decision) {
        let kind = RequestKind::Decide {
            key: EntryKey(place.into()),
            decision,
            by: "ada".into(),
        };
        let now = self.clock.now();
        self.store.request(id, now, kind).await.unwrap();
    }

    pub(super) async fn job(&self, id: &JobId) -> (JobRecord, Vec<Entry>) {
        let (record, entries, _) = self.store.job(id).await.unwrap();
        (record, entries)
    }

    pub(super) async fn status(&self, id: &JobId) -> JobStatus {
        self.store.status(id).await.unwrap()
    }

    /// Where the vendor was called, in order.
    pub(super) fn places(&self) -> Vec<String> {
        let sent = self.vendor.sent.lock().unwrap();
        sent.iter().map(|sent| sent.place.clone()).collect()
    }

    /// The calls that the vendor got, in order.
    pub(super) fn calls(&self) -> Vec<Sent> {
        self.vendor.sent.lock().unwrap().clone()
    }

    /// How often a thing of this name was sent.
    pub(super) fn sent(&self, name: &str) -> usize {
        let sent = self.vendor.sent.lock().unwrap();
        let meant = sent.iter().filter(|sent| sent.input["name"] == name);
        meant.count()
    }

    /// Forgets the calls so far.
    pub(super) fn forget_calls(&self) {
        self.vendor.sent.lock().unwrap().clear();
    }
}

/// How often an entry of some kind was recorded.
pub(super) fn count(entries: &[Entry], is_meant: impl Fn(&EntryKind) -> bool) -> usize {
    entries.iter().filter(|entry| is_meant(&entry.kind)).count()
}

fn library(folder: &Path, recipes: &[(&str, &str)]) -> Library {
    let write = |path: String, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("connectors/vendor.yaml".into(), VENDOR);
    write(
        "recipes/p/project.yaml".into(),
        "title: P\nversion: 1.0.0\n",
    );
    for (name, text) in recipes {
        write(format!("recipes/p/{name}.yaml"), text);
    }
    let library = Library::read(folder).unwrap();
    for (name, _) in recipes {
        let name = RecipeName::of("p", name).unwrap();
        let found = &library.diagnostics;
        assert!(library.recipes.contains_key(&name), "{name}: {found:?}");
    }
    library
}

pub(super) struct Nothing;

impl References for Nothing {
    fn environment(&self, _name: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<String, String> {
        Err(format!("there is no `{path}`"))
    }
}
