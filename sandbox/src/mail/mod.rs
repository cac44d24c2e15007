//! A mail server that keeps what it is given. In: SMTP (RFC 5321), as mail clients speak it. Out:
//! the mails, decoded, for whoever asks at `/_control/mails`. Always true: nothing is ever sent on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::routing::get;
use axum::serve::Listener;
use axum::{Json, Router};
use rustls::ServerConfig;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::gate::Gate;
use crate::wire::connection::Door;
use crate::wire::params::Params;

use certificate::{Authority, Validity};
use state::{Delivered, State};

pub use letter::Attachment;
pub(crate) use state::MailWorld;
pub use state::{Mail, Protection};

mod certificate;
mod command;
mod control;
mod letter;
mod lines;
mod login;
mod obey;
mod reply;
mod session;
mod state;

/// The mail server.
#[derive(Debug)]
pub(crate) struct PostOffice {
    gate: Arc<Gate>,
    first: MailWorld,
    state: Mutex<State>,
    taken: watch::Sender<u64>,
    authority: Authority,
}

impl PostOffice {
    /// # Errors
    /// When the machine gives no random numbers for keys.
    pub(crate) fn new(world: MailWorld, gate: Arc<Gate>) -> Result<Arc<Self>, String> {
        let authority = Authority::new().map_err(|_| "no keys can be made")?;
        Ok(Arc::new(Self {
            authority,
            gate,
            state: Mutex::new(State::load(world.clone())),
            first: world,
            taken: watch::Sender::new(0),
        }))
    }

    /// The certificate of the authority that clients are to trust, as PEM.
    pub(crate) fn certificate(&self) -> String {
        self.authority.pem()
    }

    pub(crate) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// The mails that were taken, in that order.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.with(|state| state.mails.clone())
    }

    /// Serves every client that comes to this door, where connections begin like this.
    pub(crate) async fn serve(self: Arc<Self>, mut door: Door, tls: Protection) {
        let mut sessions = JoinSet::new();
        loop {
            tokio::select! {
                (stream, _) = door.accept() => {
                    sessions.spawn(session::run(Arc::clone(&self), stream, tls));
                }
                Some(_) = sessions.join_next() => {}
            }
        }
    }

    /// What its HTTP port serves beside the control surface: nothing.
    pub(crate) fn router(&self) -> Router {
        let lost = "this is a mail server: mails come over SMTP, and are shown at /_control/mails";
        Router::new().fallback(move || async move { (StatusCode::NOT_FOUND, lost) })
    }

    /// `GET` and `DELETE /_control/mails`.
    pub(crate) fn controls(self: &Arc<Self>) -> Router {
        let mails = get(show).delete(forget);
        Router::new()
            .route("/_control/mails", mails)
            .with_state(Arc::clone(self))
    }

    /// How connections are encrypted, by the quirks as they are.
    fn tls(&self) -> Result<Arc<ServerConfig>, String> {
        let quirks = self.with(|state| state.quirks.clone());
        let validity = if quirks.certificate_expired {
            Validity::Past
        } else {
            Validity::Now
        };
        match &quirks.certificate_name {
            Some(name) => self.authority.server(&[name], validity),
            None => self.authority.server(&["localhost", "127.0.0.1"], validity),
        }
    }

    fn take(&self, delivered: Delivered) -> u64 {
        let now = self.gate.clock.now();
        let id = self.with(|state| state.take(delivered, now));
        self.taken.send_modify(|count| *count += 1);
        id
    }

    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The mails: of one recipient with `to`, with a text in the subject with `subject`. With `at_least`
/// and `wait_ms` it answers as soon as so many are there, or when the time is up.
async fn show(Shared(office): Shared<Arc<PostOffice>>, RawQuery(query): RawQuery) -> Json<Value> {
    let params = Params::from_query(&query.unwrap_or_default());
    let matching = || {
        let mut mails = office.mails();
        mails.retain(|mail| {
            let is_to = |to: &str| mail.to.iter().any(|given| given.eq_ignore_ascii_case(to));
            params.one("to").is_none_or(is_to)
                && params
                    .one("subject")
                    .is_none_or(|text| mail.subject.contains(text))
        });
        mails
    };
    let number = |name: &str| params.one(name).and_then(|text| text.parse::<u64>().ok());
    if let (Some(at_least), Some(wait_ms)) = (number("at_least"), number("wait_ms")) {
        let mut taken = office.taken.subscribe();
        let enough = async {
            while (matching().len() as u64) < at_least && taken.changed().await.is_ok() {}
        };
        // Running out of time is an answer, too: the reader sees how many there are.
        let _ = tokio::time::timeout(Duration::from_millis(wait_ms), enough).await;
    }
    let mails: Vec<Value> = matching().iter().map(control::shown).collect();
    Json(json!({ "count": mails.len(), "items": mails }))
}

async fn forget(Shared(office): Shared<Arc<PostOffice>>) -> Json<Value> {
    office.with(|state| state.mails.clear());
    Json(json!({ "cleared": true }))
}
