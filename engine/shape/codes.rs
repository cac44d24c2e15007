//! The findings this room can make, with a paragraph of the documentation each.

use crate::diagnostic::Code;

/// A type word that does not exist.
pub const UNKNOWN_TYPE: Code = Code("R150");
/// A type written in a form that is none.
pub const NOT_A_TYPE: Code = Code("R151");
/// A key that a long form does not have.
pub const UNKNOWN_TYPE_KEY: Code = Code("R152");
/// A key of a long form whose value is wrong.
pub const WRONG_TYPE_DETAIL: Code = Code("R153");
/// A default or example that does not fit its own type.
pub const DEFAULT_DOES_NOT_FIT: Code = Code("R154");

/// Every code of this room: code, title, explanation.
pub const ALL: &[(Code, &str, &str)] = &[
    (
        UNKNOWN_TYPE,
        "unknown type",
        "The types are string, integer, number, boolean, date, datetime, email, object and any; \
         `[type]` is a list, `{ field: type }` an object, and a trailing `?` makes a field optional.",
    ),
    (
        NOT_A_TYPE,
        "not a type",
        "A type is a word (`integer`), a list of one type (`[integer]`), a mapping of field names \
         to types, `{ enum: [...] }`, or the long form `{ type: ..., description: ... }`.",
    ),
    (
        UNKNOWN_TYPE_KEY,
        "unknown key beside a type",
        "The long form of a type knows type, enum, optional, description, label, default, example, \
         pattern, minimum, maximum, secret and personal.",
    ),
    (
        WRONG_TYPE_DETAIL,
        "a detail of a type is wrong",
        "What stands beside `type` must fit it: `pattern` is a regular expression for text, \
         `minimum` and `maximum` are numbers for numbers, `secret` and `personal` are true or false.",
    ),
    (
        DEFAULT_DOES_NOT_FIT,
        "the default does not fit the type",
        "A `default` or `example` is checked like any other value of its type: nothing is converted.",
    ),
];
