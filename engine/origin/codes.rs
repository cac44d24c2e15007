//! The findings about copies, with a paragraph of the documentation each.

use crate::diagnostic::Code;

/// A recipe of a clone that calls the project it was cloned from.
pub const CALLS_THE_ORIGINAL: Code = Code("L001");
/// An entry of `recipes.lock` for a file that is not there.
pub const COPY_IS_GONE: Code = Code("L002");

/// What each finding means, for people.
pub const ALL: &[(Code, &str, &str)] = &[
    (
        CALLS_THE_ORIGINAL,
        "a clone calls the project it was cloned from",
        "A recipe of a cloned project calls a recipe of the original by its full name, so that \
         changes of the clone's own copy have no effect there. Write the bare name.",
    ),
    (
        COPY_IS_GONE,
        "recipes.lock names a file that is not there",
        "The file was renamed or removed. An upgrade takes it as removed by you; take its entry \
         out of recipes.lock if that is what you want for good.",
    ),
];
