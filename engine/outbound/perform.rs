//! One call, from its names to its end.

use std::sync::Arc;
use std::time::Duration;

use super::account::Prepared;
use super::budget::{Budget, Grant, Room};
use super::client::Exchange;
use super::hold::Free;
use super::ledger::{LedgerError, RotatedToken};
use super::token::Held;
use super::{Outbound, refused};
use crate::clock::Moment;
use crate::connector::{
    Action, Arguments, Effect, Facts, OAuth2, Page, Reply, Request, RequestPlan, SignIn, Trouble,
    Values, Verdict, judge, plan, read_token, verification_input, verified,
};
use crate::data::{Object, Secret, Value};
use crate::interpret::{Call, Called, Verified};
use crate::journal::Failure;
use crate::names::ConnectionName;
use crate::step::Performed;

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

/// Why a request did not get its reply.
enum Stopped {
    /// It was not sent: there is no room before this moment.
    Later(Moment),
    /// It ended like this.
    Ended(Called),
}

/// The most pages that a verification looks through.
const VERIFY_PAGES_MAX: usize = 20;
/// The most times that a verification or probe waits for room.
const ROOM_WAITS_MAX: usize = 3;

impl Outbound {
    /// Performs one call, or says from when on there is room for it.
    pub async fn perform(&self, call: &Call) -> Performed {
        let accounts = self.accounts();
        let prepared = match accounts.prepare(call, &*self.references) {
            Ok(prepared) => prepared,
            Err(trouble) => return Performed::Ended(refused(trouble)),
        };
        let wanted = Wanted {
            key: &call.call_key,
            also_send: call.also_send.as_ref(),
            timeout: call.timeout,
            keep_raw: call.action.keeps_raw,
        };
        match self.perform_prepared(&prepared, &wanted).await {
            Ok(called) => Performed::Ended(scrubbed(called, prepared.secrets())),
            Err(Stopped::Later(until)) => Performed::Later(until),
            Err(Stopped::Ended(called)) => Performed::Ended(scrubbed(called, prepared.secrets())),
        }
    }

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

    /// Performs a call whose names are at hand.
    async fn perform_prepared(
        &self,
        prepared: &Prepared,
        wanted: &Wanted<'_>,
    ) -> Result<Called, Stopped> {
        let action = prepared.action()?;
        let timeout = wanted.timeout.unwrap_or(action.timeout);
        let free = self
            .holds
            .take(
                &prepared.connection.name,
                &action.exclusive,
                timeout,
                &self.clock,
                &*self.ledger,
            )
            .await?;
        let taken = match free {
            Free::Taken(taken) => taken,
            Free::Until(until) => return Err(Stopped::Later(until)),
        };
        let called = match &action.request {
            Request::Mail => self.mail(prepared, action, wanted.key, timeout).await,
            Request::Http(_) => self.http(prepared, action, wanted, timeout).await,
        };
        if let Err(error) = self.holds.give_back(taken, &*self.ledger).await {
            // The call's end counts; the hold ends by itself.
            tracing::warn!("{error}");
        }
        called
    }

    /// Sends an HTTP request, signing in again once if the vendor asks for it.
    async fn http(
        &self,
        prepared: &Prepared,
        action: &Action,
        wanted: &Wanted<'_>,
        timeout: Duration,
    ) -> Result<Called, Stopped> {
        let mut has_signed_in_again = false;
        loop {
            let values = prepared.values(wanted.key, self.clock.now());
            let sign_in = prepared.connector.sign_in.chosen(&values)?;
            let held = match sign_in {
                SignIn::OAuth2(oauth2) => {
                    Some(self.token(prepared, oauth2, &values, timeout).await?)
                }
                _ => None,
            };
            let mut request = plan(&Arguments {
                connector: &prepared.connector,
                action,
                values: &values,
                also_send: wanted.also_send,
                page: &prepared.page,
                base_url: held.as_ref().and_then(|held| held.base_url.as_deref()),
            })?;
            sign_in.sign(
                &mut request,
                &values,
                held.as_ref().map(|held| &held.access),
            )?;
            let budgets = prepared.budgets(&values)?;
            let exchange = self.exchange(prepared, &budgets, request, timeout).await?;
            let reply = match exchange {
                Exchange::Replied(reply) => reply,
                Exchange::NotSent { trouble, may_pass } => {
                    return Ok(Called::Failed {
                        failure: trouble.into(),
                        retry: may_pass.then_some(Duration::ZERO),
                    });
                }
                Exchange::Broken(trouble) => return Ok(broken(action, trouble)),
            };
            let verdict = judge(
                &Facts {
                    connector: &prepared.connector,
                    action,
                    input: &prepared.input,
                    page: &prepared.page,
                    key: wanted.key,
                    keep_raw: wanted.keep_raw,
                    now: self.clock.now(),
                },
                &reply,
            );
            if let (Verdict::SignInAgainOnce(_), Some(held), false) =
                (&verdict, &held, has_signed_in_again)
            {
                let slot = self.tokens.slot(&prepared.connection.name);
                slot.lock().await.forget(&held.access);
                has_signed_in_again = true;
                continue;
            }
            return Ok(self.called(prepared, verdict).await);
        }
    }

