//! Signing in: the token that a call is signed with.

use std::time::Duration;

use super::Outbound;
use super::account::Prepared;
use super::budget::Whose;
use super::client::Exchange;
use super::ledger::RotatedToken;
use super::perform::Stopped;
use super::scrub::Secrets;
use super::token::Held;
use crate::clock::Moment;
use crate::connector::{Grant, OAuth2, Reply, Trouble, Values, read_token};
use crate::interpret::Called;

impl Outbound {
    /// The token of a connection: the one that is held, or a new one, fetched by one call for all.
    pub(super) async fn token(
        &self,
        prepared: &Prepared,
        oauth2: &OAuth2,
        values: &Values,
        timeout: Duration,
        secrets: &mut Secrets,
    ) -> Result<Held, Stopped> {
        let account = prepared.fingerprint();
        let slot = self.tokens.slot(&prepared.connection.name);
        let mut slot = slot.lock().await;
        if let Some(held) = slot.held(&account, self.clock.now())? {
            return Ok(held);
        }
        let base_url = prepared.connector.base_url.as_ref();
        let request = oauth2.request(base_url, values, slot.rotated(&account))?;
        secrets.add_token_request(&request);
        let budgets = prepared.connection_budgets(values)?;
        let whose = Whose::SignIn(values.key());
        let exchange = self.exchange(prepared, (&budgets, whose), request, timeout);
        let reply = match exchange.await? {
            Exchange::Replied(reply) => reply,
            // A token request that breaks off changes nothing that matters: it can be repeated.
            Exchange::NotSent { trouble, may_pass } => {
                return Err(sign_in_stopped(trouble, may_pass.then_some(Duration::ZERO)));
            }
            Exchange::Broken(trouble) => {
                return Err(sign_in_stopped(trouble, Some(Duration::ZERO)));
            }
        };
        self.heed(prepared, values, &reply, None).await;
        let now = self.clock.now();
        let token = match read_token(oauth2, &prepared.connector.title, values, &reply) {
            Ok(token) => token,
            Err(trouble) => {
                // It is kept for others, who do not know what it was signed with.
                let trouble = secrets.taken_out_of_trouble(trouble);
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
        secrets.add(token.access.reveal());
        if let Some(refresh) = &token.refresh {
            secrets.add(refresh.reveal());
            let rotated = RotatedToken {
                token: refresh.clone(),
                account: account.clone(),
            };
            if oauth2.grant == Grant::RefreshToken {
                self.ledger
                    .keep_refresh_token(prepared.connection.name.clone(), rotated.clone())
                    .await?;
            }
            slot.rotate(rotated);
        }
        Ok(slot.keep(token, oauth2.refresh_before, &account, now))
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
