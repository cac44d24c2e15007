//! Connections: which accounts there are, what they lack, whether they work; made and changed.
//!
//! Always true: a secret goes in and never comes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::connector::{Connection, Connector, FieldSource};
use crate::data::{Object, Value};
use crate::diagnostic::did_you_mean;
use crate::names::{ConnectionName, ConnectorName};
use crate::outbound::Probe;
use crate::workspace::{Expected, Given, NotSaved, SaveConnection};

use super::source::{precondition, said_expected, tag};
use super::{Person, Problem, Rooms, body, wire};

/// `GET /api/connections`
pub(super) async fn list(State(rooms): State<Arc<Rooms>>) -> Json<Value> {
    let (connectors, connections) = rooms.intake.shelf.accounts();
    let all = connections.all.values();
    let mut shown: Vec<Value> = all
        .map(|connection| shown(&rooms, connection, connectors.get(&connection.connector)))
        .collect();
    shown.extend(connections.lost.iter().map(|(name, why)| {
        json!({
            "name": name.as_str(), "state": "incomplete", "lacks": [why], "fields": {},
            "allow_private": false,
        })
    }));
    Json(json!({ "connections": shown }))
}

/// `GET /api/connections/{name}`
pub(super) async fn show(
    State(rooms): State<Arc<Rooms>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (connection, connector) = find(&rooms, &name)?;
    let tag = tag(&rooms.workspace.connections_seen());
    let shown = shown(&rooms, &connection, Some(&connector));
    Ok(([(header::ETAG, tag)], Json(shown)).into_response())
}

/// A connection as it is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    connector: Option<String>,
    #[serde(default)]
    allow_private: bool,
    #[serde(default)]
    fields: BTreeMap<String, Value>,
}

/// `PUT /api/connections/{name}`, with `If-Match` and the ETag that it was read with, or with
/// `If-None-Match: *` for a new one.
pub(super) async fn put(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let named = |why| Problem::new(422, "bad_name", "This cannot be a name.").detail(why);
    let name = ConnectionName::new(&name).map_err(named)?;
    let expected = said_expected(&headers)?.ok_or_else(precondition)?;
    let wish: Wish = body::json(&bytes)?;
    let connector = wish.connector.as_deref().map(ConnectorName::new);
    let is_new = expected == Expected::Nothing;
    if !is_new {
        find(&rooms, name.as_str())?;
    }
    let save = SaveConnection {
        name: name.clone(),
        connector: connector.transpose().map_err(named)?,
        allow_private: wish.allow_private,
        fields: wish.fields.into_iter().map(given).collect(),
        expected,
        by: by.to_string(),
    };
    let saved = rooms.workspace.save_connection(save).await;
    saved.map_err(|why| refusal(&name, why))?;
    let (connection, connector) = find(&rooms, name.as_str())?;
    let status = match is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    let tag = tag(&rooms.workspace.connections_seen());
    let shown = Json(shown(&rooms, &connection, Some(&connector)));
    Ok((status, [(header::ETAG, tag)], shown).into_response())
}

/// `POST /api/connections/{name}/check`
pub(super) async fn check(
    State(rooms): State<Arc<Rooms>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (connection, _) = find(&rooms, &name)?;
    let found = rooms.workspace.probe(&connection.name).await;
    let mut answer = json!({ "name": name, "works": !matches!(found, Probe::Failed(_)) });
    match found {
        Probe::Failed(failure) => {
            answer["failure"] = json!({ "code": failure.code, "message": failure.message });
        }
        Probe::Complete => {
            answer["remark"] = "it is complete; it has nothing to ask the vendor with".into();
        }
        Probe::Greeted(said) => answer["remark"] = said.into(),
        Probe::Answered(_) => {}
    }
    Ok(Json(answer))
}

fn find(rooms: &Rooms, name: &str) -> Result<(Connection, Arc<Connector>), Problem> {
    let shelf = &rooms.intake.shelf;
    let found = ConnectionName::new(name).ok();
    let found = found.and_then(|name| shelf.connection(&name));
    found.ok_or_else(|| {
        let (_, connections) = shelf.accounts();
        let known = connections.all.keys().map(ConnectionName::as_str);
        let help = did_you_mean(name, known)
            .map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        Problem::not_found(format!("there is no connection `{name}`{help}"))
    })
}

/// A connection without its secrets.
fn shown(rooms: &Rooms, connection: &Connection, connector: Option<&Arc<Connector>>) -> Value {
    let mut fields = Object::new();
    for (name, declared) in connector.iter().flat_map(|connector| &connector.connection) {
        let mut field = json!({
            "is_secret": declared.secret, "is_needed": !declared.may_be_left_out(),
        });
        match connection.fields.get(name) {
            None => field["from"] = "default".into(),
            Some(FieldSource::Environment(variable)) => {
                field["from"] = "environment".into();
                field["variable"] = variable.as_str().into();
            }
            Some(FieldSource::File(path)) => {
                field["from"] = "file".into();
                field["file"] = path.as_str().into();
            }
            Some(FieldSource::Sealed(_)) => field["from"] = "secret".into(),
            Some(FieldSource::Plain(value)) => {
                field["from"] = "text".into();
                if !declared.secret {
                    field["value"] = value.clone();
                }
            }
        }
        fields.insert(name.clone(), field);
    }
    let references = &*rooms.intake.references;
    let lacks: Vec<String> = match connector {
        None => vec![format!("there is no connector `{}`", connection.connector)],
        Some(connector) => {
            let lacks = connection.lacks(connector, references).into_iter();
            lacks.map(|lack| lack.message).collect()
        }
    };
    json!({
        "name": connection.name.as_str(),
        "connector": connection.connector.as_str(),
        "allow_private": connection.allow_private,
        "state": if lacks.is_empty() { "complete" } else { "incomplete" },
        "lacks": lacks,
        "fields": fields,
    })
}

/// A field as it is given: a value, `{ env: NAME }` or `{ file: PATH }`.
fn given((name, value): (String, Value)) -> (String, Given) {
    let reference = value.as_object().filter(|object| object.len() == 1);
    let named = |key: &str| Some(reference?.get(key)?.as_str()?.to_owned());
    let given = match (named("env"), named("file")) {
        (Some(variable), _) => Given::Environment(variable),
        (_, Some(path)) => Given::File(path),
        _ => Given::Value(value),
    };
    (name, given)
}

fn refusal(name: &ConnectionName, why: NotSaved) -> Problem {
    match why {
        NotSaved::Unsound(found) => {
            let title = "connections.yaml would have errors, so nothing was saved.";
            Problem::new(422, "unsound", title).errors(found.iter().map(wire::diagnostic))
        }
        NotSaved::BadField(field, why) => {
            let title = "A field is not one of the connection.";
            let error = json!({ "path": format!("fields.{field}"), "message": why });
            Problem::new(422, "invalid_input", title)
                .detail(format!("`{field}`: {why}"))
                .errors([error])
        }
        NotSaved::BadName(why) => {
            Problem::new(422, "bad_name", "There is no such connector.").detail(why)
        }
        NotSaved::Changed(hash) => {
            let title = "Somebody changed connections.yaml meanwhile.";
            let problem = Problem::new(412, "changed_meanwhile", title).detail(format!(
                "read `{name}` again, and put your change into that"
            ));
            problem.header(header::ETAG, tag(&hash.unwrap_or_default()))
        }
        NotSaved::IsThere => Problem::new(412, "is_there", "There is such a connection already.")
            .detail(format!(
                "`{name}` is there; to change it, send its ETag as `If-Match`"
            )),
        other => super::source::refusal_of_place(other),
    }
}