    /// How a call ended, by its verdict.
    async fn called(&self, prepared: &Prepared, verdict: Verdict) -> Called {
        match verdict {
            Verdict::Success(output) => Called::Done { output },
            Verdict::Page { items, next, total } => Called::Done {
                output: page_value(items, next, total),
            },
            Verdict::Retry(trouble) => Called::Failed {
                failure: trouble.into(),
                retry: Some(Duration::ZERO),
            },
            Verdict::RetryLater(trouble, after) => {
                if let Some(after) = after {
                    let until = self.clock.now().after(after);
                    self.budgets.pause(&prepared.connection.name, until).await;
                }
                Called::Failed {
                    failure: trouble.into(),
                    retry: Some(after.unwrap_or(Duration::ZERO)),
                }
            }
            Verdict::SignInAgainOnce(trouble) | Verdict::Fail(trouble) => refused(trouble),
            Verdict::Doubtful(trouble) => Called::Doubtful {
                failure: trouble.into(),
            },
        }
    }

    /// One exchange within the budgets.
    async fn exchange(
        &self,
        prepared: &Prepared,
        budgets: &[Budget],
        request: RequestPlan,
        timeout: Duration,
    ) -> Result<Exchange, Stopped> {
        let grant = self.room(prepared, budgets).await?;
        let exchange = self
            .clients
            .exchange(request, prepared.reach(), timeout)
            .await;
        let now = self.clock.now();
        if let Err(error) = self.budgets.give_back(grant, now, &*self.ledger).await {
            tracing::warn!("{error}");
        }
        Ok(exchange)
    }

    async fn room(&self, prepared: &Prepared, budgets: &[Budget]) -> Result<Grant, Stopped> {
        let now = self.clock.now();
        let room = self
            .budgets
            .take(&prepared.connection.name, budgets, now, &*self.ledger)
            .await?;
        match room {
            Room::Granted(grant) => Ok(grant),
            Room::Until(until) => Err(Stopped::Later(until)),
        }
    }

