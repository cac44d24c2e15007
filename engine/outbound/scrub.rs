//! Takes a connection's secrets out of what is said of a call.
//!
//! Always true: a vendor that sends a secret back does not get it into a journal as a failure.

use crate::data::{Secret, Value};
use crate::interpret::Called;
use crate::journal::Failure;

/// A call's end without the connection's secrets, should a vendor have sent them back.
pub(super) fn scrubbed(called: Called, secrets: &[Secret]) -> Called {
    let clean = |mut failure: Failure| {
        for secret in secrets
            .iter()
            .filter(|secret| secret.reveal().len() >= SECRET_MIN)
        {
            failure.message = failure.message.replace(secret.reveal(), "***");
            failure.body = failure.body.map(|body| without(body, secret.reveal()));
        }
        failure
    };
    match called {
        Called::Done { output } => Called::Done { output },
        Called::Failed { failure, retry } => Called::Failed {
            failure: clean(failure),
            retry,
        },
        Called::Doubtful { failure } => Called::Doubtful {
            failure: clean(failure),
        },
    }
}

/// Shorter secrets would blacken ordinary words.
const SECRET_MIN: usize = 4;

fn without(value: Value, secret: &str) -> Value {
    match value {
        Value::String(text) if text.contains(secret) => text.replace(secret, "***").into(),
        Value::Array(list) => list
            .into_iter()
            .map(|value| without(value, secret))
            .collect(),
        Value::Object(object) => Value::Object(
            object
                .into_iter()
                .map(|(name, value)| (name, without(value, secret)))
                .collect(),
        ),
        other => other,
    }
}
