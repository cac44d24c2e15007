//! The grammar of connector files.
//!
//! Always true: the reader takes its keys from here, and the schema for editors is made of it.

use crate::form::{Form, Key, Kind, Naming};

/// A connector file.
pub static CONNECTOR: Form = Form {
    name: "connector",
    doc: "A vendor's API, described well enough that nothing else names it.",
    keys: &[
        Key::required("title", Kind::Text, "The title that people know it by."),
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
        Key::required(
            "actions",
            Kind::Map(Naming::Id, &Kind::Form(&ACTION)),
            "The operations it offers, by name.",
        ),
    ],
    variants: &[],
};

/// An action.
pub(super) static ACTION: Form = Form {
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

pub(super) static REQUEST: Form = Form {
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

static SIGN_IN: Form = Form {
    name: "sign-in",
    doc: "How requests are signed: one form, or a choice between several.",
    keys: &[
        Key::new("header", Kind::Map(Naming::Free, &Kind::Value), "Headers."),
        Key::new(
            "query",
            Kind::Map(Naming::Free, &Kind::Value),
            "Fields of the query.",
        ),
        Key::new("basic", Kind::Form(&BASIC), "HTTP Basic."),
        Key::new(
            "oauth2",
            Kind::Form(&OAUTH2),
            "A token that is fetched and renewed.",
        ),
        Key::new(
            "choose",
            Kind::Value,
            "A field of the connection that chooses.",
        ),
        Key::new(
            "cases",
            Kind::Map(Naming::Free, &Kind::Form(&SIGN_IN)),
            "A sign-in for each value of `choose`.",
        ),
    ],
    variants: &[],
};

pub(super) static BASIC: Form = Form {
    name: "basic",
    doc: "HTTP Basic.",
    keys: &[
        Key::required("username", Kind::Value, "The user name."),
        Key::required("password", Kind::Value, "The password."),
    ],
    variants: &[],
};

pub(super) static OAUTH2: Form = Form {
    name: "oauth2",
    doc: "OAuth 2: a token that is fetched, kept until shortly before its end, and renewed.",
    keys: &[
        Key::required(
            "grant",
            Kind::Word(&[
                "password",
                "client_credentials",
                "refresh_token",
                "jwt_bearer",
            ]),
            "How the token is asked for.",
        ),
        Key::required(
            "token",
            Kind::Value,
            "A path below the base URL, or a whole URL.",
        ),
        Key::new(
            "send",
            Kind::Word(&["form", "json", "basic"]),
            "How the question is sent.",
        ),
        Key::new("client_id", Kind::Value, "The client's name."),
        Key::new("client_secret", Kind::Value, "The client's secret."),
        Key::new("scope", Kind::Value, "What is asked for."),
        Key::new("username", Kind::Value, "For grant password."),
        Key::new("password", Kind::Value, "For grant password."),
        Key::new("refresh_token", Kind::Value, "For grant refresh_token."),
        Key::new("jwt", Kind::Data, "For grant jwt_bearer."),
        Key::new(
            "extra",
            Kind::Map(Naming::Free, &Kind::Value),
            "Further fields.",
        ),
        Key::new(
            "refresh_before",
            Kind::Period,
            "How long before its end it is renewed.",
        ),
        Key::new(
            "base_url",
            Kind::Value,
            "Replaces the base URL; reads the token answer.",
        ),
    ],
    variants: &[],
};

pub(super) static BUDGET: Form = Form {
    name: "budget",
    doc: "Never more than so many calls in any window of this length.",
    keys: &[
        Key::required("calls", Kind::Value, "How many calls."),
        Key::required("per", Kind::Period, "In which time."),
    ],
    variants: &[],
};

pub(super) static RETRY: Form = Form {
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

pub(super) static RULE: Form = Form {
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

pub(super) static PAGES: Form = Form {
    name: "pages",
    doc: "How the pages of a listing follow one another.",
    keys: &[
        Key::required(
            "by",
            Kind::Word(&[
                "page_number",
                "offset",
                "cursor_in_query",
                "cursor_in_body",
                "next_url",
                "relay",
                "header_cursor",
            ]),
            "The kind of paging.",
        ),
        Key::new(
            "send",
            Kind::Text,
            "Where it goes: query.NAME, header.NAME or body.PATH.",
        ),
        Key::new(
            "size",
            Kind::Form(&SIZE),
            "How many items a page is asked to have.",
        ),
        Key::new("first", Kind::Data, "The first number or offset."),
        Key::new("next", Kind::Value, "Where the next one is found."),
        Key::new("more", Kind::Value, "Where it says whether there are more."),
        Key::new(
            "total",
            Kind::Value,
            "Where the number of all items is found.",
        ),
        Key::new(
            "cap",
            Kind::Data,
            "The most pages; beyond it the listing fails.",
        ),
        Key::new(
            "on_first",
            Kind::Map(Naming::Free, &Kind::Value),
            "Sent with page one only.",
        ),
        Key::new(
            "carry",
            Kind::Map(Naming::Free, &Kind::Value),
            "Taken from page to page.",
        ),
        Key::new(
            "ends_when",
            Kind::List(&Kind::Word(&["short_page", "empty_page", "same_cursor"])),
            "Further ends, beside the kind's own.",
        ),
    ],
    variants: &[],
};

pub(super) static SIZE: Form = Form {
    name: "page size",
    doc: "How many items a page is asked to have.",
    keys: &[
        Key::required("send", Kind::Text, "Where it goes."),
        Key::required("value", Kind::Data, "How many."),
    ],
    variants: &[],
};

pub(super) static ROWS: Form = Form {
    name: "rows",
    doc: "Results per row: gives the lists `succeeded` and `failed`.",
    keys: &[
        Key::required("list", Kind::Value, "Where they stand in the reply."),
        Key::required(
            "ok",
            Kind::Condition,
            "Whether a row succeeded; may read `item`.",
        ),
        Key::new(
            "each",
            Kind::Map(Naming::Id, &Kind::Data),
            "What is kept of each.",
        ),
        Key::new("message", Kind::Value, "Where a row's message stands."),
    ],
    variants: &[],
};

pub(super) static VERIFY: Form = Form {
    name: "verify",
    doc: "How to ask whether a call was applied, after a doubtful end.",
    keys: &[
        Key::required("action", Kind::Id, "The read action that is asked."),
        Key::new("with", Kind::Value, "Its arguments; may read `input`."),
        Key::new("pick", Kind::Condition, "Finds the one item of a listing."),
        Key::new(
            "applied_when",
            Kind::Condition,
            "What says yes; may read `verify`.",
        ),
        Key::new(
            "output",
            Kind::Value,
            "The call's output, made of the answer.",
        ),
        Key::new(
            "settle",
            Kind::Period,
            "The wait before each question; 5s by default.",
        ),
        Key::new("tries", Kind::Data, "How many questions; 3 by default."),
    ],
    variants: &[],
};
