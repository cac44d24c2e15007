//! What `recipes run --preview` prints.
//!
//! In: the answer of a preview. Out: what would be sent and written, in an admin's words.

use std::fmt::Write;

use super::{Ended, say, show};
use crate::data::Value;

/// How much of a value is shown on its line.
const CHARS: usize = 200;

/// Prints a preview; one whose job would fail ends with problems.
pub(super) fn tell(preview: &Value) -> anyhow::Result<Ended> {
    let mut text = String::new();
    let mut is_good = true;
    for job in list(&preview["jobs"]) {
        let status = show::cell(&job["status"]);
        let _ = writeln!(text, "would end {status}, as far as can be known");
        if let Some(failure) = job.get("failure") {
            let (code, message) = (
                show::cell(&failure["code"]),
                show::cell(&failure["message"]),
            );
            let _ = writeln!(text, "  {code}: {message}");
        }
        if let Some(output) = job.get("output") {
            let _ = writeln!(text, "  output {}", show::short(output, CHARS));
        }
        is_good &= status.starts_with("succeeded");
    }
    section(&mut text, "would be sent", &preview["would_send"], |call| {
        let (action, step) = (show::cell(&call["action"]), show::cell(&call["step"]));
        format!("{action} {}   at {step}", show::short(&call["with"], CHARS))
    });
    section(
        &mut text,
        "rows that would change",
        &preview["would_write"],
        |row| {
            let (table, change) = (show::cell(&row["table"]), show::cell(&row["change"]));
            let values = ["before", "after"].map(|side| match row.get(side) {
                Some(value) => show::short(value, CHARS),
                None => String::new(),
            });
            format!(
                "{table}: {change} {}",
                values.join(" -> ").trim_matches([' ', '-', '>'])
            )
        },
    );
    section(
        &mut text,
        "not asked, because what to ask is not known yet",
        &preview["not_asked"],
        |call| {
            format!(
                "{} at {}",
                show::cell(&call["action"]),
                show::cell(&call["step"])
            )
        },
    );
    let mut remarks = Vec::new();
    for job in list(&preview["jobs"]) {
        gather_remarks(&job["steps"], &mut remarks);
    }
    section(&mut text, "remarks", &Value::Array(remarks), show::cell);
    if preview["is_cut_short"] == true {
        let why = show::cell(&preview["cut_short_because"]);
        let _ = writeln!(text, "the preview was cut short: {why}; more might follow");
    }
    text.push_str("nothing was sent and nothing was written\n");
    say(&text)?;
    Ok(if is_good {
        Ended::Well
    } else {
        Ended::WithProblems
    })
}

fn section(text: &mut String, title: &str, list_of: &Value, line: impl Fn(&Value) -> String) {
    let list = list(list_of);
    if list.is_empty() {
        return;
    }
    let _ = writeln!(text, "{title}:");
    for item in list {
        let _ = writeln!(text, "  {}", line(item));
    }
}

/// What is to be said of steps, those inside others included.
fn gather_remarks(steps: &Value, remarks: &mut Vec<Value>) {
    for step in list(steps) {
        let place = show::cell(&step["key"]);
        if let Some(note) = step.get("note") {
            remarks.push(format!("{place}: {}", show::cell(note)).into());
        }
        if step["state"] == "not_run" {
            let why = show::cell(&step["failure"]["message"]);
            remarks.push(format!("{place}: not run; {why}").into());
        }
        gather_remarks(&step["steps"], remarks);
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
