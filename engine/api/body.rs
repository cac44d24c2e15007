//! Reading what a request brings: body and parameters.

use serde::de::DeserializeOwned;

use crate::data::{DEPTH_MAX, Value, is_deeper};

use super::Problem;

/// A JSON body of this form; an empty body counts as `{}`.
pub(super) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.trim_ascii().is_empty() {
        b"{}"
    } else {
        bytes
    };
    // First as any JSON, so that a wrong form is told apart from no JSON at all.
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request(format!("the body is not JSON: {error}")))?;
    if is_deeper(&value, DEPTH_MAX) {
        let why = format!("the body is nested more than {DEPTH_MAX} levels deep");
        return Err(Problem::bad_request(why));
    }
    serde_json::from_value(value).map_err(|error| {
        Problem::new(
            422,
            "invalid_body",
            "The body is not of the form that is expected here.",
        )
        .detail(error.to_string())
    })
}

/// The parameters of an address, in their order.
pub(super) fn parameters(query: Option<&str>) -> Vec<(String, String)> {
    let query = query.unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// A parameter that is not known here.
pub(super) fn unknown_parameter(name: &str, known: &[&str]) -> Problem {
    let help = match crate::diagnostic::did_you_mean(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known are: {}", known.join(", ")),
    };
    Problem::bad_request(format!("the parameter `{name}` is not known; {help}"))
}

/// A parameter that is a number between 1 and a limit.
pub(super) fn limit(name: &str, value: &str, most: usize) -> Result<usize, Problem> {
    match value.parse::<usize>() {
        Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(Problem::bad_request(format!(
            "`{name}` is a number from 1 to {most}"
        ))),
    }
}

/// The address of the page after this one: the same filters, from the last of this page on, which
/// stands under a name of its own.
pub(super) fn next_page(
    path: &str,
    given: &[(String, String)],
    (place, last): (&str, &str),
) -> String {
    let mut next = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in given.iter().filter(|(name, _)| name != place) {
        next.append_pair(name, value);
    }
    next.append_pair(place, last);
    format!("{path}?{}", next.finish())
}

/// Whether something is to be done although others rely on what it takes away: only if told so.
pub(super) fn anyway(query: Option<&str>) -> Result<bool, Problem> {
    let mut is_anyway = false;
    for (name, value) in parameters(query) {
        is_anyway = match (name.as_str(), value.as_str()) {
            ("anyway", "true") => true,
            ("anyway", "false") => false,
            ("anyway", _) => return Err(Problem::bad_request("`anyway` is true or false")),
            _ => return Err(unknown_parameter(&name, &["anyway"])),
        };
    }
    Ok(is_anyway)
}
