//! One job of one action, over stand-ins of its own, with faults on order and crashes.
//!
//! Always true: each play begins with the same world, the same clocks and an empty database; a crash
//! takes everything that was in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use recipe_engine::clock::{Clock, Moment};
use recipe_engine::data::Value;
use recipe_engine::journal::JobStatus;
use recipe_engine::library::Shelf;
use recipe_engine::names::{JobId, RecipeName};
use recipe_engine::outbound::Outbound;
use recipe_engine::runner::{Bell, Halt, Point, World};
use recipe_engine::store::{Jobs, Store};
use recipe_engine::trigger::{Gauge, Given, Intake, run};
use recipe_engine::worker::Worker;
use recipe_sandbox::{Sandbox, SandboxConfig};
use serde_json::json;
use tokio::sync::watch;

use super::super::world::{NoReferences, accounts};

/// How often the clock is moved on at most before a job is given up.
const LEAPS_MAX: usize = 200;

/// How long a request is waited for, in milliseconds; far more than it ever takes.
const PATIENCE_MS: u64 = 60_000;

/// What the engine's clock shows at first.
const NOW: &str = "2026-03-01T10:00:00Z";

/// Stand-ins for one action.
pub(super) struct Stage {
    sandbox: Sandbox,
    vendor: String,
    shelf: Arc<Shelf>,
    rows: BTreeMap<String, Value>,
    http: reqwest::Client,
    /// What the vendor has before anything is done.
    pub(super) world_before: BTreeMap<String, Value>,
}

/// What is to be done.
pub(super) struct Play {
    pub(super) recipe: RecipeName,
    /// The fault, and the method and path that it strikes.
    pub(super) order: Value,
    pub(super) struck: (String, String),
    pub(super) crash: Option<Crash>,
}

/// When the engine is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Crash {
    At(Point),
    /// Once the vendor has the request.
    OnceAsked,
}

/// What came of it.
pub(super) struct End {
    pub(super) status: String,
    /// Why, if it did not end well.
    pub(super) why: String,
    /// The first request: its method and path.
    pub(super) first: (String, String),
    /// Each request of the method and path that were struck.
    pub(super) sent: Vec<String>,
    pub(super) world: BTreeMap<String, Value>,
}

impl Play {
    /// Without any fault.
    pub(super) fn plain(recipe: RecipeName) -> Self {
        Self {
            recipe,
            order: Value::Null,
            struck: (String::new(), String::new()),
            crash: None,
        }
    }
}

impl Stage {
    pub(super) async fn open(
        action: &str,
        shelf: Arc<Shelf>,
        rows: &BTreeMap<String, Value>,
    ) -> Self {
        // The vendors' clock stands still, so that two runs leave the same.
        let config = SandboxConfig {
            scale: 0.0,
            ..SandboxConfig::default()
        };
        let sandbox = recipe_sandbox::start(config).await.expect("the stand-ins");
        let vendor = action.split_once('.').expect("connector.action").0;
        let own = |name: &str| {
            name.strip_prefix(vendor)?
                .strip_prefix('.')
                .map(str::to_owned)
        };
        let rows = rows
            .iter()
            .filter_map(|(name, rows)| Some((own(name)?, rows.clone())));
        let rows = rows.collect();
        let mut stage = Self {
            vendor: vendor.to_owned(),
            sandbox,
            shelf,
            rows,
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
            world_before: BTreeMap::new(),
        };
        stage.reset().await;
        stage.world_before = stage.world().await;
        stage
    }

    pub(super) async fn close(self) {
        self.sandbox.stop().await;
    }

    /// Runs the recipe to where it goes on no more by itself.
    pub(super) async fn play(&self, play: &Play) -> End {
        self.reset().await;
        if !play.order.is_null() {
            let (method, path) = &play.struck;
            let order = json!({ "method": method, "path": path, "kind": play.order });
            self.ask("POST", "faults", Some(order)).await;
        }
        let store = Arc::new(Store::in_memory().await.expect("a store"));
        let clock = Clock::test(Moment::parse(NOW).expect("a time"));
        let halt = match play.crash {
            Some(Crash::At(point)) => Halt::at(point, 1),
            _ => Halt::default(),
        };
        let (_stop, is_stopping) = watch::channel(false);
        let mut engine = self.engine(&store, &clock, halt, &is_stopping).await;
        let jobs = run(&engine.1, &play.recipe, Given::Nothing, "test").await;
        let job = jobs.expect("the job is queued").remove(0);
        let mut is_to_die = play.crash.is_some();
        for _ in 0..LEAPS_MAX {
            let worker = Worker::new(engine.0.clone(), self.shelf.clone());
            let has_died = tokio::select! {
                biased;
                () = self.death(play, &engine.0.halt), if is_to_die => true,
                _ = worker.work_off() => false,
            };
            if has_died {
                is_to_die = false;
                store.recover(clock.now()).await.expect("a database");
                engine = self
                    .engine(&store, &clock, Halt::default(), &is_stopping)
                    .await;
                continue;
            }
            match store.next_due().await.expect("a database") {
                Some(due) => clock.advance(due.since(clock.now())),
                None => break,
            }
        }
        let end = self.end(&store, &job, play).await;
        let why = &end.why;
        assert!(
            !is_to_die,
            "{:?} was not killed: {} {why}",
            play.recipe, end.status
        );
        end
    }

