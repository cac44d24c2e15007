//! The grammar of recipe tests.
//!
//! Always true: this is the only place that names these keys.

use crate::form::{Form, Key, Kind, Naming};

/// A recipe test.
pub static TEST: Form = Form {
    name: "recipe test",
    doc: "A test of a recipe: a pretend world before, and what must hold after.",
    keys: &[
        Key::new("title", Kind::Text, "What the test shows."),
        Key::required(
            "recipe",
            Kind::Text,
            "The recipe, by its name in this project.",
        ),
        Key::new(
            "now",
            Kind::Text,
            "The moment at which it begins: a date and time.",
        ),
        Key::new("input", Kind::Data, "What the recipe is given."),
        Key::new(
            "event",
            Kind::Data,
            "What the trigger is given: body, headers, query, item.",
        ),
        Key::new(
            "settings",
            Kind::Map(Naming::Free, &Kind::Map(Naming::Free, &Kind::Data)),
            "Settings, by integration.",
        ),
        Key::new(
            "tables",
            Kind::Map(Naming::Name, &Kind::List(&Kind::Data)),
            "The rows of tables before.",
        ),
        Key::new(
            "replies",
            Kind::Map(Naming::Free, &Kind::List(&Kind::Data)),
            "What connectors answer, in order, by connector.action or step id.",
        ),
        Key::required("expect", Kind::Form(&EXPECT), "What must hold after."),
    ],
    variants: &[],
};

static EXPECT: Form = Form {
    name: "expect",
    doc: "What must hold after.",
    keys: &[
        Key::new("status", Kind::Text, "How the job ends."),
        Key::new("output", Kind::Data, "What it returns."),
        Key::new("error", Kind::Data, "The error it fails with."),
        Key::new(
            "requests",
            Kind::Data,
            "The requests sent: a list in order, or { set: [...] }.",
        ),
        Key::new(
            "tables",
            Kind::Map(Naming::Name, &Kind::Data),
            "The rows of tables after.",
        ),
        Key::new("log", Kind::List(&Kind::Data), "Lines that the log holds."),
    ],
    variants: &[],
};
