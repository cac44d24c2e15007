//! The page of the Accredible bundle, followed word for word beside the vendors' stand-ins.
//!
//! In: `recipes/accredible/README.md`. Out: a credential in the stand-in of Accredible.
//! Always true: every file of the page is written and every line of its `sh` blocks is run, in
//! the order of the page. What a person does in Docebo's pages is done at its stand-in; only
//! addresses are others.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use recipe_engine::server::Whereabouts;
use recipe_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::documents::{Block, blocks, references, text_of};

const PAGE: &str = "recipes/accredible/README.md";

/// The recipe that Docebo's webhook reaches.
const DISPATCHER: &str = "event-dispatcher-docebo-to-accredible";

/// The secrets of the stand-ins, by the files that the page names.
const SECRETS: [(&str, &str); 4] = [
    ("secrets/docebo-client-secret", "docebo-secret"),
    ("secrets/docebo-password", "docebo-password"),
    ("secrets/accredible-key", "accredible-key"),
    ("secrets/docebo-webhook-password", "made-up-for-the-webhook"),
];

/// Somebody who follows the page.
struct Reader {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    http: reqwest::Client,
    server: Option<Child>,
    /// How often the doctor was asked, and how it ended the last time.
    doctor: (usize, Option<i32>),
    has_completed: bool,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_the_page_of_the_bundle_ends_with_a_credential() {
    let sandbox = recipe_sandbox::start(SandboxConfig::default()).await;
    let mut reader = Reader {
        folder: tempfile::tempdir().expect("a folder"),
        sandbox: sandbox.expect("the stand-ins"),
        http: reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client"),
        server: None,
        doctor: (0, None),
        has_completed: false,
    };
    let mut count = 0;
    for block in blocks(&text_of(PAGE)) {
        match (&block.path, &*block.kind) {
            (Some(path), _) => reader.write(path, &block.text),
            (None, "sh") => {
                for line in block.text.lines() {
                    reader.follow(&block, line).await;
                    count += 1;
                }
            }
            (None, kind) => panic!("{PAGE}:{}: what is to be done with {kind}?", block.line),
        }
    }
    assert!(count >= 20, "only {count} lines were run");
    assert!(reader.has_completed && reader.doctor.0 >= 3);
    assert_eq!(reader.doctor.1, Some(0), "in the end nothing is wrong");
    let ada = reader.credentials("ada.lovelace@example.com").await;
    assert_eq!(ada, BTreeMap::from([(2001, 1), (2002, 1), (2003, 1)]));
}

impl Reader {
    /// Writes a file of the page, with the addresses of the stand-ins.
    fn write(&self, path: &str, text: &str) {
        let local = |url: &str| format!("{url}\n    allow_private: true");
        let text = text
            .replace(
                "https://acme.docebosaas.com",
                &local(&self.sandbox.docebo_url),
            )
            .replace(
                "https://api.accredible.com",
                &local(&self.sandbox.accredible_url),
            )
            .replace(
                "host: smtp.example.com",
                &format!(
                    "host: 127.0.0.1\n    port: {}\n    encryption: none\n    allow_private: true",
                    self.sandbox.smtp_port
                ),
            );
        fs::write(self.folder.path().join(path), &text).expect("it can be written");
        if path == "connections.yaml" {
            let mut named = references(&text, "file: ");
            named.sort();
            let mut known = SECRETS.map(|(file, _)| file.to_owned());
            known.sort();
            assert_eq!(named, known);
            for (file, secret) in SECRETS {
                let file = self.folder.path().join(file);
                fs::create_dir_all(file.parent().expect("it is below")).expect("a folder");
                fs::write(file, secret).expect("it can be written");
            }
        }
    }

