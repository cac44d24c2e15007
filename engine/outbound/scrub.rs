//! Takes the secrets that a request was signed with out of all that comes of it.
//!
//! In: how a call ended. Out: the same without secrets.
//! Always true: a vendor that sends a secret back does not get it into a journal, neither in a
//! failure nor in an output; out of failures, which nobody works with, every secret goes that the
//! process knows; what holds no secret is handed on untouched.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::account::Prepared;
use crate::connector::{PlannedBody, RequestPlan, Trouble};
use crate::data::{Secret, Value};
use crate::interpret::Called;
use crate::journal::Failure;
use crate::mask::{Masker, learn_secret, learned_secrets, masker_of_secrets};

/// The secrets of one request.
#[derive(Default)]
pub(super) struct Secrets(BTreeSet<String>);

/// Shorter secrets would blacken ordinary words.
const SECRET_MIN: usize = 4;
/// In outputs, shorter secrets stay: an output is worked with, and a word of it must not be lost
/// because somebody's password is that word.
const SECRET_IN_OUTPUT_MIN: usize = 8;
/// Fields of a token request that are secret.
const TOKEN_FIELDS: [&str; 5] = [
    "refresh_token",
    "client_secret",
    "password",
    "assertion",
    "client_assertion",
];

impl Secrets {
    /// The secrets of a connection.
    pub(super) fn of(secrets: &[Secret]) -> Self {
        let mut all = Self::default();
        for secret in secrets {
            all.add(secret.reveal());
        }
        all
    }

    /// A further secret.
    pub(super) fn add(&mut self, secret: &str) {
        learn_secret(secret);
        if secret.len() >= SECRET_MIN && !self.0.contains(secret) {
            self.0.insert(secret.to_owned());
        }
    }

    /// What a request carries to sign in with.
    pub(super) fn add_sign_in(&mut self, request: &RequestPlan) {
        for (name, value) in &request.headers {
            if name.eq_ignore_ascii_case("authorization") {
                let credentials = value.split_once(' ').map_or(&**value, |(_, rest)| rest);
                self.add(credentials);
            }
        }
    }

    /// What a token request carries to sign in with.
    pub(super) fn add_token_request(&mut self, request: &RequestPlan) {
        self.add_sign_in(request);
        match &request.body {
            PlannedBody::Form(fields) => {
                for (name, value) in fields {
                    if TOKEN_FIELDS.contains(&&**name) {
                        self.add(value);
                    }
                }
            }
            PlannedBody::Json(body) => {
                for value in TOKEN_FIELDS.iter().filter_map(|name| body.get(name)) {
                    self.add(value.as_str().unwrap_or_default());
                }
            }
            PlannedBody::None | PlannedBody::Text { .. } => {}
        }
    }

    /// What a mail server is told in one way of signing in.
    pub(super) fn add_mail_login(&mut self, prepared: &Prepared) {
        let field = |name| prepared.resolved.value.get(name).and_then(Value::as_str);
        if let (Some(username), Some(password)) = (field("username"), field("password")) {
            self.add(&format!("\0{username}\0{password}"));
        }
    }

    /// A call's end without the secrets.
    pub(super) fn taken_out_of(&self, called: Called) -> Called {
        match called {
            Called::Done { output } => Called::Done {
                output: self.longer_than(SECRET_IN_OUTPUT_MIN).value(output),
            },
            Called::Failed { failure, retry } => Called::Failed {
                failure: self.taken_out_of_failure(failure),
                retry,
            },
            Called::Doubtful { failure } => Called::Doubtful {
                failure: self.taken_out_of_failure(failure),
            },
        }
    }

    /// What went wrong, without the secrets.
    pub(super) fn taken_out_of_trouble(&self, trouble: Trouble) -> Trouble {
        let all = self.and_learned();
        Trouble {
            message: all.text(&trouble.message).into_owned(),
            body: trouble.body.map(|body| Box::new(all.value(*body))),
            ..trouble
        }
    }

    fn taken_out_of_failure(&self, failure: Failure) -> Failure {
        let all = self.and_learned();
        Failure {
            message: all.text(&failure.message).into_owned(),
            body: failure.body.map(|body| all.value(body)),
            ..failure
        }
    }

    /// What takes out these secrets and all others that the process knows.
    fn and_learned(&self) -> Masker {
        let own = self.longer_than(SECRET_MIN);
        Masker::clone(&own).and(&learned_secrets())
    }

    fn longer_than(&self, least: usize) -> Arc<Masker> {
        let texts = self.0.iter().filter(|text| text.len() >= least);
        masker_of_secrets(texts.cloned().collect())
    }
}
