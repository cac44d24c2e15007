//! What a run showed, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde_json::json;

use super::drain::Drained;
use super::load::Sent;
use crate::data::Value;

/// How many troubles are told one by one.
const TROUBLES_MAX: usize = 50;

/// What was done to the engine.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) lasted: Duration,
    pub(super) drained: Drained,
    pub(super) kills: u64,
    pub(super) full_disks: u64,
    /// Starts that a full disk prevented.
    pub(super) refused_starts: u64,
    pub(super) jumps_ahead: u64,
    pub(super) jumps_back: u64,
    /// How often each kind of fault struck.
    pub(super) faults: BTreeMap<String, u64>,
}

/// What a run showed.
#[derive(Debug, Default)]
pub(super) struct Report {
    seed: u64,
    done: Done,
    events: usize,
    runs: usize,
    doubtful_runs: usize,
    refused: u64,
    repeated: u64,
    /// Jobs by status.
    pub(super) jobs: BTreeMap<String, usize>,
    effects: usize,
    lost: usize,
    doubled: usize,
    ticks: usize,
    /// Calls of the exclusive group that were sent.
    pub(super) alone: usize,
    pub(super) mail_repeats: usize,
    pub(super) calls: u64,
    pub(super) overlaps: u64,
    pub(super) window_max: u64,
    /// What is not as it must be; empty if all is well.
    pub(super) troubles: Vec<String>,
}

impl Report {
    pub(super) fn of(seed: u64, sent: &Sent, done: Done) -> Self {
        Self {
            seed,
            done,
            events: sent.events.len(),
            runs: sent.runs.len(),
            doubtful_runs: sent.doubtful_runs.len(),
            refused: sent.refused,
            repeated: sent.repeated,
            ..Self::default()
        }
    }

    /// Notes what is not as it must be.
    pub(super) fn trouble(&mut self, what: String) {
        self.troubles.push(what);
    }

    /// An effect that must be there so many times, and how often it is.
    pub(super) fn effect(&mut self, what: &str, must: usize, is: usize) {
        self.effects += is.min(must);
        if is < must {
            self.lost += must - is;
            self.trouble(format!("lost: {what}"));
        }
        if is > must {
            self.doubled += is - must;
            self.trouble(format!("doubled: {what}, {is} times"));
        }
    }

    /// The clock's jobs: as many effects as jobs, each once.
    pub(super) fn expect(&mut self, what: &str, jobs: usize, effects: Vec<(String, usize)>) {
        self.ticks = jobs;
        if effects.len() < jobs {
            let missing = jobs - effects.len();
            self.lost += missing;
            self.trouble(format!("lost: {missing} {what}"));
        }
        for (id, count) in effects {
            self.effect(&id, 1, count);
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "seed": self.seed,
            "seconds": self.done.lasted.as_secs_f64(),
            "drained_in_seconds": self.done.drained.took.as_secs_f64(),
            "kills": self.done.kills,
            "full_disks": self.done.full_disks,
            "starts_refused_by_a_full_disk": self.done.refused_starts,
            "clock_jumps_ahead": self.done.jumps_ahead,
            "clock_jumps_back": self.done.jumps_back,
            "faults": self.done.faults,
            "events": self.events,
            "deliveries_refused": self.refused,
            "deliveries_repeated": self.repeated,
            "runs": self.runs,
            "runs_without_answer": self.doubtful_runs,
            "ticks": self.ticks,
            "jobs": self.jobs,
            "decided_by_a_person": self.done.drained.decided,
            "calls": self.calls,
            "calls_alone": self.alone,
            "effects": self.effects,
            "lost": self.lost,
            "doubled": self.doubled,
            "mails_sent_again": self.mail_repeats,
            "overlaps": self.overlaps,
            "calls_in_window_max": self.window_max,
            "troubles": self.troubles,
        })
    }

    pub(super) fn to_text(&self) -> String {
        let done = &self.done;
        let mut text = String::new();
        let mut line = |what: &str, value: String| {
            let _ = writeln!(text, "{what:<28}{value}");
        };
        line("seed", self.seed.to_string());
        line(
            "lasted",
            format!("{:.1} minutes", done.lasted.as_secs_f64() / 60.0),
        );
        line("killed", format!("{} times", done.kills));
        line(
            "disk full",
            format!(
                "{} lives, {} refused starts",
                done.full_disks, done.refused_starts
            ),
        );
        line(
            "clock",
            format!("{} jumps ahead, {} back", done.jumps_ahead, done.jumps_back),
        );
        line("faults of the vendor", list(&done.faults));
        line(
            "events accepted",
            format!(
                "{}; {} deliveries refused and sent again, {} repeated",
                self.events, self.refused, self.repeated
            ),
        );
        line(
            "runs by hand",
            format!("{}, {} without an answer", self.runs, self.doubtful_runs),
        );
        line("fires of the clock", self.ticks.to_string());
        line("jobs", list(&self.jobs));
        line("decided by a person", list(&done.drained.decided));
        line(
            "worked off in",
            format!("{:.1} s", done.drained.took.as_secs_f64()),
        );
        line(
            "calls",
            format!("{}, {} of them one at a time", self.calls, self.alone),
        );
        line("effects as they must be", self.effects.to_string());
        line("lost", self.lost.to_string());
        line("doubled", self.doubled.to_string());
        line(
            "mails sent again",
            format!("{}, with the same id", self.mail_repeats),
        );
        line("overlaps", self.overlaps.to_string());
        line("most calls in a window", self.window_max.to_string());
        for trouble in self.troubles.iter().take(TROUBLES_MAX) {
            let _ = writeln!(text, "  {trouble}");
        }
        if self.troubles.len() > TROUBLES_MAX {
            let more = self.troubles.len() - TROUBLES_MAX;
            let _ = writeln!(text, "  and {more} more");
        }
        let end = if self.troubles.is_empty() {
            "nothing was lost, nothing was doubled"
        } else {
            "not all is as it must be"
        };
        let _ = writeln!(text, "{end}");
        text
    }
}

fn list<N: std::fmt::Display>(counts: &BTreeMap<String, N>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    counts.join(", ")
}
