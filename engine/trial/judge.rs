//! What of a test's expectations does not hold, in words.
//!
//! In: what is expected, and what there is. Out: one problem a line; none if all holds.

use crate::data::{Object, Value};
use crate::journal::{EntryKind, Failure};

use super::compare::{loosely, misses, short};
use super::run::Aftermath;
use super::suite::Expect;

/// What does not hold.
pub(super) fn judge(expect: &Expect, after: &Aftermath) -> Vec<String> {
    let mut problems = after.troubles.clone();
    let failure = after
        .ending
        .as_ref()
        .and_then(|ending| ending.failure.as_ref());
    if after.status != expect.status {
        let why = failure.map_or(String::new(), |failure| {
            format!(" ({})", why_it_failed(failure))
        });
        let (wanted, is) = (expect.status.as_str(), after.status.as_str());
        problems.push(format!("status: expected {wanted}, found {is}{why}"));
    }
    let output = after
        .ending
        .as_ref()
        .and_then(|ending| ending.output.as_ref());
    if let Some(wanted) = &expect.output
        && !output.is_some_and(|output| crate::data::same(wanted, output))
    {
        let found = output.map_or("nothing".to_owned(), short);
        problems.push(format!("output: expected {}, found {found}", short(wanted)));
    }
    if let Some(wanted) = &expect.error {
        let found = failure.map(Failure::to_value);
        problems.extend(misses(&loosely(wanted), found.as_ref(), "error"));
    }
    if let Some(wanted) = &expect.requests {
        problems.extend(compare_requests(wanted, &after.requests, expect.in_order));
    }
    for (table, wanted) in &expect.tables {
        problems.extend(misses(
            wanted,
            after.tables.get(table),
            &format!("tables.{table}"),
        ));
    }
    for line in &expect.log {
        let is_there = after.entries.iter().any(|entry| {
            matches!(&entry.kind, EntryKind::LineLogged { message, .. } if message.contains(line))
        });
        if !is_there {
            problems.push(format!("log: no line contains `{line}`"));
        }
    }
    problems
}

/// A failure in words, with its place.
pub(super) fn why_it_failed(failure: &Failure) -> String {
    let place = failure.place.as_deref();
    let place = place.map_or_else(String::new, |place| format!(" at {place}"));
    format!("{}: {}{place}", failure.code, failure.message)
}

fn compare_requests(
    wanted: &[(String, Value)],
    sent: &[(String, Value)],
    in_order: bool,
) -> Vec<String> {
    let shown = |(action, fields): &(String, Value)| format!("  {action} {}", short(fields));
    let misses_of = |wanted: &(String, Value), sent: &(String, Value)| {
        if wanted.0 != sent.0 {
            return vec![format!("expected {}, found {}", wanted.0, sent.0)];
        }
        let fields = if wanted.1.is_null() {
            Value::Object(Object::new())
        } else {
            wanted.1.clone()
        };
        misses(&fields, Some(&sent.1), &wanted.0)
    };
    let mut problems = Vec::new();
    if in_order && wanted.len() == sent.len() {
        for (number, (wanted, sent)) in (1..).zip(wanted.iter().zip(sent)) {
            let missed = misses_of(wanted, sent);
            problems.extend(
                missed
                    .into_iter()
                    .map(|miss| format!("request {number}: {miss}")),
            );
        }
    } else {
        let mut left: Vec<&(String, Value)> = sent.iter().collect();
        for wanted in wanted {
            match left
                .iter()
                .position(|sent| misses_of(wanted, sent).is_empty())
            {
                Some(place) => drop(left.remove(place)),
                None => problems.push(format!("this request was not sent:\n{}", shown(wanted))),
            }
        }
        problems.extend(
            left.iter()
                .map(|sent| format!("this request was sent too:\n{}", shown(sent))),
        );
    }
    problems
}
