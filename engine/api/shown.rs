//! A job as it is shown: each step with input and output, and its log.
//!
//! In: a job and what its replay tells. Out: data without what is marked so.
//! Always true: what a job wrote to its log without showing it elsewhere is hidden with it.

use serde_json::json;

use crate::data::{Object, Value};
use crate::interpret::Traced;
use crate::journal::{Entry, EntryKind};
use crate::mask::{Marked, Masker, in_place};
use crate::shape::Shape;

use super::job::Seen;
use super::unseen::Unseen;
use super::{tree, wire};

/// A job as it is shown.
pub(super) struct Shown<'a> {
    /// The job.
    pub(super) seen: &'a Seen,
    /// What takes out what must not be shown.
    pub(super) masker: Masker,
    /// What is declared to be hidden.
    pub(super) marked: Marked,
}

impl Shown<'_> {
    /// The whole of it.
    pub(super) fn wire(&self) -> Value {
        let (record, entries) = (&self.seen.record, &self.seen.entries);
        let Value::Object(mut wire) = wire::job(record) else {
            return Value::Null;
        };
        let (input, output) = match &self.seen.program {
            Some(program) => (program.root().input.clone(), program.root().output.clone()),
            None => (Shape::Any, Shape::Any),
        };
        if !record.event.is_null() {
            wire.insert("trigger".into(), self.hidden(record.event.clone()));
        }
        if record
            .input
            .as_object()
            .is_some_and(|input| !input.is_empty())
        {
            wire.insert("input".into(), self.declared(&input, &record.input));
        }
        if let Some(ending) = &record.ending {
            if let Some(value) = &ending.output {
                wire.insert("output".into(), self.declared(&output, value));
            }
            if let Some(failure) = &ending.failure {
                wire.insert("failure".into(), self.hidden(json!(failure)));
            }
        }
        if record.recoveries > 0 {
            wire.insert("recoveries".into(), record.recoveries.into());
        }
        let steps = tree::tree(
            &self.seen.look,
            entries,
            &|step, node| self.step(step, node),
            &|value| self.hidden(value),
        );
        wire.insert("steps".into(), Value::Array(steps));
        wire.insert("log".into(), self.lines().into());
        if let Some(trouble) = &self.seen.trouble {
            wire.insert("steps_missing_because".into(), trouble.as_str().into());
        }
        Value::Object(wire)
    }

    fn hidden(&self, value: Value) -> Value {
        self.masker.value(value)
    }

    fn declared(&self, shape: &Shape, value: &Value) -> Value {
        self.hidden(in_place(shape, value.clone(), self.marked))
    }

    /// Adds what a step was given and gave.
    fn step(&self, step: &Traced, mut node: Object) -> Object {
        let any = (Shape::Any, Shape::Any);
        let key = (step.recipe.clone(), step.step.clone());
        let (input, output) = self.seen.shapes.get(&key).unwrap_or(&any);
        let parts = [
            ("input", &step.input, input),
            ("output", &step.output, output),
        ];
        for (name, value, shape) in parts {
            if let Some(value) = value {
                node.insert(name.into(), self.declared(shape, value));
            }
        }
        if let Some(note) = &step.note {
            node.insert("note".into(), self.hidden(note.as_str().into()));
        }
        if let Some(failure) = &step.failure {
            node.insert("failure".into(), self.hidden(json!(failure)));
        }
        node
    }

    /// The job's log.
    fn lines(&self) -> Vec<Value> {
        let unseen = Unseen::of(&self.seen.entries, &self.seen.sources);
        let hides_unseen = self.marked == Marked::SecretOrPersonal && self.seen.is_about_people();
        let line = |entry: &Entry| match &entry.kind {
            EntryKind::LineLogged {
                level,
                message,
                data,
            } => {
                let (mut message, mut data) = (message.clone(), data.clone());
                if hides_unseen && unseen.holds(entry) {
                    message = unseen.text(&message);
                    data = data.map(|data| unseen.value(data));
                }
                let mut line = json!({
                    "at": wire::moment(entry.at),
                    "key": entry.key.0,
                    "level": level,
                    "message": self.masker.text(&message),
                });
                if let (Some(line), Some(data)) = (line.as_object_mut(), data) {
                    line.insert("data".into(), self.hidden(data));
                }
                Some(line)
            }
            _ => None,
        };
        self.seen.entries.iter().filter_map(line).collect()
    }
}
