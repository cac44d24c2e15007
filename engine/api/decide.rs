//! A person decides on a call whose end is unknown.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::clock::Moment;
use crate::compile::{Program, StepKind};
use crate::connector::{Action, Request};
use crate::data::{Object, Value};
use crate::journal::{Decision, Entry, EntryKey, EntryKind, Failure};
use crate::library::Shelf;
use crate::names::{ConnectionName, ConnectorName};
use crate::shape::fill_defaults;
use crate::store::{Jobs, RequestKind};

use super::job::job_id;
use super::tree::own_id;
use super::{Person, Problem, Rooms, body, wire};

/// What a person says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The place that asks; may be left out if only one does.
    key: Option<String>,
    /// What happened.
    choice: Choice,
    /// What the call gave, if it happened.
    output: Option<Value>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Happened,
    Again,
    Fail,
}

/// A place of a job that waits for a decision.
#[derive(Debug)]
pub(super) struct Open {
    key: EntryKey,
    asked_at: Moment,
    failure: Failure,
    sent: Option<Sent>,
}

/// The call that is in doubt, as it was sent.
#[derive(Debug)]
struct Sent {
    at: Moment,
    action: String,
    input: Value,
}

/// The places of a job that wait for a decision.
pub(super) fn open_decisions(entries: &[Entry]) -> Vec<Open> {
    let mut open: Vec<Open> = Vec::new();
    for entry in entries {
        match &entry.kind {
            EntryKind::DecisionAsked { failure } => open.push(Open {
                key: entry.key.clone(),
                asked_at: entry.at,
                failure: failure.clone(),
                sent: None,
            }),
            EntryKind::DecisionMade { .. } => open.retain(|open| open.key != entry.key),
            _ => {}
        }
    }
    for entry in entries {
        if let EntryKind::CallIntended { action, input } = &entry.kind {
            for open in open.iter_mut().filter(|open| open.key == entry.key) {
                open.sent = Some(Sent {
                    at: entry.at,
                    action: action.clone(),
                    input: input.clone(),
                });
            }
        }
    }
    open
}

impl Open {
    /// As it is shown, with what was sent and the choices there are; `hide` takes out what is not
    /// shown.
    pub(super) fn wire(
        &self,
        shelf: &Shelf,
        program: Option<&Program>,
        hide: &dyn Fn(Value) -> Value,
    ) -> Value {
        let mut wire = Object::new();
        wire.insert("key".into(), self.key.0.as_ref().into());
        wire.insert("asked_at".into(), wire::moment(self.asked_at));
        wire.insert("failure".into(), hide(json!(self.failure)));
        if let Some(sent) = &self.sent {
            wire.insert("sent_at".into(), wire::moment(sent.at));
            wire.insert("action".into(), sent.action.as_str().into());
            wire.insert("input".into(), hide(sent.input.clone()));
            if let Some(connection) = connection_of(program, &self.key, &sent.action) {
                wire.insert("connection".into(), connection.as_str().into());
            }
        }
        if let Some(action) = self.sent.as_ref().and_then(|sent| sent.declared(shelf)) {
            if let (Request::Http(request), Some(sent)) = (&action.request, &self.sent)
                && let input = fill_defaults(&action.input, sent.input.clone())
                && let Some(line) = request.line(&input)
            {
                wire.insert("request".into(), hide(line.into()));
            }
            wire.insert("output_example".into(), action.output.skeleton());
        }
        wire.insert("choices".into(), json!(["happened", "again", "fail"]));
        Value::Object(wire)
    }
}

impl Sent {
    /// The action as its connector declares it now.
    fn declared(&self, shelf: &Shelf) -> Option<Action> {
        let (connector, action) = self.action.split_once('.')?;
        let connector = shelf.connector(&ConnectorName::new(connector).ok()?)?;
        connector.action(action).cloned()
    }
}

/// Whose account a call went through: that of the steps of this name and action, if they agree.
fn connection_of(
    program: Option<&Program>,
    key: &EntryKey,
    action: &str,
) -> Option<ConnectionName> {
    let own = own_id(&key.0);
    let mut found = BTreeSet::new();
    for recipe in program?.recipes.values() {
        recipe.for_each_step(&mut |step| {
            if let StepKind::Action { action: named, .. } = &step.kind
                && *step.id == *own
                && format!("{}.{}", named.connector, named.action) == action
            {
                found.insert(named.connection.clone());
            }
        });
    }
    let mut found = found.into_iter();
    found.next().filter(|_| found.next().is_none())
}

/// `POST /api/jobs/{id}/decide`
pub(super) async fn decide(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = job_id(&id)?;
    let wish: Wish = body::json(&bytes)?;
    let (record, entries, _) = rooms.intake.store.job(&id).await?;
    if record.status.is_final() {
        let message = format!("the job ended: {}", record.status.as_str());
        return Err(Problem::conflict("job_ended", message));
    }
    let open = the_one(open_decisions(&entries), wish.key.as_deref())?;
    let waiting = rooms.intake.store.requests(&id).await?;
    let is_decided = waiting.iter().any(
        |request| matches!(&request.kind, RequestKind::Decide { key, .. } if *key == open.key),
    );
    if is_decided {
        return Err(Problem::conflict(
            "decided",
            "somebody decided on this already",
        ));
    }
    let decision = match (wish.choice, wish.output) {
        (Choice::Happened, output) => Decision::Happened {
            output: checked(&rooms, &open, output)?,
        },
        (Choice::Again, None) => Decision::Again,
        (Choice::Fail, None) => Decision::Fail,
        (_, Some(_)) => {
            let message = "`output` belongs to the choice `happened` only";
            return Err(Problem::bad_request(message));
        }
    };
    let choice = json!(&decision)["choice"].take();
    let answer = json!({ "id": id.as_str(), "key": open.key.0, "choice": choice });
    let kind = RequestKind::Decide {
        key: open.key,
        decision,
        by: by.to_string(),
    };
    rooms
        .intake
        .store
        .request(&id, rooms.intake.clock.now(), kind)
        .await?;
    rooms.intake.bell.ring(&id);
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// The place that is meant.
fn the_one(open: Vec<Open>, key: Option<&str>) -> Result<Open, Problem> {
    let keys: Vec<String> = open.iter().map(|open| open.key.to_string()).collect();
    let mut meant = open
        .into_iter()
        .filter(|open| key.is_none_or(|key| &*open.key.0 == key));
    match (meant.next(), meant.next()) {
        (Some(open), None) => Ok(open),
        (Some(_), Some(_)) => {
            let message = format!(
                "several calls wait for a decision; give `key`: {}",
                keys.join(", ")
            );
            Err(Problem::conflict("which_decision", message))
        }
        _ if keys.is_empty() => Err(Problem::conflict(
            "nothing_to_decide",
            "the job does not wait for a decision",
        )),
        _ => {
            let message = format!("no decision is open there; open are: {}", keys.join(", "));
            Err(Problem::conflict("nothing_to_decide", message))
        }
    }
}

/// Holds the output that a person gives against what the action declares.
fn checked(rooms: &Rooms, open: &Open, output: Option<Value>) -> Result<Value, Problem> {
    let output = output.unwrap_or_else(|| json!({}));
    let sent = open.sent.as_ref();
    let declared = sent.and_then(|sent| sent.declared(&rooms.intake.shelf));
    let Some(declared) = declared else {
        return Ok(output);
    };
    let misfits = declared.output.check(&output, "output");
    if misfits.is_empty() {
        return Ok(output);
    }
    Err(Problem::misfits(
        "The output is not what the action gives.",
        &misfits,
    ))
}
