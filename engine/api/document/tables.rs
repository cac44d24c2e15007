//! The doors of lookup tables.

use super::door::{Door, delete, get, put};
use super::schema::{any, count, exactly, flag, list, map, moment, object, text, word};
use crate::api::{rows, tables};
use crate::data::Value;
use crate::names::Role;

const CSV: &str = "text/csv";

pub(super) fn doors() -> Vec<Door> {
    let mut doors = known();
    doors.extend(changed());
    doors
}

fn known() -> Vec<Door> {
    vec![
        get(
            "/api/lookup-tables",
            tables::list,
            "list_tables",
            "Lists all lookup tables with their columns.",
        )
        .gives(200, "All tables, by name.", declared()),
        get(
            "/api/lookup-tables/{name}/rows/{number}/history",
            tables::history,
            "show_row_history",
            "Shows what a row was and who changed it, newest first.",
        )
        .asks(
            "reveal",
            word(&["personal"]),
            "Show personal columns too, which is noted in the audit.",
        )
        .asks("limit", count(), "How many, 1,000 at most.")
        .gives(200, "Its versions.", versions()),
        get(
            "/api/lookup-tables/{name}/history",
            tables::history_of_key,
            "show_history_of_key",
            "Shows what the row of a key was and who changed it, newest first.",
        )
        .more(
            "`where.<column>=value` for each column of the key says which row; one that was removed \
             has a history, too.",
        )
        .asks(
            "reveal",
            word(&["personal"]),
            "Show personal columns too, which is noted in the audit.",
        )
        .asks("limit", count(), "How many, 1,000 at most.")
        .gives(200, "Its versions.", versions())
        .refuses(&[422]),
    ]
}

fn changed() -> Vec<Door> {
    let page = object(&[
        ("columns", list(text())),
        ("key", any()),
        ("rows", list(map(any()))),
        ("next?", text()),
    ]);
    vec![
        get(
            "/api/lookup-tables/{name}/rows",
            rows::list,
            "list_rows",
            "Lists rows of a lookup table; asked for `text/csv`, all of them as CSV.",
        )
        .more("`where.<column>=value` leaves only the rows that have this value there.")
        .asks("limit", count(), "How many, 1,000 at most.")
        .asks(
            "after",
            count(),
            "Only rows after this number: the last of the page before.",
        )
        .asks(
            "search",
            text(),
            "Only rows that hold this text in any column.",
        )
        .asks(
            "reveal",
            word(&["personal"]),
            "Show personal columns too, which is noted in the audit.",
        )
        .gives_as(
            200,
            "A page of rows, or all of them as CSV.",
            &[("application/json", page), (CSV, text())],
        )
        .refuses(&[422]),
        put(
            "/api/lookup-tables/{name}/rows",
            rows::put,
            "put_rows",
            "Adds rows or changes those of the same key, all or nothing.",
        )
        .more(
            "A column that a row does not name stays as it is; null, or an empty cell of a CSV file, \
             empties it. A secret column is never shown: its empty cell, and `***`, leave what is \
             there, which `secrets_kept` of the answer counts.",
        )
        .needs(Role::Editor)
        .asks("replace", flag(), "Whether rows that are not mentioned go.")
        .takes(exactly(&[("rows", list(map(any())))]))
        .takes_as(CSV, text())
        .gives(200, "What was changed.", map(any()))
        .refuses(&[409]),
        delete(
            "/api/lookup-tables/{name}/rows",
            rows::delete,
            "delete_row",
            "Removes a row by the number that the list shows.",
        )
        .needs(Role::Editor)
        .asks("number", count(), "The number of the row.")
        .gives(200, "It is gone.", object(&[("removed", count())]))
        .refuses(&[409]),
    ]
}

fn declared() -> Value {
    let column = object(&[
        ("name", text()),
        ("type", text()),
        ("is_needed", flag()),
        ("is_secret", flag()),
    ]);
    let table = object(&[
        ("name", text()),
        ("title", text()),
        ("key", list(text())),
        ("columns", list(column)),
    ]);
    object(&[("tables", list(table))])
}

fn versions() -> Value {
    let version = object(&[
        ("version", count()),
        ("change", word(&["added", "changed", "removed"])),
        ("row", map(any())),
        ("written_by", text()),
        ("written_at", moment()),
    ]);
    object(&[("versions", list(version))])
}
