//! Whether a job that is played again comes to the same end.
//!
//! In: a job, and how it went when it was played. Out: nothing, or what differs, in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Moment;
use crate::data::{Value, same};
use crate::journal::{Ending, EntryKind};

use super::compare::misses;
use super::record::{Played, Recorded};
use super::stand_in::StandIns;
use super::suite::Reply;

/// The test comes to the end that the job came to, by the same calls; or it is none.
pub(super) fn hold_beside(
    job: &Recorded<'_>,
    answers: &BTreeMap<String, Reply>,
    played: &Played,
    stand_ins: &mut StandIns,
) -> Result<(), String> {
    let differs = |what: String| {
        format!(
            "played again it would come to another end: {what}. Either the recipe was changed since, \
             or the job depends on rows that it did not read itself, on other jobs or on a stand-in \
             value"
        )
    };
    let after = &played.after;
    if let Some(trouble) = after.troubles.first() {
        return Err(differs(trouble.clone()));
    }
    let code = |ending: &Option<Ending>| {
        let failure = ending.as_ref().and_then(|ending| ending.failure.as_ref());
        failure.map(|failure| failure.code.clone())
    };
    if (after.status, code(&after.ending)) != (job.record.status, code(&job.record.ending)) {
        let (was, is) = (job.record.status.as_str(), after.status.as_str());
        let code = code(&after.ending).map_or(String::new(), |code| format!(" ({code})"));
        return Err(differs(format!("it was `{was}` and would be `{is}`{code}")));
    }
    let asked: BTreeSet<&str> = played
        .answered
        .iter()
        .map(|(_, place)| place.as_str())
        .collect();
    let sent = job.entries.iter().filter_map(|entry| match entry.kind {
        EntryKind::CallIntended { .. } => Some(entry.key.to_string()),
        _ => None,
    });
    for place in sent.filter(|place| answers.contains_key(place)) {
        if !asked.contains(place.as_str()) {
            return Err(differs(format!("the call at `{place}` would not be made")));
        }
    }
    let output = |ending: &Option<Ending>| ending.as_ref()?.output.clone();
    if let Some(was) = output(&job.record.ending) {
        let (was, is) = (stand_ins.value(&was), output(&after.ending));
        if !is.as_ref().is_some_and(|is| is_alike(&was, is)) {
            let misses = misses(&was, is.as_ref(), "output");
            return Err(differs(misses.first().cloned().unwrap_or_default()));
        }
    }
    Ok(())
}

/// The same, but for moments: a test's clock stands still while a job works.
fn is_alike(one: &Value, other: &Value) -> bool {
    let is_made_up =
        |text: &str| Moment::parse(text).is_ok() || uuid::Uuid::parse_str(text).is_ok();
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| is_alike(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| is_alike(a, b))
        }
        (Value::String(one), Value::String(other)) if one != other => {
            is_made_up(one) && is_made_up(other)
        }
        (one, other) => same(one, other),
    }
}
