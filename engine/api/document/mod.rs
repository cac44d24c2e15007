//! The API as a document: OpenAPI 3.1, and a page for people.
//!
//! In: the doors. Out: their document, `GET /api/openapi.json`, `GET /api/docs`.
//! Always true: the router is made of the same list, so that neither has a door that the other lacks.

mod connections;
mod door;
mod house;
mod jobs;
mod keys;
mod page;
mod parts;
mod projects;
mod recipe_parts;
mod recipes;
mod schema;
mod tables;

use std::sync::LazyLock;

use axum::Json;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

pub(super) use door::Door;

use crate::data::{Object, Value};

/// All doors, in the order of the document.
pub(super) fn doors() -> Vec<Door> {
    let mut all = Vec::new();
    for (topic, doors) in [
        ("recipes", recipes::doors()),
        ("projects", projects::doors()),
        ("jobs", jobs::doors()),
        ("lookup tables", tables::doors()),
        ("connections", connections::doors()),
        ("tokens and secrets", keys::doors()),
        ("house", house::doors()),
    ] {
        all.extend(doors.into_iter().map(|door| door.about(topic)));
    }
    all
}

/// The document.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| written(&doors()));
    &DOCUMENT
}

/// `GET /api/openapi.json`
pub(super) async fn openapi() -> Json<&'static Value> {
    Json(document())
}

/// `GET /api/docs`
pub(super) async fn docs() -> Response {
    static PAGE: LazyLock<String> = LazyLock::new(|| page::page(document()));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_SECURITY_POLICY, policy)];
    (headers, Html(PAGE.as_str())).into_response()
}

fn written(doors: &[Door]) -> Value {
    let mut paths = Object::new();
    for door in doors {
        let path = paths.entry(door.path).or_insert_with(|| json!({}));
        path[door.method.as_str().to_lowercase()] = door.operation();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Recipe Engine",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Recipes, the jobs they make, and what these work with.",
            "description": "Whatever is refused is answered with a problem object (RFC 9457) and \
                never with 200. Moments are RFC 3339 in UTC. A member that is not described may be \
                added by a later version.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `recipes tokens create`, or the one that `recipes serve` \
                        shows at its first start. `x-role` says which role a door needs.",
                },
            },
            "schemas": parts::schemas(),
        },
    })
}
