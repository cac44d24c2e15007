//! The doors of connections.

use super::door::{Door, get, post, put};
use super::schema::{any, exactly, flag, list, map, named, object, text};
use crate::api::connections;
use crate::names::Role;

pub(super) fn doors() -> Vec<Door> {
    let wish = exactly(&[
        ("connector?", text()),
        ("allow_private?", flag()),
        ("fields?", map(any())),
    ]);
    let checked = object(&[
        ("name", text()),
        ("works", flag()),
        ("remark?", text()),
        ("failure?", named("Failure")),
    ]);
    vec![
        get(
            "/api/connections",
            connections::list,
            "list_connections",
            "Lists the accounts at vendors, and what each one lacks.",
        )
        .gives(
            200,
            "All connections, without their secrets.",
            object(&[("connections", list(named("Connection")))]),
        ),
        get(
            "/api/connections/{name}",
            connections::show,
            "get_connection",
            "Shows a connection without its secrets.",
        )
        .gives(200, "The connection.", named("Connection")),
        put(
            "/api/connections/{name}",
            connections::put,
            "save_connection",
            "Makes or changes a connection; the next calls go through it.",
        )
        .needs(Role::Admin)
        .more(
            "A field is a value, `{ \"env\": NAME }` or `{ \"file\": PATH }`. A secret is kept \
             sealed in the database and never shown again; one that is left out stays as it is, and null takes a field away.",
        )
        .heeds("If-Match", "The ETag that the connection was read with.")
        .heeds("If-None-Match", "`*`: there is no such connection yet.")
        .takes(wish)
        .gives(200, "It is saved.", named("Connection"))
        .gives(201, "It is made.", named("Connection"))
        .refuses(&[409, 412, 428]),
        post(
            "/api/connections/{name}/check",
            connections::check,
            "check_connection",
            "Asks the vendor whether a connection works, with a call that changes nothing.",
        )
        .needs(Role::Admin)
        .gives(200, "Whether it works.", checked),
    ]
}
