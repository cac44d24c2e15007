//! HTTP from the outside, as senders of webhooks and administrators speak it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::Method;

use crate::data::Value;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(40);

/// A way to servers that come and go.
#[derive(Clone)]
pub(super) struct Api {
    http: reqwest::Client,
    token: String,
    /// Where the engine answers at present.
    url: Arc<Mutex<Option<String>>>,
}

/// What became of a request.
pub(super) enum Asked {
    /// It was answered: status and body.
    Answered(u16, Value),
    /// Nobody was there, so it was never sent.
    NotSent,
    /// It was sent, and the answer never came.
    Lost,
}

impl Api {
    pub(super) fn new(token: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .pool_max_idle_per_host(0)
            .build()
            .context("no HTTP client can be made")?;
        Ok(Self {
            http,
            token: token.to_owned(),
            url: Arc::default(),
        })
    }

    /// Says where the engine answers now, or that it is gone.
    pub(super) fn is_at(&self, url: Option<&str>) {
        let mut place = self.url.lock().unwrap_or_else(PoisonError::into_inner);
        *place = url.map(str::to_owned);
    }

    /// Asks the engine.
    pub(super) async fn try_ask(&self, method: Method, path: &str, body: Option<&Value>) -> Asked {
        let place = self
            .url
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(url) = place else {
            return Asked::NotSent;
        };
        self.send(method, &format!("{url}{path}"), body).await
    }

    /// Asks the engine for what it must not refuse.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        good(path, self.try_ask(method, path, body).await)
    }

    /// Asks anybody else for what must not be refused.
    pub(super) async fn control(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        good(url, self.send(method, url, body).await)
    }

    async fn send(&self, method: Method, url: &str, body: Option<&Value>) -> Asked {
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Asked::NotSent,
            Err(_) => return Asked::Lost,
        };
        let status = answer.status().as_u16();
        match answer.text().await {
            Ok(text) => Asked::Answered(status, serde_json::from_str(&text).unwrap_or_default()),
            Err(_) => Asked::Lost,
        }
    }
}

fn good(what: &str, asked: Asked) -> anyhow::Result<Value> {
    match asked {
        Asked::Answered(200..=299, body) => Ok(body),
        Asked::Answered(status, body) => bail!("{what} answers {status}: {body}"),
        Asked::NotSent | Asked::Lost => bail!("{what} does not answer"),
    }
}
