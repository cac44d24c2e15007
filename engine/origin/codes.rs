//! The findings about copies, with a paragraph of the documentation each.

use crate::diagnostic::Code;

/// A recipe of a clone that calls the project it was cloned from.
pub const CALLS_THE_ORIGINAL: Code = Code("L001");
/// An entry of `recipes.lock` for a file that is not there.
pub const COPY_IS_GONE: Code = Code("L002");
/// An entry of `recipes.lock` that the program did not write.
pub const WRONG_ENTRY: Code = Code("L003");
/// Copies whose originals have changed since.
pub const NEWER_ORIGINAL: Code = Code("L004");
/// Copies of which `recipes.lock` says nothing.
pub const NOT_RECORDED: Code = Code("L005");
/// Copies without the texts that they were made of.
pub const BASE_IS_GONE: Code = Code("L006");

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
        "The file was renamed or removed. An upgrade takes it as removed by you, and asks only if \
         the original has changed.",
    ),
    (
        WRONG_ENTRY,
        "an entry of recipes.lock is none that the program wrote",
        "Paths lead to recipes, tests and lookup tables of the workspace, hashes are 64 \
         hexadecimal digits. The file was edited by hand: put it back as it was, from your \
         version control for instance, or take the entry out. Until then nothing is cloned, \
         customised or upgraded.",
    ),
    (
        NEWER_ORIGINAL,
        "the original of copied files has changed",
        "The program, or the project that was cloned, has newer versions of files that this \
         workspace has copies of. `recipes upgrade PROJECT --plan` shows what would change.",
    ),
    (
        NOT_RECORDED,
        "recipes.lock does not say what copies were made of",
        "recipes/.base keeps the texts that copies were made of, and recipes.lock, which says which \
         copy was made of which text, is gone or does not name the project. Put it back, from your \
         version control for instance. Until then a copy is known by its likeness to a kept text \
         alone: it is still not started beside another one that writes to the same place, but it \
         cannot be upgraded.",
    ),
    (
        BASE_IS_GONE,
        "the texts that copies were made of are gone",
        "recipes.lock records copies, and recipes/.base does not have the texts that they were made \
         of. Put the folder back, from your version control for instance. Without it nobody can tell \
         what was changed here and what was changed in the original, so an upgrade asks about every \
         file that differs, as a whole.",
    ),
];
