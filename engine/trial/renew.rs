//! What a test would have to expect for it to hold.
//!
//! In: what it expects, and what there is. Out: the same expectations, true: what held stays as it
//! was written, what did not is as it is.
//! Always true: nothing is expected that the test did not ask about, but for how the job ended.

use crate::data::{Object, Value};
use crate::journal::{EntryKind, Failure, JobStatus};

use super::align::{Aligned, align, joined};
use super::compare::{loosely, misses};
use super::run::Aftermath;
use super::suite::{Expect, request};

/// A part of the expectations that does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The part: `status`, `output`, `requests`, `tables.name` ...
    pub part: String,
    /// What was expected; null for what was not spoken of.
    pub expected: Value,
    /// What there is, of what was asked about.
    pub found: Value,
}

/// The expectations as they would hold.
pub(super) fn renewed(expect: &Expect, after: &Aftermath) -> Object {
    let failure = after
        .ending
        .as_ref()
        .and_then(|ending| ending.failure.as_ref());
    let output = after
        .ending
        .as_ref()
        .and_then(|ending| ending.output.as_ref());
    let mut new = Object::new();
    for (part, wanted) in &expect.written {
        let found = match part.as_str() {
            "status" => Some(after.status.as_str().into()),
            "output" => output.cloned().map(|found| kept(wanted, found)),
            "error" => failure.map(|failure| error(wanted, failure)),
            "requests" => Some(in_order(wanted, &after.requests)),
            "requests_any_order" => Some(in_any_order(wanted, &after.requests)),
            "tables" => Some(tables(wanted, after)),
            "log" => Some(log(wanted, after)),
            _ => Some(wanted.clone()),
        };
        new.extend(found.map(|found| (part.clone(), found)));
    }
    if let Some(failure) = failure
        && after.status == JobStatus::Failed
        && !new.contains_key("error")
        && expect.status != JobStatus::Failed
    {
        let told = serde_json::json!({ "code": failure.code, "message": failure.message });
        new.insert("error".into(), told);
    }
    let implied = match new.contains_key("error") {
        true => JobStatus::Failed,
        false => JobStatus::Succeeded,
    };
    if after.status != implied && !new.contains_key("status") {
        new.shift_insert(0, "status".into(), after.status.as_str().into());
    }
    new
}

/// The parts in which two sets of expectations differ.
pub(super) fn differences(written: &Object, renewed: &Object) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |part: String, expected: Option<&Value>, now: Option<&Value>| {
        if expected != now {
            let value = |value: Option<&Value>| value.cloned().unwrap_or(Value::Null);
            found.push(Difference {
                part,
                expected: value(expected),
                found: value(now),
            });
        }
    };
    let added = renewed.keys().filter(|part| !written.contains_key(*part));
    for part in added.chain(written.keys()) {
        match (written.get(part), renewed.get(part)) {
            (Some(Value::Object(old)), Some(Value::Object(new))) if part == "tables" => {
                for (table, rows) in old {
                    compare(format!("tables.{table}"), Some(rows), new.get(table));
                }
            }
            (old, new) => compare(part.clone(), old, new),
        }
    }
    found
}

/// What is as it was stays as it was written.
fn kept(wanted: &Value, found: Value) -> Value {
    match crate::data::same(wanted, &found) {
        true => wanted.clone(),
        false => found,
    }
}

fn error(wanted: &Value, failure: &Failure) -> Value {
    let found = failure.to_value();
    match misses(&loosely(wanted), Some(&found), "").is_empty() {
        true => wanted.clone(),
        false => {
            let mut new = asked(&loosely(wanted), Some(&found));
            let message = |value: &Value| value.get("message").cloned();
            if message(&new) == message(&loosely(wanted))
                && let (Some(new), Some(old)) = (new.get_mut("message"), message(wanted))
            {
                *new = old;
            }
            new
        }
    }
}

/// Of what there is, what is asked about.
fn asked(wanted: &Value, found: Option<&Value>) -> Value {
    if misses(wanted, found, "").is_empty() {
        return wanted.clone();
    }
    match (wanted, found) {
        (Value::Object(fields), Some(Value::Object(found))) => fields
            .iter()
            .map(|(key, value)| (key.clone(), asked(value, found.get(key))))
            .collect::<Object>()
            .into(),
        (Value::Array(wanted), Some(Value::Array(found))) => {
            let holds = |i: usize, j: usize| misses(&wanted[i], Some(&found[j]), "").is_empty();
            let is_like = |i: usize, j: usize| wanted[i].is_object() == found[j].is_object();
            let aligned = joined(&align(wanted.len(), found.len(), &holds), &is_like);
            aligned
                .iter()
                .filter_map(|one| match *one {
                    Aligned::Both(i, j) => Some(asked(&wanted[i], Some(&found[j]))),
                    Aligned::Left(_) => None,
                    Aligned::Right(j) => Some(like_others(wanted, &found[j])),
                })
                .collect()
        }
        (_, Some(found)) => found.clone(),
        (_, None) => Value::Null,
    }
}

