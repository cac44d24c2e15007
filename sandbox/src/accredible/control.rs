//! What the control surface may do with an Accredible account.

use std::sync::{Arc, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Accredible;
use super::call::int;
use super::credentials::{create_one, show};
use super::routes::ROUTES;
use super::rows::{AccredibleWorld, Credential, Group, GroupState, Issuer, Key};
use super::state::State;
use crate::control::{Controlled, merge};
use crate::gate::Gate;
use crate::moment::Moment;
use crate::webhooks::Outbox;

const COLLECTIONS: [&str; 4] = ["issuer", "keys", "groups", "credentials"];

/// The actions there are, for the error of an unknown one.
const ACTIONS: &str = "archive_group, restore_group, delete_group, set_credits, issue_credential";

impl Controlled for Accredible {
    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn routes(&self) -> Vec<Value> {
        ROUTES.iter().map(|route| route.describe()).collect()
    }

    fn collections(&self) -> &'static [&'static str] {
        &COLLECTIONS
    }

    fn rows(&self, collection: &str) -> Option<Vec<Value>> {
        self.with(|state| {
            Some(match collection {
                "issuer" => vec![json!(state.issuer)],
                "keys" => rows(state.keys.values()),
                "groups" => rows(state.groups.values()),
                "credentials" => rows(state.credentials.values()),
                _ => return None,
            })
        })
    }

    fn upsert(&self, collection: &str, rows: Vec<Value>) -> Result<usize, String> {
        let now = self.gate.clock.now();
        let count = rows.len();
        self.with(|state| {
            rows.into_iter()
                .try_for_each(|row| put(state, collection, row, now))
        })?;
        Ok(count)
    }

    fn reset(&self, world: Option<Value>) -> Result<(), String> {
        let world: AccredibleWorld = match world {
            Some(world) => serde_json::from_value(world).map_err(|error| error.to_string())?,
            None => self.first.clone(),
        };
        let state = State::load(world, self.seed, self.gate.clock.now())?;
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.limits.reset();
        Ok(())
    }

    fn violations(&self) -> Value {
        self.limits.report()
    }

    fn quirks(&self) -> Value {
        self.with(|state| json!(state.quirks))
    }

    fn change_quirks(&self, patch: Value) -> Result<Value, String> {
        self.with(|state| {
            state.quirks = merge(&state.quirks, patch)?;
            Ok(json!(state.quirks))
        })
    }

    fn act(&self, action: &str, input: Value) -> Result<Value, String> {
        let now = self.gate.clock.now();
        self.with(|state| act(state, action, &input, now))
    }

    fn outbox(&self) -> Option<&Arc<Outbox>> {
        None
    }
}

/// Does what a person would do in the dashboard.
fn act(state: &mut State, action: &str, input: &Value, now: i64) -> Result<Value, String> {
    match action {
        "archive_group" => set_group(state, input, GroupState::Archived, now),
        "restore_group" => set_group(state, input, GroupState::Active, now),
        "delete_group" => set_group(state, input, GroupState::Deleted, now),
        "set_credits" => {
            let credits = input
                .get("credits")
                .and_then(int)
                .filter(|credits| *credits >= 0);
            state.issuer.credits = credits.ok_or("send `credits`, a number from 0")?;
            Ok(json!({ "credits": state.issuer.credits }))
        }
        "issue_credential" => {
            let created = create_one(state, input, None, now);
            let id = created.map_err(|refusal| {
                let (field, message) = refusal.first_field();
                format!("{field} {message}").trim().to_owned()
            })?;
            Ok(state
                .credentials
                .get(&id)
                .map(|row| show(state, row))
                .unwrap_or_default())
        }
        other => Err(format!("no action `{other}`; there are {ACTIONS}")),
    }
}

/// Changes the state of a group named by `group_id` or by `name`.
fn set_group(
    state: &mut State,
    input: &Value,
    group_state: GroupState,
    now: i64,
) -> Result<Value, String> {
    let id = input.get("group_id").and_then(int);
    let name = input.get("name").and_then(Value::as_str);
    let is_meant = |group: &&mut Group| match id {
        Some(id) => group.id == id,
        None => name == Some(group.name.as_str()),
    };
    let group = state.groups.values_mut().find(is_meant);
    let group = group.ok_or("no such group; send `group_id` or `name`")?;
    group.state = group_state;
    group.updated_at = Some(Moment(now));
    Ok(json!(group))
}

fn put(state: &mut State, collection: &str, row: Value, now: i64) -> Result<(), String> {
    match collection {
        "issuer" => state.issuer = read::<Issuer>(row)?,
        "keys" => {
            let key = read::<Key>(row)?;
            state.keys.insert(key.key.clone(), key);
        }
        "groups" => drop(state.put_group(read::<Group>(row)?, now)),
        "credentials" => drop(state.put_credential(read::<Credential>(row)?, now)?),
        other => return Err(format!("no collection `{other}`")),
    }
    Ok(())
}

fn rows<'a, T: Serialize + 'a>(rows: impl Iterator<Item = &'a T>) -> Vec<Value> {
    rows.filter_map(|row| serde_json::to_value(row).ok())
        .collect()
}

fn read<T: DeserializeOwned>(row: Value) -> Result<T, String> {
    serde_json::from_value(row).map_err(|error| error.to_string())
}
