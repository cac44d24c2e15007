//! Calls against real sockets: how each end is told, signing in, paging, budgets, holds.

mod bench;
mod endings;
mod guarding;
mod lasting;
mod limits;
mod mails;
mod paging;
mod restarts;
mod scrubbing;
mod server;
mod signing;
