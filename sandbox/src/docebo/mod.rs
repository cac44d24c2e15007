//! The stand-in for Docebo Learn. In: HTTP calls as the contract page describes them, and control
//! calls. Out: a tenant that remembers, with its webhooks. Always true: the state is only touched
//! under its lock, and events leave in the order in which they happened.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::Uri;
use axum::response::Response;
use serde_json::Value;
use tokio::sync::Notify;

use crate::gate::Gate;
use crate::webhooks::Outbox;
use crate::wire::route::{self, Answer as Answering, Incoming};

use call::Call;
use guard::{Class, Guard};
use reply::{Answer, Refusal, render};
use routes::{Handler, Level, ROUTES};
use state::State;

pub(crate) use rows::DoceboWorld;

mod actions;
mod batch;
mod branches;
mod call;
mod certifications;
mod control;
mod courses;
mod enrollments;
mod fields;
mod guard;
mod oauth;
mod paging;
mod plans;
mod progress;
mod put;
mod quirks;
mod reply;
mod routes;
mod rows;
mod state;
mod training;
mod user_batch;
mod users;

/// One tenant.
#[derive(Debug)]
pub(crate) struct Docebo {
    gate: Arc<Gate>,
    outbox: Arc<Outbox>,
    guard: Guard,
    state: Mutex<State>,
    /// The world to go back to on reset.
    first: DoceboWorld,
    seed: u64,
    due_changed: Notify,
}

impl Docebo {
    /// A tenant with the rows of a world, or what in the world does not fit together.
    pub(crate) fn new(world: DoceboWorld, gate: Arc<Gate>, seed: u64) -> Result<Arc<Self>, String> {
        let now = gate.clock.now();
        let domain = world
            .domain
            .clone()
            .unwrap_or_else(|| "sandbox.docebosaas.com".to_owned());
        let outbox = Outbox::new(Arc::clone(&gate.clock), &domain, seed ^ 0xB0)
            .map_err(|error| format!("no HTTP client for webhooks: {error}"))?;
        outbox.reset(world.webhooks.clone());
        Ok(Arc::new(Self {
            state: Mutex::new(State::load(world.clone(), seed, now)?),
            gate,
            outbox,
            guard: Guard::default(),
            first: world,
            seed,
            due_changed: Notify::new(),
        }))
    }

    /// The routes of the vendor.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let vendor = Arc::clone(self);
        let lost = move |uri: Uri| {
            let vendor = Arc::clone(&vendor);
            async move {
                let refusal = Refusal::not_found("Resource", uri.path());
                vendor.with(|state| render(state, "gateway", Err(refusal)))
            }
        };
        let table = route::router(Arc::clone(self), &ROUTES);
        table
            .method_not_allowed_fallback(lost.clone())
            .fallback(lost)
    }

    /// Sends webhooks and does what becomes due, as long as the sandbox lives.
    pub(crate) async fn run(self: Arc<Self>) {
        let sending = Arc::clone(&self.outbox).run();
        let working = async {
            loop {
                let next = self.with(|state| state.due.keys().next().map(|key| key.0));
                tokio::select! {
                    () = self.gate.clock.reach(next.unwrap_or(i64::MAX)) => self.settle_now(),
                    () = self.due_changed.notified() => {}
                }
            }
        };
        tokio::join!(sending, working);
    }

    /// Does what has become due and tells the webhooks.
    fn settle_now(&self) {
        self.with(|state| state.settle(self.gate.clock.now()));
    }

    /// Touches the state; what happened in it is told to the webhooks before the lock is free.
    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let due_before = state.due.len();
        let done = what(&mut state);
        self.outbox.emit(std::mem::take(&mut state.events));
        if state.due.len() > due_before {
            self.due_changed.notify_one();
        }
        done
    }

    /// Who calls, if the token is good and the user may do this.
    fn sign_in(&self, incoming: &Incoming, level: Level, now: i64) -> Result<i64, Refusal> {
        let token = oauth::bearer(&incoming.headers).ok_or_else(Refusal::unauthorized)?;
        self.with(|state| {
            let user = state
                .tokens
                .user(token, now)
                .ok_or_else(Refusal::unauthorized)?;
            let may_all = state
                .users
                .get(&user)
                .is_some_and(|user| user.is_superadmin());
            if level == Level::Superadmin && !may_all {
                let message = "You are not allowed to perform this action";
                return Err(Refusal::forbidden(message));
            }
            Ok(user)
        })
    }

    async fn serve(
        &self,
        run: fn(&mut Call<'_>) -> Answer,
        level: Level,
        class: Class,
        incoming: Incoming,
    ) -> Answer {
        let now = self.gate.clock.now();
        let caller = self.sign_in(&incoming, level, now)?;
        let permit = self.guard.enter(class);
        if class != Class::Free {
            let (ms, refuses) =
                self.with(|state| (state.quirks.exclusive_write_ms, state.quirks.overlap_is_500));
            if permit.is_overlap && refuses {
                return Err(Refusal::overlap());
            }
            if ms > 0 {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
        }
        let body = read_body(&incoming)?;
        let params = incoming.params;
        let is_get = incoming.method == axum::http::Method::GET;
        let params = if is_get {
            params.with_body(&body)
        } else {
            params
        };
        self.with(|state| {
            state.settle(now);
            let (path, uri_path) = (incoming.path, incoming.uri_path);
            run(&mut Call {
                state,
                path,
                uri_path,
                params,
                body,
                caller,
                now,
            })
        })
    }
}

impl Answering for Docebo {
    type Handler = Handler;

    async fn answer(self: Arc<Self>, handler: Handler, incoming: Incoming) -> Response {
        let now = self.gate.clock.now();
        let service = incoming.uri_path.split('/').nth(1).unwrap_or("").to_owned();
        let limit = self.with(|state| state.quirks.calls_per_hour);
        if !self.guard.admits(incoming.ip, now, limit) {
            return self.with(|state| render(state, &service, Err(Refusal::too_many())));
        }
        match handler {
            Handler::Token => self.with(|state| oauth::token(state, &incoming, now)),
            Handler::Call { run, level, class } => {
                let answer = if class == Class::Free {
                    self.serve(run, level, class, incoming).await
                } else {
                    // What was begun goes on, even if the caller has hung up meanwhile.
                    let vendor = Arc::clone(&self);
                    let work = async move { vendor.serve(run, level, class, incoming).await };
                    let done = tokio::spawn(work).await;
                    done.unwrap_or_else(|_| Err(Refusal::overlap()))
                };
                self.with(|state| render(state, &service, answer))
            }
        }
    }
}

fn read_body(incoming: &Incoming) -> Result<Value, Refusal> {
    if incoming.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&incoming.body)
        .map_err(|_| Refusal::bad_request("The request body is not valid JSON"))
}
