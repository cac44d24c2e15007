//! The grammar of connector files.
//!
//! Always true: the reader takes its keys from here, and the schema for editors is made of it.

mod parts;

pub(super) use parts::{BASIC, OAUTH2, PAGES, ROWS, SIGN_IN, SIZE, VERIFY};

use crate::form::{Form, Key, Kind, Naming};

/// A connector file.
pub static CONNECTOR: Form = Form {
    name: "connector",
    doc: "A vendor's API, described well enough that nothing else names it.",
    keys: &[
        Key::new(
            "title",
            Kind::Text,
            "The title that people know it by; left out, the file changes the bundled connector.",
        ),
        Key::new("description", Kind::Text, "What it is."),
        Key::new(
            "connection",
            Kind::Fields,
            "What an admin supplies to connect.",
        ),
        Key::new(
            "base_url",
            Kind::Value,
            "Where its paths begin; may read `connection`.",
        ),
        Key::new(
            "headers",
            Kind::Map(Naming::Free, &Kind::Value),
            "Sent with every request.",
        ),
        Key::new("sign_in", Kind::Form(&SIGN_IN), "How requests are signed."),
        Key::new(
            "probe",
            Kind::Id,
            "The read action behind `check connection`.",
        ),
        Key::new(
            "budget",
            Kind::List(&Kind::Form(&BUDGET)),
            "How many calls it allows.",
        ),
        Key::new(
            "allowance",
            Kind::Form(&ALLOWANCE),
            "Where replies say how many calls are left.",
        ),
        Key::new(
            "timeout",
            Kind::Period,
            "The longest one call may take; 30s by default.",
        ),
        Key::new("retry", Kind::Form(&RETRY), "How calls are tried again."),
        Key::new(
            "replies",
            Kind::List(&Kind::Form(&RULE)),
            "What replies mean; first match wins.",
        ),
        Key::new(
            "message",
            Kind::List(&Kind::Value),
            "Where a message is found in a reply.",
        ),
        Key::new(
            "actions",
            Kind::Map(Naming::Id, &Kind::Form(&ACTION)),
            "The operations it offers, by name.",
        ),
    ],
    variants: &[],
};

/// An action.
pub(in crate::connector) static ACTION: Form = Form {
    name: "action",
    doc: "One named operation.",
    keys: &[
        Key::new("title", Kind::Text, "What it does, in a few words."),
        Key::new(
            "description",
            Kind::Text,
            "What it does, in a few sentences.",
        ),
        Key::required(
            "effect",
            Kind::Word(&["read", "repeatable", "once"]),
            "Whether it may be repeated: freely, with the same key, or never.",
        ),
        Key::new(
            "provenance",
            Kind::Word(&["documented", "observed", "assumed"]),
            "How well its contract is known; assumed is the default.",
        ),
        Key::new("input", Kind::Fields, "What it takes: names and types."),
        Key::required(
            "request",
            Kind::Form(&REQUEST),
            "What is sent: a method and a body.",
        ),
        Key::new(
            "pages",
            Kind::Form(&PAGES),
            "How pages follow one another; makes it a listing.",
        ),
        Key::new(
            "items",
            Kind::Value,
            "Where the items of a page stand in the reply.",
        ),
        Key::new(
            "item",
            Kind::Value,
            "The object that the output is read from.",
        ),
        Key::new(
            "output",
            Kind::Map(Naming::Id, &Kind::Data),
            "What it gives: names and types.",
        ),
        Key::new(
            "rows",
            Kind::Form(&ROWS),
            "Results per row, if the reply has them.",
        ),
        Key::new(
            "replies",
            Kind::List(&Kind::Form(&RULE)),
            "Rules before the connector's own.",
        ),
        Key::new(
            "exclusive",
            Kind::Either(&[Kind::Text, Kind::List(&Kind::Text)]),
            "Groups of which no two calls may be in flight on one connection.",
        ),
        Key::new(
            "budget",
            Kind::List(&Kind::Form(&BUDGET)),
            "A budget of its own, in addition.",
        ),
        Key::new("timeout", Kind::Period, "The longest one call may take."),
        Key::new("retry", Kind::Form(&RETRY), "How it is tried again."),
        Key::new(
            "verify",
            Kind::Form(&VERIFY),
            "How a doubtful end of a `once` is cleared up.",
        ),
    ],
    variants: &[],
};

