//! The doors of tokens, and of the secrets of connections.

use super::door::{Door, delete, get, post, put};
use super::schema::{exactly, flag, list, moment, named, object, period, text, word};
use crate::api::{secrets, tokens};
use crate::names::Role;

pub(super) fn doors() -> Vec<Door> {
    let doors = known().into_iter().chain(changed());
    doors.map(|door| door.needs(Role::Admin)).collect()
}

fn known() -> Vec<Door> {
    let secret = object(&[
        ("name", text()),
        ("state", word(&["given", "unused", "missing"])),
        ("set_at?", moment()),
        ("set_by?", text()),
    ]);
    vec![
        get(
            "/api/tokens",
            tokens::list,
            "list_tokens",
            "Lists all tokens, each with its role; none is told.",
        )
        .gives(
            200,
            "All tokens.",
            object(&[("tokens", list(named("Token")))]),
        ),
        get(
            "/api/secrets",
            secrets::list,
            "list_secrets",
            "Lists the secrets of connections, and whether each was given.",
        )
        .gives(
            200,
            "All secrets, without their values.",
            object(&[("secrets", list(secret))]),
        ),
    ]
}

fn changed() -> Vec<Door> {
    let roles = Role::ALL.map(Role::as_str);
    let token = exactly(&[
        ("name", text()),
        ("role", word(&roles)),
        ("expires_in?", period()),
    ]);
    let revoked = object(&[("name", text()), ("status", text())]);
    let given = object(&[("name", text()), ("state", text()), ("next?", text())]);
    let removed = object(&[("name", text()), ("state", text())]);
    vec![
        post(
            "/api/tokens",
            tokens::create,
            "create_token",
            "Makes a token, which this answer alone tells.",
        )
        .takes(token)
        .gives(201, "The token.", named("Token"))
        .refuses(&[409]),
        delete(
            "/api/tokens/{name}",
            tokens::revoke,
            "revoke_token",
            "Revokes a token: it is not taken any more, and what it opened ends.",
        )
        .gives(200, "It is revoked.", revoked)
        .refuses(&[409]),
        put(
            "/api/secrets/{name}",
            secrets::set,
            "set_secret",
            "Gives a secret of a connection, `connection.field`; it is kept sealed.",
        )
        .takes(exactly(&[("value", text())]))
        .gives(200, "It is kept.", given)
        .refuses(&[409]),
        delete(
            "/api/secrets/{name}",
            secrets::remove,
            "remove_secret",
            "Removes a secret of a connection.",
        )
        .asks(
            "anyway",
            flag(),
            "Also if a connection refers to it (409 otherwise, with who uses it).",
        )
        .gives(200, "It is gone.", removed)
        .refuses(&[409]),
        post(
            "/api/secrets/rekey",
            secrets::rekey,
            "renew_key",
            "Seals all secrets with a new key from now on.",
        )
        .gives(200, "The key is new.", object(&[("status", text())]))
        .refuses(&[409]),
    ]
}
