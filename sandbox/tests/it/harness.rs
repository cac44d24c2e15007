//! A sandbox with short words for calling it, and a receiver for its webhooks.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use recipe_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

/// A running sandbox whose clock stands still, and a client for it.
pub(crate) struct Rig {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: reqwest::Client,
}

/// A status with its body: JSON where it is JSON, else the text.
pub(crate) type Reply = (u16, Value);

impl Rig {
    pub(crate) async fn start() -> Self {
        let config = SandboxConfig {
            scale: 0.0,
            ..SandboxConfig::default()
        };
        let sandbox = recipe_sandbox::start(config).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, client }
    }

    /// A client-credentials token of the superadmin.
    pub(crate) async fn token(&self) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "recipe-engine"),
            ("client_secret", "docebo-secret"),
        ];
        let (status, body) = self.sign_in(&form).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn sign_in(&self, form: &[(&str, &str)]) -> Reply {
        let url = format!("{}/oauth2/token", self.sandbox.docebo_url);
        reply(self.client.post(url).form(form)).await
    }

    /// A signed-in call to Docebo.
    pub(crate) async fn docebo(&self, token: &str, method: &str, path: &str, body: Value) -> Reply {
        let url = format!("{}{path}", self.sandbox.docebo_url);
        reply(self.request(method, url, body).bearer_auth(token)).await
    }

    /// A signed-in GET from Docebo that must succeed; its `data`.
    pub(crate) async fn data(&self, token: &str, path: &str) -> Value {
        let (status, body) = self.docebo(token, "GET", path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body["data"].clone()
    }

    /// A call to Accredible with the key of the account.
    pub(crate) async fn accredible(&self, method: &str, path: &str, body: Value) -> Reply {
        let url = format!("{}{path}", self.sandbox.accredible_url);
        let request = self.request(method, url, body);
        reply(request.header("authorization", "Token token=accredible-key")).await
    }

    /// A POST to the control surface of a server that must succeed.
    pub(crate) async fn control(&self, base: &str, path: &str, body: Value) -> Value {
        let request = self
            .client
            .post(format!("{base}/_control/{path}"))
            .json(&body);
        let (status, body) = reply(request).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// A GET from the control surface of a server that must succeed.
    pub(crate) async fn look(&self, base: &str, path: &str) -> Value {
        let (status, body) = reply(self.client.get(format!("{base}/_control/{path}"))).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) async fn advance(&self, by: &str) {
        self.control(&self.sandbox.docebo_url, "clock", json!({ "advance": by }))
            .await;
    }

    fn request(&self, method: &str, url: String, body: Value) -> reqwest::RequestBuilder {
        let request = self.client.request(method.parse().unwrap(), url);
        if body.is_null() {
            request
        } else {
            request.json(&body)
        }
    }
}

pub(crate) async fn reply(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

/// A webhook receiver that answers what it is told to, in order, and 200 afterwards.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    statuses: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            seen: Arc::default(),
            statuses: Arc::new(Mutex::new(statuses.iter().rev().copied().collect())),
        };
        let app = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        receiver
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|(_, body)| body.clone())
            .collect()
    }

    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|(headers, _)| headers.clone())
            .collect()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    receiver
        .seen
        .lock()
        .unwrap()
        .push((headers, serde_json::from_slice(&body).unwrap()));
    let status = receiver.statuses.lock().unwrap().pop().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}
