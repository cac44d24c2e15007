//! `/_control/clock`: the sandbox clock, shared by all servers of one sandbox.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refused, Reply, Vendor};
use crate::clock::Clock;
use crate::moment::{Moment, format_moment, parse_duration};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    advance: Option<String>,
    now: Option<Moment>,
    scale: Option<f64>,
}

pub(super) async fn show(State(vendor): Vendor) -> Json<Value> {
    Json(read(&vendor.gate().clock))
}

/// Moves the clock: `{"advance":"5m"}`, `{"now":"2026-03-01 09:00:00"}` or `{"scale":60}`.
pub(super) async fn change(State(vendor): Vendor, body: Bytes) -> Reply {
    let change: Change = serde_json::from_slice(&body).map_err(|error| {
        Refused::invalid(format!(
            "{error}; send {{\"advance\":\"5m\"}}, {{\"now\":\"2026-03-01 09:00:00\"}} or \
             {{\"scale\":60}}"
        ))
    })?;
    let clock = &vendor.gate().clock;
    if let Some(scale) = change.scale {
        if !(0.0..=1e6).contains(&scale) {
            return Err(Refused::invalid("`scale` goes from 0 to 1000000"));
        }
        clock.run_at(scale);
    }
    if let Some(Moment(now)) = change.now {
        clock.show(now);
    }
    if let Some(text) = change.advance {
        let by = parse_duration(&text).ok_or_else(|| {
            Refused::invalid(format!(
                "`{text}` is not a duration; write `90s`, `5m`, `2h`, `1d`"
            ))
        })?;
        clock.advance(by);
    }
    vendor.settle();
    Ok(Json(read(clock)))
}

fn read(clock: &Clock) -> Value {
    let now = clock.now();
    json!({
        "now": format_moment(now, "%Y-%m-%dT%H:%M:%S%.6fZ"),
        "now_us": now,
        "scale": clock.scale(),
    })
}
