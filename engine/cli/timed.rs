//! What the clock sets off, in words: lines of `recipes show`.

use std::time::Duration;

use super::show;
use crate::data::Value;

/// The lines for a schedule or a poll; none for other recipes.
pub(super) fn lines(recipe: &Value) -> Vec<(&'static str, String)> {
    let is_started = recipe["status"] == "started";
    let mut lines = Vec::new();
    let schedule = &recipe["schedule"];
    if schedule.is_object() {
        lines.push(("schedule", rule(schedule)));
        let label = if is_started { "next" } else { "if started" };
        let nexts = schedule["next"].as_array().into_iter().flatten();
        lines.extend(numbered(
            label,
            nexts.map(|next| show::cell(&next["local"])),
        ));
        let lasts = schedule["last"].as_array().into_iter().flatten();
        lines.extend(numbered("last", lasts.map(fire)));
    }
    let poll = &recipe["poll"];
    if poll.is_object() {
        lines.push((
            "asks",
            format!(
                "{} of connection `{}`, {}",
                show::cell(&poll["action"]),
                show::cell(&poll["connection"]),
                rule(poll)
            ),
        ));
        lines.push(("next", show::time(&poll["next"])));
        lines.push(("last poll", last_poll(&poll["last"])));
        let good = &poll["last_good"];
        if good.is_object() {
            let (items, jobs) = (show::cell(&good["items"]), show::cell(&good["jobs"]));
            let at = show::time(&good["at"]);
            lines.push(("last good", format!("{at}, {items} items, {jobs} jobs")));
        }
        lines.push(("cursor", show::cell(&poll["cursor"])));
    }
    lines
}

/// The first line with its label, those after it below.
fn numbered(
    label: &'static str,
    values: impl Iterator<Item = String>,
) -> impl Iterator<Item = (&'static str, String)> {
    values
        .enumerate()
        .map(move |(index, value)| (if index == 0 { label } else { "" }, value))
}

fn rule(of: &Value) -> String {
    let zone = show::cell(&of["timezone"]);
    match (of["rule"]["cron"].as_str(), of["rule"]["every_s"].as_f64()) {
        (Some(line), _) => format!("{line} in {zone}"),
        (None, Some(every)) => format!("every {}", period(Duration::from_secs_f64(every))),
        (None, None) => String::new(),
    }
}

/// A length of time as admins write it.
fn period(length: Duration) -> String {
    let mut rest = length.as_millis();
    let mut parts = Vec::new();
    for (unit, millis) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ] {
        if rest >= millis {
            parts.push(format!("{}{unit}", rest / millis));
            rest %= millis;
        }
    }
    if rest > 0 {
        parts.push(format!("{rest}ms"));
    }
    parts.join(" ")
}

fn fire(row: &Value) -> String {
    let at = show::time(&row["at"]);
    let outcome = show::cell(&row["outcome"]).replace('_', " ");
    let mut text = match row["times"].as_u64() {
        Some(times) => format!(
            "{} to {at}, {times} times  {outcome}",
            show::time(&row["first"])
        ),
        None => format!("{at}  {outcome}"),
    };
    if let Some(job) = row["job"].as_str() {
        text.push_str(&format!("  job {job}"));
    }
    if let Some(reason) = row["reason"].as_str() {
        text.push_str(&format!("  ({reason})"));
    }
    text
}

fn last_poll(last: &Value) -> String {
    if !last.is_object() {
        return "none yet".to_owned();
    }
    let at = show::time(&last["at"]);
    if last["is_good"] == true {
        return format!("{at}, good");
    }
    let failure = &last["failure"];
    let (code, message) = (
        show::cell(&failure["code"]),
        show::cell(&failure["message"]),
    );
    match last["failures"].as_u64() {
        Some(0) | None => format!("{at}, not sent: {message} ({code})"),
        Some(1) => format!("{at}, failed: {message} ({code})"),
        Some(times) => format!("{at}, failed {times} times in a row: {message} ({code})"),
    }
}
