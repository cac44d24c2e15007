//! One run of a scenario, whole or struck once.
//!
//! In: a scenario and what goes wrong. Out: how its jobs ended and what they left behind.
//! Always true: each run begins with the same vendors, an empty database and a new process.

use std::collections::BTreeSet;
use std::sync::Arc;

use recipe_engine::interpret::{Machine, Start};
use recipe_engine::journal::{EntryKind, JobStatus};
use recipe_engine::names::JobId;
use recipe_engine::runner::{Halt, Point};
use recipe_engine::store::Jobs;
use serde_json::{Value, json};

use super::super::ground::Ground;
use super::super::spy::Made;
use super::super::stage::{Seen, Stage};
use super::scenario::{Scenario, Step, order};
use super::world::{self, World};

/// How long a request is waited for, in milliseconds; far more than it ever takes.
const PATIENCE_MS: u64 = 60_000;

/// Who is asked for something; of the mail server, each command is a request.
const VENDORS: [&str; 3] = ["docebo", "accredible", "mail"];

/// What goes wrong.
#[derive(Clone, Debug)]
pub(super) enum Strike {
    Nothing,
    /// The process dies at the n-th passing of a point.
    Halt(Point, u32),
    /// A vendor does this to one call.
    Fault(Request, Value),
    /// The process dies once a vendor has a call, before or after it did what it was asked for.
    Death(Request, &'static str),
}

/// One request of the run without a fault: the n-th of its method and path at its vendor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request {
    pub(super) vendor: &'static str,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) nth: usize,
}

/// What came of a run.
pub(super) struct End {
    pub(super) jobs: Vec<Seen>,
    /// What there was before the first job.
    pub(super) before: World,
    pub(super) world: World,
    /// The commits of its only process, if it had one only.
    pub(super) commits: u32,
    pub(super) has_died: bool,
    pub(super) requests: Vec<Request>,
    pub(super) made: Vec<Made>,
    /// The actions that a person is to decide on.
    pub(super) undecided: Vec<String>,
    /// The recipes that ran.
    pub(super) recipes: BTreeSet<String>,
}

impl Request {
    /// Whether it changes something at the vendor.
    pub(super) fn is_write(&self) -> bool {
        if self.vendor == "mail" {
            return self.method == "DOT";
        }
        let is_search = self.path.ends_with("/search") || self.path == "/oauth2/token";
        self.method != "GET" && !is_search
    }
}

/// Plays a scenario.
pub(super) async fn play(ground: &Arc<Ground>, scenario: &Scenario, strike: &Strike) -> End {
    scenario.prepare_vendors(ground).await;
    let mut stage = Stage::on(ground.clone()).await;
    scenario.prepare_tables(&stage).await;
    stage.restart(halt(strike)).await;
    arm(ground, strike).await;
    let mut jobs = Vec::new();
    let mut is_to_die = matches!(strike, Strike::Halt(..) | Strike::Death(..));
    let mut taken = stage.deliveries().await.len();
    let mut before = None;
    for step in &scenario.steps {
        if before.is_none() && !matches!(step, Step::Deed(_)) {
            before = Some(world::of(&stage).await);
        }
        match step {
            Step::Deed(deed) => deed.done(ground).await,
            Step::Run(run) => jobs.push(stage.queue(&run.run, run.input.clone()).await),
            Step::Deliver(deliver) => {
                let all = stage.deliveries().await;
                let new = &all[std::mem::replace(&mut taken, all.len())..];
                assert!(!new.is_empty(), "{}: nothing is delivered", scenario.name);
                for body in new {
                    for _ in 0..deliver.deliver {
                        jobs.extend(stage.deliver(body).await);
                    }
                }
            }
        }
        if is_to_die && lives_until(&stage, strike).await {
            is_to_die = false;
            let_go(ground).await;
            stage.restart(Halt::default()).await;
        }
        if !is_to_die {
            stage.until_quiet().await;
        }
    }
    let has_died = !is_to_die && matches!(strike, Strike::Halt(..) | Strike::Death(..));
    End {
        before: before.unwrap_or_default(),
        world: world::of(&stage).await,
        commits: stage.commits(),
        has_died,
        requests: requests(ground).await,
        made: stage.calls.made(),
        undecided: undecided(&stage, &jobs).await,
        recipes: match strike {
            Strike::Nothing => recipes(&stage, &jobs).await,
            _ => BTreeSet::new(),
        },
        jobs: seen(&stage, &jobs).await,
    }
}

