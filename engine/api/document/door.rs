//! One door: an address, a method, who answers there, and what is to be known of it.
//!
//! Always true: the router and the document are made of the same doors, so that neither has one
//! that the other lacks.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{self, MethodRouter};
use serde_json::json;

use super::schema::named;
use crate::api::{Entry, Rooms};
use crate::data::{Object, Value};
use crate::names::Role;

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";

/// One door.
pub(in crate::api) struct Door {
    /// The method.
    pub(in crate::api) method: Method,
    /// The address, with the names of its parts in braces.
    pub(in crate::api) path: &'static str,
    /// Who answers.
    pub(in crate::api) handler: MethodRouter<Arc<Rooms>>,
    /// Who may ask.
    pub(in crate::api) entry: Entry,
    topic: &'static str,
    name: &'static str,
    does: &'static str,
    more: Option<&'static str>,
    asks: Vec<Value>,
    takes: Option<Object>,
    gives: Vec<(u16, Value)>,
    refuses: Vec<u16>,
}

macro_rules! methods {
    ($($method:ident)*) => {$(
        /// A door for this method: its address, who answers, its name and what it does.
        pub(super) fn $method<H, T>(
            path: &'static str,
            handler: H,
            name: &'static str,
            does: &'static str,
        ) -> Door
        where
            H: Handler<T, Arc<Rooms>>,
            T: 'static,
        {
            Door::new(stringify!($method), path, routing::$method(handler), name, does)
        }
    )*};
}
methods!(get post put delete);

impl Door {
    fn new(
        method: &'static str,
        path: &'static str,
        handler: MethodRouter<Arc<Rooms>>,
        name: &'static str,
        does: &'static str,
    ) -> Self {
        Self {
            method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap_or_default(),
            path,
            handler,
            entry: Entry::With(Role::Viewer),
            topic: "",
            name,
            does,
            more: None,
            asks: Vec::new(),
            takes: None,
            gives: Vec::new(),
            refuses: Vec::new(),
        }
    }

    /// What the door is about.
    pub(super) fn about(mut self, topic: &'static str) -> Self {
        self.topic = topic;
        self
    }

    /// What else is to be known.
    pub(super) fn more(mut self, more: &'static str) -> Self {
        self.more = Some(more);
        self
    }

    /// The role that it needs, if not the one that may only look.
    pub(super) fn needs(mut self, role: Role) -> Self {
        self.entry = Entry::With(role);
        self
    }

    /// Anybody may ask, or who the handler lets in.
    pub(super) fn open(mut self) -> Self {
        self.entry = Entry::Open;
        self
    }

    /// A parameter of the address after the question mark.
    pub(super) fn asks(mut self, name: &str, schema: Value, says: &str) -> Self {
        self.asks.push(json!({
            "name": name, "in": "query", "required": false, "description": says, "schema": schema,
        }));
        self
    }

    /// A header that may be sent.
    pub(super) fn heeds(mut self, name: &str, says: &str) -> Self {
        self.asks.push(json!({
            "name": name, "in": "header", "required": false, "description": says,
            "schema": { "type": "string" },
        }));
        self
    }

    /// What a request brings, as JSON; it may be left out where every member may.
    pub(super) fn takes(self, schema: Value) -> Self {
        self.takes_as(JSON, schema)
    }

    /// What a request brings, of this media type.
    pub(super) fn takes_as(mut self, media: &str, schema: Value) -> Self {
        let content = self.takes.get_or_insert_default();
        content.insert(media.to_owned(), json!({ "schema": schema }));
        self
    }

    /// What is answered with this status, as JSON.
    pub(super) fn gives(self, status: u16, says: &str, schema: Value) -> Self {
        self.gives_as(status, says, &[(JSON, schema)])
    }

    /// What is answered with this status, of these media types.
    pub(super) fn gives_as(mut self, status: u16, says: &str, media: &[(&str, Value)]) -> Self {
        let content = media
            .iter()
            .map(|(media, schema)| ((*media).to_owned(), json!({ "schema": schema })));
        let content: Object = content.collect();
        let answer = json!({ "description": says, "content": content });
        self.gives.push((status, answer));
        self
    }

    /// With which statuses it refuses, beside those that every door has.
    pub(super) fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refuses.extend(statuses);
        self
    }

    /// The door as an operation of the document.
    pub(super) fn operation(&self) -> Value {
        let mut operation = json!({
            "operationId": self.name,
            "tags": [self.topic],
            "summary": self.does,
            "parameters": self.parameters(),
            "responses": self.responses(),
        });
        if let Some(more) = self.more {
            operation["description"] = more.into();
        }
        if let Some(content) = &self.takes {
            operation["requestBody"] = json!({ "content": content });
        }
        match self.entry {
            Entry::Open => operation["security"] = json!([]),
            Entry::With(role) => operation["x-role"] = role.as_str().into(),
        }
        operation
    }

    /// Whether a request may name itself, so that it is done once.
    fn may_name_itself(&self) -> bool {
        self.method == Method::POST && self.entry != Entry::Open
    }

    fn parameters(&self) -> Vec<Value> {
        let parts = self.path.split('/');
        let parts = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parts = parts.map(|name| {
            json!({
                "name": name, "in": "path", "required": true, "schema": { "type": "string" },
            })
        });
        let named = self.may_name_itself().then(names_itself);
        parts
            .chain(self.asks.iter().cloned())
            .chain(named)
            .collect()
    }

    fn responses(&self) -> Object {
        let mut responses = Object::new();
        for (status, answer) in &self.gives {
            responses.insert(status.to_string(), answer.clone());
        }
        let mut statuses = vec![400, 408, 500, 503];
        if self.entry != Entry::Open {
            statuses.extend([401, 403]);
        }
        if self.path.contains('{') {
            statuses.push(404);
        }
        if self.takes.is_some() {
            statuses.extend([413, 415, 422]);
        }
        if self.may_name_itself() {
            statuses.extend([409, 413, 422]);
        }
        statuses.extend(&self.refuses);
        statuses.sort_unstable();
        for status in statuses {
            responses
                .entry(status.to_string())
                .or_insert_with(|| refusal(status));
        }
        responses
    }
}

/// The header by which a request names itself.
fn names_itself() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "A name for this request, such as a UUID: sent again with it within a day, it \
            is answered as it was the first time (`Idempotent-Replayed: true`) and not done again. \
            409 `under_way`: it was not answered yet; 409 `answer_removed`: its answer went with the \
            history; 422 `key_in_use`: another request has this name.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 200 },
    })
}

/// A refusal with this status.
fn refusal(status: u16) -> Value {
    let says = match status {
        400 => "The request cannot be read.",
        401 => "A token is needed, or who sends did not sign in.",
        403 => "Who asks may not do this.",
        404 => "There is no such thing.",
        408 => "The body did not come in time.",
        409 => "It does not go together with how things stand.",
        412 => "It is not what it was when it was read.",
        413 => "The body is too large.",
        415 => "The body is of a kind that is not taken here.",
        422 => "What was sent is not sound; `errors` names each thing that is wrong.",
        428 => "The ETag of what is to be changed is missing.",
        429 => "There is too much to do already; try again later.",
        500 => "The engine met a fault of its own; its log says which.",
        _ => "It cannot be done at the moment; try again later.",
    };
    json!({
        "description": says,
        "content": { "application/problem+json": { "schema": named("Problem") } },
    })
}
