//! What Accredible answers. In: a handler's value or refusal. Out: the body as it is, without an
//! envelope. Always true: errors come in the several shapes that the vendor has for them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::state::State;

/// What a handler returns: status and body, or why not.
pub(crate) type Answer = Result<(StatusCode, Value), Refusal>;

/// A refused call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Body,
}

#[derive(Debug, Clone, PartialEq)]
enum Body {
    Json(Value),
    Text(&'static str),
}

/// A successful answer.
pub(crate) fn ok(body: Value) -> Answer {
    Ok((StatusCode::OK, body))
}

impl Refusal {
    /// 422 with one text.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::json(
            StatusCode::UNPROCESSABLE_ENTITY,
            json!({ "errors": message }),
        )
    }

    /// 422 with a text for one field.
    pub(crate) fn field(field: &str, message: &str) -> Self {
        let body = json!({ "errors": { field: [message] } });
        Self::json(StatusCode::UNPROCESSABLE_ENTITY, body)
    }

    /// 422 with texts for several fields.
    pub(crate) fn fields(fields: Value) -> Self {
        Self::json(
            StatusCode::UNPROCESSABLE_ENTITY,
            json!({ "errors": fields }),
        )
    }

    /// 404 in one of the two shapes that were seen.
    pub(crate) fn missing(state: &mut State, long: &str) -> Self {
        state.misses += 1;
        let is_long = state.quirks.missing_is_mixed && state.misses.is_multiple_of(2);
        let body = if is_long {
            json!({ "success": false, "data": long })
        } else {
            json!({ "errors": "Doesn't exist" })
        };
        Self::json(StatusCode::NOT_FOUND, body)
    }

    /// 404 for an address that is no route.
    pub(crate) fn no_route() -> Self {
        Self::json(StatusCode::NOT_FOUND, json!({ "error": "Not found" }))
    }

    /// 400 of the search in `v2`.
    pub(crate) fn search(message: &str) -> Self {
        let status = "invalid_search_query";
        let body = json!({ "code": 400, "message": message, "status": status, "errors": {} });
        Self::json(StatusCode::BAD_REQUEST, body)
    }

    /// 400 for a body that is not JSON.
    pub(crate) fn unreadable() -> Self {
        Self::json(StatusCode::BAD_REQUEST, json!({ "errors": "Invalid JSON" }))
    }

    pub(crate) fn unauthorized(state: &State) -> Self {
        let status = StatusCode::UNAUTHORIZED;
        if state.quirks.unauthorized_is_text {
            return Self {
                status,
                body: Body::Text("HTTP Token: Access denied.\n"),
            };
        }
        Self::json(
            status,
            json!({ "success": false, "data": "issuer_token not valid" }),
        )
    }

    /// 429; its body is documented nowhere.
    pub(crate) fn too_many() -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            body: Body::Text("Retry later\n"),
        }
    }

    /// The message of a 422, for the rows of a bulk call.
    pub(crate) fn first_field(&self) -> (String, String) {
        let Body::Json(body) = &self.body else {
            return Default::default();
        };
        match &body["errors"] {
            Value::Object(fields) => fields
                .iter()
                .next()
                .map_or_else(Default::default, |(k, v)| {
                    (k.clone(), v[0].as_str().unwrap_or_default().to_owned())
                }),
            other => (String::new(), other.as_str().unwrap_or_default().to_owned()),
        }
    }

    fn json(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            body: Body::Json(body),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self.body {
            Body::Json(body) => (self.status, Json(body)).into_response(),
            Body::Text(text) => (self.status, text).into_response(),
        }
    }
}

/// One page of a `v1` list: which rows, and the `meta` that goes with them.
pub(crate) fn page<T>(rows: &[T], page: usize, page_size: usize) -> (&[T], Value) {
    let total_pages = rows.len().div_ceil(page_size).max(1);
    let start = (page - 1).saturating_mul(page_size).min(rows.len());
    let end = (start + page_size).min(rows.len());
    let meta = json!({
        "current_page": page,
        "next_page": (page < total_pages).then_some(page + 1),
        "prev_page": (page > 1).then_some(page - 1),
        "total_pages": total_pages,
        "total_count": rows.len(),
    });
    (&rows[start..end], meta)
}