/// Of a further row the columns that the others are asked for.
fn like_others(others: &[Value], found: &Value) -> Value {
    let asked = |name: &String| others.iter().any(|other| other.get(name).is_some());
    match found {
        Value::Object(row) if row.keys().any(asked) => row
            .iter()
            .filter(|(name, _)| asked(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Object>()
            .into(),
        found => found.clone(),
    }
}

type Sent = (String, Value);

fn holds(wanted: &Sent, sent: &Sent) -> bool {
    wanted.0 == sent.0 && (wanted.1.is_null() || misses(&wanted.1, Some(&sent.1), "").is_empty())
}

fn in_order(wanted: &Value, sent: &[Sent]) -> Value {
    let written = list(wanted);
    let wanted: Vec<Sent> = written.iter().map(request).collect();
    let holds = |i: usize, j: usize| holds(&wanted[i], &sent[j]);
    let is_like = |i: usize, j: usize| wanted[i].0 == sent[j].0;
    let aligned = joined(&align(wanted.len(), sent.len(), &holds), &is_like);
    let shown = |one: &Aligned| match *one {
        Aligned::Both(i, j) => Some(shown(&written[i], &wanted[i], &sent[j])),
        Aligned::Left(_) => None,
        Aligned::Right(j) => Some(whole(&sent[j])),
    };
    aligned.iter().filter_map(shown).collect()
}

fn in_any_order(wanted: &Value, sent: &[Sent]) -> Value {
    let written = list(wanted);
    let wanted: Vec<Sent> = written.iter().map(request).collect();
    let mut of: Vec<Option<usize>> = vec![None; wanted.len()];
    let mut left: Vec<usize> = (0..sent.len()).collect();
    // First what holds, then what is like it.
    for is_like in [&holds as &dyn Fn(&Sent, &Sent) -> bool, &|one, other| {
        one.0 == other.0
    }] {
        for (i, of) in of.iter_mut().enumerate().filter(|(_, of)| of.is_none()) {
            if let Some(at) = left.iter().position(|j| is_like(&wanted[i], &sent[*j])) {
                *of = Some(left.remove(at));
            }
        }
    }
    let both = of
        .iter()
        .enumerate()
        .filter_map(|(i, of)| Some((i, (*of)?)));
    let mut new: Vec<Value> = both
        .map(|(i, j)| shown(&written[i], &wanted[i], &sent[j]))
        .collect();
    new.extend(left.iter().map(|j| whole(&sent[*j])));
    new.into()
}

/// A request, of which the test asks for some fields.
fn shown(written: &Value, wanted: &Sent, sent: &Sent) -> Value {
    match holds(wanted, sent) {
        true => written.clone(),
        false => named(&sent.0, asked(&wanted.1, Some(&sent.1))),
    }
}

/// A request with all it carries.
pub(super) fn whole(sent: &Sent) -> Value {
    match &sent.1 {
        Value::Object(fields) if fields.is_empty() => sent.0.as_str().into(),
        fields => named(&sent.0, fields.clone()),
    }
}

fn named(action: &str, fields: Value) -> Value {
    Value::Object(Object::from_iter([(action.to_owned(), fields)]))
}

fn tables(wanted: &Value, after: &Aftermath) -> Value {
    let Value::Object(wanted) = wanted else {
        return wanted.clone();
    };
    let table = |(name, rows): (&String, &Value)| {
        let found = after.tables.get(name).filter(|rows| !rows.is_null());
        (
            name.clone(),
            found.map_or_else(|| rows.clone(), |found| asked(rows, Some(found))),
        )
    };
    wanted.iter().map(table).collect::<Object>().into()
}

/// Lines that were written; in place of one that was not, the line that shares the most words.
fn log(wanted: &Value, after: &Aftermath) -> Value {
    let wanted = list(wanted);
    let mut lines: Vec<&str> = after
        .entries
        .iter()
        .filter_map(|entry| match &entry.kind {
            EntryKind::LineLogged { message, .. } => Some(message.as_str()),
            _ => None,
        })
        .collect();
    let holds = |line: &Value, lines: &[&str]| {
        let text = line.as_str().unwrap_or_default();
        lines.iter().any(|line| line.contains(text))
    };
    let is_other = |line: &&str| {
        !wanted
            .iter()
            .filter_map(Value::as_str)
            .any(|text| line.contains(text))
    };
    let all = lines.clone();
    lines.retain(is_other);
    let new = wanted.iter().filter_map(|line| {
        if holds(line, &all) {
            return Some(line.clone());
        }
        let text = line.as_str().unwrap_or_default();
        let shared = |line: &str| {
            let is_shared = |word: &&str| text.split_whitespace().any(|other| other == *word);
            line.split_whitespace().filter(is_shared).count()
        };
        let best = (0..lines.len()).max_by_key(|at| (shared(lines[*at]), usize::MAX - at))?;
        (shared(lines[best]) > 0).then(|| lines.remove(best).into())
    });
    new.collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
