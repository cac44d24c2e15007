//! What every answer gets on its way out.
//!
//! In: the answer of a route. Out: the same without any secret that this process knows, with
//! headers that keep browsers and proxies from doing more with it than was meant.
//! Always true: no route can forget this; answers that hold no secret leave byte for byte.

use std::borrow::Cow;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

use crate::mask::{Masker, learned_secrets};

use super::Problem;
use super::tokens::ToldOnce;

/// Headers of every answer: it is data for whoever asked, never a page, never cached.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Looks through an answer before it leaves.
pub(super) async fn look_through(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let mut response = without_secrets(response).await;
    for (name, value) in HEADERS {
        // A page for people says itself what it needs.
        let headers = response.headers_mut();
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn without_secrets(response: Response) -> Response {
    let secrets = learned_secrets();
    if secrets.is_empty() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
        // Each event comes in one piece, as it happens.
        let events = body.into_data_stream().map(move |event| {
            event.map(|bytes| match std::str::from_utf8(&bytes) {
                Ok(text) => learned_secrets().text(text).into_owned().into(),
                Err(_) => bytes,
            })
        });
        return Response::from_parts(parts, Body::from_stream(events));
    }
    let told = parts.extensions.remove::<ToldOnce>();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Problem::new(500, "internal", "The answer broke off.").into_response();
    };
    // An answer is text: JSON, CSV, metrics.
    let masked = match std::str::from_utf8(&bytes) {
        Ok(text) => match masked(&secrets, text, told.as_ref()) {
            Cow::Owned(masked) => Some(masked),
            Cow::Borrowed(_) => None,
        },
        Err(_) => None,
    };
    let Some(masked) = masked else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(masked))
}

/// The text without secrets, but for the one that it is there to tell.
fn masked<'a>(secrets: &Masker, text: &'a str, told: Option<&ToldOnce>) -> Cow<'a, str> {
    let Some(ToldOnce(told)) = told else {
        return secrets.text(text);
    };
    let pieces: Vec<Cow<'_, str>> = text
        .split(told.reveal())
        .map(|piece| secrets.text(piece))
        .collect();
    Cow::Owned(pieces.join(told.reveal()))
}
