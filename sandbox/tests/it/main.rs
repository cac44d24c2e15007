//! The stand-ins over real HTTP. In: a sandbox per test, on free ports. Out: what a caller sees.
//! Always true: no test sleeps; time moves by the control clock.

mod accredible;
mod docebo;
mod faults;
mod harness;
mod records;
mod webhooks;
