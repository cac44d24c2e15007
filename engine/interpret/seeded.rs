//! What a rerun is told about places of its job.
//!
//! In: the entries that a rerun begins with. Out: where it begins, what steps give without being
//! run, with which elements a loop runs.
//! Always true: a job that is no rerun pays nothing for it.

use std::collections::BTreeMap;

use crate::clock::Moment;
use crate::data::Value;
use crate::journal::{Entry, EntryKey, EntryKind};

use super::desk::Desk;
use super::path::Path;
use super::scope::Layer;

/// What is told, by place.
#[derive(Default)]
pub(super) struct Seeded {
    /// When the job began that is done again.
    started_at: Option<Moment>,
    places: BTreeMap<EntryKey, Told>,
}

#[derive(Default)]
struct Told {
    begins_at: Option<Moment>,
    output: Option<(Moment, Value)>,
    elements: Option<Vec<Value>>,
}

impl Seeded {
    /// Takes an entry up if it is one for here.
    pub(super) fn take_up(&mut self, entry: Entry) -> Option<Entry> {
        let Entry { key, at, kind } = entry;
        match kind {
            EntryKind::RerunBegan { started_at } => self.started_at = Some(started_at),
            EntryKind::RerunFrom => self.told(key).begins_at = Some(at),
            EntryKind::OutputGiven { output, .. } => self.told(key).output = Some((at, output)),
            EntryKind::ElementsGiven {
                items: Value::Array(items),
            } => self.told(key).elements = Some(items),
            kind => return Some(Entry { key, at, kind }),
        }
        None
    }

    fn told(&mut self, key: EntryKey) -> &mut Told {
        self.places.entry(key).or_default()
    }
}

impl Desk {
    /// When the job began, or the one that is done again.
    pub(super) fn began_at(&self, started_at: Moment) -> Moment {
        self.state().seeded.started_at.unwrap_or(started_at)
    }
}

/// Comes to a step: if the rerun begins here, so does its own time. Answers what a person said that
/// the step gives.
pub(super) fn come_to(layer: &Layer<'_>, path: &Path<'_>) -> Option<Value> {
    let state = layer.frame.job.desk.state();
    if state.seeded.places.is_empty() {
        return None;
    }
    let told = state.seeded.places.get(&path.key())?;
    let (begins_at, output) = (told.begins_at, told.output.clone());
    drop(state);
    begins_at.into_iter().for_each(|at| layer.tick(at));
    let (_, output) = output?;
    Some(output)
}

/// The elements that a loop is to run with, if a person chose them.
pub(super) fn elements(layer: &Layer<'_>, path: &Path<'_>) -> Option<Vec<Value>> {
    let state = layer.frame.job.desk.state();
    let told = state.seeded.places.get(&path.key())?;
    told.elements.clone()
}
