//! The findings this room can make, with a paragraph of the documentation each.

use crate::diagnostic::Code;

/// A key that names a column which is not declared.
pub const KEY_UNKNOWN: Code = Code("R090");
/// A first row that does not fit its columns.
pub const ROW_DOES_NOT_FIT: Code = Code("R091");
/// Two first rows of one key, or of one value in a unique column.
pub const ROW_TWICE: Code = Code("R092");
/// `normalise` on a column that holds no text.
pub const NORMALISE_NO_TEXT: Code = Code("R093");
/// Two columns of one label.
pub const LABEL_TWICE: Code = Code("R094");
/// A table without columns.
pub const NO_COLUMNS: Code = Code("R095");
/// A key column that may be empty.
pub const KEY_OPTIONAL: Code = Code("R096");
/// A secret column that is unique or part of the key.
pub const SECRET_KEY: Code = Code("R097");

/// Every code of this room: code, title, explanation.
pub const ALL: &[(Code, &str, &str)] = &[
    (
        KEY_UNKNOWN,
        "the key names an unknown column",
        "`key` lists columns of the table, by name.",
    ),
    (
        ROW_DOES_NOT_FIT,
        "a row does not fit its columns",
        "Rows are checked like any other value: unknown columns, wrong types and missing required \
         columns are refused with the row's place.",
    ),
    (
        ROW_TWICE,
        "a row is there twice",
        "No two rows may have the same key, or the same value in a column that is unique; values \
         are compared as they are stored, after `normalise`.",
    ),
    (
        NORMALISE_NO_TEXT,
        "only text can be normalised",
        "`trim` and `lowercase` work on columns of text.",
    ),
    (
        LABEL_TWICE,
        "two columns have the same label",
        "CSV files find their columns by label, so each label may be used once.",
    ),
    (
        NO_COLUMNS,
        "a table without columns",
        "A lookup table needs at least one column.",
    ),
    (
        KEY_OPTIONAL,
        "a key column may be empty",
        "The columns of the key name a row, so they must be required or have a default.",
    ),
    (
        SECRET_KEY,
        "a secret column cannot be looked up",
        "Values of secret columns are sealed in the database, so they can neither be part of the \
         key nor be unique. Give the row an id of its own.",
    ),
];
