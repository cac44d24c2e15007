//! Loops over elements.
//!
//! Always true: results leave a loop in the order of its elements.

use super::steps::{ActionRef, Block};
use crate::expression::Expression;

/// A loop over elements.
#[derive(Debug)]
pub struct Foreach {
    /// Where the elements come from.
    pub source: ForeachSource,
    /// The name of one element, or of a list of them with `batch`.
    pub alias: String,
    /// The steps for each.
    pub steps: Block,
    /// How many run at once.
    pub at_once: u32,
    /// Whether `at_once` was written, so that results leave only by `collect` and `tally`.
    pub is_parallel: bool,
    /// How many elements make one iteration.
    pub batch: Option<u32>,
    /// What each iteration adds to `items`.
    pub collect: Option<Expression>,
    /// What is counted in `tally`.
    pub tally: Option<Expression>,
    /// Whether the loop goes on when an element fails.
    pub continue_on_error: bool,
}

/// Where a loop's elements come from.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are few of them, and they are never moved"
)]
pub enum ForeachSource {
    /// A list.
    List(Expression),
    /// A listing, one page at a time.
    Action {
        /// Which.
        action: ActionRef,
        /// Its arguments.
        with: Expression,
    },
}
