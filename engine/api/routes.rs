//! All that can be asked for: where, how, and what role it needs.
//!
//! Out: [`routes`], from which the router is made.
//! Always true: there is no way in but those that stand here, and none without saying who may use
//! it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{self, MethodRouter};

use crate::names::Role::{self, Admin, Editor, Operator, Viewer};

use super::accepted::Accepted;
use super::sign_in::{Guard, require};
use super::{
    BODY_BYTES_MAX, Rooms, audit, cancel, copies, decide, doctor, files, health, history, inbox,
    job, jobs, metrics, recipes, record, rerun, rows, secrets, source, timed, tokens, upgrade, versions,
    webhooks,
};

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
    let parts = [of_recipes(), of_work(), of_the_house()];
    parts.into_iter().flatten().collect()
}

/// Recipes and projects, and the files that they stand in.
fn of_recipes() -> Vec<Route> {
    vec![
        get("/api/recipes", Viewer, recipes::list),
        get("/api/recipes/{project}/{name}", Viewer, source::show),
        put("/api/recipes/{project}/{name}", Editor, source::put),
        get(
            "/api/recipes/{project}/{name}/versions",
            Viewer,
            versions::list,
        ),
        get(
            "/api/recipes/{project}/{name}/versions/{number}",
            Viewer,
            versions::show,
        ),
        get(
            "/api/recipes/{project}/{name}/diff",
            Viewer,
            versions::compare,
        ),
        post(
            "/api/recipes/{project}/{name}/restore",
            Editor,
            versions::restore,
        ),
        post(
            "/api/recipes/{project}/{name}/start",
            Operator,
            recipes::start,
        ),
        post(
            "/api/recipes/{project}/{name}/stop",
            Operator,
            recipes::stop,
        ),
        post("/api/recipes/{project}/{name}/run", Operator, recipes::run),
        get("/api/recipes/{project}/{name}/fires", Viewer, timed::fires),
        post(
            "/api/recipes/{project}/{name}/customise",
            Editor,
            copies::customise,
        ),
        post("/api/projects/{project}/clone", Editor, copies::clone),
        get("/api/projects/{project}/upgrade", Viewer, upgrade::show),
        post("/api/projects/{project}/upgrade", Editor, upgrade::change),
        // It asks vendors, and that counts in their budgets.
        get("/api/projects/{project}/doctor", Operator, doctor::examine),
        // What somebody saved counts a moment earlier.
        post("/api/files", Operator, files::take_up),
    ]
}

/// Jobs, what set them off, and the rows that they work with.
fn of_work() -> Vec<Route> {
    vec![
        get("/api/jobs", Viewer, jobs::list),
        post("/api/jobs/rerun", Operator, rerun::many),
        get("/api/jobs/{id}", Viewer, job::show),
        get("/api/jobs/{id}/record", Operator, record::record),
        post("/api/jobs/{id}/decide", Operator, decide::decide),
        post("/api/jobs/{id}/cancel", Operator, cancel::cancel),
        post("/api/jobs/{id}/release", Operator, cancel::release),
        post("/api/jobs/{id}/rerun", Operator, rerun::one),
        get("/api/events", Viewer, inbox::list),
        get("/api/events/{id}", Viewer, inbox::show),
        post("/api/events/{id}/replay", Operator, inbox::replay),
        get("/api/lookup-tables/{name}/rows", Viewer, rows::list),
        put("/api/lookup-tables/{name}/rows", Editor, rows::put),
        delete("/api/lookup-tables/{name}/rows", Editor, rows::delete),
    ]
}

/// The server itself: who may come in, and how it is.
fn of_the_house() -> Vec<Route> {
    vec![
        get("/api/tokens", Admin, tokens::list),
        post("/api/tokens", Admin, tokens::create),
        delete("/api/tokens/{name}", Admin, tokens::revoke),
        get("/api/secrets", Admin, secrets::list),
        put("/api/secrets/{name}", Admin, secrets::set),
        delete("/api/secrets/{name}", Admin, secrets::remove),
        post("/api/secrets/rekey", Admin, secrets::rekey),
        get("/api/whoami", Viewer, health::whoami),
        get("/api/audit", Viewer, audit::list),
        get("/api/history", Viewer, history::show),
        post("/api/history/prune", Admin, history::prune),
        get("/metrics", Viewer, metrics::metrics),
        // Senders sign in as the recipe says.
        Route {
            entry: Entry::Open,
            ..post("/webhooks/{project}/{name}", Viewer, webhooks::deliver)
        },
        Route {
            entry: Entry::Open,
            ..get("/healthz", Viewer, health::healthz)
        },
        Route {
            entry: Entry::Open,
            ..get("/readyz", Viewer, health::readyz)
        },
    ]
}

impl Route {
    /// What answers, behind what it needs.
    pub(super) fn guarded(self, accepted: &Arc<Accepted>) -> MethodRouter<Arc<Rooms>, Infallible> {
        let Entry::With(needed) = self.entry else {
            return self.answer;
        };
        let guard = Guard {
            accepted: accepted.clone(),
            needed,
        };
        self.answer
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .route_layer(from_fn_with_state(guard, require))
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?}", self.method, self.path, self.entry)
    }
}

fn get<H, T>(path: &'static str, needed: Role, handler: H) -> Route
where
    H: Handler<T, Arc<Rooms>>,
    T: 'static,
{
    route(Method::GET, path, needed, routing::get(handler))
}

fn post<H, T>(path: &'static str, needed: Role, handler: H) -> Route
where
    H: Handler<T, Arc<Rooms>>,
    T: 'static,
{
    route(Method::POST, path, needed, routing::post(handler))
}

fn put<H, T>(path: &'static str, needed: Role, handler: H) -> Route
where
    H: Handler<T, Arc<Rooms>>,
    T: 'static,
{
    route(Method::PUT, path, needed, routing::put(handler))
}

fn delete<H, T>(path: &'static str, needed: Role, handler: H) -> Route
where
    H: Handler<T, Arc<Rooms>>,
    T: 'static,
{
    route(Method::DELETE, path, needed, routing::delete(handler))
}

fn route(
    method: Method,
    path: &'static str,
    needed: Role,
    answer: MethodRouter<Arc<Rooms>>,
) -> Route {
    Route {
        method,
        path,
        entry: Entry::With(needed),
        answer,
    }
}
