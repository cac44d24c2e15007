//! One call, from its names to its end.

use std::time::Duration;

use super::account::Prepared;
use super::budget::{Budget, Grant, Room};
use super::client::Exchange;
use super::hold::Free;
use super::ledger::LedgerError;
use super::scrub::scrubbed;
use super::{Outbound, refused};
use crate::clock::Moment;
use crate::connector::{
    Action, Arguments, Effect, Facts, Page, Request, RequestPlan, SignIn, Trouble, Verdict, judge,
    plan,
};
use crate::data::{Object, Value};
use crate::interpret::{Call, Called};
use crate::journal::Failure;
use crate::step::Performed;

/// Why a request did not get its reply.
pub(super) enum Stopped {
    /// It was not sent: there is no room before this moment.
    Later(Moment),
    /// It ended like this.
    Ended(Called),
}

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

    /// Performs a call whose names are at hand.
    pub(super) async fn perform_prepared(
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
            Request::Mail => self.mail(prepared, wanted.key, timeout).await,
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
    pub(super) async fn exchange(
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
}

/// What a call wants beside its names.
pub(super) struct Wanted<'a> {
    pub(super) key: &'a str,
    pub(super) also_send: Option<&'a Value>,
    pub(super) timeout: Option<Duration>,
    pub(super) keep_raw: bool,
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
