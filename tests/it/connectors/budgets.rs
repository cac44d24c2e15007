//! Budgets and exclusive groups as the vendor sees them, across callers, restarts and crashes.
//!
//! Always true: what is counted is counted by the stand-in, in windows that begin anywhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use recipe_engine::clock::Clock;
use recipe_engine::connector::{Connections, read};
use recipe_engine::data::Value;
use recipe_engine::interpret::Called;
use recipe_engine::names::ConnectorName;
use recipe_engine::outbound::{Accounts, Outbound};
use recipe_engine::source::parse;
use recipe_engine::step::Performed;
use recipe_engine::store::Store;
use recipe_sandbox::{Sandbox, SandboxConfig};
use serde_json::json;

use super::world::{NoReferences, call, name};

/// How much faster than the wall both clocks run.
const SCALE: f64 = 60.0;

/// The budget: so many calls in a minute, which is a second of the wall.
const CALLS: u64 = 20;

const CONNECTOR: &str = "
title: Records
connection: { base_url: string }
base_url: \"{{connection.base_url}}\"
budget: [{ calls: 20, per: 60s }]
timeout: 1s
actions:
  keep:
    effect: repeatable
    input: { id: string }
    request: { post: /sink, body: { id: $.input.id } }
    output: {}
  alone:
    effect: repeatable
    exclusive: lane
    input: { id: string }
    request: { post: /alone, body: { id: $.input.id } }
    output: {}
";

/// The vendor, and the clock of all processes.
struct Scene {
    sandbox: Sandbox,
    clock: Clock,
    folder: tempfile::TempDir,
}

impl Scene {
    async fn open() -> Self {
        let config = SandboxConfig {
            scale: SCALE,
            ..SandboxConfig::default()
        };
        Self {
            sandbox: recipe_sandbox::start(config).await.expect("the stand-in"),
            clock: Clock::real(SCALE),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// A process on the same database as those before it.
    async fn process(&self) -> (Outbound, Arc<Store>) {
        let path: &Path = self.folder.path();
        let store = Store::open(&path.join("recipes.db"))
            .await
            .expect("a store");
        let store = Arc::new(store);
        let opened = Outbound::open(
            self.accounts(),
            Arc::new(NoReferences),
            store.clone(),
            self.clock.clone(),
        );
        (opened.await.expect("a way out"), store)
    }

    fn accounts(&self) -> Accounts {
        let (document, mut report) = parse(&Arc::from("records.yaml"), CONNECTOR.as_bytes());
        let records = name(ConnectorName::new("records"));
        let made = read(&records, &document.expect("a document"), &mut report);
        assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
        let connectors = BTreeMap::from([(records, Arc::new(made))]);
        let text = format!(
            "connections:\n  records: {{ base_url: \"{}\", allow_private: true }}\n",
            self.sandbox.records_url
        );
        let (document, mut report) = parse(&Arc::from("connections.yaml"), text.as_bytes());
        let root = document.expect("a document").root;
        let connections = Connections::read(&root, &connectors, &mut report);
        assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
        Accounts {
            connectors,
            connections,
        }
    }

    /// Calls until it is done, waiting for room as jobs do.
    async fn call(&self, outbound: &Outbound, action: &str, id: String) {
        let call = call(action, json!({ "id": id }));
        loop {
            match outbound.perform(&call).await {
                Performed::Ended(Called::Done { .. }) => return,
                Performed::Ended(other) => panic!("{other:?}"),
                Performed::Later(until) => self.clock.sleep_until(until).await,
            }
        }
    }

    async fn violations(&self) -> Value {
        let url = format!(
            "{}/_control/violations?window=60s",
            self.sandbox.records_url
        );
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let answer = client.get(url).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_window_has_more_calls_than_the_budget_whoever_calls_and_whoever_dies() {
    let scene = Scene::open().await;
    for life in 0..6 {
        let (outbound, store) = scene.process().await;
        // Two recipes, each with several calls under way.
        let calls = (0..12).map(|number| {
            let recipe = number % 2;
            scene.call(
                &outbound,
                "records.keep",
                format!("{life}-{recipe}-{number}"),
            )
        });
        let work = join_all(calls);
        if life % 2 == 0 {
            work.await;
        } else {
            // Killed in the middle: what was in memory is gone.
            let _ = Clock::within(Duration::from_millis(30), work).await;
        }
        drop(outbound);
        store.close().await;
    }
    let (outbound, _store) = scene.process().await;
    let calls = (0..40).map(|number| scene.call(&outbound, "records.keep", number.to_string()));
    join_all(calls).await;
    let told = scene.violations().await;
    let most = told["load"]["window_max"].as_u64().expect("a number");
    assert!(most <= CALLS, "{told}");
    assert!(most > CALLS / 2, "the budget was never in the way: {told}");
    scene.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_a_group_never_overlap_whoever_calls_and_whoever_dies() {
    let scene = Scene::open().await;
    for life in 0..4 {
        let (outbound, store) = scene.process().await;
        let calls =
            (0..4).map(|number| scene.call(&outbound, "records.alone", format!("{life}-{number}")));
        // The vendor goes on with what it has begun, whether or not the caller still lives.
        let _ = Clock::within(Duration::from_millis(50), join_all(calls)).await;
        drop(outbound);
        store.close().await;
    }
    let (outbound, _store) = scene.process().await;
    let calls = (0..4).map(|number| scene.call(&outbound, "records.alone", number.to_string()));
    join_all(calls).await;
    let told = scene.violations().await;
    assert_eq!(told["overlaps"], 0, "{told}");
    scene.sandbox.stop().await;
}
