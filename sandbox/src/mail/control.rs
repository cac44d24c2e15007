//! What the control surface may do with the mail server.

use std::sync::Arc;

use serde_json::{Value, json};

use super::PostOffice;
use super::state::{Mail, MailWorld, State, User};
use crate::control::{Controlled, merge};
use crate::gate::Gate;
use crate::moment::format_moment;
use crate::webhooks::Outbox;

/// A mail as the control surface shows it.
pub(super) fn shown(mail: &Mail) -> Value {
    let mut shown = json!(mail);
    shown["at"] = format_moment(mail.at, "%Y-%m-%dT%H:%M:%S%.3fZ").into();
    shown
}

impl Controlled for PostOffice {
    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn routes(&self) -> Vec<Value> {
        Vec::new()
    }

    fn collections(&self) -> &'static [&'static str] {
        &["mails", "users"]
    }

    fn rows(&self, collection: &str) -> Option<Vec<Value>> {
        self.with(|state| match collection {
            "mails" => Some(state.mails.iter().map(shown).collect()),
            "users" => Some(state.users.iter().map(|user| json!(user)).collect()),
            _ => None,
        })
    }

    fn upsert(&self, collection: &str, rows: Vec<Value>) -> Result<usize, String> {
        if collection != "users" {
            return Err("mails come over SMTP alone".to_owned());
        }
        let read = |row| serde_json::from_value::<User>(row).map_err(|error| error.to_string());
        let users = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let count = users.len();
        self.with(|state| {
            for user in users {
                state.users.retain(|known| known.username != user.username);
                state.users.push(user);
            }
        });
        Ok(count)
    }

    fn reset(&self, world: Option<Value>) -> Result<(), String> {
        let world: MailWorld = match world {
            Some(world) => serde_json::from_value(world).map_err(|error| error.to_string())?,
            None => self.first.clone(),
        };
        self.with(|state| *state = State::load(world));
        Ok(())
    }

    fn violations(&self) -> Value {
        self.with(|state| {
            json!({
                "syntax_errors": state.syntax_errors,
                "sequence_errors": state.sequence_errors,
            })
        })
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

    fn act(&self, action: &str, _input: Value) -> Result<Value, String> {
        Err(format!("no action `{action}`; there are none"))
    }

    fn outbox(&self) -> Option<&Arc<Outbox>> {
        None
    }
}
