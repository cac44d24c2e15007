//! A vendor's answer, and the rules by which it is judged.

use std::sync::Arc;
use std::time::Duration;

use crate::data::{DEPTH_MAX, Object, Value, is_deeper};
use crate::expression::{Condition, Expression};

/// An answer as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The root `reply`: `status`; `headers`, names in lower case, several of one name joined by
    /// `, `; `body`, parsed JSON when it parses, else the text.
    root: Arc<Value>,
    /// Whether the body is what its content type says it is.
    pub is_readable: bool,
    /// Whether the body is JSON, or there is none.
    pub is_json: bool,
}

/// A rule for replies; of a list of them, the first that matches decides.
#[derive(Clone, Debug)]
pub struct ReplyRule {
    /// Which statuses it is for; all if empty.
    pub status: Vec<StatusTest>,
    /// What else must hold.
    pub when: Option<Condition>,
    /// What it means.
    pub verdict: VerdictWord,
    /// The code of the failure.
    pub code: Option<String>,
    /// The message of the failure.
    pub message: Option<Expression>,
    /// How long to wait before trying again.
    pub after: Option<Expression>,
    /// Whether this answer proves that nothing was done.
    pub not_applied: bool,
}

/// Which statuses a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusTest {
    /// This one.
    Exactly(u16),
    /// All of a hundred: `2` stands for 200 to 299.
    Hundred(u16),
}

/// What a reply means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictWord {
    /// It worked.
    Success,
    /// The thing does not exist, which is an answer and no error.
    Absent,
    /// Try again, as the step's retry says.
    Retry,
    /// Try again when the vendor says.
    RetryLater,
    /// Sign in again and send it once more.
    SignInAgainOnce,
    /// It did not work.
    Fail,
}

/// The longest wait that a vendor's `Retry-After` may ask for; more is cut to it.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

impl Reply {
    /// Makes a reply of what was received.
    pub fn new(status: u16, headers: Object, body: &[u8]) -> Self {
        let says_json = headers
            .get("content-type")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
        // What is nested deeper than a journal can hold makes no sense to us.
        let parsed = serde_json::from_slice::<Value>(body)
            .ok()
            .filter(|value| !is_deeper(value, DEPTH_MAX));
        let is_json = parsed.is_some() || body.is_empty();
        let is_readable = is_json || !says_json;
        let text = || Value::from(String::from_utf8_lossy(body).into_owned());
        let root = Object::from_iter([
            ("status".to_owned(), status.into()),
            ("headers".to_owned(), Value::Object(headers)),
            ("body".to_owned(), parsed.unwrap_or_else(text)),
        ]);
        Self {
            status,
            root: Arc::new(Value::Object(root)),
            is_readable,
            is_json,
        }
    }

    /// The root `reply`.
    pub fn root(&self) -> Arc<Value> {
        self.root.clone()
    }

    /// The body.
    pub fn body(&self) -> &Value {
        &self.root["body"]
    }

    /// The text of a header, its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.root["headers"].get(name).and_then(Value::as_str)
    }

    /// The wait that `Retry-After` asks for: seconds, or a date. Nonsense is passed over, and what
    /// is absurdly long is cut.
    pub fn retry_after(&self, now: crate::clock::Moment) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse::<f64>() {
            let sound = seconds.is_finite() && seconds >= 0.0;
            return sound
                .then(|| Duration::from_secs_f64(seconds.min(RETRY_AFTER_MAX.as_secs_f64())));
        }
        let date = jiff::fmt::rfc2822::parse(text).ok()?;
        let moment = crate::clock::Moment(date.timestamp().as_microsecond());
        Some(moment.since(now).min(RETRY_AFTER_MAX))
    }
}

impl StatusTest {
    /// Whether the status is meant.
    pub fn holds(self, status: u16) -> bool {
        match self {
            Self::Exactly(exactly) => exactly == status,
            Self::Hundred(hundred) => status / 100 == hundred,
        }
    }
}

impl VerdictWord {
    /// All verdicts, as they are written.
    pub const ALL: [(&'static str, Self); 6] = [
        ("success", Self::Success),
        ("absent", Self::Absent),
        ("retry", Self::Retry),
        ("retry_later", Self::RetryLater),
        ("sign_in_again_once", Self::SignInAgainOnce),
        ("fail", Self::Fail),
    ];
}
