//! Route tables. In: a vendor's table of method, path, provenance and handler. Out: an axum
//! router, and the lines that `/_control/routes` prints. Always true: each route says on what
//! evidence it stands.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use serde::Serialize;
use serde_json::Value;

use super::connection::Peer;
use super::params::Params;
use crate::gate::BODY_BYTES_MAX;

/// On what evidence a route stands, as the contract pages grade it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// Found in current public client code or in the vendor's help pages.
    Found,
    /// Found in a public client of 2017, generated from the vendor's own description.
    Found2017,
    /// Found only where the source looks guessed.
    Weak,
    /// Nothing found; a plausible contract.
    Assumed,
}

/// One line of a vendor's route table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route<H> {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) provenance: Provenance,
    pub(crate) handler: H,
}

impl<H> Route<H> {
    pub(crate) const fn new(
        provenance: Provenance,
        method: &'static str,
        path: &'static str,
        handler: H,
    ) -> Self {
        Self {
            method,
            path,
            provenance,
            handler,
        }
    }

    /// The line for `/_control/routes`.
    pub(crate) fn describe(&self) -> Value {
        serde_json::json!({
            "method": self.method, "path": self.path, "provenance": self.provenance,
        })
    }
}

/// One request as a vendor's handler sees it.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub(crate) method: Method,
    pub(crate) uri_path: String,
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) params: Params,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) ip: IpAddr,
}

/// What a vendor does with a request that one of its routes takes.
pub(crate) trait Answer: Send + Sync + 'static {
    /// What stands in the last column of the route table.
    type Handler: Copy + Send + Sync + 'static;

    /// Answers one request; errors of the vendor's own kind are answers too.
    fn answer(
        self: Arc<Self>,
        handler: Self::Handler,
        incoming: Incoming,
    ) -> impl Future<Output = Response> + Send;
}

/// Builds the router of a route table.
pub(crate) fn router<V: Answer>(vendor: Arc<V>, routes: &[Route<V::Handler>]) -> Router {
    let mut router = Router::new();
    for route in routes {
        let handler = route.handler;
        let serve = move |State(vendor): State<Arc<V>>,
                          ConnectInfo(peer): ConnectInfo<Peer>,
                          path: RawPathParams,
                          request: Request| async move {
            let path = path
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()));
            let incoming = read(peer, path.collect(), request).await;
            vendor.answer(handler, incoming).await
        };
        router = router.route(route.path, on(filter(route.method), serve));
    }
    router.with_state(vendor)
}

async fn read(peer: Peer, path: BTreeMap<String, String>, request: Request) -> Incoming {
    let (parts, body) = request.into_parts();
    // The gate has read the body already, within its limit; this cannot fail in practice.
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX)
        .await
        .unwrap_or_default();
    Incoming {
        method: parts.method,
        uri_path: parts.uri.path().to_owned(),
        path,
        params: Params::from_query(parts.uri.query().unwrap_or("")),
        headers: parts.headers,
        body,
        ip: peer.address.ip(),
    }
}

fn filter(method: &str) -> MethodFilter {
    match method {
        "POST" => MethodFilter::POST,
        "PUT" => MethodFilter::PUT,
        "DELETE" => MethodFilter::DELETE,
        _ => MethodFilter::GET,
    }
}