    /// The token of a connection: the one that is held, or a new one, fetched by one call for all.
    async fn token(
        &self,
        prepared: &Prepared,
        oauth2: &OAuth2,
        values: &Values,
        timeout: Duration,
    ) -> Result<Held, Stopped> {
        let account = prepared.fingerprint();
        let slot = self.tokens.slot(&prepared.connection.name);
        let mut slot = slot.lock().await;
        if let Some(held) = slot.held(&account, self.clock.now())? {
            return Ok(held);
        }
        let base_url = prepared.connector.base_url.as_ref();
        let request = oauth2.request(base_url, values, slot.rotated(&account))?;
        let budgets = prepared.connection_budgets(values)?;
        let reply = match self.exchange(prepared, &budgets, request, timeout).await? {
            Exchange::Replied(reply) => reply,
            // A token request that breaks off changes nothing that matters: it can be repeated.
            Exchange::NotSent { trouble, may_pass } => {
                return Err(sign_in_stopped(trouble, may_pass.then_some(Duration::ZERO)));
            }
            Exchange::Broken(trouble) => {
                return Err(sign_in_stopped(trouble, Some(Duration::ZERO)));
            }
        };
        let now = self.clock.now();
        let token = match read_token(oauth2, &prepared.connector.title, values, &reply) {
            Ok(token) => token,
            Err(trouble) => {
                let retry = retry_of_sign_in(&reply, now);
                if retry.is_none() {
                    slot.refuse(trouble.clone(), &account, now);
                }
                return Err(Stopped::Ended(Called::Failed {
                    failure: trouble.into(),
                    retry,
                }));
            }
        };
        if let Some(refresh) = &token.refresh {
            let rotated = RotatedToken {
                token: refresh.clone(),
                account: account.clone(),
            };
            if oauth2.grant == crate::connector::Grant::RefreshToken {
                self.ledger
                    .keep_refresh_token(prepared.connection.name.clone(), rotated.clone())
                    .await?;
            }
            slot.rotate(rotated);
        }
        Ok(slot.keep(token, oauth2.refresh_before, &account, now))
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
                Ok(called) | Err(Stopped::Ended(called)) => scrubbed(called, prepared.secrets()),
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

/// What a call wants beside its names.
struct Wanted<'a> {
    key: &'a str,
    also_send: Option<&'a Value>,
    timeout: Option<Duration>,
    keep_raw: bool,
}

/// The end of a call whose exchange broke off.
fn broken(action: &Action, trouble: Trouble) -> Called {
    match action.effect {
        Effect::Once => Called::Doubtful {
            failure: trouble.into(),
        },
        // A body over the limit stays over it.
        _ if trouble.code == "reply_too_large" => refused(trouble),
        _ => Called::Failed {
            failure: trouble.into(),
            retry: Some(Duration::ZERO),
        },
    }
}

fn sign_in_stopped(trouble: Trouble, retry: Option<Duration>) -> Stopped {
    Stopped::Ended(Called::Failed {
        failure: Trouble {
            message: format!("signing in: {}", trouble.message),
            ..trouble
        }
        .into(),
        retry,
    })
}

/// Whether a token request that was answered without a token may work later.
fn retry_of_sign_in(reply: &Reply, now: Moment) -> Option<Duration> {
    matches!(reply.status, 408 | 425 | 429 | 500..=599)
        .then(|| reply.retry_after(now).unwrap_or(Duration::ZERO))
}

fn page_value(items: Vec<Value>, next: Option<Page>, total: Option<u64>) -> Value {
    let mut output = Object::new();
    output.insert("items".to_owned(), Value::Array(items));
    if let Some(next) = next.and_then(|next| serde_json::to_value(next).ok()) {
        output.insert("next".to_owned(), next);
    }
    if let Some(total) = total {
        output.insert("total".to_owned(), total.into());
    }
    Value::Object(output)
}

fn first(troubles: Vec<Trouble>) -> Failure {
    troubles.into_iter().next().map_or_else(
        || Failure::new("internal", "nothing is wrong"),
        Failure::from,
    )
}

/// A call's end without the connection's secrets, should a vendor have sent them back.
fn scrubbed(called: Called, secrets: &[Secret]) -> Called {
    let clean = |mut failure: Failure| {
        for secret in secrets
            .iter()
            .filter(|secret| secret.reveal().len() >= SECRET_MIN)
        {
            failure.message = failure.message.replace(secret.reveal(), "***");
            failure.body = failure.body.map(|body| without(body, secret.reveal()));
        }
        failure
    };
    match called {
        Called::Done { output } => Called::Done { output },
        Called::Failed { failure, retry } => Called::Failed {
            failure: clean(failure),
            retry,
        },
        Called::Doubtful { failure } => Called::Doubtful {
            failure: clean(failure),
        },
    }
}

/// Shorter secrets would blacken ordinary words.
const SECRET_MIN: usize = 4;

fn without(value: Value, secret: &str) -> Value {
    match value {
        Value::String(text) if text.contains(secret) => text.replace(secret, "***").into(),
        Value::Array(list) => list
            .into_iter()
            .map(|value| without(value, secret))
            .collect(),
        Value::Object(object) => Value::Object(
            object
                .into_iter()
                .map(|(name, value)| (name, without(value, secret)))
                .collect(),
        ),
        other => other,
    }
}

impl From<Trouble> for Stopped {
    fn from(trouble: Trouble) -> Self {
        Self::Ended(refused(trouble))
    }
}

impl From<LedgerError> for Stopped {
    fn from(error: LedgerError) -> Self {
        Self::Ended(Called::Failed {
            failure: Failure::new("unavailable", error.to_string()),
            retry: Some(Duration::ZERO),
        })
    }
}
