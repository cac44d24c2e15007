//! The doors of the house itself: who asks, what people did, how much is kept, how it is.

use super::door::{Door, get, post};
use super::schema::{any, count, exactly, flag, list, map, named, object, or_null, period, text};
use crate::api::{audit, files, health, history, metrics};
use crate::names::Role;

pub(super) fn doors() -> Vec<Door> {
    let mut doors = kept();
    doors.extend(history_kept());
    doors.extend(told());
    doors
}

fn kept() -> Vec<Door> {
    vec![
        get(
            "/api/whoami",
            health::whoami,
            "whoami",
            "Says whose token this is.",
        )
        .gives(
            200,
            "Who asks.",
            object(&[("name", text()), ("role", text())]),
        ),
        post(
            "/api/files",
            files::take_up,
            "take_files_up",
            "Takes changed files of the workspace up now, which the server does by itself soon.",
        )
        .needs(Role::Operator)
        .gives(200, "What came of it.", taken_up())
        .refuses(&[409]),
        get(
            "/api/audit",
            audit::list,
            "list_audit",
            "Lists what people did, newest first.",
        )
        .asks(
            "subject",
            text(),
            "Only about one thing: `recipe:NAME`, `table:NAME`, `job:ID`.",
        )
        .asks("limit", count(), "How many, 500 at most.")
        .gives(
            200,
            "The latest entries.",
            object(&[("entries", list(named("AuditEntry")))]),
        ),
    ]
}

fn history_kept() -> Vec<Door> {
    let space = object(&[("used_bytes", count()), ("file_bytes", count())]);
    let budgets = object(&[
        ("history_age", or_null(text())),
        ("history_size", or_null(text())),
        ("changes_age", or_null(text())),
    ]);
    let shown = object(&[
        ("used_bytes", count()),
        ("file_bytes", count()),
        ("budgets", budgets),
    ]);
    let pruned = object(&[
        ("jobs", count()),
        ("bytes?", count()),
        ("unmended?", count()),
        ("is_done?", flag()),
        ("before?", space.clone()),
        ("now", space),
    ]);
    vec![
        get(
            "/api/history",
            history::show,
            "show_history",
            "Says how much history there is and how much is kept.",
        )
        .gives(200, "Sizes and budgets.", shown),
        post(
            "/api/history/prune",
            history::prune,
            "prune_history",
            "Removes history for a few seconds; ask again until the answer says that it is done.",
        )
        .needs(Role::Admin)
        .takes(exactly(&[
            ("older_than?", period()),
            ("to_size?", text()),
            ("plan?", flag()),
        ]))
        .gives(200, "What went, or would go.", pruned),
    ]
}

fn told() -> Vec<Door> {
    let plain = object(&[("status", text()), ("version?", text())]);
    vec![
        get(
            "/metrics",
            metrics::metrics,
            "metrics",
            "Shows what the server counts, in the text form that Prometheus reads.",
        )
        .gives_as(200, "Counters.", &[("text/plain", text())]),
        get(
            "/healthz",
            health::healthz,
            "healthz",
            "Says that the server lives.",
        )
        .open()
        .gives(200, "It lives.", plain.clone()),
        get(
            "/readyz",
            health::readyz,
            "readyz",
            "Says whether the server can take work.",
        )
        .open()
        .gives(200, "It can.", plain),
        get(
            "/api/openapi.json",
            super::openapi,
            "openapi",
            "Shows this document.",
        )
        .open()
        .gives(200, "OpenAPI 3.1.", map(any())),
        get(
            "/api/docs",
            super::docs,
            "docs",
            "Shows this document as a page for people.",
        )
        .open()
        .gives_as(200, "A page.", &[("text/html", text())]),
    ]
}

fn taken_up() -> crate::data::Value {
    object(&[("changed", flag()), ("findings?", count())])
}
