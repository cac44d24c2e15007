//! Where copied files come from: cloned projects, customised recipes, and the file that records them.
//!
//! In: files by path, `recipes.lock`. Out: the files of a copy, with what is to be recorded of them;
//! what becomes of copies when their originals change.
//! Always true: a copy never stands on a file that is there; the text that a copy was made of is
//! kept, so that a later version can be merged into it.

mod aligned;
mod clone;
pub mod codes;
mod forget;
mod lock;
mod meet;
mod merge;
mod parts;
mod settle;
mod source;
mod tables;
mod upgrade;
mod version;
mod wording;

pub use clone::{Copy, Refused, Tables, clone_project, customise};
pub use forget::forget;
pub use lock::{BASES, FILE, Lock, Origin, base_path, is_inside};
pub use merge::{Clash, Conflict, Side};
pub use parts::is_nameless;
pub use settle::{Choice, Settled};
pub use source::Source;
pub use upgrade::{Outcome, Upgrade, copies, upgrade};
pub use version::is_older;

#[cfg(test)]
mod tests;
