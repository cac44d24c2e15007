//! One job in words: how it stands, its steps and what they logged, and what a person must decide.
//!
//! In: a job as the API shows it. Out: text for a terminal.
//! Always true: what needs a person stands last, with what was sent and the commands to type.

use std::fmt::Write;

use indexmap::IndexMap;

use super::when::{next_try, took};
use super::{mend, show};
use crate::clock::Clock;
use crate::data::Value;
use crate::doctor::advice;
use crate::interpret::{DECIDED_TO_FAIL, OUTCOME_UNKNOWN};

/// The most failed elements of a loop that are listed; the API has more.
const FAILURES_MAX: usize = 10;

/// The most lines that are listed of steps that are not shown themselves; the API has more.
const LINES_MAX: usize = 20;

/// How much is told of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The steps and how they ended.
    Plainly,
    /// What each was given and gave, too.
    WithValues,
}

/// The lines of the log, by the place that wrote them.
type Log<'a> = IndexMap<&'a str, Vec<&'a Value>>;

impl Told {
    /// The whole job.
    pub(super) fn text(self, job: &Value) -> String {
        let mut text = format!(
            "{} {} {}\n",
            show::cell(&job["id"]),
            show::cell(&job["recipe"]),
            status(job)
        );
        let took = match took(&job["started_at"], &job["ended_at"]) {
            took if took.is_empty() => took,
            took => format!(", took {took}"),
        };
        let (queued, by) = (
            show::time(&job["created_at"]),
            show::cell(&job["started_by"]),
        );
        let _ = writeln!(text, "queued {queued} by {by}{took}");
        if let Some(origin) = job.get("origin") {
            let _ = writeln!(
                text,
                "does job {} again from {}",
                show::cell(&origin["job"]),
                show::cell(&origin["from"])
            );
        }
        for rerun in job["reruns"].as_array().into_iter().flatten() {
            let _ = writeln!(
                text,
                "done again by job {} ({})",
                show::cell(&rerun["job"]),
                show::cell(&rerun["status"])
            );
        }
        if let Some(cancel) = job.get("cancel") {
            let _ = writeln!(
                text,
                "cancelled {} by {}",
                show::time(&cancel["at"]),
                show::cell(&cancel["by"])
            );
        }
        if let Some(failure) = job.get("failure") {
            let _ = writeln!(
                text,
                "{}: {} {}",
                show::cell(&failure["code"]),
                show::cell(&failure["message"]),
                show::cell(&failure["place"])
            );
        }
        if let Some(why) = job.get("steps_missing_because") {
            let _ = writeln!(text, "no steps are shown: {}", show::cell(why));
        }
        if let Some(what) = job.get("waits_for") {
            let _ = writeln!(text, "waits for {}", show::cell(what));
        }
        tell_progress(job, &mut text);
        text.push('\n');
        let mut log = log_of(job);
        for step in job["steps"].as_array().into_iter().flatten() {
            self.step(step, 0, &mut log, &mut text);
        }
        tell_rest(&log, &mut text);
        for open in job["decisions"].as_array().into_iter().flatten() {
            tell_decision(&job["id"], open, &mut text);
        }
        tell_next(job, &mut text);
        text
    }

    /// Only the steps, with what they logged.
    pub(super) fn steps(self, job: &Value) -> String {
        let (mut log, mut text) = (log_of(job), String::new());
        for step in job["steps"].as_array().into_iter().flatten() {
            self.step(step, 0, &mut log, &mut text);
        }
        text
    }

