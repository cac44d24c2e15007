//! The engine's way out with the shipped connectors, and the stand-ins it leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use recipe_engine::clock::Clock;
use recipe_engine::compile::ActionRef;
use recipe_engine::connector::{Connections, Effect, References, Retry, read};
use recipe_engine::data::Value;
use recipe_engine::interpret::{Call, Called};
use recipe_engine::names::{ConnectionName, ConnectorName};
use recipe_engine::outbound::{Accounts, Forgetful, Outbound};
use recipe_engine::shape::Shape;
use recipe_engine::source::parse;
use recipe_engine::step::Performed;
use recipe_sandbox::{Sandbox, SandboxConfig};
use serde_json::json;

/// The engine's way out, and the stand-ins it leads to.
pub(super) struct World {
    pub(super) outbound: Outbound,
    pub(super) sandbox: Sandbox,
    used: Mutex<BTreeSet<String>>,
}

/// No secrets but those that are written out.
pub(super) struct NoReferences;

impl References for NoReferences {
    fn environment(&self, _name: &str) -> Option<String> {
        None
    }

    fn file(&self, _path: &str) -> Result<String, String> {
        Err("no files in this test".to_owned())
    }
}

pub(super) fn name<T>(made: Result<T, String>) -> T {
    made.unwrap_or_else(|why| panic!("{why}"))
}

/// The shipped connectors, with connections to these stand-ins.
pub(super) fn accounts(sandbox: &Sandbox) -> Accounts {
    let mut connectors = BTreeMap::new();
    for connector in ["docebo", "accredible"] {
        let path = format!("connectors/{connector}.yaml");
        let text = std::fs::read(&path).expect("a shipped connector");
        let (document, mut report) = parse(&Arc::from(path), &text);
        let connector = name(ConnectorName::new(connector));
        let made = read(&connector, &document.expect("a document"), &mut report);
        assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
        connectors.insert(connector, Arc::new(made));
    }
    let text = format!(
        "connections:\n  docebo:\n    base_url: {}\n    grant: password\n    \
         client_id: recipe-engine\n    client_secret: docebo-secret\n    \
         username: service.connect\n    password: docebo-password\n    allow_private: true\n  \
         accredible:\n    base_url: {}\n    api_key: accredible-key\n    allow_private: true\n",
        sandbox.docebo_url, sandbox.accredible_url
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

impl World {
    pub(super) async fn new() -> Self {
        let sandbox = recipe_sandbox::start(SandboxConfig::default())
            .await
            .expect("the stand-ins");
        let outbound = Outbound::open(
            accounts(&sandbox),
            Arc::new(NoReferences),
            Arc::new(Forgetful::default()),
            Clock::real(1.0),
        )
        .await
        .expect("a way out");
        Self {
            outbound,
            sandbox,
            used: Mutex::default(),
        }
    }

    /// The output of an action; of a listing, of all its pages.
    pub(super) async fn call(&self, action: &str, input: Value) -> Value {
        match self.try_call(action, input).await {
            Called::Done { output } => output,
            other => panic!("{action}: {other:?}"),
        }
    }

    /// The code of an action that must fail.
    pub(super) async fn failure(&self, action: &str, input: Value) -> String {
        match self.try_call(action, input).await {
            Called::Failed { failure, .. } => failure.code,
            other => panic!("{action}: {other:?}"),
        }
    }

    pub(super) async fn try_call(&self, action: &str, input: Value) -> Called {
        self.used
            .lock()
            .expect("no panic")
            .insert(action.to_owned());
        let mut call = call(action, input);
        let mut items = Vec::new();
        loop {
            let mut output = match self.outbound.perform(&call).await {
                Performed::Ended(Called::Done { output }) => output,
                Performed::Ended(other) => return other,
                Performed::Later(until) => panic!("{action}: no room before {until}"),
            };
            self.fits(action, &output);
            let Some(Value::Array(more)) = output.get_mut("items").map(Value::take) else {
                return Called::Done { output };
            };
            items.extend(more);
            call.cursor = output.get_mut("next").map(Value::take);
            if call.cursor.is_none() {
                return Called::Done {
                    output: json!({ "items": items }),
                };
            }
        }
    }

    /// An output is exactly what the action declares.
    fn fits(&self, action: &str, output: &Value) {
        let (connector, action) = action.split_once('.').expect("connector.action");
        let accounts = self.outbound.accounts();
        let declared = &accounts.connectors[connector].actions[action].output;
        let mut output = output.clone();
        if let (Value::Object(output), Shape::Fields(fields)) = (&mut output, declared) {
            output.retain(|name, _| fields.contains_key(name) || !fields.contains_key("items"));
        }
        let misfits = declared.check(&output, "");
        assert!(misfits.is_empty(), "{action}: {misfits:?} in {output}");
    }

    /// What the stand-in of a vendor says under its control surface.
    pub(super) async fn control(&self, vendor: &str, path: &str) -> Value {
        let base = match vendor {
            "docebo" => &self.sandbox.docebo_url,
            _ => &self.sandbox.accredible_url,
        };
        let client = reqwest::Client::builder().build().expect("a client");
        let answer = client
            .get(format!("{base}/_control/{path}"))
            .send()
            .await
            .expect("an answer");
        answer.json().await.expect("JSON")
    }

    /// Orders something of a stand-in.
    pub(super) async fn order(&self, vendor: &str, path: &str, body: Value) {
        let base = match vendor {
            "docebo" => &self.sandbox.docebo_url,
            _ => &self.sandbox.accredible_url,
        };
        let client = reqwest::Client::builder().build().expect("a client");
        let url = format!("{base}/_control/{path}");
        let answer = client
            .post(url)
            .json(&body)
            .send()
            .await
            .expect("an answer");
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    }

    /// Every action of the connector was called, those aside.
    pub(super) fn all_used(&self, connector: &str, aside: &[&str]) {
        let accounts = self.outbound.accounts();
        let used = self.used.lock().expect("no panic");
        let unused: Vec<&String> = accounts.connectors[connector]
            .actions
            .keys()
            .filter(|action| !used.contains(&format!("{connector}.{action}")))
            .filter(|action| !aside.contains(&action.as_str()))
            .collect();
        assert!(unused.is_empty(), "{unused:?}");
    }
}

pub(super) fn call(action: &str, input: Value) -> Call {
    let (connector, action) = action.split_once('.').expect("connector.action");
    Call {
        action: ActionRef {
            connector: name(ConnectorName::new(connector)),
            action: action.to_owned(),
            connection: name(ConnectionName::new(connector)),
            effect: Effect::Read,
            is_listing: false,
            verify: None,
            retry: Retry::DEFAULT,
            keeps_raw: false,
        },
        input,
        also_send: None,
        cursor: None,
        timeout: None,
        call_key: uuid::Uuid::now_v7().to_string(),
        place: recipe_engine::journal::EntryKey("step".into()),
    }
}

pub(super) fn ids(output: &Value, field: &str) -> Vec<i64> {
    let items = output["items"].as_array().expect("items");
    items
        .iter()
        .filter_map(|item| item[field].as_i64())
        .collect()
}
