//! Whether a delivery was signed with a secret that sender and recipe share.
//!
//! In: the connection's fields, headers, raw body, the time. Out: yes, or why not.
//! Always true: signatures are compared in constant time; where the time of sending is signed, one
//! outside the tolerance is refused, so that a delivery caught on the way cannot be sent again.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock::Moment;
use crate::data::{Object, Value, hex};

use super::Refusal;
use super::sign_in::{is_same, text};

/// The headers of a delivery after the Standard Webhooks specification.
const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// Where any other signature stands, unless the connection says otherwise.
const HEADER: &str = "X-Signature";

/// How a secret of that specification begins; base64 follows.
const SECRET_PREFIX: &str = "whsec_";

/// The scheme of its symmetric signatures.
const VERSION: &str = "v1,";

/// How far the time of sending may be off, unless the connection says otherwise.
const TOLERANCE_S: i64 = 300;

/// Checks that a delivery says how it is signed, and that it was just now.
pub(super) fn check_head(secrets: &Value, headers: &Object, now: Moment) -> Result<(), Refusal> {
    let field = |name: &str| secrets.get(name).and_then(Value::as_str);
    let tolerance = secrets.get("tolerance_s").and_then(Value::as_i64);
    let (signature, time) = match field("scheme") {
        Some("standard_webhooks") => (SIGNATURE, Some(TIMESTAMP)),
        _ => (
            field("header").unwrap_or(HEADER),
            field("timestamp_header").filter(|name| !name.is_empty()),
        ),
    };
    let signature = signature.to_lowercase();
    text(headers, &signature).ok_or_else(|| missing(&signature))?;
    if let Some(name) = time.map(str::to_lowercase) {
        let sent = text(headers, &name).ok_or_else(|| missing(&name))?;
        check_time(&name, sent, now, tolerance.unwrap_or(TOLERANCE_S))?;
    }
    Ok(())
}

/// Checks a delivery after the connection's scheme.
pub(super) fn check(
    secrets: &Value,
    headers: &Object,
    body: &[u8],
    now: Moment,
) -> Result<(), Refusal> {
    let field = |name: &str| secrets.get(name).and_then(Value::as_str);
    let tolerance = secrets.get("tolerance_s").and_then(Value::as_i64);
    let tolerance_s = tolerance.unwrap_or(TOLERANCE_S);
    let secret = field("secret").unwrap_or_default();
    if field("scheme") == Some("standard_webhooks") {
        return standard(secret, headers, body, now, tolerance_s);
    }
    let header = field("header").unwrap_or(HEADER).to_lowercase();
    let given = text(headers, &header).ok_or_else(|| missing(&header))?;
    let mut parts: Vec<&[u8]> = Vec::with_capacity(3);
    if let Some(name) = field("timestamp_header").filter(|name| !name.is_empty()) {
        let name = name.to_lowercase();
        let sent = text(headers, &name).ok_or_else(|| missing(&name))?;
        check_time(&name, sent, now, tolerance_s)?;
        parts.extend([sent.trim().as_bytes(), b"."]);
    }
    parts.push(body);
    let signature = sign(secret.as_bytes(), &parts)?;
    let prefix = field("prefix").unwrap_or_default();
    let is_base64 = field("encoding") == Some("base64");
    let is_signed_with = |given: &str| {
        if is_base64 {
            is_same(
                given.as_bytes(),
                BASE64_STANDARD.encode(&signature).as_bytes(),
            )
        } else {
            is_same(given.to_lowercase().as_bytes(), hex(&signature).as_bytes())
        }
    };
    let is_right = if prefix.contains(char::is_whitespace) {
        // Such as `HMAC `: it stands before each signature, and a blank is no end of one.
        let mut rest = given.split(prefix).skip(1);
        rest.any(|given| signatures(given).take(1).any(is_signed_with))
    } else {
        signatures(given).any(|given| given.strip_prefix(prefix).is_some_and(is_signed_with))
    };
    if is_right { Ok(()) } else { Err(wrong()) }
}

/// Checks a delivery after the Standard Webhooks specification.
fn standard(
    secret: &str,
    headers: &Object,
    body: &[u8],
    now: Moment,
    tolerance_s: i64,
) -> Result<(), Refusal> {
    let header = |name: &str| text(headers, name).ok_or_else(|| missing(name));
    let (id, sent, given) = (header(ID)?, header(TIMESTAMP)?, header(SIGNATURE)?);
    let seconds = check_time(TIMESTAMP, sent, now, tolerance_s)?.to_string();
    let key = secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret);
    let key = BASE64_STANDARD.decode(key.trim()).map_err(|_| {
        tracing::error!("the secret of a webhook is not `whsec_` with base64 behind it");
        set_up()
    })?;
    let parts = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
    let signature = BASE64_STANDARD.encode(sign(&key, &parts)?);
    let is_right = signatures(given).any(|given| {
        let given = given.strip_prefix(VERSION);
        given.is_some_and(|given| is_same(given.as_bytes(), signature.as_bytes()))
    });
    if is_right { Ok(()) } else { Err(wrong()) }
}

/// The signatures of a header: a sender whose secret changes sends one for each. Between headers of
/// the same name stands a comma and a blank.
fn signatures(header: &str) -> impl Iterator<Item = &str> {
    header
        .split_whitespace()
        .map(|part| part.trim_matches(','))
        .filter(|part| !part.is_empty())
}

/// Checks the time of sending, in seconds since 1970.
fn check_time(header: &str, given: &str, now: Moment, tolerance_s: i64) -> Result<i64, Refusal> {
    let seconds: i64 = given.trim().parse().map_err(|_| {
        refusal(format!(
            "the header `{header}` is not a time in seconds since 1970"
        ))
    })?;
    let off = now.0.div_euclid(1_000_000).saturating_sub(seconds);
    if off > tolerance_s {
        return Err(refusal(format!(
            "the delivery is too old: `{header}` is {off} seconds ago, at most {tolerance_s} are \
             taken"
        )));
    }
    if off < tolerance_s.saturating_neg() {
        let ahead = off.saturating_neg();
        return Err(refusal(format!(
            "the delivery comes from the future: `{header}` is {ahead} seconds ahead; one of the \
             two clocks is wrong"
        )));
    }
    Ok(seconds)
}

/// The signature over some parts, one after another.
pub(super) fn sign(key: &[u8], parts: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
    let mac = Hmac::<Sha256>::new_from_slice(key).ok();
    let Some(mut mac) = mac.filter(|_| !key.is_empty()) else {
        return Err(set_up());
    };
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().to_vec())
}

fn missing(header: &str) -> Refusal {
    refusal(format!(
        "this webhook asks for a signature, and the header `{header}` is missing"
    ))
}

fn wrong() -> Refusal {
    refusal("the signature does not belong to this body".into())
}

/// A secret that cannot be used is our trouble.
fn set_up() -> Refusal {
    Refusal::later("the sign-in of this webhook is not set up; its administrator must mend it")
}

fn refusal(message: String) -> Refusal {
    Refusal::NotSignedIn {
        message,
        challenge: None,
    }
}
