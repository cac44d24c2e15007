//! The stand-ins that the killed program works with, and what people do there.
//!
//! Always true: what must be there afterwards is written down when its cause happens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use recipe_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

pub(super) const DOCEBO_SECRET: &str = "docebo-secret";
pub(super) const PASSWORD: &str = "docebo-password";
pub(super) const KEY: &str = "accredible-key";
pub(super) const WEBHOOK_PASSWORD: &str = "webhook-password";

/// The path of the call that must not happen twice.
const CREATE: &str = "/v1/credentials";

/// The groups of the two courses and of the learning plan that they make up.
const GROUPS: [i64; 3] = [2001, 2002, 2003];

/// How long a request is waited for, in milliseconds; far more than it ever takes.
const PATIENCE_MS: u64 = 120_000;

/// How long a slow vendor takes, in milliseconds; the kill comes long before.
const SLOW_MS: u64 = 400;

/// Who holds a credential of which group.
type Holding = (String, i64);

/// Running stand-ins.
pub(super) struct Vendors {
    runtime: Runtime,
    http: reqwest::Client,
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    learners: i64,
    events: usize,
    wanted: BTreeSet<Holding>,
}

impl Vendors {
    pub(super) fn start(scale: f64) -> Self {
        let runtime = Runtime::new().expect("threads");
        let config = SandboxConfig { scale, ..SandboxConfig::default() };
        let sandbox = runtime.block_on(recipe_sandbox::start(config)).expect("the stand-ins");
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_millis(PATIENCE_MS + 10_000))
            .build()
            .expect("a client");
        let folder = tempfile::tempdir().expect("a folder");
        Self { runtime, http, sandbox, folder, learners: 0, events: 0, wanted: BTreeSet::new() }
    }

    /// A new workspace with connections to these stand-ins. The calls that one may make there are
    /// not counted: what a killed program had set aside for itself stays spent for an hour.
    pub(super) fn workspace(&self) -> PathBuf {
        let path = self.folder.path().to_owned();
        std::fs::create_dir(path.join("connectors")).expect("a folder");
        let budgets = [("docebo", &["calls: 1000,"][..]), ("accredible", &["calls: 2000,", "calls: 200,"])];
        for (connector, budgets) in budgets {
            let file = format!("connectors/{connector}.yaml");
            let mut text = std::fs::read_to_string(&file).expect("a shipped connector");
            for budget in budgets {
                assert!(text.contains(budget), "{connector} has another budget now");
                text = text.replace(budget, "calls: 1000000,");
            }
            std::fs::write(path.join(&file), text).expect("a file");
        }
        let text = format!(
            "connections:\n  docebo:\n    connector: docebo\n    base_url: {}\n    grant: password\n    \
             client_id: recipe-engine\n    client_secret: {{ env: KILL_DOCEBO_SECRET }}\n    \
             username: service.connect\n    password: {{ env: KILL_PASSWORD }}\n    \
             allow_private: true\n  accredible:\n    connector: accredible\n    base_url: {}\n    \
             api_key: {{ env: KILL_KEY }}\n    allow_private: true\n  docebo_webhook:\n    \
             connector: webhook_basic\n    username: docebo\n    \
             password: {{ env: KILL_WEBHOOK_PASSWORD }}\n  mail:\n    connector: mail\n    \
             host: 127.0.0.1\n    encryption: none\n    from: recipes@academy.example\n    \
             allow_private: true\n",
            self.sandbox.docebo_url, self.sandbox.accredible_url
        );
        std::fs::write(path.join("connections.yaml"), text).expect("a file");
        path
    }

    /// Sends the webhooks there from now on.
    pub(super) fn deliver_to(&self, url: &str) {
        let hook = json!({
            "id": 1, "url": url, "user": "docebo", "password": WEBHOOK_PASSWORD, "group": true,
            "events": ["course.enrollment.completed"], "attempts_max": 1000,
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
        let courses = if is_on_plan { 2 } else { 1 };
        for course in 0..courses {
            let completion = json!({ "user_id": id, "course_id": 101 + course });
            self.docebo("actions/complete_course", &completion);
        }
        let groups = if is_on_plan { &GROUPS[..] } else { &GROUPS[..1] };
        let email = format!("learner.{id}@example.com");
        self.wanted.extend(groups.iter().map(|group| (email.clone(), *group)));
        self.events += courses as usize;
        self.flush();
    }

    /// Sends what was not delivered yet, and returns once that was tried.
    pub(super) fn flush(&self) {
        let answer = self.docebo("webhooks/flush", &json!({ "retries": true }));
        assert_eq!(answer["waiting"], 0, "deliveries were refused");
    }

    /// Makes the vendor slow, or never answer, when it is asked for the nth credential from now on;
    /// answers the number of the last request before.
    pub(super) fn hold_back(&self, nth: u64, is_slow: bool) -> u64 {
        let kind = if is_slow { json!({ "slow": { "ms": SLOW_MS } }) } else { json!("hang") };
        let order = json!({ "method": "POST", "path": CREATE, "nth": nth, "kind": kind });
        let before = self.asked(0, None);
        self.accredible("faults", &order);
        before["items"][0]["seq"].as_u64().unwrap_or(0)
    }

    /// Returns once the vendor has been asked for so many credentials since then.
    pub(super) fn until_asked(&self, before: u64, times: u64) {
        let answer = self.asked(before, Some(times));
        let count = answer["count"].as_u64().unwrap_or(0);
        assert!(count >= times, "the vendor was asked {count} times, not {times}");
    }

    /// Takes back what was ordered.
    pub(super) fn release(&self) {
        let url = format!("{}/_control/faults", self.sandbox.accredible_url);
        self.ask("DELETE", &url, None, &Value::Null);
    }

    /// How many jobs there must be.
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
            let answer = request.send().await.unwrap_or_else(|why| panic!("{url}: {why}"));
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
