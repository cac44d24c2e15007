//! Calls of a preview: what only reads is sent, everything else is put down.
//!
//! In: calls. Out: real replies to reads, values that are not known for the rest.
//! Always true: an action that changes something is never sent; nor is a question whose arguments
//! are not known; no more calls are put down than allowed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt};

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::compile::ActionRef;
use crate::connector::Effect;
use crate::data::{Value, holds_withheld, withheld};
use crate::interpret::{Call, Called, Verified};
use crate::journal::EntryKey;
use crate::step::{Asked, Calls, Performed};

use super::{Cut, Limits};

/// A call that a preview did not send.
#[derive(Clone, Debug)]
pub struct Withheld {
    /// The step, as a place in the job.
    pub place: EntryKey,
    /// What would have been called.
    pub action: ActionRef,
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
    limits: Limits,
    list: Mutex<List>,
    is_full: Notify,
}

/// The calls that were put down.
#[derive(Default)]
struct List {
    withheld: Vec<Withheld>,
    bytes: usize,
    /// Why one was left out.
    cut: Option<Cut>,
}

impl Withholding {
    pub(super) fn new(real: Arc<dyn Calls>, clock: Clock, limits: Limits) -> Self {
        Self {
            real,
            clock,
            limits,
            list: Mutex::default(),
            is_full: Notify::new(),
        }
    }

    /// What was not sent, in order.
    pub(super) fn withheld(&self) -> Vec<Withheld> {
        std::mem::take(&mut self.list().withheld)
    }

    /// Why calls were left out, if any were.
    pub(super) fn cut(&self) -> Option<Cut> {
        self.list().cut
    }

    /// Waits until a call had to be left out.
    pub(super) async fn outgrown(&self) -> Cut {
        loop {
            if let Some(cut) = self.cut() {
                return cut;
            }
            self.is_full.notified().await;
        }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_down(&self, call: &Call) -> Performed {
        let action = format!("{}.{}", call.action.connector, call.action.action);
        let unknown = withheld(&format!("`{action}`"));
        let output = match call.action.is_listing {
            true => serde_json::json!({ "items": [unknown] }),
            false => unknown,
        };
        let also_send = call.also_send.as_ref();
        let bytes =
            call.input.to_string().len() + also_send.map_or(0, |more| more.to_string().len());
        let mut list = self.list();
        list.bytes = list.bytes.saturating_add(bytes);
        if list.withheld.len() >= self.limits.calls {
            list.cut = Some(Cut::Calls(self.limits.calls));
        } else if list.bytes > self.limits.bytes {
            list.cut = Some(Cut::Bytes(self.limits.bytes));
        }
        if list.cut.is_some() {
            self.is_full.notify_one();
        } else {
            list.withheld.push(Withheld {
                place: call.place.clone(),
                action: call.action.clone(),
                effect: call.action.effect,
                input: call.input.clone(),
                also_send: call.also_send.clone(),
            });
        }
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

    fn verify<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Asked> {
        // Nothing was sent that could be in doubt.
        futures_util::future::ready(Asked::Answered(Verified::NotApplied)).boxed()
    }
}
