//! The bundle at work: store, worker and way out of one case, beside the vendors' stand-ins.
//!
//! In: settings, mappings, what happens at the vendors. Out: jobs, rows, what the vendors hold.
//! Always true: the engine's clock and the vendors' show the same and stand still until a job waits
//! for nothing but time; a crash takes everything that was in memory.

use std::sync::Arc;

use base64::Engine as _;
use recipe_engine::clock::{Clock, Moment};
use recipe_engine::data::{Object, Value};
use recipe_engine::journal::EntryKind;
use recipe_engine::names::{JobId, RecipeName, TableName};
use recipe_engine::runner::{Halt, World};
use recipe_engine::store::{Jobs, RowFilter, Store};
use recipe_engine::trigger::{Given, Head, Intake, admit, deliver, run};
use recipe_engine::worker::Worker;
use serde_json::json;
use tokio::sync::watch;

use super::ground::{Ground, NOW, WEBHOOK};
use super::rooms::Rooms;
use super::spy::CallLog;

/// The project.
pub(super) const PROJECT: &str = "accredible";

/// How often the clocks are moved on at most before a case is given up.
const LEAPS_MAX: usize = 10_000;

/// The settings of every case, unless it says otherwise.
const SETTINGS: [(&str, &str); 6] = [
    ("COURSE_ADDITIONAL_FIELD", "Accredible credential"),
    ("LEARNING_PLAN_ADDITIONAL_FIELD", "Accredible credential"),
    ("NOTIFICATION_MAIL_ID", "learning@academy.example"),
    ("ACCREDIBLE_TO_DOCEBO_BATCH_SYNC_START_DATE", "2026-01-01"),
    ("DOCEBO_TO_ACCREDIBLE_BATCH_SYNC_START_DATE", "2026-01-01"),
    ("SYNC_REVOCATION", "false"),
];

/// Everything of one case.
pub(super) struct Stage {
    pub(super) ground: Arc<Ground>,
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    /// What its jobs asked of the vendors, in all processes.
    pub(super) calls: Arc<CallLog>,
    pub(super) world: World,
    pub(super) intake: Intake,
    is_stopping: watch::Receiver<bool>,
    _stopping: watch::Sender<bool>,
}

/// A job as it stands.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) id: JobId,
    pub(super) recipe: String,
    pub(super) status: String,
    /// The code of what failed, or empty.
    pub(super) code: String,
    /// Why it failed, or empty.
    pub(super) why: String,
    pub(super) output: Value,
    /// `level: line` of its log.
    pub(super) log: Vec<String>,
    /// `code: message` of every step that failed, be it passed over or not.
    pub(super) failures: Vec<String>,
}

impl Stage {
    /// The bundle over stand-ins of its own, with the usual settings.
    pub(super) async fn open() -> Self {
        Self::on(Arc::new(Ground::open().await)).await
    }

    /// A new database over stand-ins as they are.
    pub(super) async fn on(ground: Arc<Ground>) -> Self {
        let store = Arc::new(Store::in_memory().await.expect("a store"));
        let clock = Clock::test(Moment::parse(NOW).expect("a time"));
        ground.set_clock(clock.now());
        let shelf = &ground.shelf;
        let tables: Vec<_> = shelf
            .tables()
            .values()
            .map(|table| (**table).clone())
            .collect();
        store.declare_settings(shelf.settings());
        store.declare(&tables, clock.now()).await.expect("tables");
        let (stopping, is_stopping) = watch::channel(false);
        let calls = Arc::new(CallLog::default());
        let rooms = Rooms {
            shelf: shelf.clone(),
            store: store.clone(),
            clock: clock.clone(),
            calls: calls.clone(),
            is_stopping: is_stopping.clone(),
        };
        let (world, intake) = rooms.build(Halt::default()).await;
        let stage = Self {
            ground,
            store,
            clock,
            calls,
            world,
            intake,
            is_stopping,
            _stopping: stopping,
        };
        for (key, value) in SETTINGS {
            stage.set(key, value).await;
        }
        stage
    }

    /// Gives a setting; an empty value counts as not given.
    pub(super) async fn set(&self, key: &str, value: &str) {
        let row = json!({ "integration": "ACCREDIBLE", "key": key, "value": value });
        self.put("integration-settings", row).await;
    }

    /// Takes a setting's row away.
    pub(super) async fn unset(&self, key: &str) {
        let table = table("integration-settings");
        let rows = self.store.rows(&table, all()).await.expect("rows");
        let row = rows.iter().find(|row| row.row["key"] == key);
        let number = row.expect("the setting").number;
        let deleted = self
            .store
            .delete_row(&table, number, "person:ada", self.clock.now());
        deleted.await.expect("the row goes");
    }

