//! The stand-ins that the killed program works with, and what people do there.
//!
//! Always true: what must be there afterwards is written down when its cause happens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use recipe_engine::clock::{Clock, Moment};
use recipe_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::TIME_SCALE;

pub(super) const DOCEBO_SECRET: &str = "docebo-secret";
pub(super) const PASSWORD: &str = "docebo-password";
pub(super) const KEY: &str = "accredible-key";
pub(super) const WEBHOOK_PASSWORD: &str = "webhook-password";

/// The path of the call that must not happen twice.
const CREATE: &str = "/v1/credentials";

/// The courses of the learning plan, and the groups of both courses and of the plan itself.
const PLAN: (&[i64], &[i64]) = (&[101, 102], &[2001, 2002, 2003]);

/// A course that stands alone, and its group.
const ALONE: (&[i64], &[i64]) = (&[104], &[2004]);

/// The group that allows the same credential twice, which the unguarded connector issues in.
const UNGUARDED_GROUP: i64 = 2007;

/// How long a request is waited for, in milliseconds; far more than it ever takes.
const PATIENCE_MS: u64 = 120_000;

/// Who holds a credential of which group.
type Holding = (String, i64);

/// Running stand-ins.
pub(super) struct Vendors {
    /// The workspace of the program.
    pub(super) workspace: PathBuf,
    /// Since when time has run faster than the wall.
    pub(super) since: Moment,
    runtime: Runtime,
    http: reqwest::Client,
    sandbox: Sandbox,
    _folder: tempfile::TempDir,
    learners: i64,
    events: usize,
    wanted: BTreeSet<Holding>,
}

impl Vendors {
    /// Starts the stand-ins and makes a workspace that knows them.
    pub(super) fn start() -> Self {
        let runtime = Runtime::new().expect("threads");
        let config = SandboxConfig {
            scale: TIME_SCALE,
            ..SandboxConfig::default()
        };
        let since = Clock::real(1.0).now();
        let sandbox = runtime
            .block_on(recipe_sandbox::start(config))
            .expect("the stand-ins");
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_millis(PATIENCE_MS + 10_000))
            .build()
            .expect("a client");
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = folder.path().to_owned();
        connectors(&workspace);
        unguarded(&workspace);
        connections(&workspace, &sandbox);
        Self {
            workspace,
            since,
            runtime,
            http,
            sandbox,
            _folder: folder,
            learners: 0,
            events: 0,
            wanted: BTreeSet::new(),
        }
    }

    /// Sends the webhooks of this number there from now on.
    pub(super) fn deliver_to(&self, number: usize, url: &str) {
        let hook = json!({
            "id": 1 + number, "url": url, "user": "docebo", "password": WEBHOOK_PASSWORD, "group": true,
            "events": ["course.enrollment.completed"], "attempts_max": 1000,
            // Nothing goes out but on request, so that all that belongs together has happened.
            "window_ms": 86_400_000,
        });
        self.docebo("webhooks", &hook);
    }

    /// A new learner completes one course, or both courses of a learning plan, and the platform
    /// reports it.
    pub(super) fn complete(&mut self, is_on_plan: bool) {
        self.learners += 1;
        let id = 1000 + self.learners;
        let user = json!({
            "id": id, "username": format!("learner-{id}"), "email": format!("Learner.{id}@Example.com"),
            "first_name": "Learner", "last_name": id.to_string(),
        });
        self.docebo("state/users", &user);
        if is_on_plan {
            let enrolment = json!({ "user_id": id, "learning_plan_id": 201 });
            self.docebo("actions/enroll_in_plan", &enrolment);
        }
        let (courses, groups) = if is_on_plan { PLAN } else { ALONE };
        for course in courses {
            let completion = json!({ "user_id": id, "course_id": course });
            self.docebo("actions/complete_course", &completion);
            self.wanted.insert((
                format!("learner.{id}.{course}@example.com"),
                UNGUARDED_GROUP,
            ));
        }
        let email = format!("learner.{id}@example.com");
        self.wanted
            .extend(groups.iter().map(|group| (email.clone(), *group)));
        self.events += courses.len();
        self.flush();
    }

    /// Sends what was not delivered yet, and returns once that was tried.
    pub(super) fn flush(&self) {
        let answer = self.docebo("webhooks/flush", &json!({ "retries": true }));
        assert_eq!(answer["waiting"], 0, "deliveries were refused");
    }

    /// Makes the vendor do what is asked only once this is taken back, or never, when it is asked for
    /// the nth credential from now on; answers the number of the last request before.
    pub(super) fn hold_back(&self, nth: u64, is_slow: bool) -> u64 {
        let kind = if is_slow { "held" } else { "hang" };
        let order = json!({ "method": "POST", "path": CREATE, "nth": nth, "kind": kind });
        let before = self.asked(0, None);
        self.accredible("faults", &order);
        before["items"][0]["seq"].as_u64().unwrap_or(0)
    }

    /// Returns once the vendor has been asked for so many credentials since then.
    pub(super) fn until_asked(&self, before: u64, times: u64) {
        let answer = self.asked(before, Some(times));
        let count = answer["count"].as_u64().unwrap_or(0);
        assert!(
            count >= times,
            "the vendor was asked {count} times, not {times}"
        );
    }

    /// Takes back what was ordered; what was held back until then is done.
    pub(super) fn release(&self) {
        let url = format!("{}/_control/faults", self.sandbox.accredible_url);
        self.ask("DELETE", &url, None, &Value::Null);
    }

    /// Where the vendor of records answers.
    pub(super) fn records(&self) -> &str {
        &self.sandbox.records_url
    }

    /// How many completions were reported.
    pub(super) fn events(&self) -> usize {
        self.events
    }

    /// Who must hold exactly one credential of which group.
    pub(super) fn wanted(&self) -> BTreeSet<Holding> {
        self.wanted.clone()
    }

    /// How many credentials of which group each of the new learners holds.
    pub(super) fn credentials(&self) -> BTreeMap<Holding, usize> {
        let url = format!("{}/_control/state/credentials", self.sandbox.accredible_url);
        let state = self.ask("GET", &url, None, &Value::Null);
        let mut held = BTreeMap::new();
        for row in state["items"].as_array().into_iter().flatten() {
            let email = row["recipient"]["email"].as_str().unwrap_or_default();
            if email.to_lowercase().starts_with("learner.") {
                let group = row["group_id"].as_i64().unwrap_or_default();
                *held.entry((email.to_owned(), group)).or_default() += 1;
            }
        }
        held
    }

    /// Asks somebody for something that must not be refused.
    pub(super) fn ask(&self, method: &str, url: &str, token: Option<&str>, body: &Value) -> Value {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let answer = request
                .send()
                .await
                .unwrap_or_else(|why| panic!("{url}: {why}"));
            let status = answer.status();
            let text = answer.text().await.unwrap_or_default();
            assert!(status.is_success(), "{url} answers {status}: {text}");
            serde_json::from_str(&text).unwrap_or(Value::Null)
        })
    }

    fn asked(&self, after: u64, at_least: Option<u64>) -> Value {
        let mut url = format!(
            "{}/_control/requests?method=POST&path={CREATE}&after={after}&limit=1",
            self.sandbox.accredible_url
        );
        if let Some(at_least) = at_least {
            url.push_str(&format!("&at_least={at_least}&wait_ms={PATIENCE_MS}"));
        }
        self.ask("GET", &url, None, &Value::Null)
    }

    fn docebo(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/_control/{path}", self.sandbox.docebo_url);
        self.ask("POST", &url, None, body)
    }

    fn accredible(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/_control/{path}", self.sandbox.accredible_url);
        self.ask("POST", &url, None, body)
    }
}

