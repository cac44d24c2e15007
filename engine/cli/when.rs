//! Times of jobs and steps, as people say them.

use super::show;
use crate::clock::Moment;
use crate::data::Value;

/// The time between two moments, as people say it.
pub(super) fn took(from: &Value, to: &Value) -> String {
    let moment = |value: &Value| value.as_str().and_then(|text| Moment::parse(text).ok());
    let (Some(from), Some(to)) = (moment(from), moment(to)) else {
        return String::new();
    };
    let took = to.since(from);
    match took.as_millis() {
        0 => "0s".into(),
        ms if ms < 1_000 => format!("{ms}ms"),
        ms if ms < 60_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        ms => format!("{}m {}s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// When a step is tried again, or was, and which try of how many that is.
pub(super) fn next_try(step: &Value, now: Moment) -> Option<String> {
    let at = step.get("next_try_at")?;
    let number = match &step["next_try"] {
        Value::Null => return Some(format!("tried again {}", show::time(at))),
        number => format!("{number} of {}", step["tries"]),
    };
    let now = Value::from(now.to_the_second().to_string());
    let when = match took(&now, &Value::from(show::time(at))) {
        span if span == "0s" => "now".to_owned(),
        span => format!("in {}", span.replace(".0s", "s")),
    };
    Some(format!("tries again {when}, {number}"))
}
