//! The grammar of sign-ins, pages, rows and verification.
//!
//! Always true: this is the only place that names these keys.

use crate::form::{Form, Key, Kind, Naming};

pub(in crate::connector) static SIGN_IN: Form = Form {
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

pub(in crate::connector) static BASIC: Form = Form {
    name: "basic",
    doc: "HTTP Basic.",
    keys: &[
        Key::required("username", Kind::Value, "The user name."),
        Key::required("password", Kind::Value, "The password."),
    ],
    variants: &[],
};

pub(in crate::connector) static OAUTH2: Form = Form {
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

pub(in crate::connector) static PAGES: Form = Form {
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

pub(in crate::connector) static SIZE: Form = Form {
    name: "page size",
    doc: "How many items a page is asked to have.",
    keys: &[
        Key::required("send", Kind::Text, "Where it goes."),
        Key::required("value", Kind::Data, "How many."),
    ],
    variants: &[],
};

pub(in crate::connector) static ROWS: Form = Form {
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

pub(in crate::connector) static VERIFY: Form = Form {
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
