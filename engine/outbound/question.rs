//! Questions: verification, and the check of a connection.
//!
//! In: a doubtful call, or a connection. Out: what the vendor says of it.
//! Always true: a verification that finds no room is put off, and goes on at the page it came to; it
//! keeps nobody from working meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Outbound;
use super::account::Prepared;
use super::greeting::mailing;
use super::perform::{Stopped, Wanted};
use crate::clock::Moment;
use crate::connector::{Page, Trouble, Values, verification_input, verified};
use crate::data::Value;
use crate::interpret::{Call, Called, Verified};
use crate::journal::Failure;
use crate::names::ConnectionName;
use crate::step::Asked;

/// What the check of a connection found.
#[derive(Clone, Debug, PartialEq)]
pub enum Probe {
    /// The vendor answered the probe with this.
    Answered(Value),
    /// The mail server would take mails; this is what was checked.
    Greeted(String),
    /// The connector has no probe; the connection's fields are complete.
    Complete,
    /// It does not work.
    Failed(Failure),
}

/// The most pages that a verification looks through.
const VERIFY_PAGES_MAX: usize = 20;
/// The most questions that are remembered half asked.
const HALF_ASKED_MAX: usize = 1_000;
/// The most times that a probe waits for room.
const ROOM_WAITS_MAX: usize = 3;

/// Questions that were put off between two pages, by the keys of their calls.
#[derive(Default)]
pub(super) struct Questions(Mutex<BTreeMap<String, Progress>>);

/// How far a question came.
#[derive(Default)]
struct Progress {
    pages: usize,
    next: Page,
    items: Vec<Value>,
}

/// Why a question has no answer.
enum Unanswered {
    Failed(Failure),
    /// There is no room before this moment.
    Later(Moment),
}

impl Outbound {
    /// Asks whether a doubtful call was applied.
    pub async fn ask(&self, call: &Call) -> Asked {
        Asked::Answered(match self.ask_or_fail(call).await {
            Ok(Some(output)) => Verified::Applied(output),
            Ok(None) => Verified::NotApplied,
            Err(Unanswered::Failed(failure)) => Verified::Unknown(failure),
            Err(Unanswered::Later(until)) => return Asked::Later(until),
        })
    }

    /// Checks a connection by the connector's probe.
    pub async fn probe(&self, connection: &ConnectionName) -> Probe {
        let accounts = self.accounts();
        let probe = accounts
            .connections
            .get(connection)
            .and_then(|connection| accounts.connectors.get(&connection.connector))
            .map(|connector| (connector.clone(), connector.probe.clone()));
        if let Some((connector, None)) = &probe
            && let Some(action) = mailing(connector)
        {
            let greeted = match self.prepare_bare(connection, action) {
                Ok(prepared) => self.greet(&prepared).await,
                Err(trouble) => Err(trouble.into()),
            };
            return greeted.map_or_else(Probe::Failed, Probe::Greeted);
        }
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
        let prepared = match self.prepare_bare(connection, &action) {
            Ok(prepared) => prepared,
            Err(trouble) => return Probe::Failed(trouble.into()),
        };
        tracing::debug!(%connection, connector = %connector.name, "probing a connection");
        let mut progress = Progress::default();
        for _ in 0..ROOM_WAITS_MAX {
            match self.answer(&prepared, "probe", &mut progress).await {
                Ok(output) => return Probe::Answered(output),
                Err(Unanswered::Failed(failure)) => return Probe::Failed(failure),
                Err(Unanswered::Later(until)) => self.clock.sleep_until(until).await,
            }
        }
        Probe::Failed(Failure::new(
            "no_room",
            "the connection's budget leaves no room for the question",
        ))
    }

    async fn ask_or_fail(&self, call: &Call) -> Result<Option<Value>, Unanswered> {
        let prepared = self.prepare(call)?;
        let action = prepared.action()?;
        let Some(verify) = &action.verify else {
            let why = "this action cannot be asked about";
            return Err(Failure::new("verify_failed", why).into());
        };
        let values =
            Values::new(self.clock.now(), &call.call_key).with("input", prepared.input.clone());
        let mut question = self.prepare_bare(&call.action.connection, &verify.question.action)?;
        let asked = question.action()?;
        let input = verification_input(&verify.question, &values)?;
        question.input = Arc::new(crate::shape::fill_defaults(&asked.input, input));
        let key = &call.call_key;
        let mut progress = self.questions.take(key);
        let answer = match self.answer(&question, key, &mut progress).await {
            Err(Unanswered::Later(until)) => {
                self.questions.keep(key, progress);
                return Err(Unanswered::Later(until));
            }
            answer => answer?,
        };
        Ok(verified(action, &verify.question, &values, answer)?)
    }

    /// Performs a read action; of a listing, all pages that are still to come.
    async fn answer(
        &self,
        prepared: &Prepared,
        key: &str,
        progress: &mut Progress,
    ) -> Result<Value, Unanswered> {
        let is_listing = prepared.action()?.is_listing;
        let mut prepared = Prepared {
            connector: prepared.connector.clone(),
            action: prepared.action.clone(),
            connection: prepared.connection.clone(),
            resolved: prepared.resolved.clone(),
            input: prepared.input.clone(),
            page: progress.next.clone(),
        };
        while progress.pages < VERIFY_PAGES_MAX {
            let mut output = self.answer_once(&prepared, key).await?;
            if !is_listing {
                return Ok(output);
            }
            progress.pages += 1;
            if let Some(Value::Array(more)) = output.get_mut("items").map(Value::take) {
                progress.items.extend(more);
            }
            match output.get_mut("next").map(Value::take) {
                None | Some(Value::Null) => {
                    let items = std::mem::take(&mut progress.items);
                    return Ok(serde_json::json!({ "items": items }));
                }
                Some(next) => {
                    prepared.page = serde_json::from_value(next)
                        .map_err(|why| Failure::new("internal", why.to_string()))?;
                    progress.next = prepared.page.clone();
                }
            }
        }
        let why = format!("the answer has more than {VERIFY_PAGES_MAX} pages");
        Err(Failure::new("verify_failed", why).into())
    }

    async fn answer_once(&self, prepared: &Prepared, key: &str) -> Result<Value, Unanswered> {
        let wanted = Wanted {
            key,
            also_send: None,
            timeout: None,
            keep_raw: false,
        };
        match self.perform_prepared(prepared, &wanted).await {
            Err(Stopped::Later(until)) => Err(Unanswered::Later(until)),
            Ok(called) | Err(Stopped::Ended(called)) => match called {
                Called::Done { output } => Ok(output),
                Called::Failed { failure, .. } | Called::Doubtful { failure } => {
                    Err(failure.into())
                }
            },
        }
    }
}

impl Questions {
    fn take(&self, key: &str) -> Progress {
        self.half_asked().remove(key).unwrap_or_default()
    }

    /// Remembers how far a question came. Of too many, the next try begins at the first page.
    fn keep(&self, key: &str, progress: Progress) {
        let mut half_asked = self.half_asked();
        if progress.pages > 0 && half_asked.len() < HALF_ASKED_MAX {
            half_asked.insert(key.to_owned(), progress);
        }
    }

    fn half_asked(&self) -> MutexGuard<'_, BTreeMap<String, Progress>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Trouble> for Unanswered {
    fn from(trouble: Trouble) -> Self {
        Self::Failed(trouble.into())
    }
}

fn first(troubles: Vec<Trouble>) -> Failure {
    troubles.into_iter().next().map_or_else(
        || Failure::new("internal", "nothing is wrong"),
        Failure::from,
    )
}
