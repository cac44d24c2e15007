//! Whether the sender of a delivery is who the recipe expects.
//!
//! In: headers and the connection that holds the secret, then the raw body. Out: yes, or why not.
//! Always true: secrets are compared in constant time, and no answer tells what was expected; a
//! secret that we cannot read is our trouble and never the sender's.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::clock::Moment;
use crate::compile::WebhookAuth;
use crate::connector::References;
use crate::data::{Object, Value};
use crate::library::Shelf;
use crate::names::ConnectionName;

use super::{Refusal, signature};

/// The header that carries what most senders sign in with.
const AUTHORIZATION: &str = "authorization";

/// Headers that are never kept, whatever the sign-in.
const CREDENTIAL_HEADERS: [&str; 3] = [AUTHORIZATION, "proxy-authorization", "cookie"];

/// A sender whose head is in order.
pub(super) struct Sender {
    headers: Object,
    /// The header of its own that the sender signed in with.
    credential: Option<String>,
    /// What the body must be signed with.
    signed_with: Option<Value>,
}

/// Checks the sender as far as the head of a delivery goes: a user name or a token whole, of a
/// signature that it is there and of now.
pub(super) fn look_at_head(
    auth: Option<&WebhookAuth>,
    headers: Object,
    shelf: &Shelf,
    references: &dyn References,
    now: Moment,
) -> Result<Sender, Refusal> {
    let mut sender = Sender {
        headers,
        credential: None,
        signed_with: None,
    };
    match auth {
        None => {}
        Some(WebhookAuth::Basic(name)) => {
            let secrets = secrets_of(name, shelf, references)?;
            check_basic(&secrets, &sender.headers)?;
        }
        Some(WebhookAuth::Token(name)) => {
            let secrets = secrets_of(name, shelf, references)?;
            sender.credential = Some(check_token(&secrets, &sender.headers)?);
        }
        Some(WebhookAuth::Hmac(name)) => {
            let secrets = secrets_of(name, shelf, references)?;
            signature::check_head(&secrets, &sender.headers, now)?;
            sender.signed_with = Some(secrets);
        }
    }
    Ok(sender)
}

impl Sender {
    /// Checks the rest; answers the headers without what the sender signed in with.
    pub(super) fn check_body(self, body: &[u8], now: Moment) -> Result<Object, Refusal> {
        let mut kept = self.headers;
        if let Some(secrets) = &self.signed_with {
            signature::check(secrets, &kept, body, now)?;
        }
        kept.retain(|name, _| {
            !CREDENTIAL_HEADERS.contains(&name.as_str()) && self.credential.as_ref() != Some(name)
        });
        Ok(kept)
    }
}

fn secrets_of(
    name: &ConnectionName,
    shelf: &Shelf,
    references: &dyn References,
) -> Result<Value, Refusal> {
    let trouble = |why: String| {
        tracing::error!(connection = %name, "a webhook cannot check its sender: {why}");
        let why = "the sign-in of this webhook is not set up; its administrator must mend it";
        Refusal::NotSetUp(why.to_owned())
    };
    let (connection, connector) = shelf
        .connection(name)
        .ok_or_else(|| trouble("the connection is not in connections.yaml".into()))?;
    let resolved = connection
        .resolve(&connector, references)
        .map_err(|troubles| {
            let all: Vec<&str> = troubles
                .iter()
                .map(|trouble| trouble.message.as_str())
                .collect();
            trouble(all.join("; "))
        })?;
    Ok(Value::clone(&resolved.value))
}

fn check_basic(secrets: &Value, headers: &Object) -> Result<(), Refusal> {
    let refusal = |message: &str| Refusal::NotSignedIn {
        message: message.into(),
        challenge: Some("Basic"),
    };
    let given = text(headers, AUTHORIZATION)
        .and_then(|header| after_scheme(header, "basic"))
        .ok_or_else(|| refusal("this webhook asks for a user name and password (HTTP Basic)"))?;
    let given = BASE64_STANDARD
        .decode(given.trim())
        .map_err(|_| refusal("the Authorization header is not Basic sign-in in base64"))?;
    let field = |name: &str| {
        secrets
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let wanted = format!("{}:{}", field("username"), field("password"));
    if is_same(&given, wanted.as_bytes()) {
        return Ok(());
    }
    Err(refusal("user name or password is wrong"))
}

/// Answers the name of the header that held the token.
fn check_token(secrets: &Value, headers: &Object) -> Result<String, Refusal> {
    let own = secrets
        .get("header")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty());
    let challenge = own.is_none().then_some("Bearer");
    let refusal = |message: String| Refusal::NotSignedIn { message, challenge };
    let header = own.unwrap_or(AUTHORIZATION).to_lowercase();
    let given = text(headers, &header)
        .and_then(|value| match own {
            Some(_) => Some(value),
            None => after_scheme(value, "bearer"),
        })
        .ok_or_else(|| {
            refusal(format!(
                "this webhook asks for a token in the header `{header}`"
            ))
        })?;
    let wanted = secrets
        .get("token")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if is_same(given.trim().as_bytes(), wanted.as_bytes()) {
        return Ok(header);
    }
    Err(refusal("the token is wrong".into()))
}

/// Compares without telling by its duration how much is right, not even the length.
pub(super) fn is_same(given: &[u8], wanted: &[u8]) -> bool {
    let is_empty = wanted.is_empty() || wanted == b":";
    let (given, wanted) = (Sha256::digest(given), Sha256::digest(wanted));
    !is_empty && bool::from(given.as_slice().ct_eq(wanted.as_slice()))
}

/// The text of a header.
pub(super) fn text<'a>(headers: &'a Object, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(Value::as_str)
}

/// What follows the scheme's name, whatever its letters' case.
fn after_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (given, rest) = header.trim().split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then_some(rest)
}
