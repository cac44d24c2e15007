//! Effects on the outside world: what the runner needs done, whoever does it.
//!
//! In: a [`Call`]. Out: how it ended.
//! Always true: a real account and a test's pretend world are asked in the same words.

mod called;

pub use called::{again, broken, called, refused};

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use crate::clock::Moment;
use crate::interpret::{Call, Called, Verified};
use crate::names::ConnectionName;

/// Something that performs connector calls: real accounts, or a test's canned replies.
pub trait Calls: Send + Sync {
    /// Asks for room for one call that is about to be made, before anything of it is written down.
    /// `None`: there is, and it is kept for a short time; else the moment to ask again at.
    fn room<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Option<Moment>> {
        std::future::ready(None).boxed()
    }

    /// Why a call that has not ended has no room, for whoever looks at its job.
    fn held_up(&self, _call: &Call) -> Option<HeldUp> {
        None
    }

    /// Performs one call, or says from when on there is room for it.
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Performed>;

    /// Asks whether a doubtful call was applied, or says from when on there is room for the question.
    fn verify<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Asked>;
}

/// Why there is no room for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldUp {
    /// Whose budget it is.
    pub connection: ConnectionName,
    /// The budget that is used up: so many calls in so long. None if the vendor itself asked to be
    /// left alone.
    pub budget: Option<(u32, Duration)>,
    /// When there is room again.
    pub until: Moment,
}

/// What became of a call.
#[derive(Debug)]
pub enum Performed {
    /// It was sent, or refused for good.
    Ended(Called),
    /// It was not sent: budget or exclusive group have no room before this moment.
    Later(Moment),
}

/// What became of a question about a doubtful call.
#[derive(Debug)]
pub enum Asked {
    /// It was answered, or failed.
    Answered(Verified),
    /// It was not sent, or not to its end: there is no room before this moment.
    Later(Moment),
}

#[cfg(test)]
mod tests;
