//! How a call ended, by what the vendor said of it.
//!
//! In: a verdict, or where an exchange broke off. Out: a [`Called`].
//! Always true: real vendors and pretend ones are mapped here, so that a test cannot differ from
//! the real thing; a call that must not happen twice never breaks off as failed.

use std::time::Duration;

use crate::connector::{Effect, Page, Trouble, Verdict};
use crate::data::{Object, Value};
use crate::interpret::Called;
use crate::journal::Failure;

/// The end of a call that was answered.
pub fn called(verdict: Verdict) -> Called {
    match verdict {
        Verdict::Success(output) => Called::Done { output },
        Verdict::Page { items, next, total } => Called::Done {
            output: page_value(items, next, total),
        },
        Verdict::Retry(trouble) => again(trouble),
        Verdict::RetryLater(trouble, after) => Called::Failed {
            failure: trouble.into(),
            retry: Some(after.unwrap_or(Duration::ZERO)),
        },
        Verdict::SignInAgainOnce(trouble) | Verdict::Fail(trouble) => refused(trouble),
        Verdict::Doubtful(trouble) => Called::Doubtful {
            failure: trouble.into(),
        },
    }
}

/// The end of a call whose exchange broke off after its first byte may have left.
pub fn broken(effect: Effect, trouble: Trouble) -> Called {
    match effect {
        Effect::Once => Called::Doubtful {
            failure: trouble.into(),
        },
        // A body over the limit stays over it.
        _ if trouble.code == "reply_too_large" => refused(trouble),
        _ => again(trouble),
    }
}

/// A failure that trying again does not help.
pub fn refused(trouble: impl Into<Failure>) -> Called {
    Called::Failed {
        failure: trouble.into(),
        retry: None,
    }
}

/// A failure that trying again may help.
pub fn again(trouble: impl Into<Failure>) -> Called {
    Called::Failed {
        failure: trouble.into(),
        retry: Some(Duration::ZERO),
    }
}

fn page_value(items: Vec<Value>, next: Option<Page>, total: Option<u64>) -> Value {
    let mut output = Object::new();
    output.insert("items".to_owned(), Value::Array(items));
    if let Some(next) = next.and_then(|next| serde_json::to_value(next).ok()) {
        output.insert("next".to_owned(), next);
    }
    if let Some(total) = total {
        output.insert("total".to_owned(), total.into());
    }
    Value::Object(output)
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self {
            status: trouble.status,
            body: trouble.body.map(|body| *body),
            ..Self::new(&trouble.code, trouble.message)
        }
    }
}
