//! What `recipes run --preview` prints.
//!
//! In: the answer of a preview. Out: what would be sent and written, in an admin's words.
//! Always true: that it was cut short stands at its top and at its end; what is not listed is
//! counted.

use std::fmt::Write;

use indexmap::IndexMap;

use super::{Ended, job, say, show};
use crate::data::Value;

/// How much of a value is shown on its line.
const CHARS: usize = 200;

/// So many of a kind are shown, unless all are wanted.
const EXAMPLES: usize = 3;

/// How much is told of a preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// How many there are of each kind, and the first of them.
    Counted,
    /// Every call and row.
    All,
}

/// Prints a preview; one whose job would fail, or that was cut short, ends with problems.
pub(super) fn tell(preview: &Value, told: Told) -> anyhow::Result<Ended> {
    let (text, is_good) = text(preview, told);
    say(&text)?;
    Ok(if is_good {
        Ended::Well
    } else {
        Ended::WithProblems
    })
}

/// A preview in words, and whether its jobs would end well.
pub(super) fn text(preview: &Value, told: Told) -> (String, bool) {
    let mut text = String::new();
    let cut = (preview["is_cut_short"] == true).then(|| cut(preview));
    if let Some(cut) = &cut {
        let _ = writeln!(text, "{cut}\n");
    }
    let mut is_good = cut.is_none();
    for job in list(&preview["jobs"]) {
        is_good &= tell_job(job, &mut text);
    }
    let lines: Vec<Value> = list(&preview["jobs"])
        .iter()
        .flat_map(|job| list(&job["log"]).iter().cloned())
        .collect();
    let kind = |line: &Value| format!("{} at {}", cell(line, "level"), place(line, "key"));
    section(
        &mut text,
        told,
        "would be logged",
        &lines,
        kind,
        job::logged,
    );
    let calls = list(&preview["would_send"]);
    let kind = |call: &Value| format!("{} at {}", cell(call, "action"), place(call, "step"));
    section(&mut text, told, "would be sent", calls, kind, |call| {
        format!(
            "{} at {}: {}",
            cell(call, "action"),
            cell(call, "step"),
            show::short(&call["with"], CHARS)
        )
    });
    let rows = list(&preview["would_write"]);
    let kind = |row: &Value| format!("{}: {}", cell(row, "table"), cell(row, "change"));
    section(
        &mut text,
        told,
        "rows that would change",
        rows,
        kind,
        line_of_row,
    );
    section(
        &mut text,
        told,
        "not asked, because what to ask is not known yet",
        list(&preview["not_asked"]),
        |call| format!("{} at {}", cell(call, "action"), place(call, "step")),
        |call| format!("{} at {}", cell(call, "action"), cell(call, "step")),
    );
    let mut remarks = Vec::new();
    for job in list(&preview["jobs"]) {
        gather_remarks(&job["steps"], &mut remarks);
    }
    let kind = |remark: &Value| format!("{}: {}", place(remark, "key"), cell(remark, "text"));
    section(&mut text, told, "remarks", &remarks, kind, |remark| {
        format!("{}: {}", cell(remark, "key"), cell(remark, "text"))
    });
    let does_nothing = calls.is_empty() && rows.is_empty() && cut.is_none();
    text.push_str(match does_nothing {
        true => "nothing would be sent and no row would change\n",
        false => "nothing was sent and nothing was written\n",
    });
    if let Some(cut) = cut {
        let _ = writeln!(text, "{cut}");
    }
    (text, is_good)
}

/// That a preview is not whole, how far it came, and how to see more.
fn cut(preview: &Value) -> String {
    let mut text = format!(
        "CUT SHORT: {}; this is not all that would happen",
        cell(preview, "cut_short_because")
    );
    for job in list(&preview["jobs"]) {
        let come = job::progress(job);
        if !come.is_empty() {
            let _ = write!(text, "; it came to {}", come.join(", "));
        }
    }
    text.push_str(". A longer preview: --for 30m (at most 60m)");
    text
}

/// Tells how a job would end, and whether that is well.
fn tell_job(job: &Value, text: &mut String) -> bool {
    let status = cell(job, "status");
    match job.get("ended_at") {
        Some(_) => {
            let _ = writeln!(text, "would end {status}, as far as can be known");
        }
        None => text.push_str("its end was not reached\n"),
    }
    if let Some(failure) = job.get("failure") {
        let (code, message) = (cell(failure, "code"), cell(failure, "message"));
        let _ = writeln!(text, "  {code}: {message}");
    }
    if let Some(output) = job.get("output") {
        let _ = writeln!(text, "  output {}", show::short(output, CHARS));
    }
    status.starts_with("succeeded")
}

fn line_of_row(row: &Value) -> String {
    let values = ["before", "after"].map(|side| match row.get(side) {
        Some(value) => show::short(value, CHARS),
        None => String::new(),
    });
    format!(
        "{}: {} {}",
        cell(row, "table"),
        cell(row, "change"),
        values.join(" -> ").trim_matches([' ', '-', '>'])
    )
}

/// Lists things of a kind below their count; a kind of few is listed without.
fn section(
    text: &mut String,
    told: Told,
    title: &str,
    all: &[Value],
    kind: impl Fn(&Value) -> String,
    line: impl Fn(&Value) -> String,
) {
    if all.is_empty() {
        return;
    }
    let mut kinds: IndexMap<String, Vec<&Value>> = IndexMap::new();
    for one in all {
        kinds.entry(kind(one)).or_default().push(one);
    }
    let _ = writeln!(text, "{title} ({}):", all.len());
    for (kind, all) in kinds {
        if told == Told::All || all.len() <= EXAMPLES {
            for one in all {
                let _ = writeln!(text, "  {}", line(one));
            }
            continue;
        }
        let _ = writeln!(text, "  {} times {kind}, such as", all.len());
        for one in all.iter().take(EXAMPLES) {
            let _ = writeln!(text, "    {}", line(one));
        }
        let _ = writeln!(
            text,
            "    and {} more (--all lists them)",
            all.len() - EXAMPLES
        );
    }
}

/// What is to be said of steps, those inside others included.
fn gather_remarks(steps: &Value, remarks: &mut Vec<Value>) {
    let mut remark = |step: &Value, text: String| {
        remarks.push(serde_json::json!({ "key": step["key"], "text": text }));
    };
    for step in list(steps) {
        if let Some(note) = step.get("note") {
            remark(step, show::cell(note));
        }
        if step["state"] == "not_run" {
            remark(
                step,
                format!("not run; {}", cell(&step["failure"], "message")),
            );
        }
    }
    for step in list(steps) {
        gather_remarks(&step["steps"], remarks);
    }
}

/// A place without the numbers of its rounds: the same step of every element is one kind.
fn place(value: &Value, name: &str) -> String {
    let mut place = String::new();
    let mut is_inside = false;
    for letter in cell(value, name).chars() {
        match letter {
            '[' => is_inside = true,
            ']' => is_inside = false,
            _ if is_inside => {}
            _ => place.push(letter),
        }
    }
    place
}

fn cell(value: &Value, name: &str) -> String {
    show::cell(&value[name])
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
