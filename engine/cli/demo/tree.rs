//! The tree of a job's steps, told line by line while it grows.
//!
//! In: the job as the API shows it, again and again. Out: the lines that are new.
//! Always true: lines come in the order of the tree and are never taken back, so that a terminal
//! and a pipe are told the same; a step that holds others is closed by its time; steps that only
//! arrange data are left out.

use std::collections::HashSet;
use std::time::Duration;

use crate::clock::Moment;
use crate::data::Value;

/// How far a job's tree has been told.
#[derive(Debug, Default)]
pub(super) struct Growing {
    opened: HashSet<String>,
    closed: HashSet<String>,
}

/// One line of a tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// How many steps it stands in.
    pub(super) depth: usize,
    /// What it says.
    pub(super) what: What,
    /// How long it took, if that is known.
    pub(super) took: Option<Duration>,
}

/// What a line of a tree says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// A step that holds others begins.
    Opens { name: String, kind: String },
    /// The last step of this depth is over.
    Closes,
    /// A step was done.
    Done { name: String, kind: String },
    /// A step failed, and why.
    Failed {
        name: String,
        kind: String,
        why: String,
    },
}

impl Growing {
    /// What has been added to the tree since it was last told.
    pub(super) fn lines(&mut self, job: &Value) -> Vec<Line> {
        let has_ended = job["ended_at"].is_string();
        let mut lines = Vec::new();
        self.level(&job["steps"], 0, has_ended, &mut lines);
        lines
    }

    /// Tells one level as far as it goes: up to the first step that is still under way.
    fn level(&mut self, steps: &Value, depth: usize, is_over: bool, lines: &mut Vec<Line>) {
        for step in steps.as_array().into_iter().flatten() {
            let key = text(step, "key");
            if step["state"] == "skipped" || self.closed.contains(&key) || is_quiet(step) {
                continue;
            }
            let has_ended =
                is_over || matches!(step["state"].as_str(), Some("succeeded" | "failed"));
            let has_parts = step["steps"]
                .as_array()
                .is_some_and(|parts| !parts.is_empty());
            if has_parts {
                if self.opened.insert(key.clone()) {
                    let what = What::Opens {
                        name: name(step),
                        kind: text(step, "kind"),
                    };
                    lines.push(Line {
                        depth,
                        what,
                        took: None,
                    });
                }
                self.level(&step["steps"], depth + 1, has_ended, lines);
            }
            if !has_ended {
                return;
            }
            self.closed.insert(key);
            let took = took(step);
            match (failure(step), has_parts) {
                (Some(why), _) => {
                    let (name, kind) = (name(step), text(step, "kind"));
                    lines.push(Line {
                        depth,
                        what: What::Failed { name, kind, why },
                        took,
                    });
                }
                // What took no time of its own, such as an iteration, ends where the next begins.
                (None, true) if took.is_none() => {}
                (None, true) => lines.push(Line {
                    depth,
                    what: What::Closes,
                    took,
                }),
                (None, false) => {
                    let what = What::Done {
                        name: name(step),
                        kind: text(step, "kind"),
                    };
                    lines.push(Line { depth, what, took });
                }
            }
        }
    }
}

/// The time between beginning and end of a step or a job.
pub(super) fn took(thing: &Value) -> Option<Duration> {
    let moment = |name: &str| {
        thing[name]
            .as_str()
            .and_then(|text| Moment::parse(text).ok())
    };
    let began = moment("began_at").or_else(|| moment("started_at"))?;
    Some(moment("ended_at")?.since(began))
}

fn failure(step: &Value) -> Option<String> {
    (step["state"] == "failed").then(|| {
        format!(
            "{}: {}",
            text(&step["failure"], "code"),
            text(&step["failure"], "message")
        )
    })
}

/// Whether a step is left out: it did nothing but arrange what the recipe knows already.
fn is_quiet(step: &Value) -> bool {
    let kind = kind(step);
    let kind = kind.split(' ').next().unwrap_or(&kind);
    let has_parts = step["steps"]
        .as_array()
        .is_some_and(|parts| !parts.is_empty());
    step["state"] == "succeeded" && !has_parts && ["set", "return", "if"].contains(&kind)
}

/// What a step is; of one that has not ended and has no name, only its id tells.
fn kind(step: &Value) -> String {
    let (kind, id) = (text(step, "kind"), text(step, "id"));
    match id.split_once('@') {
        Some((made, _)) if kind.is_empty() => made.replace(':', " "),
        _ => kind,
    }
}

/// What a step is called: as written, or nothing if only the engine named it.
fn name(step: &Value) -> String {
    let title = text(step, "title");
    let id = text(step, "id");
    if title.is_empty() && !id.contains('@') {
        id
    } else {
        title
    }
}

fn text(thing: &Value, name: &str) -> String {
    thing[name].as_str().unwrap_or_default().to_owned()
}