    /// Returns when the engine is to be killed.
    async fn death(&self, play: &Play, halt: &Halt) {
        match play.crash {
            Some(Crash::At(_)) => halt.tripped().await,
            Some(Crash::OnceAsked) => {
                let (method, path) = &play.struck;
                let asked = format!(
                    "requests?method={method}&path={path}&at_least=1&wait_ms={PATIENCE_MS}"
                );
                let seen = self.ask("GET", &asked, None).await;
                assert_eq!(seen["count"], 1, "the vendor was not asked");
                if play.order == json!("hang_after") {
                    self.until_done(&asked).await;
                }
            }
            None => std::future::pending().await,
        }
    }

    /// Returns once what was asked for has been done, which its status tells.
    async fn until_done(&self, asked: &str) {
        while self.ask("GET", asked, None).await["items"][0]["status"].is_null() {
            tokio::task::yield_now().await;
        }
    }

    async fn engine(
        &self,
        store: &Arc<Store>,
        clock: &Clock,
        halt: Halt,
        is_stopping: &watch::Receiver<bool>,
    ) -> (World, Intake) {
        let outbound = Outbound::open(
            accounts(&self.sandbox),
            Arc::new(NoReferences),
            store.clone(),
            clock.clone(),
        );
        let bell = Arc::new(Bell::default());
        let world = World {
            store: store.clone(),
            calls: Arc::new(outbound.await.expect("a way out")),
            clock: clock.clone(),
            halt: Arc::new(halt),
            bell: bell.clone(),
            is_stopping: is_stopping.clone(),
            is_preview: false,
        };
        let intake = Intake {
            store: store.clone(),
            shelf: self.shelf.clone(),
            references: Arc::new(NoReferences),
            clock: clock.clone(),
            bell,
            gauge: Arc::new(Gauge::default()),
            is_stopping: is_stopping.clone(),
        };
        (world, intake)
    }

    async fn end(&self, store: &Store, job: &JobId, play: &Play) -> End {
        let (record, entries, _) = store.job(job).await.expect("the job");
        let why = match record.status {
            JobStatus::Succeeded => String::new(),
            _ => format!("{:?} {entries:?}", record.ending),
        };
        let requests = self.ask("GET", "requests", None).await;
        let mut first = None;
        let mut sent = Vec::new();
        let mut requests = requests["items"].as_array().cloned().unwrap_or_default();
        requests.sort_by_key(|request| request["seq"].as_u64());
        for request in requests {
            let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
            let place = (text("method"), text("path"));
            if place.1 == "/oauth2/token" {
                continue;
            }
            if place == play.struck || play.struck.1.is_empty() {
                let shown = format!("{} {} {}", place.0, request["query"], request["body"]);
                sent.push(shown);
            }
            first.get_or_insert(place);
        }
        End {
            status: record.status.as_str().to_owned(),
            why,
            first: first.unwrap_or_default(),
            sent,
            world: self.world().await,
        }
    }

    /// The first world again.
    async fn reset(&self) {
        self.ask("POST", "reset", Some(Value::Null)).await;
        for (collection, rows) in &self.rows {
            let path = format!("state/{collection}");
            self.ask("POST", &path, Some(rows.clone())).await;
        }
    }

    /// All that the vendor has, sign-ins aside.
    async fn world(&self) -> BTreeMap<String, Value> {
        let all = self.ask("GET", "state?rows=all", None).await;
        let rows = all["rows"].as_object().expect("collections").clone();
        rows.into_iter()
            .filter(|(name, _)| name != "tokens")
            .collect()
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let addresses = self.sandbox.addresses();
        let base = addresses.iter().find(|(name, _)| *name == self.vendor);
        let url = format!("{}/_control/{path}", base.expect("the vendor").1);
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, &url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "{url}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }
}
