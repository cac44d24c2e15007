//! Who asks: bearer tokens.
//!
//! Always true: tokens are kept as SHA-256 only and compared in constant time.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use crate::data::digest;

use super::{Problem, Rooms};

/// The tokens that are accepted: who each belongs to, and its SHA-256.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Vec<(Arc<str>, String)>);

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person(pub Arc<str>);

impl Tokens {
    /// Tokens by owner, each as the SHA-256 of its text in hexadecimal digits.
    pub fn new<'a>(hashes: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        Self(
            hashes
                .into_iter()
                .map(|(name, hash)| (Arc::from(name), hash))
                .collect(),
        )
    }

    fn owner(&self, token: &str) -> Option<Person> {
        let given = digest(token.as_bytes());
        let mut owner = None;
        for (name, hash) in &self.0 {
            if bool::from(given.as_bytes().ct_eq(hash.as_bytes())) {
                owner = Some(Person(name.clone()));
            }
        }
        owner
    }
}

/// Lets only those pass who bring a token.
pub(super) async fn require(
    State(rooms): State<Arc<Rooms>>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let refusal = match token {
        None => "send the header `Authorization: Bearer <token>`",
        Some(token) => match rooms.tokens.owner(token) {
            Some(person) => {
                request.extensions_mut().insert(person);
                return next.run(request).await;
            }
            None => "the token is not known here",
        },
    };
    Problem::new(401, "not_signed_in", "This needs a token.")
        .detail(refusal)
        .header(header::WWW_AUTHENTICATE, "Bearer realm=\"recipes\"")
        .into_response()
}