    /// Adds a row to a table or changes the one of its key, as an admin does.
    pub(super) async fn put(&self, name: &str, row: Value) {
        let Value::Object(row) = row else {
            panic!("a row is an object")
        };
        let named = table(name);
        let put = self
            .store
            .put_row(&named, row, "person:ada", self.clock.now());
        let written = put.await.unwrap_or_else(|why| panic!("{name}: {why}"));
        written.unwrap_or_else(|why| panic!("{name}: {why:?}"));
    }

    /// Adds rows to a table.
    pub(super) async fn put_all(&self, name: &str, rows: Value) {
        for row in rows.as_array().expect("rows") {
            self.put(name, row.clone()).await;
        }
    }

    /// The rows of a table, in the order they were added.
    pub(super) async fn rows(&self, name: &str) -> Vec<Object> {
        let rows = self.store.rows(&table(name), all()).await.expect("rows");
        rows.into_iter().map(|row| row.row).collect()
    }

    /// The active groups of the first world as "Synchronisation from Accredible to Lookup table"
    /// leaves them, and the mapping of the learning plan LP-SEC.
    pub(super) async fn know_the_groups(&self) {
        let groups = json!([
            { "group_id": 2001, "name": "data-protection-basics", "dropdown_element_id": 501 },
            { "group_id": 2002, "name": "secure-coding", "dropdown_element_id": 502 },
            { "group_id": 2003, "name": "security-champion", "dropdown_element_id": 504 },
            { "group_id": 2004, "name": "first-aid", "dropdown_element_id": 503 },
            { "group_id": 2005, "name": "leadership-track" },
        ]);
        self.put_all("accredible-credential-groups", groups).await;
        let mapping = json!({ "credential_group_id": "2003", "learning_plan_id": "LP-SEC" });
        self.put("accredible-integration-mappings", mapping).await;
    }

    /// Runs a recipe by hand with this input (null for none) until nothing goes on by itself.
    pub(super) async fn run(&self, recipe: &str, input: Value) -> Seen {
        let id = self.queue(recipe, input).await;
        self.until_quiet().await;
        self.seen(&id).await
    }

    /// Queues a run by hand.
    pub(super) async fn queue(&self, recipe: &str, input: Value) -> JobId {
        let name = RecipeName::of(PROJECT, recipe).expect("a name");
        let given = match input {
            Value::Null => Given::Nothing,
            input => Given::Input(input),
        };
        let jobs = run(&self.intake, &name, given, "ada").await;
        jobs.unwrap_or_else(|why| panic!("{recipe}: {why:?}"))
            .remove(0)
    }

    /// Something that people do in Docebo, such as `complete_course`.
    pub(super) async fn in_docebo(&self, action: &str, with: Value) -> Value {
        self.ground
            .order("docebo", &format!("actions/{action}"), with)
            .await
    }

    /// The deliveries of Docebo's webhook so far, oldest first, as they are sent.
    pub(super) async fn deliveries(&self) -> Vec<Value> {
        self.ground
            .order("docebo", "webhooks/flush", json!({ "retries": true }))
            .await;
        let deliveries = self.ground.control("docebo", "webhooks/deliveries").await;
        let items = deliveries["items"].as_array().expect("deliveries");
        items
            .iter()
            .map(|delivery| delivery["body"].clone())
            .collect()
    }

    /// Takes a delivery in at the dispatcher; the jobs that it became, none if it came before.
    pub(super) async fn deliver(&self, body: &Value) -> Vec<JobId> {
        let recipe =
            RecipeName::of(PROJECT, "event-dispatcher-docebo-to-accredible").expect("a name");
        let login = format!("{}:{}", WEBHOOK.0, WEBHOOK.1);
        let login = base64::engine::general_purpose::STANDARD.encode(login);
        let headers = json!({
            "authorization": format!("Basic {login}"), "content-type": "application/json",
        });
        let head = Head {
            headers: headers.as_object().expect("headers").clone(),
            query: Object::new(),
            body_length: None,
        };
        self.store
            .start(&recipe, "ada", self.clock.now())
            .await
            .expect("a start");
        let guest = admit(&self.intake, &recipe, head).unwrap_or_else(|why| panic!("{why}"));
        let body = serde_json::to_vec(body).expect("JSON");
        let accepted = deliver(&self.intake, guest, body).await;
        let accepted = accepted.unwrap_or_else(|why| panic!("{why}"));
        let new = accepted.jobs.into_iter().filter(|(_, is_new)| *is_new);
        new.map(|(id, _)| id).collect()
    }

