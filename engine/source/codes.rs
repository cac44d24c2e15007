//! The findings this room can make, with a paragraph of the documentation each.

use crate::diagnostic::Code;

/// A file larger than the limit.
pub const TOO_LARGE: Code = Code("R001");
/// Bytes that are no text.
pub const NOT_TEXT: Code = Code("R002");
/// Text that is no YAML.
pub const NOT_YAML: Code = Code("R003");
/// The same key twice in one mapping.
pub const DUPLICATE_KEY: Code = Code("R004");
/// A template without quotes.
pub const UNQUOTED_TEMPLATE: Code = Code("R005");
/// A path with brackets, without quotes, inside `{ }` or `[ ]`.
pub const UNQUOTED_PATH: Code = Code("R006");
/// An unquoted yes/no word.
pub const YES_NO_WORD: Code = Code("R007");
/// An unquoted number with leading zeros.
pub const LEADING_ZERO: Code = Code("R008");
/// A number that cannot be held exactly.
pub const NUMBER_TOO_LARGE: Code = Code("R009");
/// A `#` that cuts a text short.
pub const CUT_SHORT: Code = Code("R010");
/// A `#` that touches a word.
pub const TOUCHING_HASH: Code = Code("R011");
/// Nesting, aliases or sheer number beyond the limits.
pub const TOO_COMPLEX: Code = Code("R012");
/// A tag such as `!secret`.
pub const TAG: Code = Code("R013");
/// A key that is no text.
pub const KEY_NOT_TEXT: Code = Code("R014");
/// More than one document in a file.
pub const MANY_DOCUMENTS: Code = Code("R015");
/// A file without content.
pub const EMPTY: Code = Code("R016");
/// A file that cannot be read from the disk.
pub const UNREADABLE: Code = Code("R017");

/// Every code of this room: code, title, explanation.
pub const ALL: &[(Code, &str, &str)] = &[
    (
        TOO_LARGE,
        "the file is too large",
        "A file may have 1 MiB (recipes.lock, which the program writes, 16); nothing beyond is \
         read. Rows that are many belong into the table itself: import them as CSV.",
    ),
    (
        NOT_TEXT,
        "the file is not UTF-8",
        "Files are text in UTF-8. Save the file again as UTF-8; the message names the first byte \
         that is something else.",
    ),
    (
        NOT_YAML,
        "the file is not YAML",
        "The text breaks a rule of YAML: often an indentation that does not match, a quote or \
         bracket that is not closed, or a `: ` inside a text that needs quotes.",
    ),
    (
        DUPLICATE_KEY,
        "a key is written twice",
        "A mapping may have each key once. Both places are named; remove one of them.",
    ),
    (
        UNQUOTED_TEMPLATE,
        "a template needs quotes",
        "YAML reads an unquoted `{{` as the beginning of a mapping. Put the whole value into \
         quotes: `\"{{lowercase input.email}}\"`.",
    ),
    (
        UNQUOTED_PATH,
        "a path with brackets needs quotes here",
        "Inside `{ }` and `[ ]` YAML reads the brackets of a path as its own. Put the path into \
         quotes: `{ ids: \"$.steps.held.items[*].id\" }`.",
    ),
    (
        YES_NO_WORD,
        "a yes/no word needs a decision",
        "YAML tools disagree about unquoted `yes`, `no`, `on`, `off`, `y` and `n`. Write `true` or \
         `false` if that is meant, or put the word into quotes if the text is meant.",
    ),
    (
        LEADING_ZERO,
        "a number with leading zeros needs quotes",
        "YAML tools disagree about `007` and `0x1F`: text, or which number. Put it into quotes if \
         the text counts, or write the number without the zero.",
    ),
    (
        NUMBER_TOO_LARGE,
        "a number cannot be held exactly",
        "Whole numbers reach from -9223372036854775808 to 9223372036854775807; `.nan` and `.inf` \
         are no JSON. Put long numbers such as identifiers into quotes.",
    ),
    (
        CUT_SHORT,
        "a `#` cuts the text short",
        "After a blank, `#` begins a comment, and the rest of the line is lost. Put the text into \
         quotes, or write two blanks before a comment.",
    ),
    (
        TOUCHING_HASH,
        "a `#` touches a word",
        "Whether `word#word` is text or the beginning of a comment is easily misread. Put the text \
         into quotes, or write two blanks before a comment.",
    ),
    (
        TOO_COMPLEX,
        "the file is too deep or too complex",
        "A file may be nested 64 levels deep and hold 200,000 values; its aliases may repeat 20,000 \
         of them. Nothing is read of a file that exceeds this.",
    ),
    (
        TAG,
        "tags are not used here",
        "Tags such as `!secret` or `!!binary` have no meaning in these files. Secrets belong into \
         connections.",
    ),
    (
        KEY_NOT_TEXT,
        "a key is not text",
        "The key of a mapping is a word or a text, never a list, a mapping or nothing.",
    ),
    (
        MANY_DOCUMENTS,
        "the file holds several documents",
        "A file describes one thing. Put what follows the `---` line into a file of its own.",
    ),
    (
        EMPTY,
        "the file is empty",
        "There is nothing in the file but white space or comments.",
    ),
    (
        UNREADABLE,
        "the file cannot be read",
        "The operating system refuses to read the file; the message says why.",
    ),
];
