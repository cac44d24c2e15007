//! `recipes run --watch`: a job's steps while they run.
//!
//! In: a job. Out: its tree, drawn anew on a terminal as it changes; piped, a line for each change.
//! Always true: whoever watches changes nothing; Ctrl-C ends the watching and not the job; once the
//! job ended, its whole tree is there.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use super::client::Client;
use super::job::{Told, progress, status};
use super::when::next_try;
use super::{Ended, say, show};
use crate::clock::Clock;
use crate::data::{Value, is_blank};

/// How long the server is asked to wait for the end before the job is looked at again.
const LOOK_AGAIN: &str = "1s";

/// The width and height of a terminal that does not tell them.
const WIDTH: usize = 100;
const HEIGHT: usize = 24;

/// What was shown last.
enum Shown {
    /// So many lines of a tree.
    Tree(usize),
    /// The states of steps, by key, and how far the job was.
    Lines(BTreeMap<String, String>),
}

/// Watches a job until it ends, needs a person, or the watching is ended.
pub(super) async fn watch(client: &Client, id: &str) -> anyhow::Result<Ended> {
    let mut shown = match std::io::stdout().is_terminal() {
        true => Shown::Tree(0),
        false => Shown::Lines(BTreeMap::new()),
    };
    let mut path = format!("/api/jobs/{id}");
    loop {
        let job = tokio::select! {
            job = client.get(&path) => job?,
            _ = tokio::signal::ctrl_c() => return left(client, id),
        };
        match job["status"].as_str().unwrap_or_default() {
            "queued" | "running" | "waiting" => shown.show(&job)?,
            status => {
                shown.end(&job)?;
                return ended(&job, status);
            }
        }
        path = format!("/api/jobs/{id}?wait={LOOK_AGAIN}");
    }
}

fn left(client: &Client, id: &str) -> anyhow::Result<Ended> {
    show::aside(&match client.is_served() {
        true => format!("\njob {id} goes on; `recipes jobs {id}` shows it"),
        false => format!(
            "\njob {id} is kept and goes on when `recipes serve` runs; `recipes jobs {id}` shows it"
        ),
    });
    Ok(Ended::Interrupted)
}

/// What a job that ended, or needs a person, came to.
pub(super) fn ended(job: &Value, status: &str) -> anyhow::Result<Ended> {
    let id = show::cell(&job["id"]);
    say(&format!("job {id} {status}\n"))?;
    if let Some(output) = job.get("output").filter(|output| !is_blank(output)) {
        show::json(output)?;
    }
    if let Some(failure) = job.get("failure") {
        let (code, message) = (
            show::cell(&failure["code"]),
            show::cell(&failure["message"]),
        );
        say(&format!("{code}: {message}\n"))?;
    }
    if status == "succeeded" {
        return Ok(Ended::Well);
    }
    say(&format!(
        "next: `recipes jobs {id}` shows each step and what to do\n"
    ))?;
    Ok(Ended::WithProblems)
}

impl Shown {
    fn show(&mut self, job: &Value) -> anyhow::Result<()> {
        match self {
            Self::Tree(lines) => {
                let width = show::width().map_or(WIDTH, usize::from);
                let text = tree(job, width, show::height().map_or(HEIGHT, usize::from));
                let drawn = drawn_over(*lines, &text);
                *lines = text.lines().count();
                say(&drawn)
            }
            Self::Lines(known) => {
                let mut text = String::new();
                for step in job["steps"].as_array().into_iter().flatten() {
                    changes(step, known, &mut text);
                }
                say(&text)
            }
        }
    }

    /// Shows a job that ended: all of its tree stays on the screen, and in what can be scrolled back.
    fn end(&mut self, job: &Value) -> anyhow::Result<()> {
        let Self::Tree(lines) = self else {
            return self.show(job);
        };
        let steps = Told::Plainly.steps(job);
        say(&drawn_over(*lines, &format!("{}{steps}", heading(job))))
    }
}

/// A tree in the place of the last one, which had so many lines. Nothing is cleared before it is
/// written over: some terminals put what is cleared into what can be scrolled back.
fn drawn_over(lines: usize, text: &str) -> String {
    match lines {
        0 => text.to_owned(),
        lines => {
            let text = text.replace('\n', "\u{1b}[K\n");
            format!("\u{1b}[{lines}A{text}\u{1b}[J")
        }
    }
}

fn heading(job: &Value) -> String {
    format!("{} {}\n", show::cell(&job["recipe"]), status(job))
}

/// The steps as they stand, cut to what a terminal shows: of a long job, the last ones. What had
/// left the screen could not be drawn anew.
pub(super) fn tree(job: &Value, width: usize, height: usize) -> String {
    let all = Told::Plainly.steps(job);
    let lines: Vec<&str> = all.lines().collect();
    let more = progress(job);
    let mut text = heading(job);
    // The heading, the line that the cursor stands in, and one for what is hidden.
    let room = height.saturating_sub(3 + more.len());
    let hidden = lines.len().saturating_sub(room.max(1));
    if hidden > 0 {
        text.push_str(&format!(
            "... {hidden} lines above; all are shown at the end\n"
        ));
    }
    for line in lines[hidden..]
        .iter()
        .copied()
        .chain(more.iter().map(String::as_str))
    {
        let cut: String = line.chars().take(width.saturating_sub(1)).collect();
        text.push_str(&cut);
        text.push('\n');
    }
    text
}

/// A line for each step whose state is another than it was.
fn changes(step: &Value, known: &mut BTreeMap<String, String>, text: &mut String) {
    let (key, state) = (show::cell(&step["key"]), show::cell(&step["state"]));
    // An iteration is no step: of it tell those inside.
    let is_iteration = !step["kind"].is_string() && step["steps"].is_array();
    if !is_iteration && known.get(&key) != Some(&state) {
        let mut told = format!("{state} {key}");
        if let Some(code) = step["failure"]["code"].as_str() {
            told.push_str(&format!(
                " {code}: {}",
                show::cell(&step["failure"]["message"])
            ));
        }
        if let Some(when) = next_try(step, Clock::real(1.0).now()) {
            told.push_str(&format!("; {when}"));
        }
        text.push_str(&format!("{}\n", told.replace('\n', " ")));
        known.insert(key, state);
    }
    for inner in step["steps"].as_array().into_iter().flatten() {
        changes(inner, known, text);
    }
}