/// The recipe and the connector that look at nothing before they issue.
fn unguarded(workspace: &Path) {
    let files = [
        "connectors/unguarded.yaml",
        "recipes/kill/project.yaml",
        "recipes/kill/issue.yaml",
    ];
    std::fs::create_dir_all(workspace.join("recipes/kill")).expect("a folder");
    for file in files {
        let text = std::fs::read(Path::new("tests/kill").join(file)).expect("a file of the test");
        std::fs::write(workspace.join(file), text).expect("a file");
    }
}

/// The shipped connectors without what such a run would only wait for: the calls that one may make
/// are not counted, because what a killed program had set aside for itself stays spent for an hour.
fn connectors(workspace: &Path) {
    let budgets = [
        ("docebo", "budget:\n  - { calls: 1000, per: 1h }\n"),
        (
            "accredible",
            "budget:\n  - { calls: 2000, per: 5m }\n  - { calls: 200, per: 30s }\n",
        ),
    ];
    std::fs::create_dir(workspace.join("connectors")).expect("a folder");
    for (connector, budget) in budgets {
        let file = format!("connectors/{connector}.yaml");
        let text = std::fs::read_to_string(&file).expect("a shipped connector");
        assert!(text.contains(budget), "{connector} has another budget now");
        std::fs::write(workspace.join(&file), text.replace(budget, "")).expect("a file");
    }
}

fn connections(workspace: &Path, sandbox: &Sandbox) {
    let text = format!(
        "connections:\n  docebo:\n    connector: docebo\n    base_url: {}\n    grant: password\n    \
         client_id: recipe-engine\n    client_secret: {{ env: KILL_DOCEBO_SECRET }}\n    \
         username: service.connect\n    password: {{ env: KILL_PASSWORD }}\n    \
         allow_private: true\n  accredible:\n    connector: accredible\n    base_url: {}\n    \
         api_key: {{ env: KILL_KEY }}\n    allow_private: true\n  unguarded:\n    base_url: {}\n    api_key: {{ env: KILL_KEY }}\n    \
         allow_private: true\n  docebo_webhook:\n    \
         connector: webhook_basic\n    username: docebo\n    \
         password: {{ env: KILL_WEBHOOK_PASSWORD }}\n  mail:\n    connector: mail\n    \
         host: 127.0.0.1\n    encryption: none\n    from: recipes@academy.example\n    \
         allow_private: true\n",
        sandbox.docebo_url, sandbox.accredible_url, sandbox.accredible_url
    );
    std::fs::write(workspace.join("connections.yaml"), text).expect("a file");
}
