//! What is to be done about the instants of a rule that have come.
//!
//! In: a rule, from when on its instants count, the present moment. Out: which fire, which were
//! missed.
//! Always true: pure; every instant after the floor and up to now is in the plan exactly once.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Moment;
use crate::schedule::Rule;

/// The most instants that fire at one look, each for itself; what came before them was missed.
const FIRES_MAX: usize = 60;

/// How far missed instants are counted.
const COUNT_MAX: u64 = 100_000;

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Instants that were missed and stay without a job: the first, the last, how many.
    pub missed: Option<(Moment, Moment, u64)>,
    /// An instant that was missed and is made up for.
    pub made_up: Option<Moment>,
    /// Instants that have just come.
    pub due: Vec<Moment>,
}

/// Sorts the instants after `floor` and up to `now`. Those that came within `grace` are due; of the
/// others the last is made up for, if missed ones are to run and no instant is due anyway.
pub fn plan(
    rule: &Rule,
    floor: Moment,
    now: Moment,
    grace: Duration,
    run_missed_once: bool,
) -> Plan {
    let mut due = VecDeque::new();
    let lately = floor.max(now.before(grace));
    for instant in rule.after(lately).take_while(|instant| *instant <= now) {
        if due.len() == FIRES_MAX {
            due.pop_front();
        }
        due.push_back(instant);
    }
    let until = due.front().map_or(now, |first| Moment(first.0 - 1));
    let mut plan = Plan {
        due: due.into(),
        ..Plan::default()
    };
    let Some(mut last) = rule.last_within(floor, until) else {
        return plan;
    };
    if run_missed_once && plan.due.is_empty() {
        plan.made_up = Some(last);
        match rule.last_within(floor, Moment(last.0 - 1)) {
            Some(before) => last = before,
            None => return plan,
        }
    }
    let passed = rule.after(floor).take_while(|instant| *instant <= last);
    let mut first = None;
    let mut times = 0;
    for instant in passed {
        first.get_or_insert(instant);
        times += 1;
        if times == COUNT_MAX {
            break;
        }
    }
    plan.missed = first.map(|first| (first, last, times));
    plan
}
