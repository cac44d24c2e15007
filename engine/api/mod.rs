//! Routes and wire shapes: JSON over HTTP, signed in by bearer token.
//!
//! In: requests. Out: what the rooms answer, or a problem object (RFC 9457).
//! Always true: only this room knows status codes; nothing answers 200 to a refusal; no list reads
//! payloads; no answer shows a secret, nor what is declared personal.

mod accepted;
mod aside;
mod audit;
mod body;
mod cancel;
mod changes;
mod connections;
mod copies;
mod decide;
mod doctor;
mod document;
mod events;
mod failures;
mod files;
mod folded;
mod follow;
mod follow_all;
mod gone;
mod health;
mod history;
mod inbox;
mod job;
mod jobs;
mod leaving;
mod lobby;
mod metrics;
mod once;
mod personal;
mod preview;
mod problem;
mod projects;
mod progress;
mod recipes;
mod record;
mod rerun;
mod reveal;
mod routes;
mod rows;
mod secrets;
mod senders;
mod shown;
mod sign_in;
mod source;
mod standing;
mod tables;
mod timed;
mod tokens;
mod tree;
mod turned_away;
mod unseen;
mod upgrade;
mod versions;
mod wait;
mod webhooks;
mod wire;

pub use accepted::Accepted;
pub use document::document;
pub use failures::Messages;
pub use health::Pulse;
pub use lobby::{Bounds, Lobby};
pub use problem::Problem;
pub use projects::call_graph;
pub use routes::{Entry, Route, routes};
pub use sign_in::{Person, SignedIn};
pub use tokens::fresh as fresh_token;
pub use turned_away::TurnedAway;

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::sync::{Mutex, Semaphore};

use crate::history::History;
use crate::step::Calls;
use crate::trigger::Intake;
use crate::workspace::Workspace;

/// The largest body of a request that is no webhook: an import of a big table.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The longest word of the HTTP library on what it refuses.
const WORDS_BYTES_MAX: usize = 4 * 1024;

/// The rooms that requests reach.
#[derive(Clone)]
pub struct Rooms {
    /// Queue, recipes, clock.
    pub intake: Intake,
    /// Who may ask.
    pub accepted: Arc<Accepted>,
    /// Its files, to be saved.
    pub workspace: Arc<Workspace>,
    /// How much history is kept.
    pub history: Arc<History>,
    /// The outside, for previews.
    pub calls: Arc<dyn Calls>,
    /// Where the outside reaches this server, such as `https://recipes.example.com`.
    pub public_url: Arc<str>,
    /// Why jobs failed, as it may be shown.
    pub messages: Arc<Messages>,
    /// Deliveries whose senders did not sign in.
    pub turned_away: Arc<TurnedAway>,
    /// Whose turn it is to preview.
    pub previews: Arc<Semaphore>,
    /// Whose turn it is to look for jobs by a value.
    pub searches: Arc<Semaphore>,
    /// Whose turn it is to start a recipe.
    pub starting: Arc<Mutex<()>>,
    /// Whose turn it is to look at an upgrade, which reads all files.
    pub upgrading: Arc<Mutex<()>>,
    /// Where deliveries are until they are kept.
    pub lobby: Arc<Lobby>,
    /// When the database was last seen to work.
    pub pulse: Arc<Pulse>,
}

/// All routes.
pub fn router(rooms: Rooms) -> Router {
    let rooms = Arc::new(rooms);
    let mut router = Router::new();
    for route in routes() {
        router = router.route(route.path, route.guarded(&rooms));
    }
    router
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(in_our_words))
        .layer(middleware::from_fn(catch_faults))
        .layer(middleware::from_fn(leaving::look_through))
        .with_state(rooms)
}

async fn unknown(request: Request) -> Problem {
    Problem::not_found(format!("there is nothing at `{}`", request.uri().path()))
}

async fn wrong_method(request: Request) -> Problem {
    Problem::new(
        405,
        "method_not_allowed",
        "This address does not take this method.",
    )
    .detail(format!(
        "`{}` at `{}`",
        request.method(),
        request.uri().path()
    ))
}

/// What the HTTP library refuses before a door is reached is a problem object, too.
async fn in_our_words(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_plain = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !is_plain {
        return response;
    }
    let words = to_bytes(response.into_body(), WORDS_BYTES_MAX).await;
    let words = words.unwrap_or_default();
    let (code, title) = match status.as_u16() {
        413 => ("too_large", "The body is too large."),
        _ => ("bad_request", "The request cannot be read."),
    };
    Problem::new(status.as_u16(), code, title)
        .detail(String::from_utf8_lossy(&words))
        .into_response()
}

/// A fault of our own in one request must not take the connection down without a word.
async fn catch_faults(request: Request, next: Next) -> Response {
    let answer = std::panic::AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .await;
    answer.unwrap_or_else(|_| {
        tracing::error!("a request met a fault of the engine's own");
        Problem::new(500, "internal", "The engine met a fault of its own.").into_response()
    })
}

#[cfg(test)]
mod tests;
