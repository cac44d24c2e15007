//! Every finding the engine can make about files, explained.
//!
//! Always true: the list is made of the rooms' own lists; a code stands in exactly one of them.

use crate::diagnostic::Code;
use crate::{
    compile, connector, expression, form, library, mask, origin, shape, source, table, trial,
};

/// What a code means.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// The code.
    pub code: Code,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Why it is a finding and how to mend it.
    pub text: &'static str,
}

/// All codes in order.
pub fn explanations() -> Vec<Explanation> {
    let rooms = [
        source::codes::ALL,
        form::codes::ALL,
        mask::codes::ALL,
        origin::codes::ALL,
        compile::codes::ALL,
        table::codes::ALL,
        expression::codes::ALL,
        shape::codes::ALL,
        connector::codes::ALL,
        library::codes::ALL,
        trial::codes::ALL,
    ];
    let mut all: Vec<Explanation> = rooms
        .into_iter()
        .flatten()
        .map(|&(code, title, text)| Explanation { code, title, text })
        .collect();
    all.sort_by_key(|explanation| explanation.code);
    all
}
