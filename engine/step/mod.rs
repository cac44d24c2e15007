//! Effects on the outside world: what the runner needs done, whoever does it.
//!
//! In: a [`Call`]. Out: how it ended.
//! Always true: a real account and a test's pretend world are asked in the same words.

mod called;

pub use called::{again, broken, called, refused};

use futures_util::future::{BoxFuture, FutureExt};

use crate::clock::Moment;
use crate::interpret::{Call, Called, Verified};

/// Something that performs connector calls: real accounts, or a test's canned replies.
pub trait Calls: Send + Sync {
    /// Asks for room for one call that is about to be made, before anything of it is written down.
    /// `None`: there is, and it is kept for a short time; else the moment to ask again at.
    fn room<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Option<Moment>> {
        std::future::ready(None).boxed()
    }

    /// Performs one call, or says from when on there is room for it.
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Performed>;

    /// Asks whether a doubtful call was applied, or says from when on there is room for the question.
    fn verify<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Asked>;
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
