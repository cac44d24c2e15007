//! The findings this room can make, with a paragraph of the documentation each.

use crate::diagnostic::Code;

/// A key that the mapping does not have.
pub const UNKNOWN_KEY: Code = Code("R020");
/// A key that must be there and is not.
pub const MISSING_KEY: Code = Code("R021");
/// A value of another kind than the key takes.
pub const WRONG_KIND: Code = Code("R022");
/// A step, trigger or other mapping without a kind.
pub const NO_KIND: Code = Code("R023");
/// A step, trigger or other mapping with two kinds.
pub const TWO_KINDS: Code = Code("R024");
/// A key that belongs to another kind.
pub const KEY_OF_ANOTHER_KIND: Code = Code("R025");
/// An id, alias, variable or column name that breaks the pattern.
pub const BAD_NAME: Code = Code("R026");
/// A word that is not among those allowed.
pub const UNKNOWN_WORD: Code = Code("R027");
/// Text that is no length of time.
pub const BAD_PERIOD: Code = Code("R028");
/// A number outside its bounds.
pub const OUT_OF_BOUNDS: Code = Code("R029");

/// Every code of this room: code, title, explanation.
pub const ALL: &[(Code, &str, &str)] = &[
    (
        UNKNOWN_KEY,
        "unknown key",
        "A key that is not known is never passed over: it may be a misspelt one. The help names \
         the keys that are known here.",
    ),
    (
        MISSING_KEY,
        "a key is missing",
        "This mapping cannot be understood without the key that the message names.",
    ),
    (
        WRONG_KIND,
        "a value of the wrong kind",
        "The key takes something else: text instead of a number, a list instead of a mapping. \
         Numbers and true/false that are meant as text need quotes.",
    ),
    (
        NO_KIND,
        "nothing says what this is",
        "A step needs exactly one of the keys that say what it does (`action`, `call`, `table`, \
         ...), a trigger exactly one that says what sets it off.",
    ),
    (
        TWO_KINDS,
        "two kinds at once",
        "A step does exactly one thing and a trigger is exactly one. Make two steps of it.",
    ),
    (
        KEY_OF_ANOTHER_KIND,
        "a key that belongs to another kind",
        "The key exists, but only beside another one: `collect`, for example, belongs to \
         `foreach`.",
    ),
    (
        BAD_NAME,
        "not a sound name",
        "Ids, aliases, variables and column names begin with a lower-case letter and go on with \
         lower-case letters, digits and `_`, so that paths can be written without brackets. File \
         names are lower-case words joined by hyphens.",
    ),
    (
        UNKNOWN_WORD,
        "not one of the words allowed",
        "Some keys take one of a few words; the message lists them.",
    ),
    (
        BAD_PERIOD,
        "not a length of time",
        "Lengths of time are written with units: 500ms, 30s, 5m, 6h, 7d, 1h 30m.",
    ),
    (
        OUT_OF_BOUNDS,
        "a number out of bounds",
        "The key takes numbers within bounds only; the message names them.",
    ),
];
