//! The way out, and what went through it.
//!
//! In: the calls of jobs. Out: the same calls, and a log of them that outlives the process.
//! Always true: a call is in the log before it leaves, and its end once it is known.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt};
use recipe_engine::clock::Moment;
use recipe_engine::connector::Effect;
use recipe_engine::interpret::{Call, Called};
use recipe_engine::outbound::Outbound;
use recipe_engine::step::{Asked, Calls, Performed};

/// One call that a job made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// `connector.action`.
    pub(super) action: String,
    pub(super) effect: Effect,
    pub(super) end: CallEnd,
}

/// What is known of a call's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallEnd {
    /// The process died first.
    Open,
    /// It was not sent: there was no room for it yet.
    PutOff,
    Done,
    /// It failed, or its end is in doubt.
    NotDone,
}

/// The calls of all processes of a stage, in the order in which they left.
#[derive(Debug, Default)]
pub(super) struct CallLog(Mutex<Vec<Made>>);

impl CallLog {
    /// Those that left, or may have.
    pub(super) fn made(&self) -> Vec<Made> {
        let mut made = self.with(|made| made.clone());
        made.retain(|made| made.end != CallEnd::PutOff);
        made
    }

    fn with<T>(&self, what: impl FnOnce(&mut Vec<Made>) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The real way out under observation.
pub(super) struct Spy {
    pub(super) way_out: Outbound,
    pub(super) log: Arc<CallLog>,
}

impl Calls for Spy {
    fn room<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Moment>> {
        self.way_out.room(call)
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Performed> {
        let made = Made {
            action: format!("{}.{}", call.action.connector, call.action.action),
            effect: call.action.effect,
            end: CallEnd::Open,
        };
        async move {
            let number = self.log.with(|log| {
                log.push(made);
                log.len() - 1
            });
            let performed = self.way_out.call(call).await;
            let end = match &performed {
                Performed::Ended(Called::Done { .. }) => CallEnd::Done,
                Performed::Ended(_) => CallEnd::NotDone,
                Performed::Later(_) => CallEnd::PutOff,
            };
            self.log.with(|log| log[number].end = end);
            performed
        }
        .boxed()
    }

    fn verify<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Asked> {
        self.way_out.verify(call)
    }
}
