//! Whatever a person changes, through whichever door, stands in the audit under the name of the
//! token.

use std::collections::BTreeSet;
use std::time::Duration;

use recipe_engine::api::{Entry, routes};
use recipe_engine::clock::Moment;
use recipe_engine::store::Jobs;
use reqwest::Method;
use serde_json::{Value, json};

use super::house::{House, Vendor, taken, workspace};
use super::process::{ended, said};
use super::sealed::typed;

const FILES: [(&str, &str); 5] = [
    (
        "recipes/stories/order.yaml",
        "
title: Order
trigger: { function: {} }
steps: [{ action: http.request, with: { path: /orders } }]
",
    ),
    (
        "recipes/stories/fails.yaml",
        "title: Fails\ntrigger:\n  manual:\nsteps: [{ stop: { status: failure, reason: broken } }]\n",
    ),
    (
        "recipes/stories/waits.yaml",
        "title: Waits\ntrigger: { function: {} }\nsteps: [{ wait: 10h }]\n",
    ),
    (
        "recipes/stories/hook.yaml",
        "title: Hook\ntrigger: { webhook: { auth: none } }\nsteps: [{ log: hello }]\n",
    ),
    (
        "lookup-tables/things.yaml",
        "title: Things\ncolumns: { name: { type: string, required: true } }\nkey: [name]\n",
    ),
];

/// What changes nothing although it is no `GET`: files that somebody saved are taken up anyway, what is
/// looked for stands in no address, tests have a world of their own, and whether a connection works is
/// asked with a call that only reads.
const NO_CHANGE: [&str; 4] = [
    "/api/files",
    "/api/jobs/search",
    "/api/projects/{project}/test",
    "/api/connections/{name}/check",
];

/// A person with a token, and the doors that she went through.
struct Ada<'a> {
    house: &'a House,
    token: String,
    used: BTreeSet<(String, &'static str)>,
    /// The hash of the text that she changes.
    seen: Option<String>,
}

impl<'a> Ada<'a> {
    async fn of(house: &'a House) -> Self {
        let wish = json!({ "name": "ada", "role": "admin" });
        let (_, made) = house.post("/api/tokens", wish).await;
        Self {
            house,
            token: made["token"].as_str().unwrap().to_owned(),
            used: BTreeSet::new(),
            seen: None,
        }
    }

    async fn asks(&self, method: Method, path: &str, body: Value) -> Value {
        let mut request = self.house.request(method.clone(), path);
        if let Some(hash) = &self.seen {
            request = request.header("if-match", format!("\"{hash}\""));
        } else if method == Method::PUT {
            request = request.header("if-none-match", "*");
        }
        let answer = request.bearer_auth(&self.token).json(&body).send().await;
        let (status, answer) = taken(answer.unwrap()).await;
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        answer
    }