    fn step(self, step: &Value, depth: usize, log: &mut Log<'_>, text: &mut String) {
        let indent = "  ".repeat(depth);
        let is_iteration = !step["kind"].is_string() && show::cell(&step["key"]).ends_with(']');
        let sign = match step["state"].as_str() {
            // Of an iteration, the steps inside tell.
            _ if is_iteration => "   ",
            Some("succeeded") => "ok ",
            Some("failed") => "!! ",
            Some("skipped") => "-- ",
            _ => ".. ",
        };
        let name = if step["title"].is_string() {
            &step["title"]
        } else {
            &step["id"]
        };
        let _ = write!(text, "{sign}{indent}{}", show::cell(name));
        if step["kind"].is_string() {
            let _ = write!(text, "  [{}]", show::cell(&step["kind"]));
        }
        let took = took(&step["began_at"], &step["ended_at"]);
        if !took.is_empty() && took != "0s" {
            let _ = write!(text, "  {took}");
        }
        text.push('\n');
        if let Some(failure) = step.get("failure") {
            let _ = writeln!(
                text,
                "   {indent}  {}: {}",
                show::cell(&failure["code"]),
                show::cell(&failure["message"])
            );
        }
        let waits = |at| format!("waits until {}", show::time(at));
        for when in [
            next_try(step, Clock::real(1.0).now()),
            step.get("waits_until").map(waits),
        ] {
            let _ = when.map(|when| writeln!(text, "   {indent}  {when}"));
        }
        let key = step["key"].as_str().unwrap_or_default();
        for line in log.shift_remove(key).into_iter().flatten() {
            let _ = writeln!(text, "   {indent}  {}", logged(line));
        }
        if let Some(folded) = step.get("folded") {
            tell_folded(step, folded, &indent, text);
        }
        for name in ["input", "output"]
            .iter()
            .filter(|_| self == Self::WithValues)
        {
            if let Some(value) = step.get(*name) {
                let _ = writeln!(text, "   {indent}  {name}: {}", show::short(value, 200));
            }
        }
        for inner in step["steps"].as_array().into_iter().flatten() {
            self.step(inner, depth + 1, log, text);
        }
    }
}

/// Whether a loop among the steps says which of its elements failed.
fn has_failed_elements(steps: &Value) -> bool {
    let mut steps = steps.as_array().into_iter().flatten();
    steps.any(|step| {
        let errors = [&step["errors"], &step["output"]["errors"]];
        let is_said = |errors: &Value| errors.as_array().is_some_and(|errors| !errors.is_empty());
        let is_loop = step["kind"] == "foreach";
        is_loop && errors.into_iter().any(is_said) || has_failed_elements(&step["steps"])
    })
}

/// Whether a call among the steps ended without anybody knowing whether it happened.
fn has_unknown_end(steps: &Value) -> bool {
    steps.as_array().into_iter().flatten().any(|step| {
        let code = step["failure"]["code"].as_str().unwrap_or_default();
        [OUTCOME_UNKNOWN, DECIDED_TO_FAIL].contains(&code) || has_unknown_end(&step["steps"])
    })
}

/// What to type after a job that did not end well and was not done again.
fn tell_next(job: &Value, text: &mut String) {
    let id = show::cell(&job["id"]);
    // A job that its recipe ended itself has no failed step to begin at.
    let from = match job["failure"]["step"].is_string() {
        true => "",
        false => " --from start",
    };
    let is_open = job["reruns"].as_array().is_none_or(Vec::is_empty);
    let options = match job["status"].as_str() {
        Some("failed" | "stopped") if is_open => from,
        Some("succeeded_with_errors") if is_open => match has_failed_elements(&job["steps"]) {
            true => " --failed-elements",
            // A step failed, and the recipe went on.
            false => " --from start",
        },
        Some("quarantined") if is_open => {
            let _ = writeln!(
                text,
                "\nnext, once the cause is mended:\n  recipes jobs release {id}   lets it go on"
            );
            return;
        }
        _ => return,
    };
    text.push_str("\nnext:\n");
    let code = show::cell(&job["failure"]["code"]);
    if let Some(advice) = advice(&code, None) {
        let _ = writeln!(text, "  {advice}");
    }
    let since = &job["changed_since"];
    let version = match mend::changed(&since["recipe"], &since["settings"]) {
        None => "",
        Some(changed) => {
            let _ = writeln!(
                text,
                "  {changed} since; `--version current` makes that count"
            );
            " --version current"
        }
    };
    let mut unknown = "";
    if has_unknown_end(&job["steps"]) {
        text.push_str("  nobody knows whether a call happened, so look at the vendor first\n");
        unknown = " --again-if-unknown";
    }
    let rerun = format!("recipes jobs rerun {id}{options}{version}{unknown}");
    let _ = writeln!(
        text,
        "  {rerun} --plan   says what would be done again\n  {rerun}   does it, once the cause is \
         mended"
    );
    if version.is_empty() {
        text.push_str("  with `--version current` after the recipe or a setting was mended\n");
    }
}

