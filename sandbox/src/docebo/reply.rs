//! What Docebo answers. In: a handler's value or refusal. Out: the envelope `{"data": ..}`, or the
//! error body with `name`, `message`, `code` and `status`. Always true: every handler of this
//! vendor speaks through these two.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::quirks::MessageShape;
use super::state::State;

/// What a handler returns: the `data` of the envelope, or why not.
pub(crate) type Answer = Result<Value, Refusal>;

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    pub(crate) fn unauthorized() -> Self {
        let message = "Your request was made with invalid credentials.".to_owned();
        Self {
            status: StatusCode::UNAUTHORIZED,
            message,
        }
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            message: message.into(),
        }
    }

    pub(crate) fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            message: format!("{what} {id} not found"),
        }
    }

    pub(crate) fn too_many() -> Self {
        let message = "Rate limit exceeded".to_owned();
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            message,
        }
    }

    pub(crate) fn overlap() -> Self {
        let message = "An unexpected error occurred".to_owned();
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message,
        }
    }
}

/// Wraps what a handler returned, in the shape that the quirks ask for.
pub(crate) fn render(state: &mut State, service: &str, answer: Answer) -> Response {
    let mut response = match answer {
        Ok(data) => Json(json!({ "data": data, "_links": [], "version": "1.0.0" })).into_response(),
        Err(refusal) => error(state, &refusal),
    };
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json; charset=UTF-8");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert("x-docebo-api-version", HeaderValue::from_static("1.0.0"));
    if let Ok(service) = HeaderValue::from_str(service) {
        headers.insert("x-docebo-backyard", service);
    }
    response
}

fn error(state: &mut State, refusal: &Refusal) -> Response {
    state.errors += 1;
    let is_string = match state.quirks.message_shape {
        MessageShape::Array => false,
        MessageShape::String => true,
        MessageShape::Mixed => state.errors.is_multiple_of(5),
    };
    let message = if is_string {
        json!(refusal.message)
    } else {
        json!([refusal.message])
    };
    let status = refusal.status;
    let body = json!({
        "name": status.canonical_reason().unwrap_or("Error"),
        "message": message,
        // The vendor documents no numbers: they differ per service, so callers must not use them.
        "code": 1000 + i64::from(status.as_u16()),
        "status": status.as_u16(),
    });
    let mut response = (status, Json(body)).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS && state.quirks.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    response
}