    /// Runs a line of the page, and does what the page asks for around it.
    async fn follow(&mut self, block: &Block, line: &str) {
        let place = format!("{PAGE}:{}: `{line}`", block.line);
        let arguments = line.strip_prefix("recipes ");
        let arguments = arguments.unwrap_or_else(|| panic!("{place} cannot be run"));
        if arguments == "serve" {
            self.serve();
            return;
        }
        if arguments.starts_with("jobs") && !self.has_completed {
            self.complete_a_course().await;
        }
        let words = arguments.split_whitespace();
        let mut command = self.command();
        let output = tokio::task::spawn_blocking({
            let words: Vec<String> = words.map(str::to_owned).collect();
            move || command.args(words).output().expect("it runs")
        });
        let output = output.await.expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_doctor = arguments.starts_with("doctor");
        let is_well = output.status.success() || (is_doctor && output.status.code() == Some(1));
        let wrong = String::from_utf8_lossy(&output.stderr);
        assert!(
            is_well,
            "{place} ends with {}\n{said}{wrong}",
            output.status
        );
        if is_doctor {
            self.doctor = (self.doctor.0 + 1, output.status.code());
            // Before the end, only what the page says is missing.
            let wrong = said.lines().filter(|line| line.contains("WRONG"));
            for line in wrong {
                assert!(
                    line.ends_with("is not started, and is required"),
                    "{place}: {said}"
                );
            }
        }
        if arguments == format!("show {DISPATCHER}") {
            self.make_the_webhook(&said).await;
        }
        if arguments.starts_with("jobs") {
            assert!(said.contains("succeeded"), "{place}: {said}");
        }
        if arguments == "tables accredible-ledger" {
            assert!(said.contains("docebo_to_accredible"), "{place}: {said}");
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recipes"));
        command.current_dir(self.folder.path());
        command
            .env_remove("RECIPES_WORKSPACE")
            .env_remove("RUST_LOG");
        command
    }

    /// Starts the server, at an address that nobody else has.
    fn serve(&mut self) {
        let mut command = self.command();
        command.arg("serve").env("RECIPES_ADDRESS", "127.0.0.1:0");
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("its words")).lines();
        let mut lines = lines.map(|line| line.expect("text"));
        assert!(lines.any(|line| line.starts_with("listening at")));
        self.server = Some(child);
    }

    fn whereabouts(&self) -> Whereabouts {
        Whereabouts::read(self.folder.path()).expect("a server runs")
    }

    /// Makes the webhook in Docebo, as `recipes show` says.
    async fn make_the_webhook(&self, shown: &str) {
        let outside = "https://recipes.example.com";
        let mut words = shown.split_whitespace();
        let address = words.find(|word| word.starts_with(outside));
        let address = address
            .expect("the address")
            .replace(outside, &self.whereabouts().url);
        assert!(shown.contains("(username `docebo`)"), "{shown}");
        let name = "course.enrollment.completed";
        assert!(shown.contains(name), "{shown}");
        let hook = json!({
            "url": address, "group": true, "user": "docebo", "password": SECRETS[3].1,
            "events": [name, "certification.awarded", "certification.updated", "certification.revoked"],
        });
        self.order("webhooks", hook).await;
    }

    /// A test learner completes a course; ends when the job of it has.
    async fn complete_a_course(&mut self) {
        let done = json!({ "username": "ada", "course_code": "DP-101" });
        self.order("actions/complete_course", done).await;
        self.order("webhooks/flush", json!({ "retries": true }))
            .await;
        let jobs = self
            .api(&format!("/api/jobs?recipe=accredible/{DISPATCHER}"))
            .await;
        let jobs = jobs["jobs"].as_array().expect("jobs");
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        let id = jobs[0]["id"].as_str().expect("its id");
        let job = self.api(&format!("/api/jobs/{id}?wait=60s")).await;
        assert_eq!(job["status"], "succeeded", "{job:#}");
        self.has_completed = true;
    }

    /// Asks the server.
    async fn api(&self, path: &str) -> Value {
        let here = self.whereabouts();
        let request = self.http.get(format!("{}{path}", here.url));
        let answer = request.bearer_auth(&here.token).send().await;
        answer.expect("an answer").json().await.expect("JSON")
    }

    /// Orders something of Docebo's stand-in.
    async fn order(&self, path: &str, body: Value) {
        let url = format!("{}/_control/{path}", self.sandbox.docebo_url);
        let answer = self.http.post(url).json(&body).send().await;
        let answer = answer.expect("an answer");
        assert!(
            answer.status().is_success(),
            "{path}: {:?}",
            answer.text().await
        );
    }

    /// How many credentials of each group a learner has in Accredible.
    async fn credentials(&self, email: &str) -> BTreeMap<i64, usize> {
        let url = format!("{}/_control/state/credentials", self.sandbox.accredible_url);
        let answer = self.http.get(url).send().await.expect("an answer");
        let rows: Value = answer.json().await.expect("JSON");
        let mut groups = BTreeMap::new();
        for row in rows["items"].as_array().expect("rows") {
            let own = row["recipient"]["email"].as_str().unwrap_or_default();
            if own.eq_ignore_ascii_case(email) {
                let group = row["group_id"].as_i64().expect("a group");
                *groups.entry(group).or_default() += 1;
            }
        }
        groups
    }
}
