//! Secrets of connections: which there are, giving and removing them.
//!
//! Always true: a secret goes in and never comes out; what is wrong with a body is said without
//! repeating any of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::{Extension, Json};
use serde_json::json;

use crate::compile::{Program, Trigger, WebhookAuth};
use crate::connector::FieldSource;
use crate::data::{Secret, Value};
use crate::diagnostic::did_you_mean;
use crate::mask::learn_secret;
use crate::names::{ConnectionName, SecretName};
use crate::store::StoreError;

use super::{Person, Problem, Rooms, body, wire};

/// The longest secret in bytes: as long as a file that one is read from.
const SECRET_BYTES_MAX: usize = 64 * 1024;

/// So many started recipes are named that use a secret.
const NAMED_MAX: usize = 5;

/// `GET /api/secrets`: the names, whether each was given, and whether a connection refers to it.
pub(super) async fn list(State(rooms): State<Arc<Rooms>>) -> Result<Json<Value>, Problem> {
    let wanted = wanted(&rooms);
    let given = rooms.intake.store.secrets().await?;
    let mut all = BTreeMap::new();
    for record in given {
        let state = match wanted.contains(&record.name) {
            true => "given",
            false => "unused",
        };
        let shown = json!({
            "name": record.name.as_str(),
            "state": state,
            "set_at": wire::moment(record.set_at),
            "set_by": record.set_by,
        });
        all.insert(record.name, shown);
    }
    for name in wanted {
        let missing = json!({ "name": name.as_str(), "state": "missing" });
        all.entry(name).or_insert(missing);
    }
    Ok(Json(
        json!({ "secrets": all.into_values().collect::<Vec<_>>() }),
    ))
}

/// `PUT /api/secrets/{name}` with `{"value": "..."}`
pub(super) async fn set(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(name): Path<String>,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    let secret = value(&bytes)?;
    let name = SecretName::new(&name).map_err(Problem::bad_request)?;
    check_field(&rooms, &name)?;
    let now = rooms.intake.clock.now();
    let store = &rooms.intake.store;
    store.set_secret(name.clone(), secret, &by, now).await?;
    let mut answer = json!({ "name": name.as_str(), "state": "given" });
    if !wanted(&rooms).contains(&name) {
        let field = name.field();
        answer["state"] = "unused".into();
        answer["next"] = format!(
            "write `{field}: {{ secret: {name} }}` at `{}` in connections.yaml",
            name.connection()
        )
        .into();
    }
    Ok(Json(answer))
}

