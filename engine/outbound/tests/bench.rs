//! A connector as a test writes it, a connection, and calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::*;
use crate::clock::{Clock, Moment};
use crate::compile::ActionRef;
use crate::connector::{Connections, Effect, References, Retry, read};
use crate::data::Value;
use crate::diagnostic::Report;
use crate::interpret::Called;
use crate::names::{ConnectionName, ConnectorName};
use crate::source::parse;

/// The way out to one vendor, with the clock that it follows.
pub(super) struct Bench {
    pub(super) outbound: Outbound,
    pub(super) clock: Clock,
}

/// References that a test gives.
pub(super) struct Given(pub(super) BTreeMap<String, String>);

impl References for Given {
    fn environment(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| "no such file".to_owned())
    }
}

/// The top of a connector that signs in by a header.
pub(super) const HEADER: &str = r#"
title: Vendor
connection: { base_url: string, key: { type: string, secret: true } }
base_url: "{{connection.base_url}}"
sign_in: { header: { Authorization: "Key {{connection.key}}" } }
"#;

/// Reads connectors and connections; a finding is a broken test.
pub(super) fn accounts(connector: &str, connections: &str) -> Accounts {
    let name = ConnectorName::new("vendor").expect("a name");
    let (document, mut report) = parse(&Arc::from("connectors/vendor.yaml"), connector.as_bytes());
    let vendor = read(&name, &document.expect("a document"), &mut report);
    let mut connectors = BTreeMap::from([(name, Arc::new(vendor))]);
    for (name, text) in crate::connector::builtin::ALL {
        let file = Arc::from(format!("built-in/{name}.yaml"));
        let (document, mut findings) = parse(&file, text.as_bytes());
        let name = ConnectorName::new(name).expect("a name");
        let built_in = read(&name, &document.expect("a document"), &mut findings);
        connectors.insert(name, Arc::new(built_in));
    }
    let file = Arc::from("connections.yaml");
    let (document, findings) = parse(&file, connections.as_bytes());
    report.absorb(findings);
    let mut findings = Report::of(&file);
    let root = document.expect("a document").root;
    let connections = Connections::read(&root, &connectors, &mut findings);
    report.absorb(findings);
    let found = report.into_diagnostics();
    assert!(found.is_empty(), "{found:#?}");
    Accounts {
        connectors,
        connections,
    }
}

impl Bench {
    /// A vendor at this address, with these actions.
    pub(super) async fn new(connector: &str, url: &str) -> Self {
        let connections = format!(
            "connections: {{ vendor: {{ base_url: '{url}', key: {{ env: KEY }}, \
             allow_private: true }} }}"
        );
        Self::with(connector, &connections, Arc::new(Forgetful::default())).await
    }

    /// All as given.
    pub(super) async fn with(connector: &str, connections: &str, ledger: Arc<dyn Ledger>) -> Self {
        let clock = Clock::test(Moment::parse("2026-03-01T10:00:00Z").expect("a time"));
        Self::at(clock, connector, connections, ledger).await
    }

    /// All as given, by this clock.
    pub(super) async fn at(
        clock: Clock,
        connector: &str,
        connections: &str,
        ledger: Arc<dyn Ledger>,
    ) -> Self {
        let given = [("KEY", "s3cr3t"), ("LONG_KEY", "long s3cr3t/key")];
        Self::open(clock, connector, connections, ledger, &given).await
    }

    /// All as given, variables and files included.
    pub(super) async fn given(
        connector: &str,
        connections: &str,
        ledger: Arc<dyn Ledger>,
        given: &[(&str, &str)],
    ) -> Self {
        let clock = Clock::test(Moment::parse("2026-03-01T10:00:00Z").expect("a time"));
        Self::open(clock, connector, connections, ledger, given).await
    }

    async fn open(
        clock: Clock,
        connector: &str,
        connections: &str,
        ledger: Arc<dyn Ledger>,
        given: &[(&str, &str)],
    ) -> Self {
        let given = given.iter();
        let given = given.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let outbound = Outbound::open(
            accounts(connector, connections),
            Arc::new(Given(given.collect())),
            ledger,
            clock.clone(),
        )
        .await
        .expect("a way out");
        Self { outbound, clock }
    }

    /// Performs an action of the vendor.
    pub(super) async fn call(&self, action: &str, input: Value) -> Performed {
        self.outbound.perform(&call(action, input)).await
    }

    /// Performs an action that must come to an end.
    pub(super) async fn ended(&self, action: &str, input: Value) -> Called {
        match self.call(action, input).await {
            Performed::Ended(called) => called,
            Performed::Later(until) => panic!("no room before {until}"),
        }
    }

    /// Goes through all pages of a listing.
    pub(super) async fn list(&self, action: &str) -> Result<Vec<Value>, Failure> {
        let mut call = call(action, serde_json::json!({}));
        let mut items = Vec::new();
        loop {
            let output = match self.outbound.perform(&call).await {
                Performed::Ended(Called::Done { output }) => output,
                Performed::Ended(Called::Failed { failure, .. }) => return Err(failure),
                other => panic!("{other:?}"),
            };
            items.extend(output["items"].as_array().expect("items").clone());
            match output.get("next") {
                Some(next) => call.cursor = Some(next.clone()),
                None => return Ok(items),
            }
        }
    }
}

/// A call of the vendor's action.
pub(super) fn call(action: &str, input: Value) -> Call {
    Call {
        action: ActionRef {
            connector: ConnectorName::new("vendor").expect("a name"),
            action: action.to_owned(),
            connection: ConnectionName::new("vendor").expect("a name"),
            effect: Effect::Read,
            is_listing: false,
            verify: None,
            retry: Retry::DEFAULT,
            keeps_raw: false,
        },
        input,
        also_send: None,
        cursor: None,
        timeout: Some(Duration::from_secs(20)),
        call_key: "key-1".to_owned(),
        place: crate::journal::EntryKey("step".into()),
    }
}

/// A call's end in one line.
pub(super) fn shown(called: &Called) -> String {
    match called {
        Called::Done { output } => format!("done {output}"),
        Called::Failed {
            failure,
            retry: None,
        } => format!("failed {}", failure.code),
        Called::Failed {
            failure,
            retry: Some(after),
        } => {
            format!("retry {} {}s", failure.code, after.as_secs())
        }
        Called::Doubtful { failure } => format!("doubtful {}", failure.code),
    }
}
