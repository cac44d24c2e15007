//! The API as a document: OpenAPI 3.1, and a page for people.
//!
//! In: the doors. Out: their router, `GET /api/openapi.json`, `GET /api/docs`.
//! Always true: all three are made of the same list, so that none has a door that another lacks.

mod connections;
mod door;
mod house;
mod jobs;
mod page;
mod parts;
mod projects;
mod recipe_parts;
mod recipes;
mod schema;
mod tables;

use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

pub(super) use door::{Door, Entry};

use super::Rooms;
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

/// The router of all doors that anybody may knock at, or of those that need a token.
pub(super) fn router_of(wanted: impl Fn(Entry) -> bool) -> axum::Router<Arc<Rooms>> {
    let doors = doors().into_iter().filter(|door| wanted(door.entry));
    doors.fold(axum::Router::new(), |router, door| {
        router.route(door.path, door.handler)
    })
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
        path[door.method] = door.operation();
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
                    "description": "The token that `recipes serve` shows at its first start.",
                },
            },
            "schemas": parts::schemas(),
        },
    })
}
