//! The stand-in for Accredible. In: HTTP calls as the contract page describes them, and control
//! calls. Out: an account that remembers. Always true: the state is only touched under its lock.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::Value;

use crate::gate::Gate;
use crate::wire::route::{self, Answer as Answering, Incoming};

use call::Call;
use limits::Limits;
use reply::{Answer, Refusal};
use routes::{Handler, ROUTES};
use state::State;

pub(crate) use rows::AccredibleWorld;

mod bulk;
mod call;
mod control;
mod credentials;
mod groups;
mod limits;
mod quirks;
mod reply;
mod routes;
mod rows;
mod search_v1;
mod search_v2;
mod state;

/// One account.
#[derive(Debug)]
pub(crate) struct Accredible {
    gate: Arc<Gate>,
    limits: Limits,
    state: Mutex<State>,
    /// The world to go back to on reset.
    first: AccredibleWorld,
    seed: u64,
}

impl Accredible {
    /// An account with the rows of a world, or what in the world does not fit together.
    pub(crate) fn new(
        world: AccredibleWorld,
        gate: Arc<Gate>,
        seed: u64,
    ) -> Result<Arc<Self>, String> {
        let state = State::load(world.clone(), seed, gate.clock.now())?;
        let (limits, state) = (Limits::default(), Mutex::new(state));
        Ok(Arc::new(Self {
            gate,
            limits,
            state,
            first: world,
            seed,
        }))
    }

    /// The routes of the vendor.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let lost = || async { Refusal::no_route() };
        let table = route::router(Arc::clone(self), &ROUTES);
        table.method_not_allowed_fallback(lost).fallback(lost)
    }

    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn serve(&self, handler: Handler, incoming: Incoming) -> Answer {
        let now = self.gate.clock.now();
        let (per_5_min, per_min) = self.with(|state| {
            (
                state.quirks.requests_per_5_min,
                state.quirks.v1_searches_per_min,
            )
        });
        if !self.limits.admits(incoming.ip, now, per_5_min) {
            return Err(Refusal::too_many());
        }
        if handler.is_v1_search && !self.limits.admits_search(incoming.ip, now, per_min) {
            return Err(Refusal::too_many());
        }
        self.with(|state| {
            let key = call::key(&incoming.headers).and_then(|key| state.keys.get(key));
            let Some(department) = key.map(|key| key.department_id) else {
                return Err(Refusal::unauthorized(state));
            };
            let body = if incoming.body.is_empty() || incoming.method == Method::GET {
                Value::Null
            } else {
                serde_json::from_slice(&incoming.body).map_err(|_| Refusal::unreadable())?
            };
            let (path, params) = (incoming.path, incoming.params);
            (handler.run)(&mut Call {
                state,
                path,
                params,
                body,
                department,
                now,
            })
        })
    }
}

impl Answering for Accredible {
    type Handler = Handler;

    async fn answer(self: Arc<Self>, handler: Handler, incoming: Incoming) -> Response {
        match self.serve(handler, incoming) {
            Ok((status, body)) => (status, Json(body)).into_response(),
            Err(refusal) => refusal.into_response(),
        }
    }
}
