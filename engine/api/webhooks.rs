//! Deliveries from outside.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::data::{Object, Value};
use crate::mask::Marked;
use crate::names::RecipeName;
use crate::trigger::{self, Head, Refusal};

use super::body::parameters;
use super::{Problem, Rooms, lobby, wait};

/// Takes a delivery in; answers once it is durable, or once its job ended if the recipe says so.
pub(super) async fn deliver(
    State(rooms): State<Arc<Rooms>>,
    Path((project, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Ok(recipe) = RecipeName::of(&project, &name) else {
        let message = format!("there is no webhook `{project}/{name}`");
        return Err(Refusal::Unknown(message).into());
    };
    let head = Head {
        headers: object_of_headers(&headers),
        query: object_of(parameters(query.as_deref())),
        body_length: lobby::announced(&body),
    };
    // Who may not come in at all does not get to fill our memory first.
    let guest = match trigger::admit(&rooms.intake, &recipe, head) {
        Ok(guest) => guest,
        Err(refusal) => {
            let refusal = trigger::or_later(&rooms.intake, &recipe, refusal).await;
            let now = rooms.intake.clock.now();
            rooms.turned_away.count(&recipe, &refusal, now);
            lobby::turn_away(&headers, body).await;
            return Err(refusal.into());
        }
    };
    let (body, room) = rooms.lobby.read(body).await?;
    let accepted = trigger::deliver(&rooms.intake, guest, body).await;
    let accepted = accepted.inspect_err(|refusal| {
        let now = rooms.intake.clock.now();
        rooms.turned_away.count(&recipe, refusal, now);
    })?;
    drop(room);
    let new: Vec<_> = accepted.jobs.iter().filter(|(_, is_new)| *is_new).collect();
    if let (true, [(job, _)]) = (accepted.wants_result, new.as_slice()) {
        return Ok(wait::result(&rooms, job, wait::WEBHOOK_WAIT, Marked::Secret).await);
    }
    let jobs: Vec<Value> = new.iter().map(|(id, _)| json!(id.as_str())).collect();
    let known = accepted.jobs.len() - jobs.len();
    let answer = Json(json!({ "accepted": jobs, "already_known": known }));
    Ok((StatusCode::ACCEPTED, answer).into_response())
}

/// Headers as an object; several of one name are joined as HTTP says.
fn object_of_headers(headers: &HeaderMap) -> Object {
    let pairs = headers.iter().map(|(name, value)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });
    let mut object = Object::new();
    for (name, value) in pairs {
        match object.get_mut(&name) {
            Some(Value::String(text)) => {
                text.push_str(", ");
                text.push_str(&value);
            }
            _ => {
                object.insert(name, value.into());
            }
        }
    }
    object
}

/// Parameters as an object; the last of one name counts.
fn object_of(pairs: Vec<(String, String)>) -> Object {
    pairs
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect()
}
