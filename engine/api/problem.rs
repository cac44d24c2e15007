//! Refusals on the wire: problem objects of RFC 9457.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::data::Value;
use crate::shape::Misfit;
use crate::store::StoreError;
use crate::trigger::Refusal;

/// When a sender should come back that cannot be told from others before somebody mends our side.
const NOT_SET_UP_RETRY_S: u64 = 10;

/// Why a request was refused.
#[derive(Clone, Debug)]
pub struct Problem(Box<Wire>);

/// A problem object as it is sent.
#[derive(Clone, Debug, Serialize)]
struct Wire {
    /// A reference that names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in one sentence.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The kind as a stable word.
    code: String,
    /// Each thing that is wrong, where there may be several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
    #[serde(skip)]
    headers: Vec<(HeaderName, String)>,
}

impl Problem {
    /// A problem of this kind.
    pub fn new(status: u16, code: &str, title: &str) -> Self {
        Self(Box::new(Wire {
            kind: format!("/problems/{code}"),
            title: title.to_owned(),
            status,
            detail: None,
            code: code.to_owned(),
            errors: Vec::new(),
            headers: Vec::new(),
        }))
    }

    /// Says what is wrong this time.
    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// The kind as a stable word.
    pub(super) fn code(&self) -> &str {
        &self.0.code
    }

    /// Whether it is none any more the next time that somebody asks.
    pub(super) fn is_passing(&self) -> bool {
        self.0.status == 503
    }

    /// Adds each thing that is wrong.
    pub(super) fn errors(mut self, errors: impl IntoIterator<Item = Value>) -> Self {
        self.0.errors.extend(errors);
        self
    }

    /// Adds a header to the answer.
    pub(super) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not_found", "There is no such thing.").detail(detail)
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad_request", "The request cannot be read.").detail(detail)
    }

    pub(super) fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(
            409,
            code,
            "This does not go together with how things stand.",
        )
        .detail(detail)
    }

    pub(super) fn misfits(title: &str, misfits: &[Misfit]) -> Self {
        let errors = misfits
            .iter()
            .map(|misfit| json!({ "path": misfit.path, "message": misfit.message }));
        Self::new(422, "invalid_input", title).errors(errors)
    }

    fn unavailable(detail: impl Into<String>, retry_after_s: u64) -> Self {
        Self::new(
            503,
            "unavailable",
            "This cannot be done at the moment; try again later.",
        )
        .detail(detail)
        .header(header::RETRY_AFTER, retry_after_s.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        for (name, value) in self.0.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound(what) => Self::not_found(format!("{what} is not there")),
            StoreError::Conflict(why) => Self::conflict("conflict", why),
            StoreError::LeaseLost(_) => Self::conflict("job_is_busy", error.to_string()),
            StoreError::Unavailable(_) | StoreError::InUse(_) => {
                tracing::error!("a request was refused: {error}");
                Self::unavailable(error.to_string(), 10)
            }
            StoreError::Corrupt(_) => {
                tracing::error!("a request met damage: {error}");
                Self::new(500, "corrupt", "The database holds something unreadable.")
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Unknown(_) => Self::not_found(message),
            Refusal::NotSignedIn { challenge, .. } => {
                let problem =
                    Self::new(401, "not_signed_in", "The sender did not sign in.").detail(message);
                match challenge {
                    Some(scheme) => problem.header(
                        header::WWW_AUTHENTICATE,
                        format!("{scheme} realm=\"webhook\""),
                    ),
                    None => problem,
                }
            }
            Refusal::TooLarge(_) => {
                Self::new(413, "too_large", "The body is too large.").detail(message)
            }
            Refusal::Unreadable(_) => Self::bad_request(message),
            Refusal::Conflict(_) => Self::conflict("not_as_things_stand", message),
            Refusal::WrongInput(misfits) => {
                Self::misfits("The input does not fit what the recipe declares.", &misfits)
            }
            Refusal::QueueFull(_) | Refusal::RecipeFull { .. } => {
                Self::new(429, "queue_full", "Too many jobs are waiting.")
                    .detail(message)
                    .header(header::RETRY_AFTER, "30")
            }
            Refusal::NotSetUp(_) => Self::unavailable(message, NOT_SET_UP_RETRY_S),
            Refusal::Later { retry_after, .. } => {
                Self::unavailable(message, retry_after.as_secs().max(1))
            }
        }
    }
}
