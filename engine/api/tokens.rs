//! Tokens: what there is, making and revoking them.
//!
//! Always true: a token is told once, in the answer to the request that made it; its name and role
//! are known to all admins.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::clock::{Moment, parse_period};
use crate::data::{Secret, Value, digest};
use crate::mask::learn_secret;
use crate::names::{Role, TokenName};
use crate::store::{NewToken, StoreError, TokenRecord, Tokens};

use super::{Person, Problem, Rooms, body, wire};

/// What an answer tells this once, although it is a secret: all other secrets are still masked.
#[derive(Clone, Debug)]
pub(super) struct ToldOnce(pub(super) Secret);

/// What token is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    name: String,
    role: String,
    /// How long it is taken: `90d`; without end if left out.
    expires_in: Option<String>,
}

/// `GET /api/tokens`
pub(super) async fn list(State(rooms): State<Arc<Rooms>>) -> Result<Json<Value>, Problem> {
    let now = rooms.intake.clock.now();
    let tokens = rooms.intake.store.tokens().await?;
    let tokens: Vec<Value> = tokens.iter().map(|record| shown(record, now)).collect();
    Ok(Json(json!({ "tokens": tokens })))
}

/// `POST /api/tokens`
pub(super) async fn create(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let wish: Wish = body::json(&bytes)?;
    let now = rooms.intake.clock.now();
    let name = TokenName::new(&wish.name).map_err(|why| wrong("name", &why))?;
    if rooms.accepted.is_passing(name.as_str()) {
        let message =
            format!("`{name}` is the name of a token of the server's own; choose another");
        return Err(Problem::conflict("name_taken", message));
    }
    let role = Role::parse(&wish.role).map_err(|why| wrong("role", &why))?;
    let expires_at = expiry(wish.expires_in.as_deref(), now)?;
    let token = fresh();
    learn_secret(token.reveal());
    let record = rooms
        .accepted
        .create(NewToken {
            name,
            role,
            hash: digest(token.reveal().as_bytes()),
            created_by: by.to_string(),
            expires_at,
        })
        .await?;
    let mut wire = shown(&record, now);
    wire["token"] = token.reveal().into();
    let place = format!("/api/tokens/{}", record.token.name);
    let mut response =
        (StatusCode::CREATED, [(header::LOCATION, place)], Json(wire)).into_response();
    response.extensions_mut().insert(ToldOnce(token));
    Ok(response)
}

/// `DELETE /api/tokens/{name}`
pub(super) async fn revoke(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let unknown = || Problem::not_found(format!("there is no token `{name}` in use"));
    let name = TokenName::new(&name).map_err(|_| unknown())?;
    match rooms.accepted.revoke(&name, &by).await {
        Ok(()) => Ok(Json(json!({ "name": name.as_str(), "status": "revoked" }))),
        Err(StoreError::NotFound(_)) if rooms.accepted.is_passing(name.as_str()) => {
            let message = format!(
                "`{name}` is a token of the server's own, which ends with the server: `cli` is for \
                 commands on its machine, `admin` is what RECIPES_ADMIN_TOKEN says"
            );
            Err(Problem::conflict("own_token", message))
        }
        Err(StoreError::NotFound(_)) => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}

/// A token that nobody can guess: two random UUIDs, 244 bits.
pub fn fresh() -> Secret {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let (a, b) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    let bytes: Vec<u8> = a.as_bytes().iter().chain(b.as_bytes()).copied().collect();
    Secret::new(format!("rcp_{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

fn expiry(written: Option<&str>, now: Moment) -> Result<Option<Moment>, Problem> {
    let Some(written) = written else {
        return Ok(None);
    };
    let length = parse_period(written).map_err(|why| wrong("expires_in", &why))?;
    if length.is_zero() {
        return Err(wrong("expires_in", "it would have expired already"));
    }
    Ok(Some(now.after(length)))
}

fn shown(record: &TokenRecord, now: Moment) -> Value {
    let token = &record.token;
    let status = match (&record.revoked, token.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        (None, _) => "active",
    };
    let mut wire = json!({
        "name": token.name.as_str(),
        "role": token.role.as_str(),
        "status": status,
        "created_at": wire::moment(record.created_at),
        "created_by": token.created_by,
    });
    let revoked = record.revoked.as_ref();
    let moments = [
        ("expires_at", token.expires_at),
        ("used_at", record.used_at),
        ("revoked_at", revoked.map(|(at, _)| *at)),
    ];
    for (name, at) in moments {
        if let Some(at) = at {
            wire[name] = wire::moment(at);
        }
    }
    if let Some((_, by)) = revoked {
        wire["revoked_by"] = by.as_str().into();
    }
    wire
}

fn wrong(name: &str, why: &str) -> Problem {
    let title = "The body is not of the form that is expected here.";
    Problem::new(422, "invalid_body", title).detail(format!("`{name}`: {why}"))
}
