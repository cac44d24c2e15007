//! A mail server with its quirks and faults, and connections to it.

use std::sync::Arc;

use recipe_sandbox::{Mail, Sandbox, SandboxConfig};
use serde_json::{Value, json};

use super::super::*;
use super::bench::{Bench, HEADER, call, shown};
use crate::interpret::Called;
use crate::names::{ConnectionName, ConnectorName};

/// A mail server.
pub(super) struct Post {
    pub(super) sandbox: Sandbox,
    http: reqwest::Client,
}

impl Post {
    pub(super) async fn open() -> Self {
        let config = SandboxConfig::default();
        Self {
            sandbox: recipe_sandbox::start(config).await.expect("the stand-ins"),
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
        }
    }

    /// Changes the server's quirks.
    pub(super) async fn quirks(&self, quirks: Value) {
        self.control("quirks", quirks).await;
    }

    /// Has a fault strike the next command of this verb.
    pub(super) async fn fault(&self, method: &str, kind: Value) {
        let fault = json!({ "method": method, "kind": kind });
        self.control("faults", fault).await;
    }

    /// Has a reply of this code follow the next command of this verb.
    pub(super) async fn refuse(&self, method: &str, code: u16) {
        self.fault(method, json!({ "status": { "code": code } }))
            .await;
    }

    async fn control(&self, path: &str, body: Value) {
        let url = format!("{}/_control/{path}", self.sandbox.mail_url);
        let answer = self.http.post(url).json(&body).send().await;
        let answer = answer.expect("an answer");
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// The mails that it took.
    pub(super) fn mails(&self) -> Vec<Mail> {
        self.sandbox.mails()
    }

    /// A connection to it without encryption, and more fields.
    pub(super) fn plain(&self, more: &str) -> String {
        self.connection(self.sandbox.smtp_port, &format!("encryption: none{more}"))
    }

    /// A connection with encryption and login.
    pub(super) fn encrypted(&self, encryption: &str) -> String {
        let port = match encryption {
            "tls" => self.sandbox.smtps_port,
            _ => self.sandbox.smtp_port,
        };
        let more = format!(
            "encryption: {encryption}, username: recipes, password: {{ env: MAIL }}, \
             ca: {{ file: ca.pem }}"
        );
        self.connection(port, &more)
    }

    fn connection(&self, port: u16, more: &str) -> String {
        format!(
            "connections: {{ mail: {{ host: 127.0.0.1, port: {port}, allow_private: true, \
             from: 'Recipes <recipes@example.com>', {more} }} }}"
        )
    }

    /// The way out over these connections, of a process of its own.
    pub(super) async fn bench(&self, connections: &str, ledger: Arc<dyn Ledger>) -> Bench {
        let connector = format!("{HEADER}actions: {{}}");
        let ca = ("ca.pem", self.sandbox.mail_certificate.as_str());
        let given = [("MAIL", "mail-password"), ("WRONG", "wrong-password"), ca];
        Bench::given(&connector, connections, ledger, &given).await
    }

    /// Sends a mail over these connections; its end, and what is said of it.
    pub(super) async fn send(&self, connections: &str, input: Value) -> (String, String) {
        let bench = self
            .bench(connections, Arc::new(Forgetful::default()))
            .await;
        sent(&bench, "key", input).await
    }
}

/// A small mail.
pub(super) fn mail() -> Value {
    json!({ "to": "ada@example.com", "subject": "s", "text": "t" })
}

/// Sends a mail; its end, and what is said of it.
pub(super) async fn sent(bench: &Bench, key: &str, input: Value) -> (String, String) {
    let Performed::Ended(called) = performed(bench, key, input).await else {
        panic!("it waits");
    };
    let message = match &called {
        Called::Failed { failure, .. } => failure.message.clone(),
        _ => String::new(),
    };
    (shown(&called), message)
}

/// Performs `mail.send`.
pub(super) async fn performed(bench: &Bench, key: &str, input: Value) -> Performed {
    let mut call = call("send", input);
    call.action.connector = ConnectorName::new("mail").expect("a name");
    call.action.connection = ConnectionName::new("mail").expect("a name");
    call.call_key = key.to_owned();
    bench.outbound.perform(&call).await
}
