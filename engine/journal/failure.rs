//! Why something failed.

use serde::{Deserialize, Serialize};

use crate::data::{Object, Value};

/// Why a step or job failed: plain data that goes into the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word, such as `not_found` or `outcome_unknown`.
    pub code: String,
    /// What happened: lower case, no full stop.
    pub message: String,
    /// The HTTP status, if a reply caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The reply's body, if a reply caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The step it came from, as a place in the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The file, line and column of that step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Failure {
    /// A failure of this code, with nothing else known.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            status: None,
            body: None,
            step: None,
            place: None,
        }
    }

    /// The failure as the root `error` of a `catch`.
    pub fn to_value(&self) -> Value {
        let mut object = Object::new();
        object.insert("code".into(), self.code.clone().into());
        object.insert("message".into(), self.message.clone().into());
        if let Some(status) = self.status {
            object.insert("status".into(), status.into());
        }
        if let Some(step) = &self.step {
            object.insert("step".into(), step.clone().into());
        }
        if let Some(body) = &self.body {
            object.insert("body".into(), body.clone());
        }
        Value::Object(object)
    }
}
