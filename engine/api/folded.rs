//! What is shown of a loop whose iterations were folded.
//!
//! In: a job's entries. Out: for each such loop how many iterations are not shown one by one, how
//! they ended, and the first that failed.
//! Always true: what is shown of a loop does not grow with it.

use std::collections::HashMap;

use serde_json::json;

use crate::data::{Object, Value};
use crate::journal::{Entry, EntryKind, LoopHead};

/// The most elements of a folded loop's result that are shown: collected values, and failures.
const SHOWN_MAX: usize = 100;

/// A folded loop.
#[derive(Default)]
pub(super) struct Folded<'a> {
    head: Option<&'a LoopHead>,
    errors: Vec<&'a Value>,
}

/// The folded loops of a job, by place.
pub(super) fn folded(entries: &[Entry]) -> HashMap<&str, Folded<'_>> {
    let mut loops: HashMap<&str, Folded<'_>> = HashMap::new();
    for entry in entries {
        match &entry.kind {
            EntryKind::LoopFolded { head } => {
                loops.entry(&entry.key.0).or_default().head = Some(head);
            }
            EntryKind::LoopGathered { given } => {
                let errors = given["errors"].as_array().into_iter().flatten();
                loops.entry(&entry.key.0).or_default().errors.extend(errors);
            }
            _ => {}
        }
    }
    loops
}

impl Folded<'_> {
    /// Says in the loop's node what is not shown one by one; `hide` takes out what is not shown at
    /// all.
    pub(super) fn show(&self, node: &mut Object, hide: &dyn Fn(Value) -> Value) {
        let Some(head) = self.head else { return };
        let mut folded = Object::new();
        folded.insert("iterations".into(), (head.succeeded + head.failed).into());
        folded.insert("succeeded".into(), head.succeeded.into());
        folded.insert("failed".into(), head.failed.into());
        if !head.tally.is_empty() {
            folded.insert("tally".into(), hide(json!(head.tally)));
        }
        folded.insert("kept".into(), head.kept.into());
        if let Some(Value::Object(output)) = node.get_mut("output") {
            let parts = ["items", "errors"].map(|part| (part, shorten(output, part)));
            for (part, left_out) in parts {
                if left_out > 0 {
                    folded.insert(format!("{part}_not_shown"), left_out.into());
                }
            }
        } else {
            // The elements themselves may hold what must not be shown; which step's they are is
            // known when the loop has ended.
            let errors = self.errors.iter().take(SHOWN_MAX);
            let short = errors.map(|error| {
                let failure = &error["error"];
                json!({
                    "index": error["index"],
                    "error": { "code": failure["code"], "message": failure["message"] },
                })
            });
            node.insert("errors".into(), hide(short.collect()));
        }
        node.insert("folded".into(), folded.into());
    }
}

/// Leaves the first elements of a list; how many were left out.
fn shorten(output: &mut Object, part: &str) -> usize {
    let Some(Value::Array(list)) = output.get_mut(part) else {
        return 0;
    };
    let left_out = list.len().saturating_sub(SHOWN_MAX);
    list.truncate(SHOWN_MAX);
    left_out
}
