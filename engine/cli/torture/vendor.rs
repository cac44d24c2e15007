//! The stand-in that the engine calls, and what it is made to do.

use recipe_sandbox::{Sandbox, SandboxConfig};
use reqwest::Method;
use serde_json::json;

use super::api::Api;
use super::engine::TIME_SCALE;
use crate::data::Value;

/// The listing's size: small, so that one job is not all there is.
const PAGES: u64 = 4;
const RECORDS_PER_PAGE: u64 = 5;

/// How many records a listing has.
pub(super) const RECORDS: u64 = PAGES * RECORDS_PER_PAGE;

/// The running stand-in.
pub(super) struct Vendor {
    sandbox: Sandbox,
    api: Api,
}

impl Vendor {
    pub(super) async fn open(seed: u64, api: Api) -> anyhow::Result<Self> {
        let config = SandboxConfig {
            seed,
            scale: TIME_SCALE,
            ..SandboxConfig::default()
        };
        let sandbox = recipe_sandbox::start(config).await?;
        let vendor = Self { sandbox, api };
        let quirks = json!({ "pages": PAGES, "records_per_page": RECORDS_PER_PAGE });
        vendor.order("quirks", &quirks).await?;
        Ok(vendor)
    }

    pub(super) fn url(&self) -> &str {
        &self.sandbox.records_url
    }

    /// Orders something under the control surface.
    pub(super) async fn order(&self, what: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/_control/{what}", self.url());
        self.api.control(Method::POST, &url, Some(body)).await
    }

    /// What the stand-in tells.
    pub(super) async fn tells(&self, what: &str) -> anyhow::Result<Value> {
        let url = format!("{}/_control/{what}", self.url());
        self.api.control(Method::GET, &url, None).await
    }

    /// Takes all faults back; how often each kind struck since the last time.
    pub(super) async fn relieve(&self) -> anyhow::Result<Vec<(String, u64)>> {
        let told = self.tells("faults").await?;
        let orders = told["items"].as_array().cloned().unwrap_or_default();
        let struck = orders.iter().map(|order| {
            let kind = match &order["kind"] {
                Value::Object(kind) => kind.keys().next().cloned().unwrap_or_default(),
                kind => kind.as_str().unwrap_or_default().to_owned(),
            };
            (kind, order["struck"].as_u64().unwrap_or(0))
        });
        let struck = struck.collect();
        let url = format!("{}/_control/faults", self.url());
        self.api.control(Method::DELETE, &url, None).await?;
        Ok(struck)
    }

    pub(super) async fn close(self) {
        self.sandbox.stop().await;
    }
}
