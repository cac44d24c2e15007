//! What the clock sets off: rules, fires, polls; on a clock that the test moves.

mod damage;
mod fires;
mod jumps;
mod polls;
mod random;
mod rig;
mod vectors;
