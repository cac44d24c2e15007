//! All that can be asked for: where, how, and what role it needs.
//!
//! Out: [`routes`], from which the router is made.
//! Always true: there is no way in but the doors of the document, and none without saying who may
//! use it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;

use crate::names::Role;

use super::document::doors;
use super::sign_in::{Guard, require};
use super::{BODY_BYTES_MAX, Rooms, once};

/// One thing that can be asked for.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Who may ask.
    pub entry: Entry,
    answer: MethodRouter<Arc<Rooms>>,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Whoever comes; the route looks at its visitors itself, or tells nothing of value.
    Open,
    /// Those whose token has this role, or one that may more.
    With(Role),
}

/// All of them.
pub fn routes() -> Vec<Route> {
    let doors = doors().into_iter().map(|door| Route {
        method: door.method,
        path: door.path,
        entry: door.entry,
        answer: door.handler,
    });
    doors.collect()
}

impl Route {
    /// What answers, behind what it needs.
    pub(super) fn guarded(self, rooms: &Arc<Rooms>) -> MethodRouter<Arc<Rooms>, Infallible> {
        let Entry::With(needed) = self.entry else {
            return self.answer;
        };
        let guard = Guard {
            accepted: rooms.accepted.clone(),
            needed,
        };
        self.answer
            .layer::<_, Infallible>(from_fn_with_state(rooms.clone(), once::answer))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .route_layer(from_fn_with_state(guard, require))
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?}", self.method, self.path, self.entry)
    }
}
