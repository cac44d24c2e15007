//! Requests that name themselves: `Idempotency-Key` on what creates work.
//!
//! In: a `POST` with the header. Out: what it was answered the first time, however often it comes.
//! Always true: a request is noted durably before it is done; where nobody can tell what became of
//! it, it is not done a second time. An answer is for the token that got it, and what was personal
//! in it is not kept: a job is looked at anew.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::response::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::data::digest;
use crate::mask::learned_secrets;
use crate::names::JobId;
use crate::store::{Answer, Known, Named};

use super::tokens::ToldOnce;
use super::{BODY_BYTES_MAX, Problem, Rooms, SignedIn, wait};

/// The header that names a request.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What is kept of an answer, if not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Nothing: a repeat is done again, since nothing came of it.
    Nothing,
    /// Only that the job at its `Location` was waited for: a repeat waits for it, too.
    Job,
}

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
    let asker = parts.extensions.get::<SignedIn>();
    let query = parts.uri.query().unwrap_or_default();
    // Of what was sent nothing is kept that could be found out by trying: the key goes in as well.
    let named = Named {
        by: asker.map_or_else(String::new, SignedIn::identity),
        door: format!("POST {}", parts.uri.path()),
        key: digest(key.as_bytes()),
        asked: digest(&[key.as_bytes(), b"\n", query.as_bytes(), b"\n", &bytes].concat()),
    };
    let store = &rooms.intake.store;
    match store.note_request(&named, rooms.intake.clock.now()).await? {
        Known::New => {}
        Known::Answered(answer) => return again(rooms, asker, query, answer).await,
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
    // It was done, and its sender is told so even if that cannot be noted.
    if let Err(error) = store.keep_answer(&named, kept(&parts, &body)).await {
        tracing::error!("the answer to a request could not be kept: {error}");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// What is kept of an answer; nothing if the request may be done again.
fn kept(parts: &Parts, body: &[u8]) -> Option<Answer> {
    // What is no fault of the request may come out otherwise the next time.
    let is_final = !parts.status.is_server_error() && parts.status != StatusCode::TOO_MANY_REQUESTS;
    // What is told once is not kept to be told again: a repeat meets what the first one made.
    let is_final = is_final && parts.extensions.get::<ToldOnce>().is_none();
    let keep = parts.extensions.get::<Keep>();
    let is_final = is_final && keep != Some(&Keep::Nothing);
    is_final.then(|| Answer {
        status: parts.status.as_u16(),
        location: parts
            .headers
            .get(header::LOCATION)
            .and_then(|place| Some(place.to_str().ok()?.to_owned())),
        body: (keep != Some(&Keep::Job)).then(|| {
            let text = String::from_utf8_lossy(body);
            learned_secrets().text(&text).into_owned().into_bytes()
        }),
    })
}

/// An answer that was given before; what a job came to is looked up again, for whoever asks now.
async fn again(
    rooms: &Rooms,
    asker: Option<&SignedIn>,
    query: &str,
    answer: Answer,
) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Only who asked to wait for a job was told what it came to.
    let patience = match &answer.body {
        Some(_) => None,
        None => wait::patience(Some(query))?,
    };
    let job = job_at(answer.location.as_deref()).zip(patience);
    let mut response = match (answer.body, job) {
        (Some(body), _) => {
            let kind = match status.is_success() {
                true => "application/json",
                false => "application/problem+json",
            };
            (status, [(header::CONTENT_TYPE, kind)], body).into_response()
        }
        (None, Some((job, patience))) => {
            wait::result(rooms, &job, patience, wait::shown_to(asker)).await
        }
        (None, None) => {
            let place = answer.location.map(|place| format!("; look at `{place}`"));
            let why = format!(
                "the same request came before and was answered with {status}; what was said then \
                 was removed with the history{}",
                place.as_deref().unwrap_or_default()
            );
            return Err(Problem::conflict("answer_removed", why));
        }
    };
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    let place = answer.location.and_then(|place| place.try_into().ok());
    if let Some(place) = place {
        headers.insert(header::LOCATION, place);
    }
    Ok(response)
}

/// The job that an address is about.
fn job_at(location: Option<&str>) -> Option<JobId> {
    let id = location?.strip_prefix("/api/jobs/")?;
    JobId::new(id).ok()
}