    /// Delivers what Docebo has to report, and works until nothing goes on by itself.
    pub(super) async fn take_reports_in(&self) -> Vec<Seen> {
        let mut jobs = Vec::new();
        for body in self.deliveries().await {
            jobs.extend(self.deliver(&body).await);
        }
        self.until_quiet().await;
        let mut seen = Vec::new();
        for id in jobs {
            seen.push(self.seen(&id).await);
        }
        seen
    }

    /// Works and moves the clocks on until nothing goes on by itself.
    pub(super) async fn until_quiet(&self) {
        for _ in 0..LEAPS_MAX {
            self.work().await;
            if !self.leap().await {
                return;
            }
        }
        panic!("the jobs do not come to rest");
    }

    /// Does what can be done now.
    pub(super) async fn work(&self) {
        self.worker().work_off().await;
    }

    /// Moves both clocks on to the moment at which something is due; whether there is one.
    pub(super) async fn leap(&self) -> bool {
        let leapt = self.worker().leap().await.expect("a database");
        self.ground.set_clock(self.clock.now());
        leapt
    }

    fn worker(&self) -> Arc<Worker> {
        Worker::new(self.world.clone(), self.ground.shelf.clone())
    }

    /// The process dies with all its memory and is started again; it dies again where this says.
    pub(super) async fn restart(&mut self, halt: Halt) {
        self.store
            .recover(self.clock.now())
            .await
            .expect("a database");
        let rooms = Rooms {
            shelf: self.ground.shelf.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            calls: self.calls.clone(),
            is_stopping: self.is_stopping.clone(),
        };
        (self.world, self.intake) = rooms.build(halt).await;
    }

    /// Works and moves the clocks on until the process dies where its halt says (`true`), or until
    /// nothing goes on by itself.
    pub(super) async fn live(&self) -> bool {
        self.live_until(self.world.halt.tripped()).await
    }

    /// The same for a death that is decided outside.
    pub(super) async fn live_until(&self, death: impl Future<Output = ()>) -> bool {
        let mut death = std::pin::pin!(death);
        for _ in 0..LEAPS_MAX {
            let has_died = tokio::select! {
                biased;
                () = &mut death => true,
                () = self.work() => false,
            };
            if has_died {
                return true;
            }
            if !self.leap().await {
                return false;
            }
        }
        panic!("the jobs do not come to rest");
    }

    /// How many commits the present process has made.
    pub(super) fn commits(&self) -> u32 {
        self.world.halt.committed()
    }

    /// A job as it stands.
    pub(super) async fn seen(&self, id: &JobId) -> Seen {
        let (record, entries, _) = self.store.job(id).await.expect("the job");
        let failure = record
            .ending
            .as_ref()
            .and_then(|ending| ending.failure.clone());
        let (code, why) = failure.map_or_else(Default::default, |failure| {
            (failure.code.clone(), failure.message.clone())
        });
        let log = entries.iter().filter_map(|entry| match &entry.kind {
            EntryKind::LineLogged { level, message, .. } => Some(format!("{level}: {message}")),
            _ => None,
        });
        let failures = entries.iter().filter_map(|entry| match &entry.kind {
            EntryKind::StepFailed { failure, .. } => {
                Some(format!("{}: {}", failure.code, failure.message))
            }
            _ => None,
        });
        Seen {
            failures: failures.collect(),
            id: id.clone(),
            recipe: record.recipe.name().to_owned(),
            status: record.status.as_str().to_owned(),
            code,
            why,
            output: record
                .ending
                .and_then(|ending| ending.output)
                .unwrap_or_default(),
            log: log.collect(),
        }
    }

    /// The credentials in Accredible beyond those of the first world: `email group issued_on`, in
    /// order.
    pub(super) async fn credentials(&self) -> Vec<String> {
        let rows = self.ground.rows("accredible", "credentials").await;
        let first_world = ["10000001", "10000002", "10000003"];
        let mut held: Vec<String> = rows
            .iter()
            .filter(|row| !first_world.contains(&as_text(&row["id"]).as_str()))
            .map(|row| {
                let email = as_text(&row["recipient"]["email"]);
                format!("{email} {} {}", row["group_id"], as_text(&row["issued_on"]))
            })
            .collect();
        held.sort();
        held
    }
}

/// A text as it is, anything else as JSON.
pub(super) fn as_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn table(name: &str) -> TableName {
    TableName::new(name).unwrap_or_else(|why| panic!("{why}"))
}

fn all() -> RowFilter {
    RowFilter {
        limit: 100_000,
        ..RowFilter::default()
    }
}
