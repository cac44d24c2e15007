//! Calls against real sockets: how each end is told, signing in, paging, budgets, holds.

mod bench;
mod endings;
mod limits;
mod mails;
mod paging;
mod server;
mod signing;
