//! Black-box stories at the doors: HTTP on the real router, and the real binary.
//!
//! Always true: each story has a workspace of its own; what is waited for is an answer or a line of
//! output, never a span of time.

mod asking;
mod audited;
mod beside;
mod branches;
mod breaking;
mod cancelling;
mod changed;
mod clock;
mod connecting;
mod copying;
mod counted;
mod deciding;
mod disk;
mod doctoring;
mod document;
mod editing;
mod failing;
mod folding;
mod following;
mod hints;
mod house;
mod inbox;
mod keeping;
mod lately;
mod lost;
mod mended;
mod moved;
mod newer;
mod lobby;
mod preview;
mod previewing;
mod printing;
mod process;
mod progress;
mod recipes;
mod recording;
mod refusing;
mod roles;
mod searching;
mod sealed;
mod shop;
mod suites;
mod rerunning;
mod tables;
mod telling;
mod telling_more;
mod testing;
mod tokens;
mod upgrading;
mod watching;
mod webhooks;
mod wrong;