/// `DELETE /api/secrets/{name}`; of one that a connection refers to only with `?anyway=true`.
pub(super) async fn remove(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let is_anyway = body::anyway(query.as_deref())?;
    let unknown = || Problem::not_found(format!("there is no secret `{name}`"));
    let name = SecretName::new(&name).map_err(|_| unknown())?;
    let given = rooms.intake.store.secrets().await?;
    if given.iter().any(|record| record.name == name) && !is_anyway {
        check_unused(&rooms, &name).await?;
    }
    let now = rooms.intake.clock.now();
    match rooms
        .intake
        .store
        .remove_secret(name.clone(), &by, now)
        .await
    {
        Ok(()) => Ok(Json(json!({ "name": name.as_str(), "state": "removed" }))),
        Err(StoreError::NotFound(_)) => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /api/secrets/rekey`: seals with a new key from now on.
pub(super) async fn rekey(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
) -> Result<Json<Value>, Problem> {
    rooms
        .intake
        .store
        .rekey(&by, rooms.intake.clock.now())
        .await?;
    Ok(Json(json!({ "status": "renewed" })))
}

/// The secrets that connections refer to.
fn wanted(rooms: &Rooms) -> BTreeSet<SecretName> {
    let (_, connections) = rooms.intake.shelf.accounts();
    let fields = connections.all.into_values().flat_map(|one| one.fields);
    fields
        .filter_map(|(_, source)| match source {
            FieldSource::Sealed(name) => Some(name),
            _ => None,
        })
        .collect()
}

/// Refuses to take away what a connection signs in with; names the started recipes that use it.
async fn check_unused(rooms: &Rooms, secret: &SecretName) -> Result<(), Problem> {
    if !wanted(rooms).contains(secret) {
        return Ok(());
    }
    let connection = secret.connection();
    let states = rooms.intake.store.states().await?;
    let started = states.iter().filter(|(_, state)| state.is_started);
    let started = started.filter(|(name, _)| {
        let program = rooms.intake.shelf.program(name);
        program.is_some_and(|program| uses(&program, connection))
    });
    let started: Vec<String> = started.map(|(name, _)| format!("`{name}`")).collect();
    let who = match started.len() {
        0 => "no started recipe uses it at the moment".to_owned(),
        count if count <= NAMED_MAX => format!("started recipes use it: {}", started.join(", ")),
        count => format!(
            "started recipes use it: {} and {} more",
            started[..NAMED_MAX].join(", "),
            count - NAMED_MAX
        ),
    };
    Err(Problem::conflict(
        "secret_is_used",
        format!(
            "connection `{connection}` signs in with `{secret}`, and {who}. Without it, calls fail and \
             deliveries are turned away. To give another one, `recipes secrets set {secret}` is \
             enough; to remove it all the same: `--anyway`, or `?anyway=true`"
        ),
    ))
}

/// Whether a recipe, or one that it calls, signs in or has others sign in with a connection.
fn uses(program: &Program, connection: &str) -> bool {
    program.recipes.values().any(|recipe| {
        let calls = recipe
            .actions()
            .into_iter()
            .map(|action| &action.connection);
        let auth = match &recipe.trigger {
            Trigger::Webhook(webhook) => webhook.auth.as_ref().map(WebhookAuth::connection),
            _ => None,
        };
        calls.chain(auth).any(|name| name.as_str() == connection)
    })
}

/// Reads the body by hand: what a reader of forms says of a wrong one repeats it.
fn value(bytes: &[u8]) -> Result<Secret, Problem> {
    let wrong = |why: &str| {
        let title = "The body is not of the form that is expected here.";
        Problem::new(422, "invalid_body", title).detail(why)
    };
    let body: Value = serde_json::from_slice(bytes)
        .map_err(|_| Problem::bad_request("the body is not JSON; send {\"value\": \"...\"}"))?;
    let members = body.as_object().filter(|members| members.len() == 1);
    let text = members
        .and_then(|members| members.get("value"))
        .and_then(Value::as_str)
        .map(str::trim)
        .ok_or_else(|| {
            wrong("the body must be {\"value\": \"...\"}, with a text and nothing else")
        })?;
    learn_secret(text);
    if text.is_empty() {
        return Err(wrong("the secret is empty"));
    }
    if text.len() > SECRET_BYTES_MAX {
        return Err(wrong(&format!(
            "the secret is longer than {SECRET_BYTES_MAX} bytes"
        )));
    }
    Ok(Secret::new(text))
}

/// Refuses what no connection could use: a slip of the pen would leave a secret lying about.
fn check_field(rooms: &Rooms, name: &SecretName) -> Result<(), Problem> {
    let shelf = &rooms.intake.shelf;
    let known = ConnectionName::new(name.connection()).ok();
    let known = known.and_then(|connection| shelf.connection(&connection));
    let Some((_, connector)) = known else {
        let (_, connections) = shelf.accounts();
        let names = connections.all.keys().map(ConnectionName::as_str);
        let help = did_you_mean(name.connection(), names)
            .map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        return Err(Problem::not_found(format!(
            "connections.yaml has no connection `{}` that is sound{help}",
            name.connection()
        )));
    };
    let secret = connector
        .connection
        .iter()
        .filter(|(_, field)| field.secret);
    let secret: Vec<&str> = secret.map(|(name, _)| name.as_str()).collect();
    if secret.contains(&name.field()) {
        return Ok(());
    }
    let help = match secret.as_slice() {
        [] => "it has none".to_owned(),
        names => format!("it has {}", names.join(", ")),
    };
    let message = format!(
        "`{}` is no secret field of connector `{}`; {help}",
        name.field(),
        connector.name
    );
    Err(Problem::new(422, "no_secret_field", "The connector has no such secret.").detail(message))
}
