//! Requests that name themselves: `Idempotency-Key` on what creates work.
//!
//! In: a `POST` with the header. Out: what it was answered the first time, however often it comes.
//! Always true: a request is noted durably before it is done; where nobody can tell what became of
//! it, it is not done a second time.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::data::digest;
use crate::mask::learned_secrets;
use crate::store::{Answer, Known, Named};

use super::tokens::ToldOnce;
use super::{BODY_BYTES_MAX, Person, Problem, Rooms};

/// The header that names a request.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest name.
const KEY_BYTES_MAX: usize = 200;

/// Answers a request that came before as it was answered then.
pub(super) async fn answer(
    State(rooms): State<Arc<Rooms>>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    match once(&rooms, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn once(rooms: &Rooms, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let key = parts.headers.get(KEY).and_then(|key| key.to_str().ok());
    let key = key.filter(|key| (1..=KEY_BYTES_MAX).contains(&key.len()));
    let Some(key) = key else {
        let why = format!("`Idempotency-Key` is a text of 1 to {KEY_BYTES_MAX} characters");
        return Err(Problem::bad_request(why));
    };
    let bytes = to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|_| Problem::new(413, "too_large", "The body is too large."))?;
    let person = parts.extensions.get::<Person>();
    let query = parts.uri.query().unwrap_or_default();
    let named = Named {
        by: person.map_or_else(String::new, |person| person.0.to_string()),
        door: format!("POST {}", parts.uri.path()),
        key: key.to_owned(),
        asked: digest(&[query.as_bytes(), b"\n", &bytes].concat()),
    };
    let store = &rooms.intake.store;
    match store.note_request(&named, rooms.intake.clock.now()).await? {
        Known::New => {}
        Known::Answered(answer) => return Ok(again(answer)),
        Known::Another => {
            let title = "Another request was sent with this `Idempotency-Key`.";
            return Err(Problem::new(422, "key_in_use", title).detail(
                "send each request with a key of its own, and only repeats with the same",
            ));
        }
        Known::UnderWay => {
            return Err(Problem::conflict(
                "under_way",
                "the same request came before and has not been answered; look whether its work is \
                 there (`GET /api/jobs`) before you send it with another key",
            ));
        }
    }
    let request = Request::from_parts(parts, Body::from(bytes));
    let (parts, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    // What is no fault of the request may come out otherwise the next time.
    let is_final = !parts.status.is_server_error() && parts.status != StatusCode::TOO_MANY_REQUESTS;
    // What is told once is not kept to be told again: a repeat meets what the first one made.
    let is_final = is_final && parts.extensions.get::<ToldOnce>().is_none();
    let kept = is_final.then(|| Answer {
        status: parts.status.as_u16(),
        location: parts
            .headers
            .get(header::LOCATION)
            .and_then(|place| Some(place.to_str().ok()?.to_owned())),
        body: learned_secrets()
            .text(&String::from_utf8_lossy(&body))
            .into_owned()
            .into_bytes(),
    });
    // It was done, and its sender is told so even if that cannot be noted.
    if let Err(error) = store.keep_answer(&named, kept).await {
        tracing::error!("the answer to a request could not be kept: {error}");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// An answer that was given before.
fn again(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = match status.is_success() {
        true => "application/json",
        false => "application/problem+json",
    };
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    let place = answer.location.and_then(|place| place.try_into().ok());
    if let Some(place) = place {
        headers.insert(header::LOCATION, place);
    }
    response
}
