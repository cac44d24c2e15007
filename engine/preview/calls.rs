//! Calls of a preview: what only reads is sent, everything else is put down.
//!
//! In: calls. Out: real replies to reads, values that are not known for the rest.
//! Always true: an action that changes something is never sent; nor is a question whose arguments
//! are not known.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt};

use crate::clock::Clock;
use crate::connector::Effect;
use crate::data::{Value, holds_withheld, withheld};
use crate::interpret::{Call, Called, Verified};
use crate::journal::EntryKey;
use crate::step::{Calls, Performed};

/// A call that a preview did not send.
#[derive(Clone, Debug)]
pub struct Withheld {
    /// The step, as a place in the job.
    pub place: EntryKey,
    /// `connector.action`.
    pub action: String,
    /// Whether it would change something; a question was withheld because it hangs on such a call.
    pub effect: Effect,
    /// The arguments, as far as they are known.
    pub input: Value,
    /// Further fields of the body.
    pub also_send: Option<Value>,
}

/// Real calls with everything but reading taken out.
pub(super) struct Withholding {
    real: Arc<dyn Calls>,
    /// The house's time, which its budgets count in.
    clock: Clock,
    withheld: Mutex<Vec<Withheld>>,
}

impl Withholding {
    pub(super) fn new(real: Arc<dyn Calls>, clock: Clock) -> Self {
        Self {
            real,
            clock,
            withheld: Mutex::default(),
        }
    }

    /// What was not sent, in order.
    pub(super) fn withheld(&self) -> Vec<Withheld> {
        let withheld = self.withheld.lock();
        withheld.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put_down(&self, call: &Call) -> Performed {
        let action = format!("{}.{}", call.action.connector, call.action.action);
        let unknown = withheld(&format!("`{action}`"));
        let output = match call.action.is_listing {
            true => serde_json::json!({ "items": [unknown] }),
            false => unknown,
        };
        let mut list = self.withheld.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(Withheld {
            place: call.place.clone(),
            action,
            effect: call.action.effect,
            input: call.input.clone(),
            also_send: call.also_send.clone(),
        });
        Performed::Ended(Called::Done { output })
    }
}

impl Calls for Withholding {
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Performed> {
        let is_known =
            !holds_withheld(&call.input) && !call.also_send.as_ref().is_some_and(holds_withheld);
        async move {
            if call.action.effect != Effect::Read || !is_known {
                return self.put_down(call);
            }
            loop {
                match self.real.call(call).await {
                    // The preview's own clock leaps; the budget's does not.
                    Performed::Later(moment) => self.clock.sleep_until(moment).await,
                    ended => return ended,
                }
            }
        }
        .boxed()
    }

    fn verify<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Verified> {
        // Nothing was sent that could be in doubt.
        futures_util::future::ready(Verified::NotApplied).boxed()
    }
}
