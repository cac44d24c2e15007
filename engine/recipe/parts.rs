//! The grammar of what stands inside steps: retry, transform, table operations, branches.
//!
//! Always true: this is the only place that names these keys.

use super::steps::ONE_STEP;
use crate::form::{Form, Key, Kind, Variant};

pub(super) static RETRY: Form = Form {
    name: "retry",
    doc: "What is written replaces only those keys of the action's default.",
    keys: &[
        Key::new("tries", Kind::Whole { min: 1, max: 1_000 }, "Tries in all."),
        Key::new(
            "for",
            Kind::Period,
            "How long after the first failure it is still tried again.",
        ),
        Key::new("delay", Kind::Period, "The wait before the second try."),
        Key::new(
            "backoff",
            Kind::Factor,
            "The factor by which each further wait grows.",
        ),
        Key::new("max_delay", Kind::Period, "The longest wait."),
        Key::new(
            "when",
            Kind::Condition,
            "Only errors for which this holds are tried again.",
        ),
    ],
    variants: &[],
};

/// Pure list work; the parts run in the order of this list.
pub(super) static TRANSFORM: Form = Form {
    name: "transform",
    doc: "Pure list work; its parts run in this order, and at most one of the last three.",
    keys: &[
        Key::required("from", Kind::Value, "The list."),
        Key::new(
            "where",
            Kind::Condition,
            "Keeps the elements for which it holds.",
        ),
        Key::new(
            "select",
            Kind::Value,
            "Turns each element into something else.",
        ),
        Key::new(
            "distinct_by",
            Kind::Value,
            "Keeps the first element of each value.",
        ),
        Key::new(
            "sort_by",
            Kind::Value,
            "A value, or a list of values or { value, descending }.",
        ),
        Key::new("limit", Kind::Value, "Keeps this many at most."),
        Key::new("group_by", Kind::Value, "Gives a list of { key, items }."),
        Key::new(
            "index_by",
            Kind::Value,
            "Gives an object from this value to the element.",
        ),
        Key::new(
            "to_object",
            Kind::Form(&TO_OBJECT),
            "Gives an object from key to value.",
        ),
    ],
    variants: &[],
};

static TO_OBJECT: Form = Form {
    name: "to_object",
    doc: "An object from key to value; the same key twice is an error.",
    keys: &[
        Key::required("key", Kind::Value, "The key of an element."),
        Key::required("value", Kind::Value, "The value of an element."),
    ],
    variants: &[],
};

pub(super) static FIND: Form = Form {
    name: "find",
    doc: "Which rows, in which order, and how many.",
    keys: &[
        Key::new("where", Kind::Condition, "Which rows; all if left out."),
        Key::new(
            "sort_by",
            Kind::Value,
            "A value, or a list of values or { value, descending }.",
        ),
        Key::new("limit", Kind::Value, "How many at most."),
    ],
    variants: &[],
};

pub(super) static COUNT: Form = Form {
    name: "count",
    doc: "Which rows are counted.",
    keys: &[Key::new(
        "where",
        Kind::Condition,
        "Which rows; all if left out.",
    )],
    variants: &[],
};

pub(super) static UPDATE: Form = Form {
    name: "update",
    doc: "Which rows are changed, and how.",
    keys: &[
        Key::new("where", Kind::Condition, "Which rows; all if left out."),
        Key::required(
            "set",
            Kind::Value,
            "Columns and their new values; may read `row`.",
        ),
        Key::new(
            "expect",
            Kind::Value,
            "How many rows must be met; else nothing changes.",
        ),
    ],
    variants: &[],
};

pub(super) static DELETE: Form = Form {
    name: "delete",
    doc: "Which rows are removed.",
    keys: &[
        Key::required(
            "where",
            Kind::Condition,
            "Which rows; to remove all, use truncate.",
        ),
        Key::new(
            "expect",
            Kind::Value,
            "How many rows must be met; else nothing changes.",
        ),
    ],
    variants: &[],
};

pub(super) static SYNC: Form = Form {
    name: "sync",
    doc: "Makes the table hold exactly these rows.",
    keys: &[
        Key::required("rows", Kind::Value, "The rows."),
        Key::new(
            "max_removed",
            Kind::Either(&[
                Kind::Text,
                Kind::Whole {
                    min: 0,
                    max: 1_000_000_000,
                },
            ]),
            "The most rows that may go: 10% or a number; 20% is the default, at least ten rows.",
        ),
    ],
    variants: &[],
};

pub(super) static ELSE_IF: Form = Form {
    name: "else_if",
    doc: "A further condition.",
    keys: &[
        Key::required("if", Kind::Condition, "Runs `then` if it holds."),
        Key::required("then", Kind::List(&ONE_STEP), "What runs if it holds."),
    ],
    variants: &[],
};

pub(super) static CASE: Form = Form {
    name: "case",
    doc: "One case: a value or several.",
    keys: &[Key::required(
        "then",
        Kind::List(&ONE_STEP),
        "What runs in this case.",
    )],
    variants: &[
        Variant::new(Key::new("equals", Kind::Value, "The value of this case.")),
        Variant::new(Key::new(
            "in",
            Kind::List(&Kind::Value),
            "The values of this case.",
        )),
    ],
};

pub(super) static CATCH: Form = Form {
    name: "catch",
    doc: "What runs after a failure; it may read `error`.",
    keys: &[
        Key::new(
            "when",
            Kind::Condition,
            "Which failures are caught; all if left out.",
        ),
        Key::required("do", Kind::List(&ONE_STEP), "What runs then."),
    ],
    variants: &[],
};

pub(super) static UNTIL: Form = Form {
    name: "wait until",
    doc: "A moment.",
    keys: &[Key::required(
        "until",
        Kind::Value,
        "The moment: a date and time.",
    )],
    variants: &[],
};

pub(super) static STOP_FORM: Form = Form {
    name: "stop",
    doc: "How the job ends.",
    keys: &[
        Key::required(
            "status",
            Kind::Word(&["success", "failure"]),
            "How it ends.",
        ),
        Key::required("reason", Kind::Value, "Why, for people."),
    ],
    variants: &[],
};
