//! What a rerun keeps of the job that it does again.
//!
//! In: the origin's journal and the places where the rerun begins. Out: the entries that stay, and
//! the calls whose end is unknown.
//! Always true: of a step that is done again nothing stays; a step that is kept is not performed.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{Lies, Place};
use crate::compile::{Program, StepKind};
use crate::interpret::{DECIDED_TO_FAIL, OUTCOME_UNKNOWN, TraceState, Traced};
use crate::journal::{Decision, Entry, EntryKind};

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) entries: Vec<Entry>,
    /// The places of calls that may or may not have happened, and would be made again.
    pub(super) doubtful: Vec<String>,
}

/// Sorts a journal by where the rerun begins.
pub(super) fn keep(program: &Program, journal: &[Entry], begins: &[Place<'_>]) -> Kept {
    let mut kept = Kept::default();
    let mut open = BTreeMap::new();
    for entry in journal.iter().filter(|entry| !entry.key.0.is_empty()) {
        let place = Place::of_key(program, &entry.key.0);
        note_doubt(&mut open, entry);
        if !place.parts.is_empty() && begins.iter().all(|begin| stays(entry, &place, begin)) {
            kept.entries.push(entry.clone());
        }
    }
    let staying: BTreeSet<&str> = kept.entries.iter().map(|entry| &*entry.key.0).collect();
    kept.doubtful = open
        .into_iter()
        .filter_map(|(key, doubt)| match doubt {
            Doubt::Open => Some(key.to_owned()),
            Doubt::Ended if !staying.contains(key) => Some(key.to_owned()),
            _ => None,
        })
        .collect();
    // What is open is done again, wherever it stands.
    let doubtful: BTreeSet<String> = kept.doubtful.iter().cloned().collect();
    kept.entries
        .retain(|entry| !doubtful.contains(&*entry.key.0));
    kept
}

/// Keeps nothing of a journal.
pub(super) fn nothing(journal: &[Entry]) -> Kept {
    let mut open = BTreeMap::new();
    journal
        .iter()
        .for_each(|entry| note_doubt(&mut open, entry));
    Kept {
        doubtful: open.into_keys().map(str::to_owned).collect(),
        ..Kept::default()
    }
}

fn stays(entry: &Entry, place: &Place<'_>, begin: &Place<'_>) -> bool {
    // A loop that a person gave its elements has these and no others, however often it is done.
    let is_given = matches!(entry.kind, EntryKind::ElementsGiven { .. });
    match place.lies_to(begin) {
        Lies::Before | Lies::Beside => true,
        Lies::Within => is_given && *entry.key.0 == *begin.key(),
        Lies::After => false,
        // Pages, pauses and folded elements of a loop around it; neither its time limit nor its key.
        Lies::Around => {
            is_given
                || place.helper.starts_with("page[")
                || place.helper == "every"
                || matches!(
                    entry.kind,
                    EntryKind::LoopFolded { .. } | EntryKind::LoopGathered { .. }
                )
        }
    }
}

/// What the journal says of a call whose end was not clear at some time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// It has no end.
    Open,
    /// It ended without being cleared up.
    Ended,
}

fn note_doubt<'a>(open: &mut BTreeMap<&'a str, Doubt>, entry: &'a Entry) {
    let key = &*entry.key.0;
    match &entry.kind {
        EntryKind::CallIntended { .. } | EntryKind::CallDoubted { .. } => {
            open.insert(key, Doubt::Open);
        }
        EntryKind::StepFailed { failure, .. }
            if [OUTCOME_UNKNOWN, DECIDED_TO_FAIL].contains(&&*failure.code) =>
        {
            open.insert(key, Doubt::Ended);
        }
        EntryKind::StepSucceeded { .. }
        | EntryKind::StepFailed { .. }
        // What a person had done again is known by the end of the next try.
        | EntryKind::DecisionMade {
            decision: Decision::Again,
            ..
        }
        | EntryKind::CallWithdrawn => {
            open.remove(key);
        }
        _ => {}
    }
}

/// The places where a job failed: the one that its end names, and those of other elements of the
/// loops around it, which failed at the same time.
pub(super) fn failed_places<'a>(
    program: &'a Program,
    failed_at: &'a str,
    traced: &'a [Traced],
) -> Vec<Place<'a>> {
    let first = Place::of_key(program, failed_at);
    let mut places = Vec::new();
    for step in traced
        .iter()
        .filter(|step| step.state == TraceState::Failed)
    {
        let place = Place::of_key(program, &step.key.0);
        let inside = step
            .failure
            .as_ref()
            .and_then(|failure| failure.step.as_deref());
        if let Some(inside) = inside
            && is_beside(&first, &place)
        {
            places.push(Place::of_key(program, inside).begin());
        }
    }
    places.push(first.begin());
    places
}

/// Whether a failed step ended an element of a loop that surrounds a place, beside that place.
fn is_beside(place: &Place<'_>, failed: &Place<'_>) -> bool {
    let Some((last, around)) = failed.parts.split_last() else {
        return false;
    };
    let Some(own_loop) = around.last() else {
        return false;
    };
    let ends_loop =
        matches!(&own_loop.step.kind, StepKind::Foreach(foreach) if !foreach.continue_on_error);
    let is_same_loop = place.parts.len() > around.len()
        && around.iter().zip(&place.parts).all(|(theirs, own)| {
            let is_last = std::ptr::eq(theirs, own_loop);
            std::ptr::eq(theirs.step, own.step) && (is_last || theirs.index == own.index)
        });
    let is_other_element = place
        .parts
        .get(around.len() - 1)
        .is_some_and(|own| own.index != own_loop.index);
    ends_loop && is_same_loop && is_other_element && !last.step.continue_on_error
}
