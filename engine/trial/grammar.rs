//! The grammar of recipe tests.
//!
//! Always true: this is the only place that names these keys.

use crate::form::{Form, Key, Kind, Naming};

/// A file of tests of one recipe.
pub static TEST: Form = Form {
    name: "recipe test",
    doc: "Tests of a recipe: a pretend world before, and what must hold after.",
    keys: &[
        Key::new("title", Kind::Text, "What the tests show."),
        Key::required(
            "recipe",
            Kind::Text,
            "The recipe, by its name in this project.",
        ),
        Key::required(
            "cases",
            Kind::List(&Kind::Form(&CASE)),
            "The tests, one after another.",
        ),
    ],
    variants: &[],
};

static CASE: Form = Form {
    name: "test case",
    doc: "One test.",
    keys: &[
        Key::required("title", Kind::Text, "What it shows."),
        Key::new(
            "now",
            Kind::Text,
            "The moment at which it begins: a date and time.",
        ),
        Key::new("input", Kind::Data, "What the recipe is given."),
        Key::new(
            "event",
            Kind::Data,
            "What the trigger is given: body, headers, query.",
        ),
        Key::new(
            "settings",
            Kind::Map(Naming::Free, &Kind::Map(Naming::Free, &Kind::Data)),
            "Settings, by integration and key.",
        ),
        Key::new(
            "tables",
            Kind::Map(Naming::Name, &Kind::List(&Kind::Data)),
            "The rows of tables before.",
        ),
        Key::new(
            "replies",
            Kind::Map(Naming::Free, &Kind::List(&Kind::Form(&REPLY))),
            "What connectors answer, in order, by `connector.action`; to the question whether a \
             doubtful call was applied, by `connector.action/verify`.",
        ),
        Key::new(
            "survives_crashes",
            Kind::Flag,
            "Write false where the end is another one when the worker dies on the way, because the \
             recipe or the test itself answers a doubtful end.",
        ),
        Key::required(
            "expect",
            Kind::Form(&EXPECT),
            "What must hold after, such as `{ status: succeeded, output: {} }`.",
        ),
    ],
    variants: &[],
};

static REPLY: Form = Form {
    name: "reply",
    doc: "One answer of a connector.",
    keys: &[
        Key::new(
            "output",
            Kind::Data,
            "The action's output; of a listing a page: `items`, `next` if another one follows.",
        ),
        Key::new(
            "status",
            Kind::Whole { min: 100, max: 599 },
            "A raw HTTP answer: its status.",
        ),
        Key::new(
            "headers",
            Kind::Map(Naming::Free, &Kind::Data),
            "Its headers.",
        ),
        Key::new("body", Kind::Data, "Its body."),
        Key::new(
            "error",
            Kind::Form(&ERROR),
            "A failure that was certainly not applied.",
        ),
        Key::new("unknown", Kind::Text, "A doubtful end, in words."),
        Key::new(
            "applied",
            Kind::Flag,
            "To a question: whether the call was applied.",
        ),
        Key::new(
            "repeat",
            Kind::Flag,
            "Whether the answer is used again and again.",
        ),
    ],
    variants: &[],
};

static ERROR: Form = Form {
    name: "error",
    doc: "A failure.",
    keys: &[
        Key::required("code", Kind::Text, "Its code, such as `not_found`."),
        Key::new("message", Kind::Text, "What happened."),
        Key::new(
            "status",
            Kind::Whole { min: 100, max: 599 },
            "The HTTP status behind it.",
        ),
    ],
    variants: &[],
};

static EXPECT: Form = Form {
    name: "expect",
    doc: "What must hold after. What is left out is not looked at.",
    keys: &[
        Key::new(
            "status",
            Kind::Text,
            "How the job ends; `succeeded` if left out.",
        ),
        Key::new("output", Kind::Data, "What it returns, exactly."),
        Key::new(
            "error",
            Kind::Data,
            "The error it fails with: `code`, `message` (a part).",
        ),
        Key::new(
            "requests",
            Kind::List(&Kind::Data),
            "Every request sent, in order: `connector.action: { some of its fields }`.",
        ),
        Key::new(
            "requests_any_order",
            Kind::List(&Kind::Data),
            "Every request sent, in any order.",
        ),
        Key::new(
            "tables",
            Kind::Map(Naming::Name, &Kind::List(&Kind::Data)),
            "All rows of tables after, in the order of keys, with some of their columns.",
        ),
        Key::new(
            "log",
            Kind::List(&Kind::Text),
            "Texts that lines of the log contain.",
        ),
    ],
    variants: &[],
};
