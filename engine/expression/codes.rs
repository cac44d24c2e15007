//! The findings this room can make, with a paragraph of the documentation each.

use crate::diagnostic::Code;

/// A path that cannot be read.
pub const BAD_PATH: Code = Code("R100");
/// A template that cannot be read.
pub const BAD_TEMPLATE: Code = Code("R101");
/// A root, step, variable or setting that does not exist here.
pub const UNKNOWN_NAME: Code = Code("R102");
/// A field that the value does not have.
pub const UNKNOWN_FIELD: Code = Code("R103");
/// A helper that does not exist.
pub const UNKNOWN_HELPER: Code = Code("R104");
/// A helper with too few or too many arguments.
pub const WRONG_ARGUMENTS: Code = Code("R105");
/// A helper's argument of the wrong type.
pub const WRONG_ARGUMENT_TYPE: Code = Code("R106");
/// A value of the wrong type.
pub const WRONG_TYPE: Code = Code("R107");
/// A required member that is not there.
pub const MISSING_MEMBER: Code = Code("R108");
/// A member that nobody expects.
pub const SURPLUS_MEMBER: Code = Code("R109");
/// A value that may be absent where one is required.
pub const MAY_BE_ABSENT: Code = Code("R110");
/// A path inside a longer text.
pub const PATH_IN_TEXT: Code = Code("R111");
/// A path without `$.` in front.
pub const BARE_PATH: Code = Code("R112");
/// A block, partial or decorator of Handlebars.
pub const NO_BLOCKS: Code = Code("R113");
/// `items[3]` inside a template.
pub const INDEX_IN_TEMPLATE: Code = Code("R114");
/// A part of JSONPath that is not offered.
pub const PATH_NOT_OFFERED: Code = Code("R115");
/// A list or an object inside text.
pub const NOT_TEXT: Code = Code("R116");
/// A placeholder or path used as a key.
pub const TEMPLATE_AS_KEY: Code = Code("R117");
/// A condition without a test.
pub const NO_TEST: Code = Code("R120");
/// A test that does not exist.
pub const UNKNOWN_TEST: Code = Code("R121");
/// A test that does not suit the value.
pub const TEST_DOES_NOT_SUIT: Code = Code("R122");
/// A condition that is none.
pub const NOT_A_CONDITION: Code = Code("R123");
/// A text that is no regular expression.
pub const BAD_PATTERN: Code = Code("R124");

/// Every code of this room: code, title, explanation.
pub const ALL: &[(Code, &str, &str)] = &[
    (
        BAD_PATH,
        "this path cannot be read",
        "A path begins with `$.` and a root and names one member after the other: \
         `$.steps.user.email`, `$.steps.found.items[0].id`, `$.trigger.headers['x-signature']`. A \
         `?` at its end allows that it leads nowhere.",
    ),
    (
        BAD_TEMPLATE,
        "this template cannot be read",
        "Inside `{{ }}` stands a path without `$.` (`{{steps.user.email}}`) or a helper with its \
         arguments (`{{lowercase input.email}}`); helpers nest in round brackets.",
    ),
    (
        UNKNOWN_NAME,
        "nothing here has this name",
        "A path begins with a root: trigger, input, steps, vars, settings, job, error, loop, item, \
         index or the alias of a loop around it. Which of them exist depends on the place.",
    ),
    (
        UNKNOWN_FIELD,
        "the value has no such field",
        "The type of the value is known, and it has no field of this name, so the path would lead \
         nowhere every time.",
    ),
    (
        UNKNOWN_HELPER,
        "there is no such helper",
        "The reference lists all helpers with an example each.",
    ),
    (
        WRONG_ARGUMENTS,
        "too few or too many arguments",
        "Helpers take the thing worked on first: `{{join items \", \"}}`. An argument that is itself \
         a helper with arguments stands in round brackets.",
    ),
    (
        WRONG_ARGUMENT_TYPE,
        "an argument of the wrong type",
        "Nothing is converted unasked: use to_text, to_number, to_integer, to_date or to_datetime.",
    ),
    (
        WRONG_TYPE,
        "a value of the wrong type",
        "Values keep their types and nothing is converted unasked: text never becomes a number, one \
         value never becomes a list, a list never becomes its first element.",
    ),
    (
        MISSING_MEMBER,
        "a required value is missing",
        "What is called or sent needs this value; optional ones may be left out.",
    ),
    (
        SURPLUS_MEMBER,
        "nobody expects this value",
        "A name that is not declared would be ignored silently, so it is refused.",
    ),
    (
        MAY_BE_ABSENT,
        "this may be absent where a value is required",
        "A `?` says that the value may be absent, but here one is required. Leave the `?` out to \
         fail with a clear error when it is absent, or give another value with `default`.",
    ),
    (
        PATH_IN_TEXT,
        "a path inside a longer text is not replaced",
        "`$.` is a path only where the value begins with it. Inside a longer text write \
         `{{steps.user.email}}`. Write `\\$.` if the characters are meant.",
    ),
    (
        BARE_PATH,
        "this looks like a path but is text",
        "A path begins with `$.`; without it the value is the text itself.",
    ),
    (
        NO_BLOCKS,
        "blocks are not part of templates",
        "Blocks, partials and decorators of Handlebars are not offered. Use `transform` and the \
         helper `join` for lists, and `if_else` or a step's `when` to choose.",
    ),
    (
        INDEX_IN_TEMPLATE,
        "an index inside a template is written with a dot",
        "Inside `{{ }}` write `items.[3]`, or use the path form `$.steps.x.items[3]`.",
    ),
    (
        PATH_NOT_OFFERED,
        "this part of JSONPath is not offered",
        "Some constructs of JSONPath are refused, since their result is easily misread. The step \
         `transform` with `where` does the same in plain words.",
    ),
    (
        NOT_TEXT,
        "a list or an object cannot stand inside text",
        "Say how it becomes text: `{{join items \", \"}}`, `{{to_json value}}`, or name a member.",
    ),
    (
        TEMPLATE_AS_KEY,
        "names are not replaced",
        "Only values may hold paths and templates. To build an object whose names are computed, use \
         `transform` with `to_object`.",
    ),
    (
        NO_TEST,
        "a condition without a test",
        "A condition names a value and a test: `{ $.trigger.event: { equals: user.created } }`.",
    ),
    (
        UNKNOWN_TEST,
        "there is no such test",
        "The tests are equals, not_equals, in, not_in, contains, not_contains, starts_with, \
         ends_with, matches, less_than, at_most, greater_than, at_least, before, after, \
         on_or_before, on_or_after and is.",
    ),
    (
        TEST_DOES_NOT_SUIT,
        "the test does not suit the value",
        "A test compares values of one kind: numbers with numbers, text with text, dates with \
         dates. `\"0123\"` never equals 123.",
    ),
    (
        NOT_A_CONDITION,
        "this is not a condition",
        "A condition is a mapping from values to tests, or one value that is true or false.",
    ),
    (
        BAD_PATTERN,
        "this is no regular expression",
        "`matches` takes a regular expression and finds it anywhere in the text; `^` and `$` tie it \
         to the beginning and the end.",
    ),
];