    /// Changes something, which leaves an entry about this, under this name and no other.
    async fn changes(
        &mut self,
        method: Method,
        (route, path): (&'static str, &str),
        body: Value,
        subject: &str,
    ) -> Value {
        let before = self.newest().await;
        let answer = self.asks(method.clone(), path, body).await;
        let newest = self.newest().await;
        assert_ne!(before, newest, "{method} {path} left nothing in the audit");
        assert_eq!(newest["by"], "ada", "{method} {path}: {newest}");
        assert_eq!(newest["subject"], subject, "{method} {path}: {newest}");
        self.used.insert((method.to_string(), route));
        answer
    }

    async fn newest(&self) -> Value {
        let mut audit = self
            .asks(Method::GET, "/api/audit?limit=500", json!({}))
            .await;
        let count = audit["entries"].as_array().unwrap().len();
        let mut newest = audit["entries"][0].take();
        newest["count"] = count.into();
        newest
    }

    /// Runs a recipe, which leaves an entry; the job.
    async fn runs(&mut self, recipe: &str) -> String {
        let route = "/api/recipes/{project}/{name}/run";
        let path = format!("/api/recipes/stories/{recipe}/run");
        let subject = format!("recipe:stories/{recipe}");
        let ran = self
            .changes(Method::POST, (route, &path), json!({}), &subject)
            .await;
        ran["jobs"][0].as_str().unwrap().to_owned()
    }

    async fn recipes(&mut self) {
        for (route, path) in [
            (
                "/api/recipes/{project}/{name}/start",
                "/api/recipes/stories/hook/start",
            ),
            (
                "/api/recipes/{project}/{name}/stop",
                "/api/recipes/stories/hook/stop",
            ),
            (
                "/api/recipes/{project}/{name}/start",
                "/api/recipes/stories/hook/start",
            ),
        ] {
            self.changes(
                Method::POST,
                (route, path),
                json!({}),
                "recipe:stories/hook",
            )
            .await;
        }
        let hook = "/webhooks/stories/hook";
        let delivered = self.asks(Method::POST, hook, json!({ "n": 1 })).await;
        self.house
            .ended(delivered["accepted"][0].as_str().unwrap())
            .await;
        let route = ("/api/events/{id}/replay", "/api/events/1/replay");
        self.changes(Method::POST, route, json!({}), "event:1")
            .await;
    }

    async fn texts(&mut self) {
        let route = "/api/projects/{project}/clone";
        let wish = json!({ "as": "copied" });
        let path = "/api/projects/stories/clone";
        self.changes(Method::POST, (route, path), wish, "project:copied")
            .await;
        let route = "/api/recipes/{project}/{name}/customise";
        let flow = "accredible/integration-master-flow-check";
        let path = format!("/api/recipes/{flow}/customise");
        let about = format!("recipe:{flow}");
        self.changes(Method::POST, (route, &path), json!({}), &about)
            .await;
        let text = "title: New\ntrigger: { function: {} }\nsteps: [{ log: WORD }]\n";
        let (route, path) = ("/api/recipes/{project}/{name}", "/api/recipes/stories/new");
        let about = "recipe:stories/new";
        for word in ["one", "two"] {
            let body = json!({ "source": text.replace("WORD", word) });
            let saved = self.changes(Method::PUT, (route, path), body, about).await;
            self.seen = saved["hash"].as_str().map(str::to_owned);
        }
        self.seen = None;
        let route = "/api/recipes/{project}/{name}/restore";
        let path = format!("{path}/restore");
        let wish = json!({ "version": 1 });
        self.changes(Method::POST, (route, &path), wish, about)
            .await;
        // What was new in the original comes into the copy.
        let route = "/api/projects/{project}/upgrade";
        let path = "/api/projects/copied/upgrade";
        self.changes(Method::POST, (route, path), json!({}), "project:copied")
            .await;
        let copy = self.house.folder.path().join("recipes/copied");
        std::fs::remove_dir_all(copy).unwrap();
        let route = "/api/projects/{project}/forget";
        let path = "/api/projects/copied/forget";
        self.changes(Method::POST, (route, path), json!({}), "project:copied")
            .await;
    }

    async fn jobs(&mut self, vendor: &Vendor) {
        let doubt = self.runs("order").await;
        vendor.asked().await.hang_up();
        self.house.settled(&doubt).await;
        let path = format!("/api/jobs/{doubt}/decide");
        let fail = json!({ "choice": "fail" });
        let about = format!("job:{doubt}");
        self.changes(Method::POST, ("/api/jobs/{id}/decide", &path), fail, &about)
            .await;
        let waits = self.runs("waits").await;
        let path = format!("/api/jobs/{waits}/cancel");
        let about = format!("job:{waits}");
        self.changes(
            Method::POST,
            ("/api/jobs/{id}/cancel", &path),
            json!({}),
            &about,
        )
        .await;
        let failed = self.runs("fails").await;
        self.house.ended(&failed).await;
        let about = format!("job:{failed}");
        let many = json!({ "recipe": "stories/fails", "from": "start" });
        self.changes(
            Method::POST,
            ("/api/jobs/rerun", "/api/jobs/rerun"),
            many,
            &about,
        )
        .await;
        let path = format!("/api/jobs/{failed}/rerun");
        let again = json!({ "from": "start", "though_done_again": true });
        self.changes(Method::POST, ("/api/jobs/{id}/rerun", &path), again, &about)
            .await;
    }

    async fn all_else(&mut self) {
        let rows = "/api/lookup-tables/{name}/rows";
        let path = "/api/lookup-tables/things/rows";
        let body = json!({ "rows": [{ "name": "a" }] });
        self.changes(Method::PUT, (rows, path), body, "table:things")
            .await;
        let path = format!("{path}?number=1");
        self.changes(Method::DELETE, (rows, &path), json!({}), "table:things")
            .await;
        let tokens = ("/api/tokens", "/api/tokens");
        let wish = json!({ "name": "bob", "role": "viewer" });
        self.changes(Method::POST, tokens, wish, "token:bob").await;
        let bob = ("/api/tokens/{name}", "/api/tokens/bob");
        self.changes(Method::DELETE, bob, json!({}), "token:bob")
            .await;
        let secret = ("/api/secrets/{name}", "/api/secrets/http.token");
        let about = "secret:http.token";
        let value = json!({ "value": "audited-secret-1" });
        self.changes(Method::PUT, secret, value, about).await;
        let removed = ("/api/secrets/{name}", "/api/secrets/http.token?anyway=true");
        self.changes(Method::DELETE, removed, json!({}), about)
            .await;
        let shop = ("/api/connections/{name}", "/api/connections/shop");
        let wish = json!({ "connector": "http", "fields": { "base_url": "https://x.example" } });
        self.changes(Method::PUT, shop, wish, "connection:shop")
            .await;
        let rekey = ("/api/secrets/rekey", "/api/secrets/rekey");
        self.changes(Method::POST, rekey, json!({}), "key").await;
        let prune = ("/api/history/prune", "/api/history/prune");
        let wish = json!({ "older_than": "1ms" });
        self.changes(Method::POST, prune, wish, "history").await;
    }

    /// A job whose worker died again and again is let go on.
    async fn releases(&mut self) {
        let job = self.runs("fails").await;
        let store = self.house.engine.store();
        for round in 0.. {
            let at = Moment(1_800_000_000_000_000 + round * 1_000_000);
            store.recover(at).await.unwrap();
            let claimed = store.claim(9, at, Duration::from_secs(1)).await.unwrap();
            if claimed.is_empty() {
                break;
            }
        }
        let path = format!("/api/jobs/{job}/release");
        let about = format!("job:{job}");
        self.changes(
            Method::POST,
            ("/api/jobs/{id}/release", &path),
            json!({}),
            &about,
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_person_changes_is_in_the_audit_under_her_name() {
    let vendor = Vendor::open().await;
    let connections = vendor.connections();
    let mut files = FILES.to_vec();
    files.push(("connections.yaml", &connections));
    let house = House::of(&files).await;
    let mut ada = Ada::of(&house).await;
    ada.recipes().await;
    ada.texts().await;
    ada.jobs(&vendor).await;
    ada.all_else().await;
    let mut used = std::mem::take(&mut ada.used);
    house.engine.shutdown().await;

    let house = House::at_rest(&files).await;
    let mut ada = Ada::of(&house).await;
    ada.releases().await;
    used.append(&mut ada.used);
    house.engine.shutdown().await;

    let changing: BTreeSet<(String, &str)> = routes()
        .iter()
        .filter(|route| route.method != Method::GET && route.entry != Entry::Open)
        .filter(|route| !NO_CHANGE.contains(&route.path))
        .map(|route| (route.method.to_string(), route.path))
        .collect();
    assert_eq!(
        used, changing,
        "a route that changes something is not tried here"
    );
}

/// What a command changes, and what is about it in the audit.
const COMMANDS: [(&[&str], &str, &str); 11] = [
    (&["start", "hook"], "started", "recipe:stories/hook"),
    (&["stop", "hook"], "stopped", "recipe:stories/hook"),
    (&["run", "waits"], "run", "recipe:stories/waits"),
    (&["jobs", "cancel", "JOB"], "cancelled", "job:JOB"),
    (
        &["tables", "things", "--import", "FILE"],
        "rows_imported",
        "table:things",
    ),
    (
        &["tokens", "create", "bob", "--role", "viewer"],
        "token_created",
        "token:bob",
    ),
    (&["tokens", "revoke", "bob"], "token_revoked", "token:bob"),
    (
        &["secrets", "set", "http.token"],
        "secret_set",
        "secret:http.token",
    ),
    (
        &["secrets", "remove", "http.token", "--anyway"],
        "secret_removed",
        "secret:http.token",
    ),
    (&["secrets", "rekey"], "key_renewed", "key"),
    (
        &["secrets", "rekey", "--key-is-lost"],
        "key_replaced",
        "key",
    ),
];

#[test]
fn commands_leave_the_same_in_the_audit_without_a_server() {
    let mut files = FILES.to_vec();
    files.push((
        "connections.yaml",
        "connections: { http: { base_url: http://localhost } }\n",
    ));
    files.push(("things.csv", "name\na\n"));
    let folder = workspace(&files);
    let folder = folder.path();
    let file = folder.join("things.csv").display().to_string();
    let mut job = String::new();
    for (words, action, subject) in COMMANDS {
        let (this_job, this_file) = (job.clone(), file.clone());
        let words: Vec<&str> = words
            .iter()
            .map(|word| match *word {
                "JOB" => this_job.as_str(),
                "FILE" => this_file.as_str(),
                word => word,
            })
            .collect();
        said(&typed(folder, &words, "audited-secret-2"));
        let audit = said(&ended(folder, &["audit", "--json", "--limit", "1"]));
        let audit: Value = serde_json::from_str(&audit).unwrap();
        let entry = &audit["entries"][0];
        if action == "run" {
            job = entry["detail"]["jobs"][0].as_str().unwrap().to_owned();
        }
        let subject = subject.replace("JOB", &job);
        let told = json!([entry["by"], entry["action"], entry["subject"]]);
        assert_eq!(told, json!(["cli", action, subject]), "{words:?}");
    }
}
