//! Who asks: bearer tokens, and what each allows.
//!
//! In: a request and the role that its route needs. Out: the same with [`Person`] and [`SignedIn`],
//! or a refusal that says what would be needed.
//! Always true: tokens are kept as SHA-256 only and compared in constant time; a token that was
//! revoked or has expired is not taken, and ends the streams that it opened.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::clock::{Clock, Moment};
use crate::data::digest;
use crate::mask::learn_secret;
use crate::names::Role;

use super::Problem;
use super::accepted::{Accepted, Known};

/// How old the note of a token's last use may get before it is written anew.
const USED_EVERY: Duration = Duration::from_secs(3600);

/// Who asks: the name of the token, as the audit shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person(pub Arc<str>);

/// A person who asks, and what the token allows for as long as it does.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The name of the token.
    pub name: Arc<str>,
    /// What it allows.
    pub role: Role,
    number: Option<i64>,
    expires_at: Option<Moment>,
    is_revoked: watch::Receiver<bool>,
    clock: Clock,
}

/// What stands before a route: the tokens, and the role that it needs.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) accepted: Arc<Accepted>,
    pub(super) needed: Role,
}

impl SignedIn {
    /// The token and what it allows: of two tokens that had one name, each is another's.
    pub(super) fn identity(&self) -> String {
        let number = self.number.map(|number| number.to_string());
        let number = number.as_deref().unwrap_or("own");
        format!("{} {number} {}", self.name, self.role)
    }

    /// Refuses unless the token allows what this role may.
    pub fn check(&self, needed: Role) -> Result<(), Problem> {
        if self.role.may(needed) {
            return Ok(());
        }
        let message = format!(
            "the token `{}` has the role {}, and this needs the role {needed} ({}): ask an \
             administrator for a token with it (`recipes tokens create NAME --role {needed}`)",
            self.name,
            self.role,
            needed.adds()
        );
        let problem = Problem::new(403, "not_allowed", "This needs another role.");
        Err(problem.detail(message))
    }

    /// Returns once the token is revoked or has expired: for answers that go on.
    pub async fn over(mut self) {
        let revoked = async {
            // Whoever held the token's other end is gone only with the server.
            let _ = self.is_revoked.wait_for(|is_revoked| *is_revoked).await;
        };
        match self.expires_at {
            None => revoked.await,
            Some(at) => tokio::select! {
                () = revoked => {}
                () = self.clock.sleep_until(at) => {}
            },
        }
    }
}

/// Lets only those pass who bring a token that allows what the route needs.
pub(super) async fn require(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Response {
    let signed_in = match sign_in(&guard.accepted, request.headers()).await {
        Ok(signed_in) => signed_in,
        Err(refusal) => {
            return Problem::new(401, "not_signed_in", "This needs a token.")
                .detail(refusal)
                .header(header::WWW_AUTHENTICATE, "Bearer realm=\"recipes\"")
                .into_response();
        }
    };
    if let Err(problem) = signed_in.check(guard.needed) {
        return problem.into_response();
    }
    let extensions = request.extensions_mut();
    extensions.insert(Person(signed_in.name.clone()));
    extensions.insert(signed_in.clone());
    let response = next.run(request).await;
    match is_stream(&response) {
        true => response.map(|body| {
            let pieces = body.into_data_stream();
            Body::from_stream(pieces.take_until(Box::pin(signed_in.over())))
        }),
        false => response,
    }
}

/// Whose token a request brings; or why it is not taken.
async fn sign_in(accepted: &Accepted, headers: &HeaderMap) -> Result<SignedIn, String> {
    let brought = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or("send the header `Authorization: Bearer <token>`")?;
    let known = owner(&accepted.all(), brought).ok_or("the token is not known here")?;
    // From its first use on it is hidden wherever it turns up.
    learn_secret(brought);
    let now = accepted.clock().now();
    if let Some(end) = known.expires_at.filter(|end| *end <= now) {
        return Err(format!(
            "the token `{}` expired at {end}; an administrator can make another one with `recipes \
             tokens create`",
            known.name
        ));
    }
    if known.is_used(now, USED_EVERY) {
        accepted.note_use(&known, now).await;
    }
    Ok(SignedIn {
        name: known.name.clone(),
        role: known.role,
        number: known.number,
        expires_at: known.expires_at,
        is_revoked: known.is_revoked.subscribe(),
        clock: accepted.clock().clone(),
    })
}

/// The token that this text is; all are looked at, however early one fits.
fn owner(known: &[Arc<Known>], token: &str) -> Option<Arc<Known>> {
    let given = digest(token.as_bytes());
    let mut owner = None;
    for one in known {
        if bool::from(given.as_bytes().ct_eq(one.hash.as_bytes())) {
            owner = Some(one.clone());
        }
    }
    owner
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/event-stream"))
}
