//! Sign-in, `POST /oauth2/token`. In: a grant as form, multipart or JSON. Out: a token pair, or an
//! RFC 6749 error. Always true: a refresh token works once, and tokens end by the sandbox clock.

use std::collections::HashMap;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::state::State;
use crate::moment::{DAY, Moment, SECOND};
use crate::wire::params::Params;
use crate::wire::route::Incoming;

/// How long a refresh token lives; the vendor's pages name no number.
const REFRESH_LIFETIME: i64 = 14 * DAY;

/// Beyond so many tokens those that ended are forgotten.
const TOKENS_KEPT: usize = 10_000;

/// The tokens that were issued.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    access: HashMap<String, Grant>,
    refresh: HashMap<String, Grant>,
}

#[derive(Debug, Clone)]
struct Grant {
    client_id: String,
    user: i64,
    ends_at: i64,
}

/// An access token given in a world or by `/_control/state/tokens`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    pub(crate) access_token: String,
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) expires_at: Option<Moment>,
}

impl Tokens {
    /// The user of a token that has not ended.
    pub(crate) fn user(&self, token: &str, now: i64) -> Option<i64> {
        self.access
            .get(token)
            .filter(|grant| grant.ends_at > now)
            .map(|grant| grant.user)
    }

    /// How many access tokens are valid.
    pub(crate) fn count(&self, now: i64) -> usize {
        self.access
            .values()
            .filter(|grant| grant.ends_at > now)
            .count()
    }

    pub(crate) fn put(&mut self, token: Token, user: i64) {
        let ends_at = token.expires_at.map_or(i64::MAX, |moment| moment.0);
        let grant = Grant {
            client_id: String::new(),
            user,
            ends_at,
        };
        self.access.insert(token.access_token, grant);
    }

    fn forget_ended(&mut self, now: i64) {
        if self.access.len() + self.refresh.len() > TOKENS_KEPT {
            self.access.retain(|_, grant| grant.ends_at > now);
            self.refresh.retain(|_, grant| grant.ends_at > now);
        }
    }
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Answers a token request.
pub(crate) fn token(state: &mut State, incoming: &Incoming, now: i64) -> Response {
    match grant(state, &read_form(incoming), now) {
        Ok(token) => {
            let headers = [(header::CACHE_CONTROL, "no-store")];
            (headers, Json(token)).into_response()
        }
        Err((status, error, description)) => {
            let body = json!({ "error": error, "error_description": description });
            (status, Json(body)).into_response()
        }
    }
}

type OauthError = (StatusCode, &'static str, &'static str);

const INVALID_CLIENT: OauthError = (
    StatusCode::UNAUTHORIZED,
    "invalid_client",
    "The client credentials are invalid",
);
const INVALID_USER: OauthError = (
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    "Invalid username and password combination",
);
const INVALID_REFRESH: OauthError = (
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    "Invalid refresh token",
);
const NO_USER: OauthError = (
    StatusCode::BAD_REQUEST,
    "invalid_grant",
    "The client is not bound to a user",
);
const UNSUPPORTED: OauthError = (
    StatusCode::BAD_REQUEST,
    "unsupported_grant_type",
    "Grant type not supported",
);

fn grant(state: &mut State, form: &Params, now: i64) -> Result<Value, OauthError> {
    let client_id = form.one("client_id").ok_or(INVALID_CLIENT)?.to_owned();
    let client = state.clients.get(&client_id).ok_or(INVALID_CLIENT)?;
    if form.one("client_secret") != Some(client.client_secret.as_str()) {
        return Err(INVALID_CLIENT);
    }
    let lifetime_s = client.token_lifetime_s;
    let (user, has_refresh) = match form.one("grant_type") {
        Some("password") => (by_password(state, form)?, true),
        Some("client_credentials") => {
            let username = client.username.clone().ok_or(NO_USER)?;
            (user_named(state, &username).ok_or(NO_USER)?, false)
        }
        Some("refresh_token") => {
            let token = form.one("refresh_token").ok_or(INVALID_REFRESH)?;
            // Taken out, not looked up: that is the rotation.
            let grant = state.tokens.refresh.remove(token).ok_or(INVALID_REFRESH)?;
            if grant.client_id != client_id || grant.ends_at <= now {
                return Err(INVALID_REFRESH);
            }
            (grant.user, true)
        }
        _ => return Err(UNSUPPORTED),
    };
    state.tokens.forget_ended(now);
    let access = state.chance.token();
    let ends_at = now.saturating_add(lifetime_s.saturating_mul(SECOND));
    let grant = Grant {
        client_id,
        user,
        ends_at,
    };
    state.tokens.access.insert(access.clone(), grant.clone());
    let mut token = json!({
        "access_token": access, "expires_in": lifetime_s, "token_type": "Bearer", "scope": "api",
    });
    if has_refresh {
        let refresh = state.chance.token();
        let ends_at = now.saturating_add(REFRESH_LIFETIME);
        state
            .tokens
            .refresh
            .insert(refresh.clone(), Grant { ends_at, ..grant });
        token["refresh_token"] = json!(refresh);
    }
    Ok(token)
}

fn by_password(state: &State, form: &Params) -> Result<i64, OauthError> {
    let username = form.one("username").ok_or(INVALID_USER)?;
    let id = user_named(state, username).ok_or(INVALID_USER)?;
    let user = state
        .users
        .get(&id)
        .filter(|user| user.active)
        .ok_or(INVALID_USER)?;
    let is_right = user.password.is_some() && user.password.as_deref() == form.one("password");
    if is_right { Ok(id) } else { Err(INVALID_USER) }
}

/// The user with this very username (any case).
pub(crate) fn user_named(state: &State, username: &str) -> Option<i64> {
    let lower = username.to_lowercase();
    let found = state.users_by_text.get(&lower)?;
    found.iter().copied().find(|id| {
        state
            .users
            .get(id)
            .is_some_and(|user| user.username.to_lowercase() == lower)
    })
}

fn read_form(incoming: &Incoming) -> Params {
    let media = incoming.headers.get(header::CONTENT_TYPE);
    let media = media.and_then(|value| value.to_str().ok()).unwrap_or("");
    if media.starts_with("application/json") {
        let body = serde_json::from_slice(&incoming.body).unwrap_or_default();
        return Params::default().with_body(&body);
    }
    let text = String::from_utf8_lossy(&incoming.body);
    match media
        .strip_prefix("multipart/form-data")
        .and_then(|rest| rest.split_once("boundary="))
    {
        Some((_, boundary)) => read_multipart(&text, boundary.trim_matches('"')),
        None => Params::from_query(&text),
    }
}

/// Reads the text fields of a multipart form, which is all that a token request has.
fn read_multipart(text: &str, boundary: &str) -> Params {
    let delimiter = format!("--{boundary}");
    let mut fields = serde_json::Map::new();
    for part in text.split(delimiter.as_str()) {
        let Some((head, value)) = part.split_once("\r\n\r\n") else {
            continue;
        };
        let name = head
            .split_once("name=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        if let Some((name, _)) = name {
            let value = value.strip_suffix("\r\n").unwrap_or(value);
            fields.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    }
    Params::default().with_body(&Value::Object(fields))
}
