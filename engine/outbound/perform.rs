//! One call, from its names to its end.

use std::time::Duration;

use super::Outbound;
use super::account::Prepared;
use super::budget::{Budget, Grant, Room, Whose};
use super::client::Exchange;
use super::hold::{Entered, Taken};
use super::ledger::LedgerError;
use super::scrub::Secrets;
use crate::clock::Moment;
use crate::connector::{
    Action, Arguments, Effect, Facts, Reply, Request, RequestPlan, SignIn, Trouble, Values,
    Verdict, judge, plan,
};
use crate::data::Value;
use crate::interpret::{Call, Called};
use crate::journal::Failure;
use crate::mask::{Hidden, Marked, learn_secret};
use crate::step::{Performed, again, broken, called, refused};

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
        let prepared = match self.prepare(call) {
            Ok(prepared) => prepared,
            Err(trouble) => return Performed::Ended(refused(trouble)),
        };
        tracing::debug!(
            connection = %prepared.connection.name,
            connector = %prepared.connector.name,
            hash = %prepared.connector.hash,
            action = %prepared.action,
            place = %call.place,
            call_key = %call.call_key,
            "calling a vendor"
        );
        let wanted = Wanted {
            key: &call.call_key,
            also_send: call.also_send.as_ref(),
            timeout: call.timeout,
            keep_raw: call.action.keeps_raw,
        };
        match self.perform_prepared(&prepared, &wanted).await {
            Ok(called) | Err(Stopped::Ended(called)) => Performed::Ended(called),
            Err(Stopped::Later(until)) => Performed::Later(until),
        }
    }

    /// Performs a call whose names are at hand; what comes of it holds none of its secrets.
    pub(super) async fn perform_prepared(
        &self,
        prepared: &Prepared,
        wanted: &Wanted<'_>,
    ) -> Result<Called, Stopped> {
        let mut secrets = Secrets::of(prepared.secrets());
        match self.within_groups(prepared, wanted, &mut secrets).await {
            Ok(called) => {
                let called = secrets.taken_out_of(called);
                learn_outputs(prepared, &called);
                Ok(called)
            }
            Err(Stopped::Ended(called)) => Err(Stopped::Ended(secrets.taken_out_of(called))),
            Err(later) => Err(later),
        }
    }

    /// Performs a call while it has the groups that it needs.
    async fn within_groups(
        &self,
        prepared: &Prepared,
        wanted: &Wanted<'_>,
        secrets: &mut Secrets,
    ) -> Result<Called, Stopped> {
        let action = prepared.action()?;
        let timeout = wanted.timeout.unwrap_or(action.timeout);
        let entered = self.enter(prepared, action, wanted.key).await?;
        let held = self
            .holds
            .take(entered, timeout, &self.clock, &*self.ledger);
        let mut taken = held.await?;
        let called = match &action.request {
            Request::Mail => self.mail(prepared, wanted.key, timeout, secrets).await,
            Request::Http(_) => {
                let sending = Sending {
                    prepared,
                    action,
                    wanted,
                    timeout,
                };
                self.http(&sending, secrets, &mut taken).await
            }
        };
        if let Err(error) = self.holds.give_back(taken, &*self.ledger).await {
            // The call's end counts; the hold ends by itself.
            tracing::warn!("{error}");
        }
        called
    }

    /// Enters the groups of an action, if there is room in its budgets too: before anything is written
    /// down, so that who only waits costs nothing.
    async fn enter(
        &self,
        prepared: &Prepared,
        action: &Action,
        who: &str,
    ) -> Result<Entered, Stopped> {
        let name = &prepared.connection.name;
        let entering = self.holds.enter(name, &action.exclusive, who, &self.clock);
        let entered = entering.await.map_err(Stopped::Later)?;
        if !action.exclusive.is_empty() {
            self.reserve(prepared, who)?;
        }
        Ok(entered)
    }

    fn reserve(&self, prepared: &Prepared, who: &str) -> Result<(), Stopped> {
        let budgets = prepared.budgets(&prepared.values(who, self.clock.now()))?;
        let name = &prepared.connection.name;
        match self.budgets.reserve(name, &budgets, who) {
            None => Ok(()),
            Some(until) => Err(Stopped::Later(until)),
        }
    }

    /// Keeps room for a call that is about to be made, for a short time; or says when to ask again.
    /// What else stands in its way, it finds out when it is made.
    pub(super) async fn keep_room(&self, call: &Call) -> Option<Moment> {
        let accounts = self.accounts();
        let connection = accounts.connections.get(&call.action.connection)?;
        let connector = accounts.connectors.get(&connection.connector)?;
        let action = connector.action(&call.action.action)?;
        let is_bounded = [&connector.budget, &action.budget]
            .iter()
            .any(|budget| !budget.is_empty());
        if action.exclusive.is_empty() && !is_bounded {
            return self.budgets.closed_until(&connection.name);
        }
        let prepared = self.prepare(call).ok()?;
        let room = async {
            let entered = self.enter(&prepared, action, &call.call_key).await?;
            self.reserve(&prepared, &call.call_key)?;
            entered.reserve();
            Ok(())
        };
        match room.await {
            Err(Stopped::Later(until)) => Some(until),
            Ok(()) | Err(Stopped::Ended(_)) => None,
        }
    }

    /// Sends an HTTP request, signing in again once if the vendor asks for it.
    async fn http(
        &self,
        sending: &Sending<'_>,
        secrets: &mut Secrets,
        taken: &mut Taken,
    ) -> Result<Called, Stopped> {
        let Sending {
            prepared,
            action,
            wanted,
            timeout,
        } = *sending;
        let mut has_signed_in_again = false;
        loop {
            let values = prepared.values(wanted.key, self.clock.now());
            let sign_in = prepared.connector.sign_in.chosen(&values)?;
            let held = match sign_in {
                SignIn::OAuth2(oauth2) => {
                    let held = self.token(prepared, oauth2, &values, timeout, secrets);
                    Some(held.await?)
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
            let access = held.as_ref().map(|held| &held.access);
            sign_in.sign(&mut request, &values, access)?;
            secrets.add_sign_in(&request);
            let budgets = prepared.budgets(&values)?;
            // Signing in may have taken its time.
            self.holds
                .prolong(taken, timeout, &self.clock, &*self.ledger)
                .await?;
            let whose = Whose::Call(wanted.key);
            let exchange = self.exchange(prepared, (&budgets, whose), request, timeout);
            let reply = match replied(exchange.await?, action.effect, taken) {
                Ok(reply) => reply,
                Err(ended) => return Ok(ended),
            };
            let facts = Facts {
                connector: &prepared.connector,
                action,
                input: &prepared.input,
                page: &prepared.page,
                key: wanted.key,
                keep_raw: wanted.keep_raw,
                now: self.clock.now(),
            };
            let verdict = judge(&facts, &reply);
            match (&verdict, &held) {
                (Verdict::SignInAgainOnce(_), Some(held)) if !has_signed_in_again => {
                    let slot = self.tokens.slot(&prepared.connection.name);
                    slot.lock().await.forget(&held.access);
                    has_signed_in_again = true;
                    continue;
                }
                (Verdict::RetryLater(_, after), _) => {
                    self.heed(prepared, &values, &reply, *after).await;
                }
                _ => self.heed(prepared, &values, &reply, None).await,
            }
            return Ok(called(verdict));
        }
    }

    /// Takes into account what a reply says of the connection's budget.
    pub(super) async fn heed(
        &self,
        prepared: &Prepared,
        values: &Values,
        reply: &Reply,
        after: Option<Duration>,
    ) {
        let now = self.clock.now();
        let name = &prepared.connection.name;
        if let Some(rule) = &prepared.connector.allowance
            && let Some(said) = rule.read(values, reply, now)
        {
            self.budgets.heed(name, said);
        }
        let asked = matches!(reply.status, 429 | 503).then(|| reply.retry_after(now));
        if let Some(after) = after.or_else(|| asked.flatten()) {
            let until = now.after(after);
            if let Err(error) = self.budgets.pause(name, until, &*self.ledger).await {
                // This process knows it all the same.
                tracing::warn!("{error}");
            }
        }
    }

    /// One exchange within the budgets.
    pub(super) async fn exchange(
        &self,
        prepared: &Prepared,
        (budgets, whose): (&[Budget], Whose<'_>),
        request: RequestPlan,
        timeout: Duration,
    ) -> Result<Exchange, Stopped> {
        let grant = self.grant(prepared, budgets, whose).await?;
        let mut exchange = self
            .clients
            .exchange(request, prepared.reach(), timeout)
            .await;
        if let Exchange::NotSent { trouble, .. } = &mut exchange {
            trouble.message = format!(
                "connection `{}`: {}",
                prepared.connection.name, trouble.message
            );
        }
        drop(grant);
        if let Err(error) = self.budgets.settle(&*self.ledger).await {
            tracing::warn!("{error}");
        }
        Ok(exchange)
    }

    async fn grant(
        &self,
        prepared: &Prepared,
        budgets: &[Budget],
        whose: Whose<'_>,
    ) -> Result<Grant, Stopped> {
        let name = &prepared.connection.name;
        let room = self.budgets.take(name, budgets, whose, &*self.ledger);
        match room.await? {
            Room::Granted(grant) => Ok(grant),
            Room::Until(until) => Err(Stopped::Later(until)),
        }
    }
}

/// Learns what a vendor gave that its connector declares secret.
fn learn_outputs(prepared: &Prepared, called: &Called) {
    if let (Called::Done { output }, Ok(action)) = (called, prepared.action()) {
        let mut given = Hidden::default();
        given.gather(&action.output, output, Marked::Secret);
        given.texts().for_each(learn_secret);
    }
}

/// What an HTTP request is made of.
#[derive(Clone, Copy)]
struct Sending<'a> {
    prepared: &'a Prepared,
    action: &'a Action,
    wanted: &'a Wanted<'a>,
    timeout: Duration,
}

/// What a call wants beside its names.
pub(super) struct Wanted<'a> {
    pub(super) key: &'a str,
    pub(super) also_send: Option<&'a Value>,
    pub(super) timeout: Option<Duration>,
    pub(super) keep_raw: bool,
}

impl From<Trouble> for Stopped {
    fn from(trouble: Trouble) -> Self {
        Self::Ended(refused(trouble))
    }
}

impl From<LedgerError> for Stopped {
    fn from(error: LedgerError) -> Self {
        Self::Ended(again(Failure::new("unavailable", error.to_string())))
    }
}

/// The reply of an exchange, or how a call without one ends.
fn replied(exchange: Exchange, effect: Effect, taken: &mut Taken) -> Result<Reply, Called> {
    match exchange {
        Exchange::Replied(reply) => Ok(reply),
        Exchange::NotSent { trouble, may_pass } if may_pass => Err(again(trouble)),
        Exchange::NotSent { trouble, .. } => Err(refused(trouble)),
        Exchange::Broken(trouble) => {
            // Without an answer, the vendor may still be at work.
            if trouble.status.is_none() {
                taken.leave();
            }
            Err(broken(effect, trouble))
        }
    }
}
