//! Questions that are answered here and now: verification, and the check of a connection.

use std::sync::Arc;

use super::Outbound;
use super::account::Prepared;
use super::perform::{Stopped, Wanted};
use crate::connector::{Page, Trouble, Values, verification_input, verified};
use crate::data::Value;
use crate::interpret::{Call, Called, Verified};
use crate::journal::Failure;
use crate::names::ConnectionName;

/// What the check of a connection found.
#[derive(Clone, Debug, PartialEq)]
pub enum Probe {
    /// The vendor answered the probe with this.
    Answered(Value),
    /// The connector has no probe; the connection's fields are complete.
    Complete,
    /// It does not work.
    Failed(Failure),
}

/// The most pages that a verification looks through.
const VERIFY_PAGES_MAX: usize = 20;
/// The most times that a verification or probe waits for room.
const ROOM_WAITS_MAX: usize = 3;

impl Outbound {
    /// Asks whether a doubtful call was applied.
    pub async fn ask(&self, call: &Call) -> Verified {
        match self.ask_or_fail(call).await {
            Ok(Some(output)) => Verified::Applied(output),
            Ok(None) => Verified::NotApplied,
            Err(failure) => Verified::Unknown(failure),
        }
    }

    /// Checks a connection by the connector's probe.
    pub async fn probe(&self, connection: &ConnectionName) -> Probe {
        let accounts = self.accounts();
        let probe = accounts
            .connections
            .get(connection)
            .and_then(|connection| accounts.connectors.get(&connection.connector))
            .map(|connector| (connector.clone(), connector.probe.clone()));
        let Some((connector, Some(action))) = probe else {
            return match (probe, accounts.connections.get(connection)) {
                (Some((connector, None)), Some(known)) => {
                    match known.resolve(&connector, &*self.references) {
                        Ok(_) => Probe::Complete,
                        Err(troubles) => Probe::Failed(first(troubles)),
                    }
                }
                _ => Probe::Failed(Failure::new(
                    "no_connection",
                    format!("there is no connection `{connection}`"),
                )),
            };
        };
        let prepared = match accounts.open(connection, &action, &*self.references) {
            Ok(prepared) => prepared,
            Err(trouble) => return Probe::Failed(trouble.into()),
        };
        tracing::debug!(%connection, connector = %connector.name, "probing a connection");
        match self.answer(&prepared, "probe").await {
            Ok(output) => Probe::Answered(output),
            Err(failure) => Probe::Failed(failure),
        }
    }

    async fn ask_or_fail(&self, call: &Call) -> Result<Option<Value>, Failure> {
        let accounts = self.accounts();
        let prepared = accounts.prepare(call, &*self.references)?;
        let action = prepared.action()?;
        let Some(verify) = &action.verify else {
            return Err(Failure::new(
                "verify_failed",
                "this action cannot be asked about",
            ));
        };
        let values =
            Values::new(self.clock.now(), &call.call_key).with("input", prepared.input.clone());
        let mut question = accounts.open(
            &call.action.connection,
            &verify.question.action,
            &*self.references,
        )?;
        let asked = question.action()?;
        let input = verification_input(&verify.question, &values)?;
        question.input = Arc::new(crate::shape::fill_defaults(&asked.input, input));
        let answer = self.answer(&question, &call.call_key).await?;
        Ok(verified(action, &verify.question, &values, answer)?)
    }

    /// Performs a read action here and now; of a listing, all pages.
    async fn answer(&self, prepared: &Prepared, key: &str) -> Result<Value, Failure> {
        let is_listing = prepared.action()?.is_listing;
        let mut prepared = Prepared {
            connector: prepared.connector.clone(),
            action: prepared.action.clone(),
            connection: prepared.connection.clone(),
            resolved: prepared.resolved.clone(),
            input: prepared.input.clone(),
            page: Page::default(),
        };
        let mut items = Vec::new();
        for _ in 0..VERIFY_PAGES_MAX {
            let mut output = self.answer_once(&prepared, key).await?;
            if !is_listing {
                return Ok(output);
            }
            if let Some(Value::Array(more)) = output.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            match output.get_mut("next").map(Value::take) {
                None | Some(Value::Null) => return Ok(serde_json::json!({ "items": items })),
                Some(next) => {
                    prepared.page = serde_json::from_value(next)
                        .map_err(|why| Failure::new("internal", why.to_string()))?;
                }
            }
        }
        Err(Failure::new(
            "verify_failed",
            format!("the answer has more than {VERIFY_PAGES_MAX} pages"),
        ))
    }

    async fn answer_once(&self, prepared: &Prepared, key: &str) -> Result<Value, Failure> {
        let wanted = Wanted {
            key,
            also_send: None,
            timeout: None,
            keep_raw: false,
        };
        for _ in 0..ROOM_WAITS_MAX {
            let called = match self.perform_prepared(prepared, &wanted).await {
                Err(Stopped::Later(until)) => {
                    self.clock.sleep_until(until).await;
                    continue;
                }
                Ok(called) | Err(Stopped::Ended(called)) => called,
            };
            return match called {
                Called::Done { output } => Ok(output),
                Called::Failed { failure, .. } | Called::Doubtful { failure } => Err(failure),
            };
        }
        Err(Failure::new(
            "no_room",
            "the connection's budget leaves no room for the question",
        ))
    }
}

fn first(troubles: Vec<Trouble>) -> Failure {
    troubles.into_iter().next().map_or_else(
        || Failure::new("internal", "nothing is wrong"),
        Failure::from,
    )
}
