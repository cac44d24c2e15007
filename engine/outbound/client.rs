//! One HTTP exchange.
//!
//! In: a [`RequestPlan`]. Out: a reply, or how far it came.
//! Always true: redirects are not followed, proxies of the environment not used, bodies bounded.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Method};

use super::address::{PrivateHosts, Reach};
use super::guard::{self, Guard, PrivateAddress};
use crate::clock::Clock;
use crate::connector::{PlannedBody, Reply, RequestPlan, Trouble};
use crate::data::Object;

/// The most bytes of a reply's body.
pub const BODY_BYTES_MAX: usize = 32 << 20;

/// The longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: shorter than servers do, so that few requests are sent into
/// a connection that is just being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The HTTP clients: for public addresses, and for connections that may reach private ones.
#[derive(Default)]
pub(super) struct Clients {
    allowed: Arc<PrivateHosts>,
    public: Pair,
    private: Pair,
}

/// A client for each scheme, made when it is first needed: that for TLS reads all certificates of the
/// machine, which an address without TLS needs none of.
#[derive(Default)]
struct Pair {
    tls: OnceLock<Result<Client, String>>,
    plain: OnceLock<Result<Client, String>>,
}

/// How an exchange ended.
pub(super) enum Exchange {
    /// With a reply.
    Replied(Reply),
    /// Before the first byte was sent.
    NotSent {
        /// Why.
        trouble: Trouble,
        /// Whether it may work later.
        may_pass: bool,
    },
    /// Somewhere after.
    Broken(Trouble),
}

impl Clients {
    /// Clients that may also reach what an admin named.
    pub(super) fn allowing(allowed: PrivateHosts) -> Self {
        Self {
            allowed: Arc::new(allowed),
            ..Self::default()
        }
    }

    /// What an admin named.
    pub(super) fn allowed(&self) -> &PrivateHosts {
        &self.allowed
    }

    /// Sends a request and reads its reply, within real time.
    pub(super) async fn exchange(
        &self,
        plan: RequestPlan,
        reach: Reach,
        timeout: Duration,
    ) -> Exchange {
        if let Err(private) = guard::check(&self.allowed, &plan.url, reach) {
            return not_allowed(&private);
        }
        let pair = match reach {
            Reach::Private => &self.private,
            Reach::Public => &self.public,
        };
        let ready = || builder(reach, self.allowed.clone());
        let made = match plan.url.scheme() {
            "http" => pair.plain.get_or_init(|| made(ready().tls_certs_only([]))),
            _ => pair.tls.get_or_init(|| made(ready())),
        };
        let client = match made {
            Ok(client) => client,
            Err(why) => return not_sent("internal", format!("no HTTP client: {why}")),
        };
        let host = place(&plan.url);
        let request = match built(client, plan) {
            Ok(request) => request,
            Err(why) => return not_sent("invalid_request", why),
        };
        match Clock::within(timeout, send(client, request, &host)).await {
            Some(exchange) => exchange,
            None => Exchange::Broken(Trouble::new(
                "timed_out",
                format!("no reply from {host} within {timeout:?}"),
            )),
        }
    }
}

/// What all clients have in common.
fn builder(reach: Reach, allowed: Arc<PrivateHosts>) -> ClientBuilder {
    // A second installation is refused, which is fine: it is the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .dns_resolver(Guard { allowed, reach })
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(concat!("recipe-engine/", env!("CARGO_PKG_VERSION")))
}

/// Makes a client.
fn made(builder: ClientBuilder) -> Result<Client, String> {
    builder.build().map_err(|why| chain(&why))
}

fn not_sent(code: &str, why: String) -> Exchange {
    Exchange::NotSent {
        trouble: Trouble::new(code, why),
        may_pass: false,
    }
}

fn built(client: &Client, plan: RequestPlan) -> Result<reqwest::Request, String> {
    let method = Method::from_bytes(plan.method.as_bytes())
        .map_err(|_| format!("`{}` is no HTTP method", plan.method))?;
    let mut request = client.request(method, plan.url);
    request = match plan.body {
        PlannedBody::None => request,
        PlannedBody::Json(value) => request.json(&value),
        PlannedBody::Form(fields) => request.form(&fields),
        PlannedBody::Text { content_type, text } => {
            request.header("Content-Type", content_type).body(text)
        }
    };
    let mut headers = HeaderMap::new();
    for (name, value) in plan.headers {
        let wrong = || format!("the header `{name}` holds what no header can");
        let parsed =
            reqwest::header::HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let mut value = reqwest::header::HeaderValue::from_str(&value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(parsed, value);
    }
    request
        .headers(headers)
        .build()
        .map_err(|why| format!("the request cannot be built: {}", chain(&why.without_url())))
}

async fn send(client: &Client, request: reqwest::Request, host: &str) -> Exchange {
    let mut response = match client.execute(request).await {
        Ok(response) => response,
        Err(error) => return failed(error, host),
    };
    let status = response.status().as_u16();
    let headers = headers(response.headers());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > BODY_BYTES_MAX => {
                return Exchange::Broken(Trouble {
                    status: Some(status),
                    ..Trouble::new(
                        "reply_too_large",
                        format!("the reply of {host} is larger than {BODY_BYTES_MAX} bytes"),
                    )
                });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Exchange::Replied(Reply::new(status, headers, &body)),
            Err(error) => {
                return Exchange::Broken(Trouble {
                    status: Some(status),
                    ..Trouble::new(
                        "connection_lost",
                        format!(
                            "the reply of {host} broke off: {}",
                            chain(&error.without_url())
                        ),
                    )
                });
            }
        }
    }
}

fn failed(error: reqwest::Error, host: &str) -> Exchange {
    let error = error.without_url();
    if let Some(private) = private_address(&error) {
        return not_allowed(private);
    }
    let why = chain(&error);
    if error.is_connect() {
        return Exchange::NotSent {
            trouble: Trouble::new("unreachable", unreachable(&error, host, &why)),
            may_pass: true,
        };
    }
    if error.is_builder() {
        return not_sent("invalid_request", why);
    }
    let trouble = format!("the connection to {host} was lost before the reply: {why}");
    Exchange::Broken(Trouble::new("connection_lost", trouble))
}

/// Host and port of an address, the port only if it is written.
fn place(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or("");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Why nothing was reached, in an admin's words where the machine's are known.
fn unreachable(error: &dyn Error, host: &str, why: &str) -> String {
    let mut source = error.source();
    while let Some(error) = source {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused) {
            return format!("nothing answers at {host}");
        }
        source = error.source();
    }
    format!("{host} cannot be reached: {why}")
}

fn not_allowed(private: &PrivateAddress) -> Exchange {
    not_sent("address_not_allowed", private.to_string())
}

fn private_address(error: &reqwest::Error) -> Option<&PrivateAddress> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(private) = error.downcast_ref::<PrivateAddress>() {
            return Some(private);
        }
        source = error.source();
    }
    None
}

/// An error with its causes, each said once.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        if !words.contains(&next) {
            words = format!("{words}: {next}");
        }
        source = error.source();
    }
    words
}

/// Headers as an object; several of one name are joined.
fn headers(headers: &HeaderMap) -> Object {
    let mut object = Object::new();
    for name in headers.keys() {
        let values: Vec<String> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        object.insert(name.as_str().to_owned(), values.join(", ").into());
    }
    object
}