fn halt(strike: &Strike) -> Halt {
    match strike {
        Strike::Halt(point, n) => Halt::at(*point, *n),
        _ => Halt::default(),
    }
}

/// Orders the fault at its vendor.
async fn arm(ground: &Ground, strike: &Strike) {
    let (request, kind) = match strike {
        Strike::Fault(request, kind) => (request, kind.clone()),
        Strike::Death(request, kind) => (request, json!(kind)),
        Strike::Nothing | Strike::Halt(..) => return,
    };
    let fault = order(&request.method, &request.path, request.nth, &kind);
    ground.order(request.vendor, "faults", fault).await;
}

/// Goes on until the process dies as it is to (`true`), or nothing goes on by itself.
async fn lives_until(stage: &Stage, strike: &Strike) -> bool {
    match strike {
        Strike::Death(request, kind) => {
            let death = asked(&stage.ground, request, *kind == "hang_after");
            stage.live_until(death).await
        }
        _ => stage.live().await,
    }
}

/// Returns once a vendor has a request, or once it has done what it was asked for as well.
async fn asked(ground: &Ground, request: &Request, is_done: bool) {
    let Request {
        method, path, nth, ..
    } = request;
    let asked =
        format!("requests?method={method}&path={path}&at_least={nth}&wait_ms={PATIENCE_MS}");
    loop {
        let seen = ground.control(request.vendor, &asked).await;
        let items = seen["items"].as_array().expect("requests");
        let mut items: Vec<&Value> = items.iter().collect();
        items.sort_by_key(|item| item["seq"].as_u64());
        let struck = items.get(nth - 1);
        if struck.is_some_and(|item| !is_done || !item["status"].is_null()) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Lets the vendors come to the end of what a process asked for that is dead now.
async fn let_go(ground: &Ground) {
    for vendor in VENDORS {
        for _ in 0..2 {
            ground.control(vendor, "clock").await;
        }
    }
}

/// What the vendors were asked for, in order.
async fn requests(ground: &Ground) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    for vendor in VENDORS {
        for call in ground.all_calls(vendor).await {
            let text = |name: &str| call[name].as_str().expect("a text").to_owned();
            let (method, path) = (text("method"), text("path"));
            let same = |known: &&Request| {
                known.vendor == vendor && known.method == method && known.path == path
            };
            let nth = requests.iter().filter(same).count() + 1;
            requests.push(Request {
                vendor,
                method,
                path,
                nth,
            });
        }
    }
    requests
}

/// The actions whose calls are before a person.
async fn undecided(stage: &Stage, jobs: &[JobId]) -> Vec<String> {
    let mut actions = Vec::new();
    for id in jobs {
        let (record, entries, _) = stage.store.job(id).await.expect("the job");
        if record.status != JobStatus::NeedsDecision {
            continue;
        }
        let asked = entries
            .iter()
            .filter(|entry| matches!(entry.kind, EntryKind::DecisionAsked { .. }));
        for asked in asked {
            actions.extend(entries.iter().filter_map(|entry| match &entry.kind {
                EntryKind::CallIntended { action, .. } if entry.key == asked.key => {
                    Some(action.clone())
                }
                _ => None,
            }));
        }
    }
    actions
}

/// The recipes that the jobs went through.
async fn recipes(stage: &Stage, jobs: &[JobId]) -> BTreeSet<String> {
    let mut recipes = BTreeSet::new();
    for id in jobs {
        let (record, entries, pinned) = stage.store.job(id).await.expect("the job");
        let pinned = pinned.expect("a job that began");
        let program = stage.ground.shelf.program(&record.recipe);
        recipes.insert(record.recipe.name().to_owned());
        let start = Start {
            id: record.id,
            program: program.expect("its program"),
            event: record.event,
            input: record.input,
            settings: pinned.settings,
            started_at: pinned.started_at,
            started_by: record.started_by,
            start_depth: record.start_depth,
            is_preview: false,
        };
        let traced = Machine::replay(start, entries, record.ended_at);
        recipes.extend(traced.iter().map(|step| step.recipe.name().to_owned()));
    }
    recipes
}

async fn seen(stage: &Stage, jobs: &[JobId]) -> Vec<Seen> {
    let mut seen = Vec::new();
    for id in jobs {
        seen.push(stage.seen(id).await);
    }
    seen
}