/// Shows a call whose end is unknown: what was sent and when, why nobody knows, what to type.
fn tell_decision(job: &Value, open: &Value, text: &mut String) {
    let (job, key) = (show::cell(job), show::cell(&open["key"]));
    let action = show::cell(&open["action"]);
    let _ = writeln!(text, "\nneeds your decision: {action} at {key}");
    let request = match open["request"].as_str() {
        Some(request) => request.to_owned(),
        None => action,
    };
    let via = match open["connection"].as_str() {
        Some(connection) => format!(" via connection `{connection}`"),
        None => String::new(),
    };
    let _ = writeln!(
        text,
        "  sent {}: {request}{via}",
        show::time(&open["sent_at"])
    );
    if open["input"].is_object() {
        let _ = writeln!(text, "  with {}", show::short(&open["input"], 1_000));
    }
    let _ = writeln!(text, "  {}", show::cell(&open["failure"]["message"]));
    let output = match open.get("output_example") {
        Some(example) => format!(" '{}'", example.to_string().replace('\'', "'\\''")),
        None => String::new(),
    };
    let decide = format!("recipes jobs decide {job} --key '{key}'");
    let _ = writeln!(
        text,
        "  look there whether it happened, then say one of:\n    \
         {decide} --happened{output}\n    {decide} --again\n    {decide} --fail"
    );
}

/// Where a job stands; one that was cancelled and has not ended is on its way there.
pub(super) fn status(job: &Value) -> String {
    match job["is_cancelling"] == true {
        true => "cancelling".to_owned(),
        false => show::cell(&job["status"]),
    }
}

/// How far a job under way is: its step, then its loops, the outer ones first.
pub(super) fn progress(job: &Value) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(stage) = job.get("stage") {
        let [step, of, id] = ["step", "of", "id"].map(|name| show::cell(&stage[name]));
        words.push(format!("step {step} of {of} ({id})"));
    }
    for progress in job["progress"].as_array().into_iter().flatten() {
        let of_total = match progress["total"].as_u64() {
            Some(total) => format!(" of {total}"),
            None => String::new(),
        };
        let failed = match progress["failed"].as_u64() {
            Some(failed) if failed > 0 => format!(", {failed} of them failed"),
            _ => String::new(),
        };
        let (id, done) = (show::cell(&progress["id"]), show::cell(&progress["done"]));
        words.push(format!("{id} {done}{of_total} done{failed}"));
    }
    words
}

/// Says how far a job under way is, the outer loops first.
fn tell_progress(job: &Value, text: &mut String) {
    let words = progress(job);
    if !words.is_empty() {
        let _ = writeln!(text, "progress: {}", words.join("\n  within: "));
    }
    if let Some(at) = job.get("last_activity_at") {
        let _ = writeln!(text, "last activity {}", show::time(at));
    }
}

fn log_of(job: &Value) -> Log<'_> {
    let mut log = Log::new();
    for line in job["log"].as_array().into_iter().flatten() {
        let key = line["key"].as_str().unwrap_or_default();
        log.entry(key).or_default().push(line);
    }
    log
}

/// A line as it is shown: its level, what it says, and the data beside it.
pub(super) fn logged(line: &Value) -> String {
    let data = match line.get("data") {
        Some(data) => format!(" {}", show::short(data, 200)),
        None => String::new(),
    };
    let (level, message) = (show::cell(&line["level"]), show::cell(&line["message"]));
    format!("{level}: {message}{data}")
}

/// Lists the lines of places that are not shown as steps, such as folded rounds of a loop.
fn tell_rest(log: &Log<'_>, text: &mut String) {
    let count: usize = log.values().map(Vec::len).sum();
    if count == 0 {
        return;
    }
    text.push_str("\nlog:\n");
    for line in log.values().flatten().take(LINES_MAX) {
        let _ = writeln!(text, "  {} {}", show::time(&line["at"]), logged(line));
    }
    if count > LINES_MAX {
        let _ = writeln!(text, "  {} more (--json shows all)", count - LINES_MAX);
    }
}

/// Says what became of the iterations of a loop that are not shown one by one.
fn tell_folded(step: &Value, folded: &Value, indent: &str, text: &mut String) {
    let _ = writeln!(
        text,
        "   {indent}  {} iterations are not shown one by one: {} succeeded, {} failed",
        show::cell(&folded["iterations"]),
        show::cell(&folded["succeeded"]),
        show::cell(&folded["failed"])
    );
    let ended = &step["output"]["errors"];
    let errors = if ended.is_array() {
        ended
    } else {
        &step["errors"]
    };
    for error in errors.as_array().into_iter().flatten().take(FAILURES_MAX) {
        let _ = writeln!(
            text,
            "   {indent}  element {}: {}: {}",
            show::cell(&error["index"]),
            show::cell(&error["error"]["code"]),
            show::cell(&error["error"]["message"])
        );
    }
}
