//! What must not be shown, and texts and values without it.
//!
//! In: secrets, and values with what is declared of them. Out: [`Masker`]s, which take them out of
//! whatever leaves the house.
//! Always true: what is hidden is hidden by value, wherever it turns up and in every form that
//! [`forms`] lists; texts of fewer than [`HIDDEN_CHARS_MIN`] characters are hidden only in the
//! place where they are declared.

pub mod codes;
mod forms;
mod hidden;
mod mails;
mod masker;
mod secrets;
mod stand_ins;
mod typed;

pub use forms::forms;
pub use hidden::{Hidden, Marked, in_place, is_plain};
pub use mails::without_mails;
pub use masker::Masker;
pub use secrets::{SECRET_BYTES_MIN, learn_secret, learned_secrets, masker_of_secrets};
pub use stand_ins::StandIns;
pub use typed::point_out_secrets;

/// What stands in place of a hidden value.
pub const MASK: &str = "***";

/// Shorter texts say nothing of a person and would hide half of an answer.
pub const HIDDEN_CHARS_MIN: usize = 4;

#[cfg(test)]
mod tests;
