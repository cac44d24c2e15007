//! Takes the secrets that a request was signed with out of all that comes of it.
//!
//! In: how a call ended. Out: the same without secrets.
//! Always true: a vendor that sends a secret back does not get it into a journal, neither in a
//! failure nor in an output; out of failures, which nobody works with, every secret goes that the
//! process knows; what holds no secret is handed on untouched.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::connector::{PlannedBody, RequestPlan, Trouble};
use crate::data::{Secret, Value};
use crate::interpret::Called;
use crate::journal::Failure;
use crate::mask::{MASK, learn_secret, learned_secrets};

/// The secrets of one request, in every form in which a vendor may send them back.
pub(super) struct Secrets {
    /// Longest first, so that none is cut by a shorter one.
    texts: Vec<String>,
}

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
        let mut all = Self { texts: Vec::new() };
        for secret in secrets {
            all.add(secret.reveal());
        }
        all
    }

    /// A further secret.
    pub(super) fn add(&mut self, secret: &str) {
        learn_secret(secret);
        let in_json = serde_json::Value::from(secret).to_string();
        let forms = [
            secret.to_owned(),
            url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            in_json[1..in_json.len() - 1].to_owned(),
            BASE64_STANDARD.encode(secret),
        ];
        for text in forms {
            if secret.len() >= SECRET_MIN && !self.texts.contains(&text) {
                self.texts.push(text);
            }
        }
        self.texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
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

    /// A call's end without the secrets.
    pub(super) fn taken_out_of(&self, called: Called) -> Called {
        match called {
            Called::Done { output } => Called::Done {
                output: cleaned(output, &self.longer_than(SECRET_IN_OUTPUT_MIN)),
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
        let (texts, learned) = (self.longer_than(SECRET_MIN), learned_secrets());
        let message = masked(trouble.message, &texts);
        let clean = |body: Value| learned.value(cleaned(body, &texts));
        Trouble {
            message: learned.text(&message).into_owned(),
            body: trouble.body.map(|body| Box::new(clean(*body))),
            ..trouble
        }
    }

    fn taken_out_of_failure(&self, failure: Failure) -> Failure {
        let (texts, learned) = (self.longer_than(SECRET_MIN), learned_secrets());
        let message = masked(failure.message, &texts);
        Failure {
            message: learned.text(&message).into_owned(),
            body: failure
                .body
                .map(|body| learned.value(cleaned(body, &texts))),
            ..failure
        }
    }

    fn longer_than(&self, least: usize) -> Vec<&str> {
        let texts = self.texts.iter().map(String::as_str);
        texts.filter(|text| text.len() >= least).collect()
    }
}

/// A value without these texts; it is taken apart only if one of them occurs.
fn cleaned(value: Value, texts: &[&str]) -> Value {
    if !occurs(&value, texts) {
        return value;
    }
    match value {
        Value::String(text) => masked(text, texts).into(),
        Value::Array(list) => list
            .into_iter()
            .map(|value| cleaned(value, texts))
            .collect(),
        Value::Object(object) => object
            .into_iter()
            .map(|(name, value)| (masked(name, texts), cleaned(value, texts)))
            .collect(),
        other => other,
    }
}

fn occurs(value: &Value, texts: &[&str]) -> bool {
    match value {
        Value::String(text) => is_in(text, texts),
        Value::Array(list) => list.iter().any(|value| occurs(value, texts)),
        Value::Object(object) => object
            .iter()
            .any(|(name, value)| is_in(name, texts) || occurs(value, texts)),
        _ => false,
    }
}

fn is_in(text: &str, texts: &[&str]) -> bool {
    texts.iter().any(|secret| text.contains(secret))
}

fn masked(text: String, texts: &[&str]) -> String {
    if !is_in(&text, texts) {
        return text;
    }
    texts
        .iter()
        .fold(text, |text, secret| text.replace(secret, MASK))
}
