//! The stand-ins over real HTTP. In: a sandbox per test, on free ports. Out: what a caller sees.
//! Always true: no test sleeps; time moves by the control clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accredible;
mod credentials;
mod docebo;
mod learning;
mod faults;
mod harness;
mod mail;
mod records;
mod webhooks;
mod world;