pub(in crate::connector) static REQUEST: Form = Form {
    name: "request",
    doc: "What is sent: exactly one method with its path, and at most one body.",
    keys: &[
        Key::new("get", Kind::Text, "GET this path below the base URL."),
        Key::new("post", Kind::Text, "POST to this path."),
        Key::new("put", Kind::Text, "PUT to this path."),
        Key::new("patch", Kind::Text, "PATCH this path."),
        Key::new("delete", Kind::Text, "DELETE this path."),
        Key::new("method", Kind::Value, "A computed method, with `path`."),
        Key::new("path", Kind::Value, "A computed path."),
        Key::new(
            "query",
            Kind::Value,
            "Fields of the query; a list repeats its name.",
        ),
        Key::new("headers", Kind::Value, "Further headers."),
        Key::new("body", Kind::Value, "A body of JSON."),
        Key::new("form", Kind::Value, "A body of form fields."),
        Key::new("csv", Kind::Data, "A body of CSV: columns and rows."),
        Key::new("graphql", Kind::Data, "A GraphQL query and its variables."),
        Key::new("raw", Kind::Data, "Any text, with its content type."),
        Key::new("mail", Kind::Text, "Built-in connectors only."),
    ],
    variants: &[],
};

pub(in crate::connector) static BUDGET: Form = Form {
    name: "budget",
    doc: "Never more than so many calls in any window of this length.",
    keys: &[
        Key::required("calls", Kind::Value, "How many calls."),
        Key::required("per", Kind::Period, "In which time."),
    ],
    variants: &[],
};

pub(in crate::connector) static ALLOWANCE: Form = Form {
    name: "allowance",
    doc: "Where every reply says how many calls the vendor still allows. It makes the room smaller, \
          never larger than the budget.",
    keys: &[
        Key::required(
            "remaining",
            Kind::Value,
            "How many calls are left; may read `reply`.",
        ),
        Key::required(
            "resets",
            Kind::Value,
            "When there are more: seconds from now, a time, or seconds since 1970.",
        ),
    ],
    variants: &[],
};

pub(in crate::connector) static RETRY: Form = Form {
    name: "retry",
    doc: "How something is tried again.",
    keys: &[
        Key::new("tries", Kind::Whole { min: 1, max: 1_000 }, "Tries in all."),
        Key::new("for", Kind::Period, "The longest time over all tries."),
        Key::new("delay", Kind::Period, "The wait before the second try."),
        Key::new(
            "backoff",
            Kind::Factor,
            "The factor by which each further wait grows.",
        ),
        Key::new("max_delay", Kind::Period, "The longest wait."),
    ],
    variants: &[],
};

pub(in crate::connector) static RULE: Form = Form {
    name: "reply rule",
    doc: "What a reply means: for which replies, and the verdict.",
    keys: &[
        Key::new(
            "status",
            Kind::Data,
            "A status, several, or a class such as 5xx.",
        ),
        Key::new(
            "when",
            Kind::Condition,
            "A condition; may read `reply` and `input`.",
        ),
        Key::required(
            "verdict",
            Kind::Word(&[
                "success",
                "absent",
                "retry",
                "retry_later",
                "sign_in_again_once",
                "fail",
            ]),
            "What it means.",
        ),
        Key::new("code", Kind::Text, "The error's code, for `fail`."),
        Key::new("message", Kind::Value, "The error's message."),
        Key::new(
            "after",
            Kind::Value,
            "When to come back, for `retry_later`.",
        ),
        Key::new(
            "not_applied",
            Kind::Flag,
            "Whether it proves that nothing was done.",
        ),
    ],
    variants: &[],
};
