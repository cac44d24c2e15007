//! Where copied files come from: cloned projects, customised recipes, and the file that records them.
//!
//! In: files by path, `recipes.lock`. Out: the files of a copy, with what is to be recorded of them.
//! Always true: a copy never stands on a file that is there; the text that a copy was made of is
//! kept, so that a later version can be merged into it.

mod clone;
pub mod codes;
mod lock;
mod merge;
mod parts;
mod upgrade;

pub use clone::{Copy, Refused, Source, Tables, clone_project, customise};
pub use upgrade::{Outcome, Settled, Upgrade, WHOLE, upgrade};
pub use lock::{BASES, FILE, Lock, Origin, base_path};
pub use merge::{Conflict, Side, merge};

#[cfg(test)]
mod tests;
