//! What the iterations of a loop gave so far.
//!
//! Always true: results leave in item order; of several failures, the first by recorded time counts.

use std::collections::BTreeMap;

use crate::clock::Moment;
use crate::compile::Foreach;
use crate::data::{Object, Value};
use crate::journal::{EntryKey, Failure};

use super::fold::{Gave, Recorded};
use super::path::{Index, Path};
use super::progress::Progress;
use super::scope::Layer;
use super::vars::{Vars, vars_of};
use super::{Exit, Flow, OUTCOME_UNKNOWN};

/// The most failed elements that a loop goes on over.
const FAILED_ELEMENTS_MAX: usize = 10_000;

/// The most different values that `tally` counts.
const TALLY_VALUES_MAX: usize = 100;

/// What the iterations gave so far.
#[derive(Default)]
pub(super) struct Results {
    succeeded: u64,
    collected: BTreeMap<u64, Value>,
    tally: BTreeMap<String, u64>,
    errors: BTreeMap<u64, Value>,
    exit: Option<(Moment, u64, Exit)>,
    /// The names around the loop that its steps set.
    pub(super) names_set: Vec<String>,
}

/// How one iteration ended.
pub(super) struct Ended {
    pub(super) index: Index,
    pub(super) number: u64,
    pub(super) at: Moment,
    pub(super) element: Value,
    pub(super) flow: Flow<(Option<Value>, Option<Value>)>,
}

impl Results {
    /// What the journal holds of iterations that were folded.
    pub(super) fn resume(recorded: Recorded) -> Self {
        Self {
            succeeded: recorded.head.succeeded,
            collected: recorded.collected.into_iter().collect(),
            tally: recorded.head.tally,
            errors: recorded.errors.into_iter().collect(),
            ..Self::default()
        }
    }

    /// How far the loop is, of so many elements.
    pub(super) fn progress(&self, key: EntryKey, total: Option<u64>) -> Progress {
        let failed = self.errors.len() as u64;
        Progress {
            key,
            done: self.succeeded + failed,
            failed,
            total,
        }
    }

    /// Whether the loop is being left.
    pub(super) fn is_leaving(&self) -> bool {
        self.exit.is_some()
    }

    /// Takes in what an iteration gave.
    pub(super) fn take(
        &mut self,
        ended: Ended,
        foreach: &Foreach,
        layer: &Layer<'_>,
        path: &Path<'_>,
    ) {
        let (number, at) = (ended.number, ended.at);
        match ended.flow {
            Ok((collected, counted)) => {
                let counted = counted.map(|value| match value {
                    Value::String(text) => text,
                    value => value.to_string(),
                });
                if let Some(name) = &counted
                    && !self.count(name)
                {
                    let message =
                        format!("`tally` counts more than {TALLY_VALUES_MAX} different values");
                    let failure = Failure::new("too_many_values", message);
                    self.leave(at, number, failure.into());
                    return;
                }
                self.succeeded += 1;
                let gave = Gave::Well(collected.as_ref(), counted.as_deref());
                self.fold(ended.index, number, gave, layer, path);
                if let Some(value) = collected {
                    self.collected.insert(number, value);
                }
            }
            Err(Exit::Failed(failure))
                if foreach.continue_on_error && failure.code != OUTCOME_UNKNOWN =>
            {
                layer.frame.job.desk.mark_failed_element();
                if self.errors.len() >= FAILED_ELEMENTS_MAX {
                    let message = format!("more than {FAILED_ELEMENTS_MAX} elements failed");
                    let mut failure = Failure::new("too_many_failures", message);
                    failure.step = Some(path.key().to_string());
                    self.leave(at, number, failure.into());
                    return;
                }
                let mut error = Object::new();
                error.insert("index".into(), number.into());
                error.insert("item".into(), ended.element);
                error.insert("error".into(), failure.to_value());
                let error = Value::Object(error);
                self.fold(ended.index, number, Gave::Failed(&error), layer, path);
                self.errors.insert(number, error);
            }
            Err(exit) => self.leave(at, number, exit),
        }
    }

    /// Keeps the exit that came first by recorded time, which every resumption finds again.
    pub(super) fn leave(&mut self, at: Moment, number: u64, exit: Exit) {
        let is_first = self
            .exit
            .as_ref()
            .is_none_or(|(first_at, first, _)| (at, number) < (*first_at, *first));
        if is_first {
            self.exit = Some((at, number, exit));
        }
    }

    /// The loop's result.
    pub(super) fn finish(self) -> Flow<Value> {
        if let Some((_, _, exit)) = self.exit {
            return Err(exit);
        }
        let failed = self.errors.len() as u64;
        Ok(serde_json::json!({
            "count": self.succeeded + failed,
            "succeeded": self.succeeded,
            "failed": failed,
            "items": Value::Array(self.collected.into_values().collect()),
            "tally": self.tally,
            "errors": Value::Array(self.errors.into_values().collect()),
        }))
    }

    /// Lets an iteration be folded, unless the loop is being left: then all that ended stays as it
    /// is, so that a resumption finds the same failure first.
    fn fold(&self, index: Index, number: u64, gave: Gave<'_>, layer: &Layer<'_>, path: &Path<'_>) {
        if self.is_leaving() {
            return;
        }
        let vars = match self.names_set.is_empty() {
            true => Vars::new(),
            false => vars_of(layer, &self.names_set),
        };
        let below = || format!("{}/", path.at(index).key());
        let desk = &layer.frame.job.desk;
        desk.end_iteration(&path.key(), number, gave, layer.now(), (vars, below));
    }

    /// Counts a value; whether there was room for it.
    fn count(&mut self, name: &str) -> bool {
        if let Some(count) = self.tally.get_mut(name) {
            *count += 1;
            return true;
        }
        self.tally.insert(name.to_owned(), 1);
        self.tally.len() <= TALLY_VALUES_MAX
    }
}
