//! Calls against real sockets: how each end is told, signing in, paging, budgets, holds.

mod bench;
mod endings;
mod greeting;
mod guarding;
mod lasting;
mod limits;
mod mails;
mod notices;
mod paging;
mod post;
mod posting;
mod restarts;
mod scrubbing;
mod server;
mod signing;
