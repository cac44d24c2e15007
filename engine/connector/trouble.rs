//! Why a call could not be made or what its reply complains of.

use crate::data::Value;

/// What went wrong with a call: plain data without secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// A stable word, such as `not_found` or `unexpected_reply`.
    pub code: String,
    /// What happened: lower case, no full stop.
    pub message: String,
    /// The HTTP status, if a reply caused it.
    pub status: Option<u16>,
    /// The reply's body, if a reply caused it.
    pub body: Option<Box<Value>>,
}

impl Trouble {
    /// A trouble of this code, without a reply.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            status: None,
            body: None,
        }
    }
}
