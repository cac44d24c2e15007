//! The vendors' stand-ins and a workspace that knows them.
//!
//! In: further files of the workspace. Out: a ground on which stages are opened, one after another.
//! Always true: after a reset the vendors are as at first, and their clock shows [`NOW`].

use std::path::Path;
use std::sync::Arc;

use recipe_engine::clock::Moment;
use recipe_engine::library::{Library, Shelf};
use recipe_sandbox::{Sandbox, SandboxConfig};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What all clocks show at first.
pub(super) const NOW: &str = "2026-03-01T10:00:00Z";

/// The user name and password that the webhook in Docebo was given.
pub(super) const WEBHOOK: (&str, &str) = ("docebo", "webhook-password");

/// Running stand-ins, and the shelf of a workspace whose connections lead to them.
pub(super) struct Ground {
    pub(super) sandbox: Sandbox,
    pub(super) shelf: Arc<Shelf>,
    http: reqwest::Client,
    _folder: TempDir,
}

impl Ground {
    /// The bundled recipes and connectors.
    pub(super) async fn open() -> Self {
        Self::with(&[]).await
    }

    /// The bundled files with these above them.
    pub(super) async fn with(files: &[(&str, &str)]) -> Self {
        let config = SandboxConfig {
            scale: 0.0,
            ..SandboxConfig::default()
        };
        let sandbox = recipe_sandbox::start(config).await.expect("the stand-ins");
        Self::over(sandbox, files).await
    }

    /// These stand-ins, and the bundled files with these above them.
    pub(super) async fn over(sandbox: Sandbox, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), "connections.yaml", &connections(&sandbox));
        for (path, text) in files {
            write(folder.path(), path, text);
        }
        let library = Library::read(folder.path()).expect("a workspace");
        assert!(!library.has_errors(), "{:?}", library.diagnostics);
        let ground = Self {
            sandbox,
            shelf: Shelf::new(library),
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
            _folder: folder,
        };
        ground.reset().await;
        ground
    }

    /// The first world again, at the first moment, with Docebo's webhook set up.
    pub(super) async fn reset(&self) {
        self.set_clock(Moment::parse(NOW).expect("a time"));
        for vendor in ["docebo", "accredible", "mail"] {
            self.order(vendor, "reset", Value::Null).await;
            self.ask(Method::DELETE, vendor, "faults", Value::Null)
                .await;
            self.ask(Method::DELETE, vendor, "requests", Value::Null)
                .await;
        }
        // What is delivered is taken from the list of deliveries; nobody listens there.
        let hook = json!({
            "id": 1, "url": "http://127.0.0.1:9/", "group": true, "attempts_max": 1,
            "user": WEBHOOK.0, "password": WEBHOOK.1,
            "events": ["course.enrollment.completed", "certification.*"],
        });
        self.order("docebo", "webhooks", hook).await;
    }

    /// Makes the vendors' clock show this.
    pub(super) fn set_clock(&self, moment: Moment) {
        self.sandbox.clock().show(moment.0);
    }

    /// What a stand-in says under its control surface.
    pub(super) async fn control(&self, vendor: &str, path: &str) -> Value {
        self.ask(Method::GET, vendor, path, Value::Null).await
    }

    /// Orders something of a stand-in.
    pub(super) async fn order(&self, vendor: &str, path: &str, body: Value) -> Value {
        self.ask(Method::POST, vendor, path, body).await
    }

    /// All rows of a collection of a stand-in.
    pub(super) async fn rows(&self, vendor: &str, collection: &str) -> Vec<Value> {
        let state = self.control(vendor, &format!("state/{collection}")).await;
        state["items"].as_array().cloned().expect("rows")
    }

    /// The calls that a stand-in got, in order, sign-ins aside: `seq, method, path, query, body`.
    pub(super) async fn calls(&self, vendor: &str) -> Vec<Value> {
        let mut calls = self.all_calls(vendor).await;
        calls.retain(|call| call["path"] != "/oauth2/token");
        calls
    }

    /// The same with the sign-ins.
    pub(super) async fn all_calls(&self, vendor: &str) -> Vec<Value> {
        let requests = self.control(vendor, "requests?limit=100000").await;
        let mut calls = requests["items"].as_array().cloned().expect("requests");
        calls.sort_by_key(|call| call["seq"].as_u64());
        calls
    }

    /// The calls that changed something at a stand-in: neither reads nor searches.
    pub(super) async fn writes(&self, vendor: &str) -> Vec<Value> {
        let mut calls = self.calls(vendor).await;
        calls.retain(|call| {
            let path = call["path"].as_str().unwrap_or_default();
            call["method"] != "GET" && !path.ends_with("/search")
        });
        calls
    }

    /// Forgets the calls that a stand-in got.
    pub(super) async fn forget(&self, vendor: &str) {
        self.ask(Method::DELETE, vendor, "requests", Value::Null)
            .await;
    }

    /// Asks a stand-in's control surface.
    pub(super) async fn ask(&self, method: Method, vendor: &str, path: &str, body: Value) -> Value {
        let addresses = self.sandbox.addresses();
        let base = addresses.iter().find(|(name, _)| *name == vendor);
        let url = format!("{}/_control/{path}", base.expect("a vendor").1);
        let request = self.http.request(method, &url);
        let request = match body {
            Value::Null => request,
            body => request.json(&body),
        };
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

fn connections(sandbox: &Sandbox) -> String {
    format!(
        "connections:\n  docebo:\n    base_url: {}\n    grant: password\n    client_id: recipe-engine\n    \
         client_secret: docebo-secret\n    username: service.connect\n    password: docebo-password\n    \
         allow_private: true\n  accredible:\n    base_url: {}\n    api_key: accredible-key\n    \
         allow_private: true\n  docebo_webhook:\n    connector: webhook_basic\n    username: {}\n    \
         password: {}\n  mail:\n    host: 127.0.0.1\n    port: {}\n    encryption: none\n    \
         from: recipes@academy.example\n    allow_private: true\n",
        sandbox.docebo_url, sandbox.accredible_url, WEBHOOK.0, WEBHOOK.1, sandbox.smtp_port
    )
}
